/**
 * A cluster in memory: all parties in one process, with real identities. For the self-test at start and for measuring protocols; never
 * for keys that are to be kept.
 * @module
 */

import { randomBytes } from 'node:crypto';
import { groupOf } from '../crypto/groups/index.ts';
import { type Identity, identityOf, publicIdentityOf, type SecretIdentity } from './identity.ts';
import type { Party, Received } from './party.ts';

export interface MemoryCluster {
  /** Runs one protocol among `participants` (all, when left out) and gives every one's result, by participant number. */
  run<T>(protocol: (party: Party) => Promise<T>, participants?: readonly number[]): Promise<Map<number, T>>;
}

export function memoryCluster(size: number): MemoryCluster {
  const everyone = Array.from({ length: size }, (_, i) => i + 1);
  const secrets = new Map(everyone.map((index) => [index, newSecrets()]));
  const directory = new Map([...secrets].map(([index, secret]) => [index, publicIdentityOf(secret)]));
  const identities = new Map([...secrets].map(([index, secret]) => [index, identityOf({ ...secret, index, directory })]));

  return {
    async run(protocol, participants = everyone) {
      const exchange = lockStep(participants);
      const sessionId = new Uint8Array(randomBytes(32));
      const results = participants.map(async (index) => {
        const identity = identities.get(index) as Identity; // participants are of everyone
        const party: Party = { index, participants, sessionId, exchange: exchange(index), ...identity.inSession(sessionId) };
        return [index, await protocol(party)] as const;
      });
      return new Map(await Promise.all(results));
    },
  };
}

function newSecrets(): SecretIdentity {
  const secp256k1 = groupOf('secp256k1');
  return { identitySecret: new Uint8Array(randomBytes(32)), transportSecret: secp256k1.encodeScalar(secp256k1.randomScalar()) };
}

interface Sent {
  readonly toAll: Uint8Array;
  readonly toEach: ReadonlyMap<number, Uint8Array>;
}

/** Everybody waits in a round until all have sent. */
function lockStep(participants: readonly number[]): (self: number) => Party['exchange'] {
  const rounds = new Map<string, { sent: Map<number, Sent>; complete: PromiseWithResolvers<void> }>();
  return (self) =>
    async (name, toAll, toEach = new Map()) => {
      const round = rounds.get(name) ?? { sent: new Map(), complete: Promise.withResolvers<void>() };
      rounds.set(name, round);
      round.sent.set(self, { toAll, toEach });
      if (round.sent.size === participants.length) round.complete.resolve();
      await round.complete.promise;
      const received = [...round.sent].filter(([from]) => from !== self);
      return new Map(
        received.map(([from, sent]): [number, Received] => [from, { toAll: sent.toAll, toMe: sent.toEach.get(self) ?? new Uint8Array() }]),
      );
    };
}
