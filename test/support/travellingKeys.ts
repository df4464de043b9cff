/**
 * The client's end of export and import (contract §10), by Node, noble and scure alone: what a holder of the encryption key does with the
 * shares of a key that leaves, and what the owner of a private key does to have signers take it over.
 * @module
 */

import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';
import { ed25519 } from '@noble/curves/ed25519.js';
import { secp256k1 } from '@noble/curves/secp256k1.js';
import { Point as StarkPoint } from '@scure/starknet';

type Curve = 'secp256k1' | 'stark' | 'ed25519';

export interface TravelPair {
  /** As requests name it: base64 of 0x01 and the point. */
  readonly encryptionKey: string;
  open(box: Uint8Array): string;
}

export function newTravelPair(): TravelPair {
  const secret = secp256k1.utils.randomSecretKey();
  return {
    encryptionKey: Buffer.concat([Buffer.from([1]), secp256k1.getPublicKey(secret)]).toString('base64'),
    open(box) {
      const ephemeral = secp256k1.Point.fromBytes(box.subarray(-33));
      const S = ephemeral.multiply(numberOf(secret)).toBytes(true);
      const decipher = createDecipheriv('aes-256-gcm', keyFrom(S), new Uint8Array(12));
      decipher.setAuthTag(box.subarray(-49, -33));
      return Buffer.concat([decipher.update(box.subarray(0, -49)), decipher.final()]).toString();
    },
  };
}

/** The box of contract §10.1 around a text. */
export function sealTo(encryptionKey: string, text: string): string {
  const point = secp256k1.Point.fromBytes(Buffer.from(encryptionKey, 'base64').subarray(1));
  const e = secp256k1.utils.randomSecretKey();
  const S = point.multiply(numberOf(e)).toBytes(true);
  const cipher = createCipheriv('aes-256-gcm', keyFrom(S), new Uint8Array(12));
  return Buffer.concat([cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag(), secp256k1.getPublicKey(e)]).toString('base64');
}

/** (x, f(x)) */
export interface SharePoint {
  readonly x: bigint;
  readonly y: bigint;
}

/** An exported share, as its text says it. @throws {Error} for another form */
export function readShare(text: string, curve: Curve): SharePoint {
  const { version, index, secret_share: share } = JSON.parse(text);
  if (version !== 1 || index.curve !== curve || share.curve !== curve) throw new Error(`not a share on ${curve}: version ${version}`);
  return { x: BigInt(`0x${index.scalar}`), y: BigInt(`0x${share.scalar}`) };
}

/** f(0), by Lagrange, of all these points. */
export function interpolated(curve: Curve, points: readonly SharePoint[]): bigint {
  const { Fn } = pointsOf(curve);
  return points.reduce((sum, { x, y }) => {
    const others = points.filter((point) => point.x !== x);
    const weight = others.reduce((product, point) => Fn.mul(product, Fn.div(point.x, Fn.sub(point.x, x))), 1n);
    return Fn.add(sum, Fn.mul(weight, y));
  }, 0n);
}

/** As keys show it: hex, compressed. */
export function publicKeyOfScalar(curve: Curve, scalar: bigint): string {
  return Buffer.from(pointsOf(curve).BASE.multiply(scalar).toBytes(true)).toString('hex');
}

/** What the official tool does with an answer to an export. @returns the private key; its public half is what the answer says */
export function recombined(
  pair: TravelPair,
  answer: { publicKey: string; curve: Curve; encryptedKeyShares: readonly { encryptedKeyShare: string }[] },
): bigint {
  const texts = answer.encryptedKeyShares.map(({ encryptedKeyShare }) => pair.open(Buffer.from(encryptedKeyShare, 'base64')));
  const scalar = interpolated(
    answer.curve,
    texts.map((text) => readShare(text, answer.curve)),
  );
  if (publicKeyOfScalar(answer.curve, scalar) !== answer.publicKey) throw new Error('the shares are not those of the public key');
  return scalar;
}

export interface Owner {
  readonly curve: Curve;
  /** The private key. */
  readonly secret: bigint;
  /** Hex, as the key will show it. */
  readonly publicKey: string;
}

export function newOwner(curve: Curve): Owner {
  const { Fn } = pointsOf(curve);
  const secret = randomScalar(Fn.ORDER);
  return { curve, secret, publicKey: publicKeyOfScalar(curve, secret) };
}

type Signers = readonly { readonly signerId: string; readonly encryptionKey: string }[];

/**
 * What the official tool does with a private key: splits it for any `minSigners` of the signers, numbered by the bytes of their ids, and
 * encrypts a share to each.
 * @param change what a share says, before it is encrypted to the signer of this number
 */
export function handedIn(
  { curve, secret }: Owner,
  signers: Signers,
  minSigners: number,
  change: (share: ShareText, number: number) => unknown = (share) => share,
) {
  const { BASE, Fn } = pointsOf(curve);
  const coefficients = [secret, ...Array.from({ length: minSigners - 1 }, () => randomScalar(Fn.ORDER))];
  const sorted = [...signers].sort((a, b) => Buffer.compare(Buffer.from(a.signerId, 'base64'), Buffer.from(b.signerId, 'base64')));
  const values = sorted.map((_, at) => coefficients.reduceRight((sum, c) => Fn.add(Fn.mul(sum, BigInt(at + 1)), c), 0n));
  const publicShares = values.map((value) => ({ curve, point: Buffer.from(BASE.multiply(value).toBytes(false)).toString('hex') }));
  const encryptedKeyShares = sorted.map(({ signerId, encryptionKey }, at) => {
    const scalar = (values[at] ?? 0n).toString(16).padStart(64, '0');
    const share = change({ version: 1, secret_share: { curve, scalar }, public_shares: publicShares }, at + 1);
    return { signerId, encryptedKeyShare: sealTo(encryptionKey, typeof share === 'string' ? share : JSON.stringify(share)) };
  });
  return { curve, minSigners, encryptedKeyShares };
}

/** As JSON. */
export interface ShareText {
  readonly version: number;
  readonly secret_share: { readonly curve: string; readonly scalar: string };
  readonly public_shares: readonly { readonly curve: string; readonly point: string }[];
}

function randomScalar(order: bigint): bigint {
  return (numberOf(randomBytes(48)) % (order - 1n)) + 1n;
}

function pointsOf(curve: Curve) {
  return curve === 'ed25519' ? ed25519.Point : curve === 'stark' ? StarkPoint : secp256k1.Point;
}

function keyFrom(S: Uint8Array): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', S, 'DFNS_KEY_IMPORT', 'ENCRYPTION_KEY', 32));
}

function numberOf(bytes: Uint8Array): bigint {
  return BigInt(`0x${Buffer.from(bytes).toString('hex')}`);
}
