import fc from 'fast-check';
import { expect, test } from 'vitest';
import { utf8 } from '../../src/base/bytes.ts';
import { encodeFrame, frameReader, framesOf, maxFrameBytes } from '../../src/base/frames.ts';

test('messages come out whole, however the stream is cut', () => {
  const message = fc.oneof(fc.string(), fc.integer(), fc.array(fc.string({ unit: 'grapheme' })), fc.record({ a: fc.string() }));
  fc.assert(
    fc.property(fc.array(message, { maxLength: 6 }), fc.array(fc.integer({ min: 1, max: 9 })), (messages, cuts) => {
      const stream = Buffer.concat(messages.map(encodeFrame));
      const { read } = frameReader();
      const out: unknown[] = [];
      for (let at = 0, i = 0; at < stream.length; i++) {
        const size = cuts[i % Math.max(1, cuts.length)] ?? stream.length;
        out.push(...read(stream.subarray(at, at + size)).map(({ message }) => message));
        at += size;
      }
      expect(out).toEqual(messages);
    }),
  );
});

test('frames that leave together are those that leave alone, in whatever pieces their texts are', () => {
  const text = fc.string({ unit: 'grapheme' });
  fc.assert(
    fc.property(fc.array(fc.array(text)), (texts) => {
      const messages = texts.map((pieces) => pieces.map((piece) => JSON.stringify(piece)).join());
      const pieces = texts.map((some) => some.flatMap((piece, i) => [i === 0 ? '' : ',', utf8(JSON.stringify(piece))]));
      const alone = messages.map((message) => encodeFrame(JSON.parse(`[${message}]`)));
      expect(framesOf(pieces.map((some) => ['[', ...some, ']']))).toEqual(new Uint8Array(Buffer.concat(alone)));
    }),
  );
});

test('a frame above the limit is refused before it is read', () => {
  const head = Buffer.alloc(4);
  head.writeUInt32BE(maxFrameBytes + 1);
  expect(() => frameReader().read(head)).toThrow(/above the limit/);
});

test('what is not JSON is refused', () => {
  expect(() => frameReader().read(Buffer.concat([Buffer.from([0, 0, 0, 2]), Buffer.from('{]')]))).toThrow();
});

test('a large frame in small pieces costs time linear in its size', () => {
  const message = 'x'.repeat(2 ** 20);
  const frame = encodeFrame(message);
  const reader = frameReader();
  let got: readonly { message: unknown; bytes: number }[] = [];
  for (let at = 0; at < frame.length; at += 7) got = reader.read(frame.subarray(at, at + 7)); // 10¹¹ bytes copied, were each a new buffer
  expect(got).toEqual([{ message, bytes: frame.length }]);
  expect(reader.isPartial).toBe(false);
});

test('says whether a frame is half read', () => {
  const reader = frameReader();
  reader.read(encodeFrame('whole'));
  expect(reader.isPartial).toBe(false);
  reader.read(Uint8Array.of(0));
  expect(reader.isPartial).toBe(true);
});
