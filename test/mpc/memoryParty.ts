/**
 * Parties in memory, with real identity keys and sealing, and a relay that can be made to misbehave: drop, alter, replay, swap or split
 * what it carries, alone or together with a corrupt participant whose keys it has.
 * @module
 */

import { createHash, randomBytes } from 'node:crypto';
import { concat } from '../../src/base/bytes.ts';
import { Abort } from '../../src/base/errors.ts';
import { groupOf } from '../../src/crypto/groups/index.ts';
import { type Identity, identityOf, type PublicIdentity, publicIdentityOf, type SecretIdentity } from '../../src/mpc/identity.ts';
import type { Party, Received } from '../../src/mpc/party.ts';

/** One participant's messages of one round on their way to another. */
export interface Envelope extends Received {
  readonly round: string;
  readonly from: number;
  readonly to: number;
}

/** An envelope in the hands of whoever holds the sender's keys as well as the receiver's: a corrupt sender, mostly. */
export interface Intercepted extends Envelope {
  /** Whatever any participant sent to any other in the same round. */
  sent(from: number, to: number): Received;
  /** What `toAll` carries behind its signature. */
  readonly message: Uint8Array;
  /** The same envelope with another message, properly signed by the sender. */
  signed(message: Uint8Array): Envelope;
  /** The same envelope with another plaintext in the box, properly sealed and signed by the sender. */
  sealed(change: (plaintext: Uint8Array) => Uint8Array): Envelope;
}

/** What arrives instead; nothing, when undefined. */
export type Relay = (envelope: Intercepted) => Received | undefined;

export const honestRelay: Relay = (envelope) => envelope;

export interface Cluster {
  readonly participants: readonly number[];
  readonly directory: ReadonlyMap<number, PublicIdentity>;
  identity(participant: number): Identity;
  /** Runs a protocol to everybody's end. A participant that waits for one that is gone aborts, naming it. */
  settle<T>(protocol: (party: Party) => Promise<T>, options?: RunOptions): Promise<ReadonlyMap<number, PromiseSettledResult<T>>>;
  /** Runs a protocol in which nobody fails. */
  run<T>(protocol: (party: Party) => Promise<T>, options?: RunOptions): Promise<ReadonlyMap<number, T>>;
}

export interface RunOptions {
  readonly participants?: readonly number[];
  readonly relay?: Relay;
  readonly sessionId?: Uint8Array;
}

export function clusterOf(size: number): Cluster {
  const participants = Array.from({ length: size }, (_, at) => at + 1);
  const secrets = new Map(participants.map((index) => [index, newSecrets()]));
  const directory = new Map([...secrets].map(([index, secret]) => [index, publicIdentityOf(secret)]));
  const identities = new Map([...secrets].map(([index, secret]) => [index, identityOf({ ...secret, index, directory })]));
  const identity = (participant: number) => of(identities, participant);

  async function settle<T>(protocol: (party: Party) => Promise<T>, options: RunOptions = {}) {
    const { participants: present = participants, relay = honestRelay, sessionId = new Uint8Array(randomBytes(32)) } = options;
    const network = networkOf({ present, relay, sessionId, identity });
    const results = await Promise.allSettled(
      present.map(async (index) => {
        try {
          return await protocol(network.party(index));
        } finally {
          network.leave(index);
        }
      }),
    );
    network.requireNothingLeaked();
    return new Map(present.map((index, at) => [index, results[at] as PromiseSettledResult<T>]));
  }

  return {
    participants,
    directory,
    identity,
    settle,
    async run(protocol, options) {
      const results = await settle(protocol, options);
      return new Map(
        [...results].map(([index, result]) => {
          if (result.status === 'rejected') throw result.reason;
          return [index, result.value];
        }),
      );
    },
  };
}

interface Network {
  party(index: number): Party;
  leave(index: number): void;
  /** @throws {Error} if anything that was sealed to one participant was sent in the clear as well */
  requireNothingLeaked(): void;
}

