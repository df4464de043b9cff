/**
 * A key share as it comes in (contract §10.3): JSON, encrypted to this signer.
 *
 *   {"version":1,"secret_share":{"curve":…,"scalar":"<64 hex, big-endian>"},"public_shares":[{"curve":…,"point":"<hex>"}, …]}
 *
 * Points are uncompressed, or compressed; on ed25519 there is one encoding only. The text of the share is a string for a moment, which
 * cannot be overwritten: it stays until the memory is used again.
 * @module
 */

import { z } from 'zod';
import { fromHex } from '../base/bytes.ts';
import { Refusal } from '../base/errors.ts';
import { type Curve, type KeyType, keyTypes } from '../base/keyTypes.ts';
import { compressPoint } from '../crypto/groups/compress.ts';
import type { Identity } from '../mpc/identity.ts';
import type { HandedIn } from '../mpc/importShare.ts';
import type { Membership } from './membership.ts';

const scalar = z.string().regex(/^[0-9a-fA-F]{64}$/);
const point = z.string().regex(/^[0-9a-fA-F]{64,130}$/);
const maxPublicShares = 15;

/**
 * What the owner of a key has encrypted to this signer.
 * @param box base64
 * @throws {Refusal} BadRequest, without a word of what it says
 */
export function openImportedShare(identity: Identity, box: string, keyType: KeyType): HandedIn {
  const plain = opened(identity, new Uint8Array(Buffer.from(box, 'base64')));
  try {
    return decodeImportedShare(plain, keyType);
  } finally {
    plain.fill(0);
  }
}

/** By participant: the number by which owners of keys know it, who sort signers by the bytes of their ids. */
export function dealersNumbers({ signers }: Pick<Membership, 'signers'>): ReadonlyMap<number, number> {
  const bytesOf = ({ signerId }: { signerId: string }) => Buffer.from(signerId, 'base64');
  const sorted = signers.toSorted((a, b) => Buffer.compare(bytesOf(a), bytesOf(b)));
  return new Map(sorted.map(({ index }, at) => [index, at + 1]));
}

function opened(identity: Identity, box: Uint8Array): Uint8Array {
  try {
    return identity.open(box);
  } catch (cause) {
    throw new Refusal('BadRequest', 'its share is not encrypted to it', { cause });
  }
}

/** @throws {Refusal} BadRequest, without a word of what it says */
function decodeImportedShare(plain: Uint8Array, keyType: KeyType): HandedIn {
  const { curve } = keyTypes[keyType];
  const onCurve = z.literal(curve);
  const shape = z.object({
    version: z.literal(1),
    secret_share: z.object({ curve: onCurve, scalar }),
    public_shares: z
      .array(z.object({ curve: onCurve, point }))
      .min(1)
      .max(maxPublicShares),
  });
  const parsed = shape.safeParse(jsonOf(plain));
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new Refusal('BadRequest', `its share is not of the form for keys on ${curve}: ${issue?.path.join('.')}`);
  }
  const { secret_share: secretShare, public_shares: publicShares } = parsed.data;
  const secret = bytesOf(secretShare.scalar);
  if (curve === 'ed25519') secret.reverse();
  return { secret, publicShares: publicShares.map(({ point: text }, at) => compressed(curve, bytesOf(text), at + 1)) };
}

function compressed(curve: Curve, encoded: Uint8Array, number: number): Uint8Array {
  if (curve === 'ed25519') return encoded;
  try {
    return compressPoint(curve, encoded);
  } catch (cause) {
    throw new Refusal('BadRequest', `public share number ${number} is no point of ${curve}`, { cause });
  }
}

function jsonOf(plain: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(plain));
  } catch {
    return undefined; // not JSON: as below. The cause would quote what it says
  }
}

function bytesOf(hex: string): Uint8Array {
  return fromHex(hex) ?? new Uint8Array();
}
