import { ed25519 } from '@noble/curves/ed25519.js';
import { secp256k1 } from '@noble/curves/secp256k1.js';
import { Point as StarkPoint } from '@scure/starknet';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { toHex } from '../../src/base/bytes.ts';
import { Bug } from '../../src/base/errors.ts';
import type { Curve } from '../../src/base/keyTypes.ts';
import type { Group, Point } from '../../src/crypto/groups/group.ts';
import { groupOf, implementationsOf } from '../../src/crypto/groups/index.ts';
import { nobleGroups } from '../../src/crypto/groups/noble.ts';
import { hex } from '../vectors/shared.ts';

const curves = ['secp256k1', 'stark', 'ed25519'] as const satisfies readonly Curve[];
const groups = curves.flatMap(implementationsOf).map((group) => ({ name: `${group.curve}, ${group.implementation}`, group }));

const notInFull = {
  'the identity, padded': new Uint8Array(65),
  'the identity of SEC 1': hex('00'),
  nothing: new Uint8Array(0),
};

/** Encodings that no group may decode, with what is wrong about them. */
const badEncodings: Record<Curve, Record<string, Uint8Array>> = {
  secp256k1: {
    'x is not on the curve': hex(`02${'00'.repeat(31)}05`),
    'x is not below p': hex(`02${'ff'.repeat(32)}`),
    'x is p + 1': hex('02fffffffffffffffffffffffffffffffffffffffffffffffffffffffefffffc30'),
    'the prefix is of no point': hex(`05${'00'.repeat(31)}01`),
    'the identity, padded': new Uint8Array(33),
    'the identity of SEC 1': hex('00'),
    'an uncompressed point': secp256k1.Point.BASE.toBytes(false),
    'an x-only key': hex('79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798'),
    nothing: new Uint8Array(0),
  },
  stark: {
    'x is not on the curve': hex(`02${'00'.repeat(31)}05`),
    'x is p + 1': hex('020800000000000011000000000000000000000000000000000000000000000002'),
    'the prefix is of no point': hex(`04${'00'.repeat(31)}01`),
    'the identity, padded': new Uint8Array(33),
    'the identity of SEC 1': hex('00'),
    nothing: new Uint8Array(0),
  },
  ed25519: {
    'the identity': hex(`01${'00'.repeat(31)}`),
    'the identity with a sign': hex(`01${'00'.repeat(30)}80`),
    'the point of order 2': hex(`ec${'ff'.repeat(30)}7f`),
    'a point of order 4': hex('00'.repeat(32)),
    'another point of order 4': hex(`${'00'.repeat(31)}80`),
    'a point of order 8': hex('26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05'),
    'another point of order 8': hex('c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a'),
    'y is p, the identity of order 4 once more': hex(`ed${'ff'.repeat(30)}7f`),
    'y is p + 1, the identity once more': hex(`ee${'ff'.repeat(30)}7f`),
    'y is not on the curve': hex(`02${'00'.repeat(31)}`),
    'the base plus the point of order 2: mixed order': mixedOrder(),
    'a byte too many': new Uint8Array(33),
    nothing: new Uint8Array(0),
  },
};

/** The same for points in full. */
const badFullEncodings: Record<Curve, Record<string, Uint8Array>> = {
  secp256k1: {
    ...notInFull,
    'y of another point': withoutItsY(secp256k1.Point.BASE.toBytes(false)),
    'x is p + 1': hex(
      `04fffffffffffffffffffffffffffffffffffffffffffffffffffffffefffffc30${toHex(secp256k1.Point.BASE.toBytes(false)).slice(66)}`,
    ),
    'a compressed point': secp256k1.Point.BASE.toBytes(true),
    'a hybrid of both forms': secp256k1.Point.BASE.toBytes(false).with(0, 6),
  },
  stark: {
    ...notInFull,
    'y of another point': withoutItsY(StarkPoint.BASE.toBytes(false)),
    'a compressed point': StarkPoint.BASE.toBytes(true),
    'a hybrid of both forms': StarkPoint.BASE.toBytes(false).with(0, 6),
  },
  ed25519: badEncodings.ed25519,
};

