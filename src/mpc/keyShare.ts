/**
 * What a signer holds of one key: its share f(i) of the secret f(0), and all public values of the sharing.
 * @module
 */

import { concat } from '../base/bytes.ts';
import { assert } from '../base/errors.ts';
import { type KeyType, keyTypes } from '../base/keyTypes.ts';
import { groupOf } from '../crypto/groups/index.ts';
import { interpolation } from './exponent.ts';
import { cut, encodeNumbers } from './messages.ts';
import { quorumOf } from './protocols.ts';
import { assertParticipants } from './shamir.ts';

export interface KeyShare {
  readonly keyType: KeyType;
  /** Own participant number. */
  readonly index: number;
  /** t: this many shares tell nothing, one more is the key. */
  readonly threshold: number;
  /** All who hold a share, ascending. */
  readonly participants: readonly number[];
  /** f(index), 32 bytes as the group encodes scalars. */
  readonly secret: Uint8Array;
  /** f(0) · base, encoded. */
  readonly publicKey: Uint8Array;
  /** By participant: f(participant) · base, encoded. */
  readonly verificationShares: ReadonlyMap<number, Uint8Array>;
  /** 32 bytes, for the derivation of child keys. Not secret from the signers. */
  readonly chainCode: Uint8Array;
}

const scalarBytes = 32;
const chainCodeBytes = 32;
const encodingVersion = 1;

/** Key types by their number in the encoding: append only. */
const codes = [
  'ECDSA/secp256k1',
  'ECDSA/stark',
  'EdDSA/ed25519',
  'Schnorr/secp256k1',
  'DH/secp256k1',
] as const satisfies readonly KeyType[];

/**
 * The one constructor: every share that is used went through it.
 *
 * @param fields the secret is kept, not copied
 * @throws {Bug} unless the secret belongs to its verification share, all verification shares and the public key lie on one polynomial of
 * degree t, and the participants are enough to use the key
 */
export function createKeyShare(fields: KeyShare): KeyShare {
  const { keyType, index, threshold, participants, secret, publicKey, verificationShares, chainCode } = fields;
  const group = groupOf(keyTypes[keyType].curve);
  assertParticipants(participants, threshold);
  assert(quorumOf(keyType, threshold) <= participants.length, 'there are enough participants to use the key');
  assert(participants.includes(index), 'the holder of a share is a participant');
  assert(chainCode.length === chainCodeBytes, 'a chain code has 32 bytes');
  assert(verificationShares.size === participants.length, 'every participant has its verification share');

  const points = participants.map((participant) => group.decodePoint(verificationShares.get(participant) ?? new Uint8Array(0)));
  const own = points[participants.indexOf(index)] ?? group.identity;
  assert(group.equals(group.multiplyBase(group.decodeScalar(secret)), own), 'the secret belongs to its verification share');
  const atZero = interpolation({ group, participants, degree: threshold }).atZero(points);
  assert(atZero && group.equals(atZero, group.decodePoint(publicKey)), 'the verification shares are a sharing of the public key');
  return Object.freeze({ ...fields });
}

/** For storing, sealed: version ‖ index (four bytes each) ‖ secret ‖ public part. The result holds the secret: overwrite it after use. */
export function encodeKeyShare(share: KeyShare): Uint8Array {
  return concat(encodeNumbers([encodingVersion, share.index]), share.secret, encodePublic(share));
}

/**
 * What all holders have in common: key type ‖ threshold ‖ n ‖ participants (four bytes each) ‖ chain code ‖ public key ‖ verification
 * shares. Equal exactly for shares of the same sharing of the same key.
 */
export function encodePublic({ keyType, threshold, participants, publicKey, verificationShares, chainCode }: KeyShare): Uint8Array {
  const header = [codes.indexOf(keyType), threshold, participants.length, ...participants];
  const points = participants.map((participant) => verificationShares.get(participant) ?? new Uint8Array(0));
  return concat(encodeNumbers(header), chainCode, publicKey, ...points);
}

/**
 * Checks the form only: that the bytes are what this signer once stored is the seal's to say.
 * @returns a share with copies of its parts
 * @throws {Error} if the bytes are not of the form
 */
export function decodeKeyShare(bytes: Uint8Array): KeyShare {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const [version, index] = [view.getUint32(0), view.getUint32(4)];
  if (version !== encodingVersion) throw new Error(`a key share of unknown version ${version}`);
  const publicAt = 8 + scalarBytes;
  const number = (at: number) => view.getUint32(publicAt + 4 * at);
  const [code, threshold, count] = [number(0), number(1), number(2)];
  const keyType = codes[code];
  if (keyType === undefined) throw new Error(`a key share of unknown key type ${code}`);
  const headerBytes = 4 * (3 + count);
  if (bytes.length < publicAt + headerBytes) throw new Error('the key share is cut off');
  const participants = Array.from({ length: count }, (_, at) => number(3 + at));
  assertParticipants(participants, threshold);
  assert(participants.includes(index), 'the holder of a share is a participant');

  const { pointBytes } = groupOf(keyTypes[keyType].curve);
  const sizes = [8, scalarBytes, headerBytes, chainCodeBytes, pointBytes, ...participants.map(() => pointBytes)];
  const [, secret, , chainCode, publicKey, ...points] = cut(bytes, sizes).map((part) => part.slice());
  assert(secret && chainCode && publicKey, 'a key share has all its parts');
  const verificationShares = new Map(participants.map((participant, at) => [participant, points[at] ?? new Uint8Array(0)]));
  return Object.freeze({ keyType, index, threshold, participants, secret, publicKey, verificationShares, chainCode });
}
