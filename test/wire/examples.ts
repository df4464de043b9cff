/**
 * The two requests that define the product, for every scheme that signs, each with a verifier that knows nothing of ours: noble, scure
 * or Node's own cryptography.
 * @module
 */

import { createHash, createPublicKey, verify } from 'node:crypto';
import type { DfnsApiClient } from '@dfns/sdk';
import { schnorr, secp256k1 } from '@noble/curves/secp256k1.js';
import * as starknet from '@scure/starknet';
import { expect } from 'vitest';

export type KeyTypeNames = Parameters<DfnsApiClient['keys']['createKey']>[0]['body'];
export type SignatureBody = Parameters<DfnsApiClient['keys']['generateSignature']>[0]['body'];

export interface Example {
  readonly name: string;
  readonly key: KeyTypeNames;
  /** @param prefix of hex: `0x` or none */
  body(prefix: string): SignatureBody;
  /** Of `encoded`. */
  readonly encodedBytes: 64 | 65;
  verifies(publicKey: Uint8Array, signature: Signature): boolean;
}

export interface Signature {
  readonly r: Uint8Array;
  readonly s: Uint8Array;
  readonly recid: number | undefined;
}

export const hash = '031edd7d41651593c5fe5c006fa5752b37fddff7bc4e843aa6af0c950f4b9406';
export const message = solanaMessage();
const merkleRoot = createHash('sha256').update('a script tree').digest('hex');

export const examples: readonly Example[] = [
  {
    name: 'Hash by ECDSA on secp256k1',
    key: { scheme: 'ECDSA', curve: 'secp256k1' },
    body: (prefix) => ({ kind: 'Hash', hash: prefix + hash }),
    encodedBytes: 65,
    verifies: (publicKey, { r, s, recid = -1 }) =>
      secp256k1.verify(join(r, s), bytes(hash), publicKey, { prehash: false, lowS: true }) &&
      equal(secp256k1.recoverPublicKey(join([recid], r, s), bytes(hash), { prehash: false }), publicKey),
  },
  {
    name: 'Hash by ECDSA on stark',
    key: { scheme: 'ECDSA', curve: 'stark' },
    body: (prefix) => ({ kind: 'Hash', hash: prefix + hash }),
    encodedBytes: 65,
    verifies: (publicKey, { r, s, recid = -1 }) => {
      const signature = starknet.Signature.fromBytes(join([recid], r, s), 'recovered');
      const recovered = signature.recoverPublicKey(bytes(hash)).toBytes(true);
      return starknet.verify(join(r, s), hash, publicKey, { format: 'compact' }) && !signature.hasHighS() && equal(recovered, publicKey);
    },
  },
  {
    name: 'Hash by EdDSA',
    key: { scheme: 'EdDSA', curve: 'ed25519' },
    body: (prefix) => ({ kind: 'Hash', hash: prefix + hash }),
    encodedBytes: 64,
    verifies: (publicKey, signature) => verifiesEd25519(publicKey, bytes(hash), signature),
  },
  {
    name: 'a Solana message by EdDSA',
    key: { scheme: 'EdDSA', curve: 'ed25519' },
    body: (prefix) => ({ kind: 'Message', message: prefix + message }),
    encodedBytes: 64,
    verifies: (publicKey, signature) => verifiesEd25519(publicKey, bytes(message), signature),
  },
  ...['', merkleRoot].map(
    (root): Example => ({
      name: `Hash by Schnorr, ${root === '' ? 'for a key without scripts' : 'for a key with a script tree'}`,
      key: { scheme: 'Schnorr', curve: 'secp256k1' },
      body: (prefix) => ({ kind: 'Hash', hash: prefix + hash, taprootMerkleRoot: root === '' ? '' : prefix + root }),
      encodedBytes: 64,
      verifies: (publicKey, { r, s, recid }) =>
        recid === undefined && schnorr.verify(join(r, s), bytes(hash), taprootOutputKey(publicKey, bytes(root))),
    }),
  ),
];

export function exampleOf(scheme: KeyTypeNames['scheme'], curve: KeyTypeNames['curve']): Example {
  const found = examples.find(({ key }) => key.scheme === scheme && key.curve === curve);
  if (found === undefined) throw new Error(`no example of ${scheme} on ${curve}`);
  return found;
}

/** The answer is a signature that its example's verifier accepts. @returns the answer */
export function expectSigned<A extends { status: string; signature?: { r: string; s: string; recid?: number | undefined } | undefined }>(
  answer: A,
  { verifies }: Example,
  { publicKey }: { publicKey: string },
): A {
  expect(answer.status).toBe('Signed');
  const { r = '', s = '', recid } = answer.signature ?? {};
  expect(verifies(bytes(publicKey), { r: bytes(r), s: bytes(s), recid })).toBe(true);
  return answer;
}

export const bytes = (hex: string): Uint8Array<ArrayBuffer> => new Uint8Array(Buffer.from(hex.replace(/^0x/, ''), 'hex'));
const join = (...parts: readonly (Uint8Array | number[])[]): Uint8Array => new Uint8Array(parts.flatMap((part) => [...part]));
const equal = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0;

function verifiesEd25519(publicKey: Uint8Array, signed: Uint8Array, { r, s, recid }: Signature): boolean {
  const x = Buffer.from(publicKey).toString('base64url');
  const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' });
  return recid === undefined && verify(null, signed, key, join(r, s));
}

/** BIP-341: Q = lift_x(P) + H_TapTweak(P ‖ root) · G. */
function taprootOutputKey(publicKey: Uint8Array, root: Uint8Array): Uint8Array {
  const x = publicKey.subarray(1);
  const tweak = BigInt(`0x${Buffer.from(schnorr.utils.taggedHash('TapTweak', x, root)).toString('hex')}`);
  const internal = secp256k1.Point.fromBytes(join([2], x));
  return internal.add(secp256k1.Point.BASE.multiply(tweak)).toBytes(true).subarray(1);
}

/**
 * A legacy Solana message of 400 bytes: one signer, seven accounts of which five are read only, a recent blockhash, and one instruction
 * whose data fills it up.
 */
function solanaMessage(): string {
  const header = [1, 0, 5];
  const payer = Buffer.concat([Buffer.from('a824', 'hex'), Buffer.alloc(30, 0x11)]);
  const accounts = [payer, ...Array.from({ length: 6 }, (_, i) => Buffer.alloc(32, i + 1))];
  const blockhash = Buffer.alloc(32, 0xbb);
  const instruction = [6, 3, 0, 1, 2]; // the program's index, then the accounts it is given
  const head = Buffer.concat([Buffer.from([...header, accounts.length]), ...accounts, blockhash, Buffer.from([1, ...instruction])]);
  const length = 400 - head.length - 2;
  const compactLength = [(length & 0x7f) | 0x80, length >> 7];
  return Buffer.concat([head, Buffer.from(compactLength), Buffer.alloc(length, 0x2a)]).toString('hex');
}