describe.each(groups)('the group $name', ({ group }) => {
  const { order, base, identity } = group;
  const scalar = scalarsOf(group);
  const text = (point: Point) => textOf(group, point);

  it('has the order it says', () => {
    expect(text(group.add(group.multiplyBase(order - 1n), base))).toBe('identity');
    expect(text(group.add(group.multiply(base, order - 1n), base))).toBe('identity');
    expect(text(group.multiplyBase(1n))).toBe(text(base));
  });

  it('knows the identity', () => {
    expect(group.isIdentity(identity)).toBe(true);
    expect(group.isIdentity(base)).toBe(false);
    expect(group.equals(group.add(), identity)).toBe(true);
    expect(group.equals(group.add(identity, base, identity), base)).toBe(true);
    expect(group.equals(identity, base)).toBe(false);
    const identities = [group.multiplyBase(0n), group.multiply(base, 0n), group.multiply(identity, 5n), group.negate(identity)];
    expect(identities.map(text)).toEqual(Array(4).fill('identity'));
    expect(text(group.linearCombination([], []))).toBe('identity');
    expect(text(group.linearCombination([0n, 7n], [base, identity]))).toBe('identity');
    expect(() => group.encodePoint(identity)).toThrow();
  });

  it('adds many points at once, the same one several times, and opposite ones', () => {
    const P = group.multiplyBase(group.randomScalar());
    expect(text(group.add(base, base, base))).toBe(text(group.multiplyBase(3n)));
    expect(text(group.add(P, base, group.negate(P)))).toBe(text(base));
    expect(text(group.add(P, group.negate(P)))).toBe('identity');
  });

  it('decodes what it encoded, and equal points are equal', () => {
    fc.assert(
      fc.property(scalar, (k) => {
        fc.pre(k !== 0n);
        const P = group.multiplyBase(k);
        const bytes = group.encodePoint(P);
        expect(bytes).toHaveLength(group.pointBytes);
        expect(group.equals(group.decodePoint(bytes), P)).toBe(true);
        expect(group.equals(group.negate(P), P)).toBe(false);
        expect(group.decodeScalar(group.encodeScalar(k))).toBe(k);
      }),
      { numRuns: 20 },
    );
  });

  it.each(Object.entries(badEncodings[group.curve]))('does not decode: %s', (_, bytes) => {
    expect(() => group.decodePoint(bytes)).toThrow();
  });

  it.each(Object.entries(badEncodings[group.curve]))('does not multiply what it would not decode: %s', (_, bytes) => {
    for (const k of [0n, 1n, 8n, order - 1n]) expect(() => group.multiplyEncoded(bytes, k)).toThrow();
  });

  it('decodes what it encoded in full', () => {
    for (const k of [1n, 2n, order - 1n, group.randomScalar()]) {
      const bytes = group.encodeFullPoint(group.multiplyBase(k));
      expect(bytes).toHaveLength(group.fullPointBytes);
      expect(group.equals(group.decodeFullPoint(bytes), group.multiplyBase(k))).toBe(true);
    }
    expect(() => group.encodeFullPoint(identity)).toThrow();
  });

  it.each(Object.entries(badFullEncodings[group.curve]))('does not decode in full: %s', (_, bytes) => {
    expect(() => group.decodeFullPoint(bytes)).toThrow();
  });

  it('shifts by multiples of the base, and by those that lead to the identity and away from it', () => {
    const P = group.multiplyBase(5n);
    expect(text(group.shift(P, 0n))).toBe(text(P));
    expect(text(group.shift(P, order - 5n))).toBe('identity');
    expect(text(group.shift(identity, 5n))).toBe(text(P));
    expect(text(group.shift(identity, 0n))).toBe('identity');
    expect(text(group.shift(P, 5n))).toBe(text(group.multiplyBase(10n)));
    for (const k of [-1n, order]) expect(() => group.shift(P, k)).toThrow(Bug);
  });

  it('writes scalars in 32 bytes, in the order of bytes of its standard', () => {
    const five = new Uint8Array(32);
    five[group.curve === 'ed25519' ? 0 : 31] = 5;
    expect(group.encodeScalar(5n)).toEqual(five);
    expect(group.decodeScalar(five)).toBe(5n);
  });

  it('refuses scalars that are not below the order', () => {
    const greatest = group.encodeScalar(order - 1n);
    const last = group.curve === 'ed25519' ? 0 : 31;
    const tooGreat = greatest.with(last, (greatest[last] ?? 0) + 1);
    expect(group.decodeScalar(greatest)).toBe(order - 1n);
    for (const bytes of [tooGreat, new Uint8Array(32).fill(0xff), new Uint8Array(31), new Uint8Array(33)]) {
      expect(() => group.decodeScalar(bytes)).toThrow();
    }
    for (const k of [-1n, order]) {
      expect(() => group.encodeScalar(k)).toThrow(Bug);
      expect(() => group.multiplyBase(k)).toThrow(Bug);
      expect(() => group.multiply(base, k)).toThrow(Bug);
      expect(() => group.linearCombination([k], [base])).toThrow(Bug);
    }
    expect(() => group.linearCombination([1n], [])).toThrow(Bug);
  });

  it('draws scalars over the whole range', () => {
    const drawn = Array.from({ length: 200 }, () => group.randomScalar());
    expect(drawn.every((k) => k > 0n && k < order)).toBe(true);
    expect(new Set(drawn).size).toBe(drawn.length);
    // Of 200 uniform ones, none in the upper or none in the lower half has a chance of 2⁻¹⁹⁹.
    expect(drawn.some((k) => k > order / 2n) && drawn.some((k) => k < order / 2n)).toBe(true);
  });

  it('leaves the bytes it is given alone, and gives out bytes of its own', () => {
    const bytes = group.encodePoint(group.multiplyBase(7n));
    const before = toHex(bytes);
    const P = group.decodePoint(bytes);
    group.multiply(P, 3n);
    group.negate(P);
    group.add(P, P);
    group.linearCombination([group.order - 2n, 5n], [P, base]);
    expect(toHex(bytes)).toBe(before);
    bytes.fill(0);
    group.encodePoint(P).fill(0);
    expect(text(P)).toBe(before);
  });

  it('computes what noble computes', () => {
    const noble = nobleGroups[group.curve];
    fc.assert(
      fc.property(scalar, scalar, scalar, scalar, (k, l, a, b) => {
        const results = (g: Group) => {
          const [P, Q] = [g.multiplyBase(k), g.multiplyBase(l)];
          const points = [P, g.multiply(P, a), g.add(P, Q), g.negate(P), g.linearCombination([a, b], [P, Q]), g.shift(P, b)];
          const encoded = g.isIdentity(P) ? [] : [toHex(g.encodeFullPoint(P)), textOf(g, g.multiplyEncoded(g.encodePoint(P), a))];
          return [...points.map((point) => textOf(g, point)), ...encoded, toHex(g.encodeScalar(a))];
        };
        expect(results(group)).toEqual(results(noble));
      }),
      { numRuns: 25 },
    );
  });

  it('combines the base and another point as the sum of the multiples', () => {
    fc.assert(
      fc.property(scalar, scalar, scalar, (a, b, k) => {
        const P = group.multiplyBase(k);
        const sum = group.add(group.multiplyBase(a), group.multiply(P, b));
        expect(text(group.linearCombination([a, b], [base, P]))).toBe(text(sum));
        expect(text(group.linearCombination([b, a], [P, base]))).toBe(text(sum));
      }),
      { numRuns: 20 },
    );
    const P = group.multiplyBase(7n);
    expect(text(group.linearCombination([order - 14n, 2n], [base, P]))).toBe('identity');
    expect(text(group.linearCombination([0n, 2n], [base, P]))).toBe(text(group.multiplyBase(14n)));
    expect(text(group.linearCombination([3n, 0n], [base, P]))).toBe(text(group.multiplyBase(3n)));
    expect(text(group.linearCombination([3n, 4n], [base, base]))).toBe(text(P));
    for (const k of [-1n, order]) {
      expect(() => group.linearCombination([k, 1n], [base, P])).toThrow(Bug);
      expect(() => group.linearCombination([1n, k], [base, P])).toThrow(Bug);
    }
  });

  it('computes the same from a point with tables', () => {
    fc.assert(
      fc.property(scalar, scalar, (k, l) => {
        const [P, Q] = [group.multiplyBase(l), group.multiplyBase(l)];
        group.tabulate(Q);
        for (const scalars of [
          [1n, k],
          [k, 1n],
          [order - 1n, k],
        ]) {
          expect(text(group.linearCombination(scalars, [base, Q]))).toBe(text(group.linearCombination(scalars, [base, P])));
        }
        expect(text(group.multiply(Q, k))).toBe(text(group.multiply(P, k)));
      }),
      { numRuns: 10 },
    );
  });

  it('combines as the sum of the multiples', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(scalar, scalar), { maxLength: 4 }), (terms) => {
        const points = terms.map(([, k]) => group.multiplyBase(k));
        const sum = group.add(...terms.map(([c], i) => group.multiply(points[i] ?? identity, c)));
        const scalars = terms.map(([c]) => c);
        expect(text(group.linearCombination(scalars, points))).toBe(text(sum));
      }),
      { numRuns: 15 },
    );
  });
});

