/**
 * What a signer gives its standby: its shares, in the order in which they came to be or changed. Each travels sealed to the signer's own
 * transport key, which both hold, over TLS under the signer's own pin. Nothing else is needed: the log the standby takes from the other
 * signers, vouched for, when it is promoted; of what was signed it need know nothing, since it signs nothing that was authorised before.
 * @module
 */

import { z } from 'zod';
import { lengthPrefixed, toBase64, u32, utf8 } from '../base/bytes.ts';
import { type KeyType, keyTypes } from '../base/keyTypes.ts';
import { decrypt, encryptTo } from '../crypto/box.ts';
import { seal, unseal } from '../crypto/seal.ts';
import { publicIdentityOf, type SecretIdentity } from '../mpc/identity.ts';
import { shareBinding } from './shares.ts';
import type { NamedShare, SignerStore } from './store.ts';

/** The name of a peer that shows the signer's own TLS key. */
export const standbyPeer = 'the standby of this signer';
const maxSharesPerAnswer = 256;

const base64 = z.base64().transform((text): Uint8Array => new Uint8Array(Buffer.from(text, 'base64')));
const question = z.object({ number: z.int(), after: z.int().min(0) });
const share = z.object({
  keyId: z.string(),
  epoch: z.int().min(0),
  keyType: z.enum(Object.keys(keyTypes) as [KeyType, ...KeyType[]]),
  publicKey: base64,
  box: base64,
});
/** `next`: what to ask after, from then on; the same again when there is nothing new. */
export const replicationAnswer = z.object({ number: z.int(), next: z.int().min(0), shares: z.array(share).max(maxSharesPerAnswer) });
export type ReplicationAnswer = z.output<typeof replicationAnswer>;

interface Holder {
  readonly store: SignerStore;
  readonly keyEncryptionKey: Uint8Array;
  readonly signerId: string;
  readonly identity: SecretIdentity;
}

/** From a standby's question to its answer. Never rejects. */
export function replicaOf({ store, keyEncryptionKey, signerId, identity }: Holder): (asked: unknown) => Promise<unknown> {
  const { transportKey } = publicIdentityOf(identity);
  return async (asked) => {
    const parsed = question.safeParse(asked);
    if (!parsed.success) return { number: -1, refusal: { code: 'BadQuestion', message: 'expected { number, after }' } };
    const { number, after } = parsed.data;
    const changed = store.changedAfter(after, maxSharesPerAnswer);
    const shares = changed.map(({ change: _, sealed, ...clear }) => {
      const plain = unseal(keyEncryptionKey, sealed, shareBinding(signerId, clear));
      try {
        const { publicKey, ...rest } = clear;
        return { ...rest, publicKey: toBase64(publicKey), box: toBase64(encryptTo(transportKey, plain, travelBinding(signerId, clear))) };
      } finally {
        plain.fill(0);
      }
    });
    return { number, next: changed.at(-1)?.change ?? after, shares };
  };
}

/** Seals what came under the standby's own key. Durable when it returns. @throws {Error} if it was altered, or is another signer's */
export function takeShares({ store, keyEncryptionKey, signerId, identity }: Holder, { shares }: ReplicationAnswer): void {
  for (const { box, ...clear } of shares) {
    const plain = decrypt(identity.transportSecret, box, travelBinding(signerId, clear));
    store.putShare(clear.keyId, { ...clear, sealed: seal(keyEncryptionKey, plain, shareBinding(signerId, clear)) });
    plain.fill(0);
  }
}

function travelBinding(signerId: string, { keyId, epoch, keyType, publicKey }: Omit<NamedShare, 'sealed'>): Uint8Array {
  return lengthPrefixed(utf8('countersign/replicated-share/v1'), utf8(signerId), utf8(keyId), u32(epoch), utf8(keyType), publicKey);
}
