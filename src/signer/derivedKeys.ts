/**
 * Keys as they are used. A child has no share of its own: this signer's own registry says from which master and by which path it was
 * derived, and the master's share, with the public key and chain code sealed beside it, says how far it is moved. Nothing of it comes from
 * whoever asks.
 * @module
 */

import type { Derivation, Key } from '../authority/registry.ts';
import { boundedMap } from '../base/boundedMap.ts';
import { parsePath } from '../base/derivationPath.ts';
import { assert } from '../base/errors.ts';
import { keyTypes } from '../base/keyTypes.ts';
import { type Child, deriveChild } from '../crypto/hd.ts';
import { childShare } from '../mpc/childShare.ts';
import type { KeyShare } from '../mpc/keyShare.ts';
import type { Shares } from './shares.ts';

/** Derivations are remembered, so that children sign as fast as other keys; the one used longest ago gives way. */
const maxRemembered = 10_000;

export type KeyUse = Pick<Shares, 'publicOf' | 'has' | 'use'>;

export function derivedKeys({ shares, find }: { shares: Shares; find: (keyId: string) => Key | undefined }): KeyUse {
  const children = boundedMap<string, Child>(maxRemembered);

  function childOf(master: KeyShare, { keyId, path }: Derivation): Child {
    const name = `${keyId}/${path}`;
    const child = children.get(name) ?? derive(master, path);
    children.delete(name);
    children.set(name, child);
    return child;
  }

  const derivationOf = (keyId: string) => find(keyId)?.derivedFrom;

  return {
    has: (keyId) => shares.has(derivationOf(keyId)?.keyId ?? keyId),

    publicOf(keyId, epoch) {
      const derivation = derivationOf(keyId);
      if (derivation === undefined) return shares.publicOf(keyId, epoch);
      const master = shares.publicOf(derivation.keyId, epoch);
      const known = children.get(`${derivation.keyId}/${derivation.path}`);
      const { publicKey } = known ?? shares.use(derivation.keyId, (share) => childOf(share, derivation));
      return { ...master, publicKey };
    },

    use(keyId, work, epoch) {
      const derivation = derivationOf(keyId);
      if (derivation === undefined) return shares.use(keyId, work, epoch);
      const ofChild = (master: KeyShare) => {
        const share = childShare(master, childOf(master, derivation));
        try {
          return work(share);
        } finally {
          share.secret.fill(0);
        }
      };
      return shares.use(derivation.keyId, ofChild, epoch);
    },
  };
}

function derive(master: KeyShare, path: string): Child {
  const indices = parsePath(path);
  assert(indices, 'the registry has paths only');
  return deriveChild(keyTypes[master.keyType].curve, master, indices);
}
