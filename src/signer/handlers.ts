/**
 * What a signer does when asked. The asker is the service, which is not trusted with shares, nor with what the signers say to each other,
 * nor with what the callers want: every use of a share is judged here, by this signer's own registry, from the request as the caller signed
 * it. The order of every use: who asks and may they; what does the request ask for; is it what the session does; has it been done before
 * (`admission.ts`); and only then is the share opened.
 * @module
 */

import type { ImportedShares } from '../authority/bodies.ts';
import { authoriseExport } from '../authority/keyExport.ts';
import { authoriseImport } from '../authority/keyImport.ts';
import type { SignedHead } from '../authority/signedHead.ts';
import { authoriseKeygen } from '../authority/useKey.ts';
import { toHex } from '../base/bytes.ts';
import type { Clock } from '../base/clock.ts';
import { assert } from '../base/errors.ts';
import type { KeyType } from '../base/keyTypes.ts';
import { evaluate } from '../mpc/dh/evaluate.ts';
import { keygen } from '../mpc/dkg.ts';
import { presign } from '../mpc/ecdsa/presign.ts';
import { importShare } from '../mpc/importShare.ts';
import type { KeyShare } from '../mpc/keyShare.ts';
import type { Party } from '../mpc/party.ts';
import { setUpSeeds } from '../mpc/prss.ts';
import { admission } from './admission.ts';
import type { Handlers } from './answer.ts';
import type { SignerAuthority } from './authority.ts';
import type { Outcome, Task, Turn } from './contract.ts';
import { derivedKeys } from './derivedKeys.ts';
import { SignerRefusal } from './errors.ts';
import { encryptShareTo } from './exportedShare.ts';
import { dealersNumbers, openImportedShare } from './importedShare.ts';
import type { Instance } from './instance.ts';
import type { Membership } from './membership.ts';
import type { ReplayMemory } from './replayMemory.ts';
import type { SeedStore } from './seeds.ts';
import { openSession, type Session, type Step } from './sessions.ts';
import type { Shares } from './shares.ts';
import { signing } from './signing.ts';
import type { Succession } from './succession.ts';
import type { Witness } from './witness.ts';

/** A session that is not continued is given up after this. */
const sessionMs = 15_000;
const maxSessions = 1024;
/** Keys whose shares are made at the same time: making costs more than signing, and signing goes on beside it. */
const maxInMaking = 64;

export interface SignerParts {
  readonly clusterId: string;
  readonly signerId: string;
  readonly index: number;
  readonly membership: () => Membership;
  readonly nonceSecret: Uint8Array;
  readonly shares: Shares;
  readonly succession: Succession;
  readonly seeds: SeedStore;
  readonly authority: SignerAuthority;
  readonly witness: Witness;
  readonly instance: Instance;
  readonly replays: ReplayMemory;
  readonly clock: Clock;
}

