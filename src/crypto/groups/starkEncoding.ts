/**
 * Points of the STARK curve as bytes (SEC 1). Its field has p − 1 = 2¹⁹²·q with q = 2⁵⁹ + 17, which is the worst case of the usual
 * square root (Tonelli–Shanks: about 2 ms). Here the discrete logarithm inside it is taken eight bits at a time
 * from tables (Sarkar, "Computing square roots faster than the Tonelli–Shanks/Bernstein algorithm", ePrint 2020/1407): about 0.1 ms.
 *
 * Variable time: encoded points are public. A wrong root cannot pass, since the point is checked against the curve equation.
 * @module
 */

import { Point } from '@scure/starknet';
import { fromBigInt, toBigInt } from '../../base/bytes.ts';
import { inverse } from '../inverse.ts';

const { a, b, p } = Point.CURVE();
const q = 2n ** 59n + 17n;
const digitBits = 8;
const digitValues = 2 ** digitBits;
const digits = 192 / digitBits;

/** @param point not the identity */
export function encodeStarkPoint(point: typeof Point.BASE, isCompressed: boolean): Uint8Array {
  const { x, y } = point.Z === 1n ? { x: point.X, y: point.Y } : point.toAffine(inverse(point.Z, p));
  const bytes = new Uint8Array(isCompressed ? 33 : 65);
  bytes[0] = isCompressed ? 2 + Number(y % 2n) : 4;
  bytes.set(fromBigInt(x, 32), 1);
  if (!isCompressed) bytes.set(fromBigInt(y, 32), 33);
  return bytes;
}

/** @throws {Error} for another length or prefix, x not below p, or no point with this x */
export function decodeStarkPoint(bytes: Uint8Array): typeof Point.BASE {
  const prefix = bytes[0];
  const x = toBigInt(bytes.subarray(1));
  if (bytes.length !== 33 || (prefix !== 0x02 && prefix !== 0x03) || x >= p) throw new Error('not a compressed point');
  const y = squareRoot((((x * x) % p) * x + a * x + b) % p);
  if (y === undefined) throw new Error('there is no point with this x');
  const isOdd = y % 2n === 1n;
  const point = Point.fromAffine({ x, y: isOdd === (prefix === 0x03) ? y : p - y });
  point.assertValidity();
  return point;
}

/**
 * A square root of `square` mod p, or undefined if it has none.
 *
 * With g = 3^q, which generates the subgroup of order 2¹⁹²: square^q = g^e for some e, and where e is even,
 * square^((q+1)/2) · g^(−e/2) is a root. The digits e_i of e are found from the lowest up, in base 256.
 */
export function squareRoot(square: bigint): bigint | undefined {
  if (square === 0n) return 0n;
  const { inverses, logarithms } = tables();
  const v = power(square, (q - 1n) / 2n);
  const x = (square * v) % p;

  const raised = [(x * v) % p]; // raised[i] = g^(e·256^i)
  while (raised.length < digits) raised.push(squared(raised.at(-1) ?? 0n, digitBits));

  const e: number[] = [];
  for (let i = 0; i < digits; i++) {
    const shift = digits - 1 - i;
    const rest = e.reduce((product, digit, j) => (product * (inverses[j + shift]?.[digit] ?? 0n)) % p, raised[shift] ?? 0n);
    const digit = logarithms.get(rest);
    if (digit === undefined) return undefined;
    e.push(digit);
    if (i === 0 && digit % 2 === 1) return undefined;
  }

  return e.reduce((root, digit, i) => {
    const half = (digit >> 1) | (((e[i + 1] ?? 0) & 1) << (digitBits - 1));
    return (root * (inverses[i]?.[half] ?? 0n)) % p;
  }, x);
}

interface Tables {
  /** [i][k]: g^(−k·256^i). */
  readonly inverses: readonly (readonly bigint[])[];
  /** k by (g^(256^23))^k: the logarithm in the subgroup of order 256. */
  readonly logarithms: ReadonlyMap<bigint, number>;
}

let built: Tables | undefined;

/** Built at the first use: 6144 numbers, some milliseconds. */
function tables(): Tables {
  if (built) return built;
  const generator = power(3n, q);
  let step = power(generator, 2n ** 192n - 1n); // g⁻¹
  const inverses: bigint[][] = [];
  for (let i = 0; i < digits; i++) {
    const row = [1n];
    while (row.length < digitValues) row.push(((row.at(-1) ?? 0n) * step) % p);
    inverses.push(row);
    step = squared(step, digitBits);
  }
  const logarithms = new Map(inverses.at(-1)?.map((value, k) => [value, (digitValues - k) % digitValues]));
  built = { inverses, logarithms };
  return built;
}

/** base^(2^times). */
function squared(base: bigint, times: number): bigint {
  let value = base;
  for (let i = 0; i < times; i++) value = (value * value) % p;
  return value;
}

function power(base: bigint, exponent: bigint): bigint {
  let value = 1n;
  for (const bit of exponent.toString(2)) {
    value = (value * value) % p;
    if (bit === '1') value = (value * base) % p;
  }
  return value;
}
