/**
 * What a signer holds of one key: its share f(i) of the secret f(0), and all public values of the sharing.
 * @module
 */

import { concat } from '../base/bytes.ts';
import { assert } from '../base/errors.ts';
import { type KeyType, keyTypes } from '../base/keyTypes.ts';
import type { Point } from '../crypto/groups/group.ts';
import { groupOf } from '../crypto/groups/index.ts';
import { interpolation } from './exponent.ts';
import { cut, encodeNumbers } from './messages.ts';
import { quorumOf } from './protocols.ts';
import { assertParticipants } from './shamir.ts';

/** What is public of a sharing, the same for all who hold it. */
export interface Sharing {
  readonly keyType: KeyType;
  /** t: this many shares tell nothing, one more is the key. */
  readonly threshold: number;
  /** All who hold a share, ascending. */
  readonly participants: readonly number[];
  /** f(0) · base, encoded. */
  readonly publicKey: Uint8Array;
  /** By participant: f(participant) · base, encoded. */
  readonly verificationShares: ReadonlyMap<number, Uint8Array>;
  /** 32 bytes, for the derivation of child keys. Not secret from the signers. */
  readonly chainCode: Uint8Array;
}

export interface KeyShare extends Sharing {
  /** Own participant number. */
  readonly index: number;
  /** f(index), 32 bytes as the group encodes scalars. */
  readonly secret: Uint8Array;
}

const scalarBytes = 32;
const chainCodeBytes = 32;
const encodingVersion = 1;
/** Of a header: more participants than any sharing has are no sharing. */
const maxNumbers = 0xffff;

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
  const { keyType, index, threshold, participants, secret } = fields;
  const group = groupOf(keyTypes[keyType].curve);
  assertParticipants(participants, threshold);
  assert(quorumOf(keyType, threshold) <= participants.length, 'there are enough participants to use the key');
  assert(participants.includes(index), 'the holder of a share is a participant');
  const own = verificationPoints(fields).get(index) ?? group.identity;
  assert(group.equals(group.multiplyBase(group.decodeScalar(secret)), own), 'the secret belongs to its verification share');
  return Object.freeze({ ...fields });
}

/**
 * The verification shares of a sharing, checked to be one.
 * @throws {Bug} unless all of them and the public key lie on one polynomial of degree t @throws {Error} for what is no point
 */
export function verificationPoints(sharing: Sharing): ReadonlyMap<number, Point> {
  const { keyType, threshold, participants, publicKey, verificationShares, chainCode } = sharing;
  const group = groupOf(keyTypes[keyType].curve);
  assertParticipants(participants, threshold);
  assert(chainCode.length === chainCodeBytes, 'a chain code has 32 bytes');
  assert(verificationShares.size === participants.length, 'every participant has its verification share');
  const points = participants.map((participant) => group.decodePoint(verificationShares.get(participant) ?? new Uint8Array(0)));
  const atZero = interpolation({ group, participants, degree: threshold }).atZero(points);
  assert(atZero && group.equals(atZero, group.decodePoint(publicKey)), 'the verification shares are a sharing of the public key');
  return new Map(points.map((point, at) => [participants[at] ?? 0, point]));
}

/** For storing, sealed: version ‖ index (four bytes each) ‖ secret ‖ public part. The result holds the secret: overwrite it after use. */
export function encodeKeyShare(share: KeyShare): Uint8Array {
  return concat(encodeNumbers([encodingVersion, share.index]), share.secret, encodePublic(share));
}

/**
 * What all holders have in common: key type ‖ threshold ‖ n ‖ participants (four bytes each) ‖ chain code ‖ public key ‖ verification
 * shares. Equal exactly for shares of the same sharing of the same key.
 */
export function encodePublic({ keyType, threshold, participants, publicKey, verificationShares, chainCode }: Sharing): Uint8Array {
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
  const [version, index] = numbersOf(bytes, 2);
  if (version !== encodingVersion) throw new Error(`a key share of unknown version ${version}`);
  const publicAt = 8 + scalarBytes;
  const { length, ...sharing } = leadingSharing(bytes.subarray(publicAt));
  const [, secret] = cut(bytes, [8, scalarBytes, length]).map((part) => part.slice());
  assert(secret && index !== undefined && sharing.participants.includes(index), 'the holder of a share is a participant');
  return Object.freeze({ ...sharing, index, secret });
}

/**
 * What begins with a sharing as `encodePublic` writes it. Checks the form only: `verificationPoints` checks the rest.
 * @returns copies of its parts, and how many bytes it has
 * @throws {Error} if the bytes are not of the form
 */
export function leadingSharing(bytes: Uint8Array): Sharing & { readonly length: number } {
  const [code = 0, threshold = 0, count = 0] = numbersOf(bytes, 3);
  const keyType = codes[code];
  if (keyType === undefined) throw new Error(`a sharing of unknown key type ${code}`);
  const headerBytes = 4 * (3 + count);
  const participants = numbersOf(bytes, 3 + count).slice(3);
  assertParticipants(participants, threshold);

  const { pointBytes } = groupOf(keyTypes[keyType].curve);
  const sizes = [headerBytes, chainCodeBytes, pointBytes, ...participants.map(() => pointBytes)];
  const length = sizes.reduce((sum, size) => sum + size, 0);
  const [, chainCode, publicKey, ...points] = cut(bytes.subarray(0, length), sizes).map((part) => part.slice());
  assert(chainCode && publicKey, 'a sharing has all its parts');
  const verificationShares = new Map(participants.map((participant, at) => [participant, points[at] ?? new Uint8Array(0)]));
  return { keyType, threshold, participants, publicKey, verificationShares, chainCode, length };
}

/** The first numbers, of four bytes each. @throws {Error} if there are fewer */
function numbersOf(bytes: Uint8Array, count: number): number[] {
  if (count > maxNumbers || bytes.length < 4 * count) throw new Error('the key share is cut off');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Array.from({ length: count }, (_, at) => view.getUint32(4 * at));
}
