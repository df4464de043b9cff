import { invert } from '@noble/curves/abstract/modular.js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Bug } from '../../src/base/errors.ts';
import type { Curve } from '../../src/base/keyTypes.ts';
import { groupOf } from '../../src/crypto/groups/index.ts';
import { inverse } from '../../src/crypto/inverse.ts';

const curves = ['secp256k1', 'stark', 'ed25519'] as const satisfies readonly Curve[];

/** n written as a power sum has runs of equal digits, where quotients are unsure; these numbers stand next to its divisions. */
function hardNumbers(n: bigint): readonly bigint[] {
  const parts = [2n, 3n, 2n ** 25n, 2n ** 50n, 2n ** 51n, 2n ** 64n, 2n ** 128n, 2n ** 200n].map((divisor) => n / divisor);
  const powers = Array.from({ length: 251 }, (_, bits) => 2n ** BigInt(bits));
  return [...parts, ...powers].flatMap((value) => [value - 1n, value, value + 1n, n - value]).filter((value) => value % n !== 0n);
}

describe.each(curves)('Inverses mod the order of %s', (curve) => {
  const { order: n } = groupOf(curve);

  it('are noble’s', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 1n, max: n - 1n }), (a) => {
        expect(inverse(a, n)).toBe(invert(a, n));
      }),
      { numRuns: 2_000 },
    );
  });

  it('are noble’s where Euclid’s algorithm has long quotients, or many', () => {
    for (const a of hardNumbers(n)) expect(inverse(a, n)).toBe(invert(a, n));
    // Successive Fibonacci numbers make every quotient 1.
    let [f, g] = [1n, 1n];
    while (g < n) {
      expect(inverse(g, n)).toBe(invert(g, n));
      [f, g] = [g, f + g];
    }
  });

  it('are of the residue, of negative numbers too', () => {
    expect(inverse(-1n, n)).toBe(n - 1n);
    expect(inverse(n + 2n, n)).toBe(inverse(2n, n));
  });

  it('do not exist of zero', () => {
    for (const zero of [0n, n, -n, 5n * n]) expect(() => inverse(zero, n)).toThrow(Bug);
  });
});

it('Inverses mod small primes are the right ones, all of them', () => {
  for (const p of [2n, 3n, 5n, 97n, 65_537n]) {
    for (let a = 1n; a < p && a < 500n; a++) expect((inverse(a, p) * a) % p).toBe(1n);
  }
});
