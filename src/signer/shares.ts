/**
 * Key shares at rest: sealed with AES-256-GCM under the signer's key-encryption key. The additional data binds key, signer, epoch and what
 * stands beside it in the clear, so that a share moved to another row, another signer or an older epoch does not open.
 * @module
 */

import { lengthPrefixed, u32, utf8 } from '../base/bytes.ts';
import { assert } from '../base/errors.ts';
import { seal, sealingKey, unseal } from '../crypto/seal.ts';
import { decodeKeyShare, encodeKeyShare, type KeyShare } from '../mpc/keyShare.ts';
import { SignerRefusal } from './errors.ts';
import type { NamedShare, SealedShare, SignerStore } from './store.ts';

export interface Shares {
  /** Durable when it returns. @throws {SignerRefusal} if the key has a share already */
  add(keyId: string, share: KeyShare): void;
  /** What is public of the key, without opening its share. @throws {SignerRefusal} UnknownKey */
  publicOf(keyId: string): Pick<KeyShare, 'keyType' | 'publicKey'>;
  has(keyId: string): boolean;
  /**
   * Lends the share for the length of `work`, then overwrites its secret.
   * @throws {SignerRefusal} UnknownKey
   */
  use<T>(keyId: string, work: (share: KeyShare) => T): T;
}

/** New shares are of epoch 0; a refresh counts up. */
const firstEpoch = 0;
/** What is public of a key never changes. */
const maxRemembered = 10_000;

export function sealedShares({
  store,
  keyEncryptionKey,
  signerId,
}: {
  store: SignerStore;
  keyEncryptionKey: Uint8Array;
  signerId: string;
}): Shares {
  const openingKey = sealingKey(keyEncryptionKey);
  const publics = new Map<string, ReturnType<Shares['publicOf']>>();

  function find(keyId: string): SealedShare {
    const found = store.readShare(keyId);
    if (found === undefined) throw new SignerRefusal('UnknownKey', `this signer holds no share of key ${keyId}`);
    return found;
  }

  return {
    add(keyId, share) {
      const plain = encodeKeyShare(share);
      const clear = { epoch: firstEpoch, keyType: share.keyType, publicKey: share.publicKey };
      const sealed = seal(keyEncryptionKey, plain, shareBinding(signerId, { keyId, ...clear }));
      plain.fill(0);
      if (!store.addShare(keyId, { ...clear, sealed })) throw new SignerRefusal('Refused', `key ${keyId} has a share already`);
    },
    publicOf(keyId) {
      const known = publics.get(keyId);
      if (known !== undefined) return known;
      const { keyType, publicKey } = find(keyId);
      if (publics.size >= maxRemembered) publics.clear();
      publics.set(keyId, { keyType, publicKey });
      return { keyType, publicKey };
    },
    has: (keyId) => store.readShare(keyId) !== undefined,
    use(keyId, work) {
      const found = find(keyId);
      const plain = unseal(openingKey, found.sealed, shareBinding(signerId, { keyId, ...found }));
      const share = decodeKeyShare(plain);
      plain.fill(0);
      try {
        const result = work(share);
        assert(!(result instanceof Promise), 'a share is not lent across a wait');
        return result;
      } finally {
        share.secret.fill(0);
      }
    },
  };
}

/** What a sealed share is bound to. */
export function shareBinding(signerId: string, { keyId, epoch, keyType, publicKey }: Omit<NamedShare, 'sealed'>): Uint8Array {
  return lengthPrefixed(utf8('countersign/share/v2'), utf8(keyId), utf8(signerId), u32(epoch), utf8(keyType), publicKey);
}
