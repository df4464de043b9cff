/**
 * Key shares at rest: sealed with AES-256-GCM under the signer's key-encryption key. The additional data binds key, signer, epoch and what
 * stands beside it in the clear, so that a share moved to another row, another signer or an older epoch does not open.
 * @module
 */

import { boundedMap } from '../base/boundedMap.ts';
import { lengthPrefixed, u32, utf8 } from '../base/bytes.ts';
import { assert } from '../base/errors.ts';
import { seal, sealingKey, unseal } from '../crypto/seal.ts';
import { decodeKeyShare, encodeKeyShare, type KeyShare } from '../mpc/keyShare.ts';
import { SignerRefusal } from './errors.ts';
import { openShares } from './openShares.ts';
import type { NamedShare, SealedShare, SignerStore } from './store.ts';

export interface Shares {
  /** Durable when it returns. @throws {SignerRefusal} if the key has a share already */
  add(keyId: string, share: KeyShare): void;
  /** What is public of the key, without opening its share. @throws {SignerRefusal} as `use` */
  publicOf(keyId: string, epoch?: number): Pick<SealedShare, 'keyType' | 'publicKey' | 'epoch'>;
  has(keyId: string): boolean;
  /**
   * Lends the share for the length of `work`, which keeps nothing of it.
   * @param epoch of which sharing; the newest that counts, when left out
   * @throws {SignerRefusal} UnknownKey; StaleShare when the key is held here, but of other epochs
   */
  use<T>(keyId: string, work: (share: KeyShare) => T, epoch?: number): T;
  /** To be told whenever the shares of a key have changed. */
  forget(keyId: string): void;
  /** As it is kept. */
  seal(keyId: string, epoch: number, share: KeyShare): SealedShare;
}

interface Public extends Pick<KeyShare, 'keyType' | 'publicKey'> {
  /** Of which it is held, the newest first. */
  readonly epochs: readonly number[];
}

/** New shares are of epoch 0; each time a key is dealt anew the epoch is a later one (`succession.ts`). */
const firstEpoch = 0;
/** What is public of keys is remembered: the oldest answer to "which epochs" ends with `forget`. */
const maxRemembered = 10_000;
/** Shares that are in use stay open: so many, and for so long after their last use, twice that at most. */
const maxOpen = 1_000;
const openMs = 5_000;

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
  const publics = boundedMap<string, Public>(maxRemembered);
  const opened = openShares({ max: maxOpen, idleMs: openMs });

  function find(keyId: string, epoch?: number): SealedShare {
    const held = store.sharesOf(keyId);
    const found = epoch === undefined ? held[0] : held.find((share) => share.epoch === epoch);
    if (found !== undefined) return found;
    if (held.length === 0) throw new SignerRefusal('UnknownKey', `this signer holds no share of key ${keyId}`);
    const epochs = held.map((share) => share.epoch).join(' and ');
    throw new SignerRefusal('StaleShare', `this signer holds key ${keyId} of epoch ${epochs}, not of epoch ${epoch}`);
  }

  function publicOf(keyId: string): Public {
    const known = publics.get(keyId);
    if (known !== undefined) return known;
    const { keyType, publicKey } = find(keyId);
    const made = { keyType, publicKey, epochs: store.sharesOf(keyId).map(({ epoch }) => epoch) };
    publics.set(keyId, made);
    return made;
  }

  /** @throws {SignerRefusal} as `find` */
  function standingOf(keyId: string, asked: number | undefined): Pick<SealedShare, 'keyType' | 'publicKey' | 'epoch'> {
    const { keyType, publicKey, epochs } = publicOf(keyId);
    const epoch = asked ?? epochs[0];
    return epoch !== undefined && epochs.includes(epoch) ? { keyType, publicKey, epoch } : find(keyId, asked);
  }

  function unsealShare(keyId: string, epoch: number): KeyShare {
    const found = find(keyId, epoch);
    const plain = unseal(openingKey, found.sealed, shareBinding(signerId, { keyId, ...found }));
    try {
      return decodeKeyShare(plain);
    } finally {
      plain.fill(0);
    }
  }

  function sealShare(keyId: string, epoch: number, share: KeyShare): SealedShare {
    const plain = encodeKeyShare(share);
    const clear = { epoch, keyType: share.keyType, publicKey: share.publicKey };
    try {
      return { ...clear, sealed: seal(keyEncryptionKey, plain, shareBinding(signerId, { keyId, ...clear })) };
    } finally {
      plain.fill(0);
    }
  }

  return {
    add(keyId, share) {
      const isAdded = store.addShare(keyId, sealShare(keyId, firstEpoch, share));
      if (!isAdded) throw new SignerRefusal('Refused', `key ${keyId} has a share already`);
    },
    publicOf: standingOf,
    has: (keyId) => store.sharesOf(keyId).length > 0,
    use(keyId, work, asked) {
      const { epoch } = standingOf(keyId, asked);
      const result = work(opened.get(keyId, epoch, () => unsealShare(keyId, epoch)));
      assert(!(result instanceof Promise), 'a share is not lent across a wait');
      return result;
    },
    forget(keyId) {
      publics.delete(keyId);
      opened.drop(keyId);
    },
    seal: sealShare,
  };
}

/** What a sealed share is bound to. */
export function shareBinding(signerId: string, { keyId, epoch, keyType, publicKey }: Omit<NamedShare, 'sealed'>): Uint8Array {
  return lengthPrefixed(utf8('countersign/share/v2'), utf8(keyId), utf8(signerId), u32(epoch), utf8(keyType), publicKey);
}
