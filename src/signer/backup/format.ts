/**
 * The backup of a signer: a header in the clear, one line of JSON, then sealed lines (`sealedLines.ts`): the cluster, the signer's identity
 * and TLS key, which instance of it this is, its shares, its authority log with vouchers, and at last the identity key's signature over all of it.
 *
 * Not in it, on purpose: the replicated seeds (whoever has them knows ECDSA nonces to come; a signer that comes back without them has the
 * cluster make new ones), presignatures and nonces (in memory only, ever), the memory of what was signed (it would be old: a signer without
 * it signs nothing that was authorised before its start), the key-encryption key (a restored signer gets another).
 * @module
 */

import { createHash, type Hash } from 'node:crypto';
import { z } from 'zod';
import { lengthPrefixed, toBase64, toHex, utf8 } from '../../base/bytes.ts';
import { canonicalJson } from '../../base/canonicalJson.ts';
import { type KeyType, keyTypes } from '../../base/keyTypes.ts';
import { decrypt, encryptTo } from '../../crypto/box.ts';
import { recoveryPublicKey, recoverySecret } from '../../crypto/recoveryKey.ts';
import { clusterFile } from '../contract.ts';
import { passphraseParameters, sealUnder, unsealUnder } from '../passphrase.ts';

/** `instance`: of a signer that was taken over once, so that what is restored is not taken for the one before. */
export const backedUpSecrets = ['identity', 'tls-key', 'instance'] as const;
export const maxHeaderBytes = 64 * 1024;
const maxRecipients = 16;

const base64 = z.base64().transform((text): Uint8Array => new Uint8Array(Buffer.from(text, 'base64')));
const keyType = z.enum(Object.keys(keyTypes) as [KeyType, ...KeyType[]]);

const recipient = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('key'), publicKey: z.string(), box: base64 }),
  z.object({ kind: z.literal('passphrase'), parameters: passphraseParameters, box: base64 }),
]);

export const header = z.object({
  format: z.literal('countersign/signer-backup'),
  version: z.literal(1),
  clusterId: z.string(),
  signerId: z.string(),
  /** Unix seconds. */
  createdAt: z.int().min(0),
  /** Entries of the authority log in it. */
  sequence: z.int().min(0),
  keys: z.int().min(0),
  recipients: z.array(recipient).min(1).max(maxRecipients),
});
export type Header = z.output<typeof header>;
/** What the boxes of the recipients are bound to. */
export type About = Omit<Header, 'recipients'>;

export const line = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('cluster'), cluster: clusterFile }),
  z.object({ kind: z.literal('secret'), name: z.enum(backedUpSecrets), plain: base64 }),
  z.object({ kind: z.literal('share'), keyId: z.string(), epoch: z.int().min(0), keyType, publicKey: base64, plain: base64 }),
  z.object({ kind: z.literal('entry'), sequence: z.int().min(1), text: z.string(), vouchers: z.string().nullable() }),
  z.object({ kind: z.literal('end'), signature: base64 }),
]);
export type Line = z.output<typeof line>;

/** JSON, bytes as base64. */
export function textOf(value: unknown): string {
  return JSON.stringify(value, (_, inner) => (inner instanceof Uint8Array ? toBase64(inner) : inner));
}

/** Of the header's line: what the sealed lines are bound to. */
export function bindingOf(headerLine: string): Uint8Array {
  return new Uint8Array(createHash('sha256').update(headerLine).digest());
}

/** What the signature of the end is over: begun with the header's line, continued with each line but the last. */
export function digesting(headerLine: string): Hash {
  return createHash('sha256').update(`${headerLine}\n`);
}

export function endMessage({ clusterId, signerId }: About, digest: Uint8Array): Uint8Array {
  return lengthPrefixed(utf8('countersign/signer-backup/v1'), utf8(clusterId), utf8(signerId), digest);
}

/** For whom a backup is: each of them opens it alone. */
export interface Recipients {
  /** PEM, public. */
  readonly publicKeys: readonly string[];
  readonly passphrase: Uint8Array | undefined;
}

export async function recipientsFor(
  dataKey: Uint8Array,
  { publicKeys, passphrase }: Recipients,
  about: About,
): Promise<Header['recipients']> {
  const aad = utf8(canonicalJson(about));
  const boxes: Header['recipients'] = publicKeys.map((pem) => {
    const publicKey = recoveryPublicKey(pem);
    return { kind: 'key', publicKey: toHex(publicKey), box: encryptTo(publicKey, dataKey, aad) };
  });
  if (passphrase !== undefined) {
    const { sealed, parameters } = await sealUnder(passphrase, dataKey, aad);
    boxes.push({ kind: 'passphrase', parameters, box: sealed });
  }
  if (boxes.length === 0) throw new Error('a backup is for a recovery key (--recipient) or a passphrase (--passphrase-file), or both');
  return boxes;
}

/** What may open a backup. */
export interface Openers {
  /** PEM, private. */
  readonly recoveryKeys: readonly string[];
  readonly passphrases: readonly Uint8Array[];
}

/** @returns the data key @throws {Error} when none of them opens it */
export async function openedBy({ recipients, ...about }: Header, { recoveryKeys, passphrases }: Openers): Promise<Uint8Array> {
  const aad = utf8(canonicalJson(about));
  for (const one of recipients) {
    if (one.kind === 'key') {
      const pem = recoveryKeys.find((key) => toHex(recoveryPublicKey(key)) === one.publicKey);
      if (pem !== undefined) return byKey(pem, one.box, aad);
    } else {
      for (const passphrase of passphrases) {
        const opened = await unsealUnder(passphrase, { sealed: one.box, parameters: one.parameters }, aad).catch(() => undefined);
        if (opened !== undefined) return opened;
      }
    }
  }
  const names = recipients.map((one) => (one.kind === 'key' ? `recovery key ${one.publicKey}` : 'a passphrase'));
  throw new Error(`none of the keys and passphrases given opens it; it is for ${names.join(', ')}`);
}

function byKey(pem: string, box: Uint8Array, aad: Uint8Array): Uint8Array {
  const secret = recoverySecret(pem);
  try {
    return decrypt(secret, box, aad);
  } catch (cause) {
    throw new Error('its header was altered', { cause });
  } finally {
    secret.fill(0);
  }
}
