import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { groupOf } from '../../src/crypto/groups/index.ts';
import { inverse } from '../../src/crypto/inverse.ts';
import { interpolation } from '../../src/mpc/exponent.ts';
import {
  assertParticipants,
  evaluate,
  interpolateAtZero,
  lagrange,
  lagrangeAtZero,
  powers,
  randomPolynomial,
  subsetsOf,
} from '../../src/mpc/shamir.ts';

const group = groupOf('secp256k1');
const n = group.order;
const clusters = [
  { size: 3, t: 1 },
  { size: 4, t: 1 },
  { size: 5, t: 2 },
  { size: 7, t: 2 },
  { size: 7, t: 3 },
];
const range = (size: number) => Array.from({ length: size }, (_, at) => at + 1);

describe('Shamir’s secret sharing', () => {
  it('has the Lagrange coefficients of RFC 9591 §4.2: those of {1, 3} at zero are 3/2 and −1/2', () => {
    expect(lagrangeAtZero([1, 3], n)).toEqual([(3n * inverse(2n, n)) % n, n - inverse(2n, n)]);
    expect(lagrangeAtZero([3, 1], n)).toEqual([n - inverse(2n, n), (3n * inverse(2n, n)) % n]);
  });

  it.each(clusters)('gives the secret from every set of t + 1 of $size (t = $t), and any other point of the polynomial', ({ size, t }) => {
    const f = randomPolynomial({ group, degree: t });
    for (const set of subsetsOf(range(size), t + 1)) {
      const shares = new Map(set.map((i) => [i, evaluate(f, i, n)]));
      expect(interpolateAtZero(shares, n)).toBe(f[0]);
      const at9 = set.reduce((sum, i) => sum + lagrange({ i, set, x: 9, n }) * evaluate(f, i, n), 0n) % n;
      expect(at9).toBe(evaluate(f, 9, n));
    }
  });

  it('gives something else from t shares', () => {
    const f = randomPolynomial({ group, degree: 2 });
    expect(interpolateAtZero(new Map([1, 2].map((i) => [i, evaluate(f, i, n)])), n)).not.toBe(f[0]);
  });

  it('has coefficients that add up to one, for any set', () => {
    const sets = fc.uniqueArray(fc.integer({ min: 1, max: 65535 }), { minLength: 1, maxLength: 9 });
    fc.assert(
      fc.property(sets, (set) => {
        expect(lagrangeAtZero(set, n).reduce((sum, coefficient) => sum + coefficient, 0n) % n).toBe(1n);
      }),
      { verbose: 1 },
    );
  });

  it('refuses a set that repeats a participant or lacks the one asked for', () => {
    expect(() => lagrangeAtZero([1, 1, 2], n)).toThrow('without repetition');
    expect(() => lagrange({ i: 3, set: [1, 2], x: 0, n })).toThrow('one of a set');
  });

  it.each([
    { participants: [1, 2, 3], threshold: 3, truth: 'from 1 to n − 1' },
    { participants: [1, 2, 3], threshold: 0, truth: 'from 1 to n − 1' },
    { participants: [1, 2, 3], threshold: 1.5, truth: 'from 1 to n − 1' },
    { participants: [0, 1, 2], threshold: 1, truth: 'ascending' },
    { participants: [1, 1, 2], threshold: 1, truth: 'ascending' },
    { participants: [2, 1, 3], threshold: 1, truth: 'ascending' },
    { participants: [1, 2.5, 3], threshold: 1, truth: 'ascending' },
    { participants: [1, 2, 65536], threshold: 1, truth: 'ascending' },
  ])('refuses participants $participants with threshold $threshold', ({ participants, threshold, truth }) => {
    expect(() => assertParticipants(participants, threshold)).toThrow(truth);
  });
});

describe('Interpolation in the exponent', () => {
  it.each(clusters)('finds f(0)·G from every set of 2t + 1 of $size (t = $t), and notices any point that is off', ({ size, t }) => {
    const f = randomPolynomial({ group, degree: t });
    for (const participants of subsetsOf(range(size), Math.min(2 * t + 1, size))) {
      const { atZero } = interpolation({ group, participants, degree: t });
      const points = participants.map((i) => group.multiplyBase(evaluate(f, i, n)));
      const expected = group.multiplyBase(f[0] ?? 0n);
      const found = atZero(points);
      expect(found && group.equals(found, expected)).toBe(true);
      for (const at of participants.keys()) {
        expect(atZero(points.map((point, position) => (position === at ? group.add(point, group.base) : point)))).toBeUndefined();
      }
    }
  });

  it('works where no set has whole coefficients', () => {
    const f = randomPolynomial({ group, degree: 1 });
    const participants = [5, 8];
    const found = interpolation({ group, participants, degree: 1 }).atZero(participants.map((i) => group.multiplyBase(evaluate(f, i, n))));
    expect(found && group.equals(found, group.multiplyBase(f[0] ?? 0n))).toBe(true);
  });

  it('weights commitments by rising powers', () => {
    expect(powers(3, 4, n)).toEqual([1n, 3n, 9n, 27n]);
  });
});