describe('the choice of arithmetic', () => {
  it('is made once: a curve has one group', () => {
    for (const curve of curves) expect(groupOf(curve)).toBe(groupOf(curve));
  });

  it('has noble everywhere, and first what is used', () => {
    for (const curve of curves) {
      expect(implementationsOf(curve).map((group) => group.implementation)).toContain('noble');
      expect(implementationsOf(curve)[0]).toBe(groupOf(curve));
    }
  });
});

/** Any scalar, and often those at the ends of the range, where copies take the place of multiplications. */
function scalarsOf({ order }: Group): fc.Arbitrary<bigint> {
  const any = fc.bigInt({ min: 0n, max: order - 1n });
  const small = fc.bigInt({ min: 0n, max: 12n });
  return fc.oneof(
    any,
    small,
    small.map((c) => order - 1n - c),
  );
}

function textOf(group: Group, point: Point): string {
  return group.isIdentity(point) ? 'identity' : toHex(group.encodePoint(point));
}

function withoutItsY(full: Uint8Array): Uint8Array {
  return full.with(64, (full[64] ?? 0) ^ 1);
}

/** B + (0, −1): on the curve, but of twice the prime order. */
function mixedOrder(): Uint8Array {
  const { BASE, Fp, fromAffine } = ed25519.Point;
  return BASE.add(fromAffine({ x: 0n, y: Fp.ORDER - 1n })).toBytes();
}
