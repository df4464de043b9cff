/**
 * Identifiers (contract §1.1): `<prefix>-xxxxx-xxxxx-xxxxxxxxxxxxxxxx`, letters and digits, 26 characters: 129 bits of randomness.
 * @module
 */

const alphabet = 'abcdefghijklmnopqrstuvwxyz012345';

export const idPrefixes = {
  key: 'key',
  wallet: 'wa',
  signature: 'sig',
  user: 'us',
  token: 'to',
  organisation: 'or',
  application: 'ap',
  credential: 'cr',
  permission: 'pm',
  assignment: 'as',
  store: 'store',
  cluster: 'cl',
  request: 'req',
  replica: 'rep',
} as const;

export type IdKind = keyof typeof idPrefixes;

/** A fresh identifier. */
export function newId(kind: IdKind): string {
  if (at === randomness.length) {
    crypto.getRandomValues(randomness);
    at = 0;
  }
  at += idBytes;
  return idFrom(kind, randomness.subarray(at - idBytes, at));
}

const idBytes = 26;
/** Drawn for many at a time: a draw costs more than what is made of it. Identifiers are no secrets. */
const randomness = new Uint8Array(128 * idBytes);
let at = randomness.length;

/** An identifier made of given bytes (26 of them, five bits of each are used): for identifiers derived from a request. */
export function idFrom(kind: IdKind, bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes.subarray(0, idBytes)) text += alphabet[byte & 31];
  return `${idPrefixes[kind]}-${text.slice(0, 5)}-${text.slice(5, 10)}-${text.slice(10)}`;
}
