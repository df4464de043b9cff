import { Point } from '@scure/starknet';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { concat, fromBigInt } from '../../src/base/bytes.ts';
import { decodeStarkPoint, encodeStarkPoint, squareRoot } from '../../src/crypto/groups/starkEncoding.ts';

const { p } = Point.CURVE();
const element = fc.oneof(fc.bigInt({ min: 0n, max: p - 1n }), fc.bigInt({ min: 0n, max: 20n }), fc.bigInt({ min: p - 20n, max: p - 1n }));

describe('the square root of the STARK field', () => {
  it('of a square is one of its two roots', () => {
    fc.assert(
      fc.property(element, (x) => {
        expect([x, (p - x) % p]).toContain(squareRoot((x * x) % p));
      }),
    );
  });

  it('of three times a square, other than 0, is none: 3 is no square', () => {
    fc.assert(
      fc.property(element, (x) => {
        fc.pre(x !== 0n);
        expect(squareRoot((3n * x * x) % p)).toBeUndefined();
      }),
    );
  });
});

describe('decoding on the STARK curve', () => {
  it('does what scure does, with points and with what is none', () => {
    fc.assert(
      fc.property(element, fc.constantFrom(0, 2, 3, 4), (x, prefix) => {
        const bytes = concat(Uint8Array.of(prefix), fromBigInt(x, 32));
        expect(outcome(() => decodeStarkPoint(bytes))).toEqual(outcome(() => Point.fromBytes(bytes)));
      }),
      { numRuns: 60 },
    );
  });
});

describe('encoding on the STARK curve', () => {
  it('does what scure does, with points in any coordinates', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 1n, max: Point.Fn.ORDER - 2n }), fc.boolean(), (k, isCompressed) => {
        const P = Point.BASE.multiplyUnsafe(k);
        for (const point of [P, P.add(Point.BASE), Point.fromAffine(P.toAffine())]) {
          expect(encodeStarkPoint(point, isCompressed)).toEqual(point.toBytes(isCompressed));
        }
      }),
      { numRuns: 60 },
    );
  });
});

/** The affine point, or undefined where it was refused. */
function outcome(decode: () => typeof Point.BASE): { x: bigint; y: bigint } | undefined {
  try {
    return decode().toAffine();
  } catch {
    return undefined;
  }
}
