/**
 * Who the signers of the cluster are, as this signer's own log says it: the ones that are pinned, until an entry names others
 * (`authority/cluster.ts`). Those who have left are known for as long as a key may have to be taken over from them.
 * @module
 */

import type { Registry } from '../authority/registry.ts';
import type { Member, SetInForce } from '../authority/signers.ts';
import { assert } from '../base/errors.ts';
import { type Identity, identityOf, type PublicIdentity, type SecretIdentity } from '../mpc/identity.ts';
import type { ClusterFile } from './contract.ts';
import type { Holders } from './succession.ts';

export interface Membership {
  readonly threshold: number;
  /** In force now, ascending by index. */
  readonly signers: readonly Member[];
  /** Own keys, and those of everybody who may take part in a session. */
  readonly identity: Identity;
  /** Whether somebody of this number may take part in a session. */
  knows(index: number): boolean;
  readonly holders: Holders;
}

/** @returns what is asked for anew with every use: the log may have gone on */
export function membershipOf(parts: {
  file: ClusterFile;
  index: number;
  secrets: SecretIdentity;
  registry: () => Pick<Registry, 'cluster' | 'clustersAt'>;
}): () => Membership {
  const { file, index, secrets, registry } = parts;
  let known: { since: number; membership: Membership } | undefined;

  const membersOf = (set: SetInForce): readonly Member[] => (set.since.sequence === 0 ? file.signers : set.signers.map(numbered));

  function membershipSince(sequence: number): Membership {
    const [before, after] = registry().clustersAt(sequence);
    assert(before, 'some signers are in force');
    const current = after ?? before;
    const signers = [...membersOf(current)].sort((a, b) => a.index - b.index);
    const directory = new Map([...membersOf(before), ...signers].map((member) => [member.index, publicIdentityOf(member)]));
    const { threshold } = current;
    return {
      threshold,
      signers,
      identity: identityOf({ ...secrets, index, directory }),
      knows: (number) => directory.has(number),
      holders: {
        threshold,
        participants: signers.map((signer) => signer.index),
        largestThreshold: Math.max(threshold, before.threshold),
      },
    };
  }

  return () => {
    const { sequence } = registry().cluster.since;
    if (known?.since !== sequence) known = { since: sequence, membership: membershipSince(sequence) };
    return known.membership;
  };
}

function numbered(signer: SetInForce['signers'][number]): Member {
  const { index, encryptionKey } = signer as Partial<Member>; // of a set that an entry has made: it names both
  assert(index !== undefined && encryptionKey !== undefined, 'an entry names its signers in full');
  return { signerId: signer.signerId, index, encryptionKey };
}

function publicIdentityOf({ signerId, encryptionKey }: Member): PublicIdentity {
  return { identityKey: fromBase64(signerId), transportKey: fromBase64(encryptionKey).subarray(1) };
}

function fromBase64(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, 'base64'));
}