function networkOf(ground: {
  present: readonly number[];
  relay: Relay;
  sessionId: Uint8Array;
  identity(index: number): Identity;
}): Network {
  const { present, relay, sessionId, identity } = ground;
  const rounds = new Map<string, Map<number, { toAll: Uint8Array; toEach: ReadonlyMap<number, Uint8Array> }>>();
  const gone = new Set<number>();
  const waiting = new Set<() => void>();
  const sealed: Uint8Array[] = [];
  const wake = () => {
    for (const look of waiting) look();
  };

  function sentIn(round: string, from: number, to: number): Received {
    const sent = rounds.get(round)?.get(from);
    if (sent === undefined) throw new Abort([from], `${round}: participant ${from} is gone`);
    return { toAll: sent.toAll, toMe: sent.toEach.get(to) ?? new Uint8Array(0) };
  }

  function deliver(round: string, from: number, to: number): Received {
    const received = relay(intercepted({ round, from, to, ...sentIn(round, from, to) }));
    if (received === undefined) throw new Abort([from], `${round}: nothing came from participant ${from}`);
    return { toAll: received.toAll, toMe: received.toMe };
  }

  function intercepted(envelope: Envelope): Intercepted {
    const { round, from, to, toAll, toMe } = envelope;
    const sender = identity(from).inSession(sessionId);
    return {
      ...envelope,
      sent: (otherFrom, otherTo) => sentIn(round, otherFrom, otherTo),
      message: toAll.subarray(64),
      signed: (message) => ({ ...envelope, toAll: concat(sender.sign(round, createHash('sha256').update(message).digest()), message) }),
      sealed(change) {
        const plaintext = identity(to).inSession(sessionId).openFrom(from, round, toMe);
        return { ...envelope, toMe: sender.sealTo(to, round, change(plaintext)) };
      },
    };
  }

  return {
    party: (index) => ({
      index,
      participants: present,
      sessionId,
      ...secretly(identity(index).inSession(sessionId)),
      async exchange(round, toAll, toEach = new Map()) {
        const sent = rounds.get(round) ?? new Map();
        rounds.set(round, sent.set(index, { toAll, toEach }));
        wake();
        await new Promise<void>((resolve) => {
          const look = () => {
            if (!present.every((other) => sent.has(other) || gone.has(other))) return;
            waiting.delete(look);
            resolve();
          };
          waiting.add(look);
          look();
        });
        return new Map(present.filter((from) => from !== index).map((from) => [from, deliver(round, from, index)]));
      },
    }),
    leave(index) {
      gone.add(index);
      wake();
    },
    requireNothingLeaked() {
      const sent = [...rounds.values()].flatMap((round) => [...round.values()].flatMap(({ toAll, toEach }) => [toAll, ...toEach.values()]));
      const leaked = sealed.filter((secret) => sent.some((message) => Buffer.from(message).includes(Buffer.from(secret))));
      if (leaked.length > 0) throw new Error(`${leaked.length} secrets were sent in the clear`);
    },
  };

  /** Remembers what is sealed. */
  function secretly(keys: ReturnType<Identity['inSession']>): ReturnType<Identity['inSession']> {
    return {
      ...keys,
      sealTo(to, round, plaintext) {
        if (plaintext.length > 0) sealed.push(plaintext.slice());
        return keys.sealTo(to, round, plaintext);
      },
    };
  }
}

function newSecrets(): SecretIdentity {
  const group = groupOf('secp256k1');
  return { identitySecret: new Uint8Array(randomBytes(32)), transportSecret: group.encodeScalar(group.randomScalar()) };
}

/** The entry that must be there. */
export function of<K, V>(map: ReadonlyMap<K, V>, key: K): V {
  const value = map.get(key);
  if (value === undefined) throw new Error(`nothing for ${String(key)}`);
  return value;
}
