import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  concat,
  equal,
  fromBase64Url,
  fromBigInt,
  fromHex,
  lengthPrefixed,
  to0x,
  toBase64,
  toBase64Url,
  toBigInt,
  toHex,
} from '../../src/base/bytes.ts';
import { portable } from '../../src/base/encodings.ts';

const bytes = fc.uint8Array({ maxLength: 300 });
const buffer = (value: Uint8Array) => Buffer.from(value);

describe('texts of bytes', () => {
  test('are those that Node makes', () => {
    fc.assert(
      fc.property(bytes, (value) => {
        expect(toHex(value)).toBe(buffer(value).toString('hex'));
        expect(toBase64(value)).toBe(buffer(value).toString('base64'));
        expect(toBase64Url(value)).toBe(buffer(value).toString('base64url'));
      }),
    );
  });

  test('come back as the bytes, with prefix, in any case, with padding', () => {
    fc.assert(
      fc.property(bytes, (value) => {
        expect(fromHex(toHex(value))).toEqual(value);
        expect(fromHex(to0x(value).toUpperCase())).toEqual(value);
        expect(fromBase64Url(toBase64Url(value))).toEqual(value);
        expect(fromBase64Url(toBase64(value).replaceAll('+', '-').replaceAll('/', '_'))).toEqual(value);
      }),
    );
  });

  test('are the same in a browser', () => {
    fc.assert(
      fc.property(bytes, (value) => {
        expect(portable.hex(value)).toBe(toHex(value));
        expect(portable.base64(value)).toBe(toBase64(value));
        expect(portable.base64Url(value)).toBe(toBase64Url(value));
        expect(portable.fromHex(toHex(value).toUpperCase())).toEqual(value);
        expect(portable.fromBase64Url(toBase64Url(value))).toEqual(value);
      }),
    );
  });

  test.each(['0', '0x0', 'zz', '0x0g', '00 ', '0x0x00'])('%j is not hex', (text) => expect(fromHex(text)).toBeUndefined());
  test.each(['a', 'a+b/', 'ab=c', 'aaaa=====', 'ä'])('%j is not base64url', (text) => expect(fromBase64Url(text)).toBeUndefined());
});

describe('numbers', () => {
  test('are big-endian, of any length', () => {
    fc.assert(
      fc.property(bytes, (value) => {
        expect(toBigInt(value)).toBe(BigInt(`0x0${buffer(value).toString('hex')}`));
        expect(fromBigInt(toBigInt(value), value.length)).toEqual(value);
      }),
    );
  });

  test('that do not fit are refused', () => {
    for (const [value, length] of [
      [256n, 1],
      [1n, 0],
      [1n << 256n, 32],
      [-1n, 32],
      [-1n, 3],
    ] as const) {
      expect(() => fromBigInt(value, length)).toThrow(RangeError);
    }
  });
});

test('lists of parts that differ give different bytes', () => {
  const parts = fc.array(fc.uint8Array({ maxLength: 4 }), { maxLength: 4 });
  fc.assert(
    fc.property(parts, parts, (a, b) => {
      const same = a.length === b.length && a.every((part, i) => equal(part, b[i] ?? new Uint8Array(99)));
      expect(equal(lengthPrefixed(...a), lengthPrefixed(...b))).toBe(same);
      expect(equal(concat(...a), buffer(Buffer.concat(a)))).toBe(true);
    }),
  );
});