export function createHandlers({
  clusterId,
  signerId,
  index,
  membership,
  nonceSecret,
  shares,
  succession,
  seeds,
  authority,
  witness,
  instance,
  replays,
  clock,
}: SignerParts): Handlers {
  const keys = derivedKeys({ shares, find: (keyId) => authority.registry.keys.get(keyId) });
  const sessions = new Map<string, { session: Session<Outcome>; expiry: NodeJS.Timeout }>();
  const { judged, requireMember, ...admit } = admission({ signerId, membership, authority, keys, replays, clock });
  const { keep, handlers: signs } = signing({ index, nonceSecret, keys, admit: admit.sign, clock });
  /** Keys that a session is making shares of. */
  const inMaking = new Set<string>();

  async function run(task: Task, party: Party): Promise<Outcome> {
    const { threshold, holders } = membership();
    if (task.kind !== 'redeal' && !party.participants.every((participant) => holders.participants.includes(participant)))
      throw new SignerRefusal('Refused', `only signers of the cluster take part: ${holders.participants.join(', ')}`);
    switch (task.kind) {
      case 'seeds': {
        const { length } = holders.participants;
        if (party.participants.length < length)
          throw new SignerRefusal('Refused', `seeds are set up by all ${length} signers of the cluster`);
        seeds.replace(party.sessionId, await setUpSeeds(party, { threshold }));
        return { kind: 'seeds', seeds: seeds.nameFor(holders) };
      }
      case 'keygen': {
        const { keyId, keyType } = task;
        judged((registry) => authoriseKeygen(registry, { keyId, keyType }));
        return kept(keyId, await makingFirst(keyId, () => keygen(party, { keyType, threshold })));
      }
      case 'import': {
        const { keyId } = task;
        const { key, imported } = judged((registry) => authoriseImport(registry, keyId, task.shares));
        return kept(keyId, await makingFirst(keyId, () => dealtAnew(party, { ...imported, ...key, shares: task.shares })));
      }
      case 'redeal': {
        const { keyId, keyType } = task;
        judged((registry) => authoriseKeygen(registry, { keyId, keyType }));
        return making(keyId, () => succession.redeal(task, party));
      }
      case 'presign': {
        const drawn = seeds.current();
        const made = await presign(party, { curve: task.curve, threshold, seeds: drawn, count: task.count });
        return { kind: 'presign', batch: keep(made, drawn), commitments: made.map(({ R }) => R) };
      }
    }
  }

  /** What everybody has confirmed to hold. */
  function kept(keyId: string, share: KeyShare): Outcome {
    shares.add(keyId, share);
    share.secret.fill(0);
    const { threshold, publicKey, verificationShares, chainCode } = share;
    return {
      kind: 'keygen',
      epoch: shares.publicOf(keyId).epoch,
      threshold,
      publicKey,
      verificationShares: byText(verificationShares),
      chainCode,
    };
  }

  /** From the share that a key's owner has encrypted to this signer. */
  async function dealtAnew(
    party: Party,
    { keyType, minSigners, shares: encrypted }: { keyType: KeyType; minSigners: number; shares: ImportedShares },
  ): Promise<KeyShare> {
    const { identity, threshold, ...members } = membership();
    const numbers = dealersNumbers(members);
    if (party.participants.length < numbers.size)
      throw new SignerRefusal('Refused', `keys are imported by all ${numbers.size} signers of the cluster`);
    const own = encrypted.find((one) => one.signerId === signerId);
    assert(own, 'the request has a share for each signer of the cluster');
    const handedIn = openImportedShare(identity, own.encryptedKeyShare, keyType);
    try {
      return await importShare(party, { keyType, threshold, minSigners, numbers, handedIn });
    } finally {
      handedIn.secret.fill(0);
    }
  }

  /** Of a key that has no share yet. */
  async function makingFirst<T>(keyId: string, work: () => Promise<T>): Promise<T> {
    if (shares.has(keyId)) throw new SignerRefusal('Refused', `key ${keyId} has a share already`);
    return making(keyId, work);
  }

  /** One session at a time for a key. */
  async function making<T>(keyId: string, work: () => Promise<T>): Promise<T> {
    if (inMaking.has(keyId)) throw new SignerRefusal('Refused', `shares of key ${keyId} are being made already`);
    if (inMaking.size >= maxInMaking) throw new SignerRefusal('Busy', `shares of more than ${maxInMaking} keys are being made`);
    inMaking.add(keyId);
    try {
      return await work();
    } finally {
      inMaking.delete(keyId);
    }
  }

  /** One of the entries may end this very instance: then it says no more. */
  function taken(entries: readonly string[], head: SignedHead): { head: SignedHead } {
    instance.saw(entries);
    instance.guard();
    return { head };
  }

  /** Gives a session's next turn; ends it when the protocol has. */
  async function turnOf(name: string, step: Promise<Step<Outcome>>): Promise<Turn> {
    try {
      const taken = await step;
      if (!('outcome' in taken)) return { ...taken, toEach: byText(taken.toEach) };
      close(name);
      return taken;
    } catch (error) {
      close(name);
      throw error;
    }
  }

  function abandon(name: string, reason: string): void {
    sessions.get(name)?.session.abandon(reason);
    close(name);
  }

  function close(name: string): void {
    clearTimeout(sessions.get(name)?.expiry);
    sessions.delete(name);
  }

  return {
    hello: () => ({
      clusterId,
      index,
      signerId,
      seeds: seeds.nameFor(membership().holders),
      head: authority.registry.head,
      ...(witness.isAwaited && { awaitsWitness: true as const }),
    }),

    append: ({ entry, vouchers }) => taken([entry], authority.append(entry, vouchers)),
    catchUp: ({ entries, vouchers }) => taken(entries, authority.catchUp(entries, vouchers)),
    release: ({ heads }) => ({ head: authority.release(heads) }),
    entries({ from, count }) {
      const { entries, vouchers } = authority.entries(from, count);
      return { entries, vouchers: [...vouchers] };
    },
    signHead: () => ({ head: authority.signHead() }),
    witness({ heads }) {
      witness.hear(authority.registry, heads);
      return { head: authority.signHead() };
    },

    /** Verification shares and chain code are sealed with the share, so it is opened for them. */
    describeKey({ keyId }) {
      const { epoch } = keys.publicOf(keyId);
      const described = ({ keyType, threshold, publicKey, verificationShares, chainCode }: KeyShare) => {
        return { keyType, epoch, threshold, publicKey, verificationShares: byText(verificationShares), chainCode };
      };
      return keys.use(keyId, described, epoch);
    },
    describeShares: ({ keyId }) => succession.describe(keyId),
    unsettledKeys: ({ after }) => ({ keyIds: [...succession.unsettled(after)] }),
    confirmShare: (shown) => ({ acknowledgement: succession.confirm(shown) }),
    settleShares(shown) {
      succession.settle(shown.keys);
      return {};
    },

    openSession({ sessionId, participants, task }) {
      const name = toHex(sessionId);
      const known = participants.every((participant) => membership().knows(participant));
      const ascending = participants.every((participant, i) => i === 0 || participant > (participants[i - 1] ?? 0));
      if (!known || !ascending || !participants.includes(index)) {
        throw new SignerRefusal('BadQuestion', 'participants must be signers of this cluster, ascending, this one included');
      }
      if (sessions.has(name)) throw new SignerRefusal('Refused', 'a session of this name is open');
      if (sessions.size >= maxSessions) throw new SignerRefusal('Busy', `more than ${maxSessions} sessions are open`);
      const ground = { index, participants, sessionId, ...membership().identity.inSession(sessionId) };
      const session = openSession(ground, (party) => run(task, party));
      const expiry = setTimeout(() => abandon(name, 'the session was not continued in time'), sessionMs).unref();
      sessions.set(name, { session, expiry });
      return turnOf(name, session.opened);
    },

    continueSession({ sessionId, round, received }) {
      const name = toHex(sessionId);
      const entry = sessions.get(name);
      if (entry === undefined) throw new SignerRefusal('UnknownSession', 'no session of this name is open');
      const messages = new Map(Object.entries(received).map(([from, message]) => [Number(from), message]));
      return turnOf(name, entry.session.proceed(round, messages));
    },

    abandonSession({ sessionId }) {
      abandon(toHex(sessionId), 'the session was given up');
      return {};
    },

    ...signs,

    exportShare({ keyId, epoch }) {
      requireMember();
      const encryptionKey = judged((registry) => authoriseExport(registry, keyId));
      return keys.use(keyId, (share) => ({ box: encryptShareTo(encryptionKey, share) }), epoch);
    },

    async derive(use) {
      await admit.derive(use);
      const { keyId, epoch, domain, seed } = use;
      const evaluated = ({ secret, verificationShares }: KeyShare) => {
        const verificationShare = verificationShares.get(index);
        assert(verificationShare, 'a share has its own verification share');
        return { partial: evaluate({ secret, verificationShare, domain, seed }) };
      };
      return keys.use(keyId, evaluated, epoch);
    },
  };
}

/** JSON has only text for the keys of a map. */
function byText<V>(map: ReadonlyMap<number, V>): Record<string, V> {
  return Object.fromEntries([...map].map(([key, value]) => [String(key), value]));
}
