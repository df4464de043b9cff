import fc from 'fast-check';
import { expect, test } from 'vitest';
import { encodeFrame, frameReader, maxFrameBytes } from '../../src/base/frames.ts';

test('messages come out whole, however the stream is cut', () => {
  const message = fc.oneof(fc.string(), fc.integer(), fc.array(fc.string({ unit: 'grapheme' })), fc.record({ a: fc.string() }));
  fc.assert(
    fc.property(fc.array(message, { maxLength: 6 }), fc.array(fc.integer({ min: 1, max: 9 })), (messages, cuts) => {
      const stream = Buffer.concat(messages.map(encodeFrame));
      const read = frameReader();
      const out: unknown[] = [];
      for (let at = 0, i = 0; at < stream.length; i++) {
        const size = cuts[i % Math.max(1, cuts.length)] ?? stream.length;
        out.push(...read(stream.subarray(at, at + size)));
        at += size;
      }
      expect(out).toEqual(messages);
    }),
  );
});

test('a frame above the limit is refused before it is read', () => {
  const head = Buffer.alloc(4);
  head.writeUInt32BE(maxFrameBytes + 1);
  expect(() => frameReader()(head)).toThrow(/above the limit/);
});

test('what is not JSON is refused', () => {
  expect(() => frameReader()(Buffer.concat([Buffer.from([0, 0, 0, 2]), Buffer.from('{]')]))).toThrow();
});
