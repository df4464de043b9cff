import { createHash } from 'node:crypto';
import { concat, utf8 } from '../../base/bytes.ts';

/**
 * The tagged hash of BIP-340: SHA-256(SHA-256(tag) ‖ SHA-256(tag) ‖ parts).
 * @returns a function of the parts, with the tag's part computed once
 */
export function taggedHash(tag: string): (...parts: readonly Uint8Array[]) => Uint8Array {
  const tagHash = createHash('sha256').update(utf8(tag)).digest();
  const prefix = concat(tagHash, tagHash);
  return (...parts) => {
    const hash = createHash('sha256').update(prefix);
    for (const part of parts) hash.update(part);
    return new Uint8Array(hash.digest());
  };
}
