import { concat, utf8 } from '../../base/bytes.ts';
import { sha256 } from '../hash.ts';

/**
 * The tagged hash of BIP-340: SHA-256(SHA-256(tag) ‖ SHA-256(tag) ‖ parts).
 * @returns a function of the parts, with the tag's part computed once
 */
export function taggedHash(tag: string): (...parts: readonly Uint8Array[]) => Uint8Array {
  const tagHash = sha256(utf8(tag));
  const prefix = concat(tagHash, tagHash);
  return (...parts) => sha256(prefix, ...parts);
}
