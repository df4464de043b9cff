/**
 * Derivation paths: `m/i/j…` from a master key to a child key, non-hardened indices only (contract §5.3). Browser-safe.
 * @module
 */

/** BIP-44 has five steps; each one costs a hash and a point multiplication. */
export const maxDepth = 10;
/** From here on indices are hardened (BIP-32): they need the secret, which nobody has. */
const firstHardened = 2 ** 31;

/** The indices of a path, in order. @returns undefined for what is not one: another form, a hardened index, more than `maxDepth` steps */
export function parsePath(text: string): readonly number[] | undefined {
  if (!/^m(\/(0|[1-9]\d{0,9}))+$/.test(text)) return undefined;
  const indices = text.split('/').slice(1).map(Number);
  return indices.length <= maxDepth && indices.every((index) => index < firstHardened) ? indices : undefined;
}
