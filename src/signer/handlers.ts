/**
 * What a signer does when asked. The asker is the service, which is not trusted with shares, nor with what the signers say to each other,
 * nor with what the callers want: every use of a share is judged here, by this signer's own registry, from the request as the caller signed
 * it. The order of every use: who asks and may they; what does the request ask for; is it what the session does; has it been done before;
 * and only then is the share opened.
 * @module
 */

import { randomBytes } from 'node:crypto';
import type { ImportedShares } from '../authority/bodies.ts';
import { authoriseExport } from '../authority/keyExport.ts';
import { authoriseImport } from '../authority/keyImport.ts';
import type { Registry } from '../authority/registry.ts';
import type { SignedHead } from '../authority/signedHead.ts';
import { authoriseDerivation, authoriseKeygen, authoriseSignature } from '../authority/useKey.ts';
import { toHex } from '../base/bytes.ts';
import type { Clock } from '../base/clock.ts';
import { assert } from '../base/errors.ts';
import type { KeyType } from '../base/keyTypes.ts';
import { evaluate } from '../mpc/dh/evaluate.ts';
import { keygen } from '../mpc/dkg.ts';
import { type Presignature, presign, wipePresignature } from '../mpc/ecdsa/presign.ts';
import { signShare as signShareEcdsa } from '../mpc/ecdsa/sign.ts';
import { commit, type Nonces, wipeNonces } from '../mpc/frost/commit.ts';
import { signShare as signShareFrost } from '../mpc/frost/sign.ts';
import { importShare } from '../mpc/importShare.ts';
import type { KeyShare } from '../mpc/keyShare.ts';
import type { Party } from '../mpc/party.ts';
import { type EcdsaCurve, type Protocol, protocols } from '../mpc/protocols.ts';
import { type Seeds, setUpSeeds } from '../mpc/prss.ts';
import type { Handlers } from './answer.ts';
import type { SignerAuthority } from './authority.ts';
import type { Outcome, Params, Task, Turn } from './contract.ts';
import { derivedKeys } from './derivedKeys.ts';
import { judgedAt, SignerRefusal } from './errors.ts';
import { encryptShareTo } from './exportedShare.ts';
import { dealersNumbers, openImportedShare } from './importedShare.ts';
import type { Instance } from './instance.ts';
import type { Membership } from './membership.ts';
import { oneUse } from './oneUse.ts';
import { rememberedPayloads, requireOneAnswer, requirePayload } from './payload.ts';
import type { ReplayMemory } from './replayMemory.ts';
import type { SeedStore } from './seeds.ts';
import { openSession, type Session, type Step } from './sessions.ts';
import type { Shares } from './shares.ts';
import type { Succession } from './succession.ts';
import type { Witness } from './witness.ts';

/** A session that is not continued is given up after this. */
const sessionMs = 15_000;
const maxSessions = 1024;
/** Keys whose shares are made at the same time: making costs more than signing, and signing goes on beside it. */
const maxInMaking = 64;
/** What is made ahead is kept longer than the coordinator keeps its names. */
const madeAheadMs = 10 * 60_000;
const maxNonces = 16_384;
const maxPresignatures = 16_384;

const noNonces = 'no such nonces: never made, used, or too old';
const noPresignature = 'no such presignature: never made, used, or too old';

export interface SignerParts {
  readonly clusterId: string;
  readonly signerId: string;
  readonly index: number;
  readonly membership: () => Membership;
  /** Goes into every nonce beside fresh random bytes: see `commit`. */
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
  const nonces = oneUse<Nonces>({ max: maxNonces, maxAgeMs: madeAheadMs, clock, wipe: wipeNonces });
  const payloadsOf = rememberedPayloads();
  /** Keys that a session is making shares of. */
  const inMaking = new Set<string>();
  /** With the seeds they were made of: others may have come since. */
  const presignatures = oneUse<{ presignature: Presignature; seeds: Seeds }>({
    max: maxPresignatures,
    maxAgeMs: madeAheadMs,
    clock,
    wipe: ({ presignature }) => wipePresignature(presignature),
  });

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
        const [first] = made;
        assert(first, 'a batch holds at least one');
        presignatures.put(
          batchName(task.curve, first.batch),
          made.map((presignature) => ({ presignature, seeds: drawn })),
        );
        return { kind: 'presign', batch: first.batch, commitments: made.map(({ R }) => R) };
      }
    }
  }

  function judged<T>(judge: (registry: Registry) => T): T {
    const { registry } = authority;
    return judgedAt(registry.head, () => judge(registry));
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

  /**
   * Judges a signature that a session asks for, and spends its authorisation.
   * @param ready whether what else it takes is at hand: asked before anything is spent
   */
  async function admit(
    { keyId, epoch, payload, payloadIndex, filled, authorisation }: Omit<Params<'signEcdsa'>, 'batch' | 'number'>,
    ready: (key: Typed) => void,
  ): Promise<Typed> {
    const { registry } = authority;
    const { body, walletNetwork } = judgedAt(registry.head, () => authoriseSignature(registry, authorisation, { keyId, now: clock() }));
    requireMember();
    const key = keys.publicOf(keyId, epoch);
    if (filled !== undefined) requireOneAnswer(key, { signers: membership().signers.length, threshold: membership().threshold });
    const payloads = await payloadsOf(body, key, { walletNetwork, filled });
    requirePayload(payloads, payloadIndex, payload);
    ready(key);
    const { nonce, expiresAt } = authorisation.binding;
    await replays.spend({ nonce, index: payloadIndex, expiresAt });
    return key;
  }

  /** One of the entries may end this very instance: then it says no more. */
  function taken(entries: readonly string[], head: SignedHead): { head: SignedHead } {
    instance.saw(entries);
    instance.guard();
    return { head };
  }

  /** One that has left deals its shares to those who stay, and does nothing else with them. */
  function requireMember(): void {
    if (!membership().signers.some((member) => member.signerId === signerId))
      throw new SignerRefusal('Refused', 'this signer is not of the cluster, as its log says it');
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

    commit({ keyType, count }) {
      const { suite } = frostOf({ keyType });
      const batch = new Uint8Array(randomBytes(32));
      const made = Array.from({ length: count }, () => commit({ suite, secret: nonceSecret }));
      nonces.put(
        batchName(keyType, batch),
        made.map((one) => one.nonces),
      );
      return { batch, commitments: made.map(({ commitment }) => commitment) };
    },

    async signFrost({ commitments, ...use }) {
      const own = commitments[String(index)];
      if (own === undefined) throw new SignerRefusal('Refused', 'the commitments are without this signer’s own');
      const { batch, number } = own;
      const key = await admit(use, ({ keyType }) => {
        frostOf({ keyType });
        if (!nonces.has(batchName(keyType, batch), number)) throw new SignerRefusal('UnknownNonces', noNonces);
      });
      const taken = nonces.take(batchName(key.keyType, batch), number);
      if (taken === undefined) throw new SignerRefusal('UnknownNonces', noNonces);
      const signed = (share: KeyShare) => {
        const { z, R } = signShareFrost({
          suite: frostOf(key).suite,
          index,
          threshold: share.threshold,
          secret: share.secret,
          publicKey: share.publicKey,
          nonces: taken,
          commitments: new Map(Object.entries(commitments).map(([from, commitment]) => [Number(from), commitment])),
          payload: use.payload,
        });
        return { share: z, R };
      };
      return keys.use(use.keyId, signed, use.epoch);
    },

    async signEcdsa({ batch, number, ...use }) {
      const nameFor = (key: Typed) => batchName(ecdsaOf(key).curve, batch);
      const key = await admit(use, (admitted) => {
        if (!presignatures.has(nameFor(admitted), number)) throw new SignerRefusal('UnknownPresignature', noPresignature);
      });
      const taken = presignatures.take(nameFor(key), number);
      if (taken === undefined) throw new SignerRefusal('UnknownPresignature', noPresignature);
      const signed = (share: KeyShare) =>
        signShareEcdsa({
          curve: ecdsaOf(key).curve,
          seeds: taken.seeds,
          presignature: taken.presignature,
          secret: share.secret,
          publicKey: share.publicKey,
          digest: use.payload.bytes,
        });
      return keys.use(use.keyId, signed, use.epoch);
    },

    exportShare({ keyId, epoch }) {
      requireMember();
      const encryptionKey = judged((registry) => authoriseExport(registry, keyId));
      return keys.use(keyId, (share) => ({ box: encryptShareTo(encryptionKey, share) }), epoch);
    },

    async derive({ keyId, epoch, domain, seed, authorisation }) {
      const { registry } = authority;
      judgedAt(registry.head, () => authoriseDerivation(registry, authorisation, { keyId, domain, seed, now: clock() }));
      requireMember();
      keys.publicOf(keyId, epoch);
      const { nonce, expiresAt } = authorisation.binding;
      await replays.spend({ nonce, index: 0, expiresAt });
      const evaluated = ({ secret, verificationShares }: KeyShare) => {
        const verificationShare = verificationShares.get(index);
        assert(verificationShare, 'a share has its own verification share');
        return { partial: evaluate({ secret, verificationShare, domain, seed }) };
      };
      return keys.use(keyId, evaluated, epoch);
    },
  };
}

type Typed = Pick<KeyShare, 'keyType'>;

function frostOf(share: Typed): Extract<Protocol, { family: 'frost' }> {
  const protocol = protocols[share.keyType];
  if (protocol.family !== 'frost') throw new SignerRefusal('Refused', `a ${share.keyType} key does not sign by FROST`);
  return protocol;
}

function ecdsaOf(share: Typed): Extract<Protocol, { family: 'ecdsa' }> {
  const protocol = protocols[share.keyType];
  if (protocol.family !== 'ecdsa') throw new SignerRefusal('Refused', `a ${share.keyType} key does not sign ECDSA`);
  return protocol;
}

/** Under another curve or suite the same batch is unknown. */
const batchName = (of: EcdsaCurve | KeyType, batch: Uint8Array): string => `${of}/${toHex(batch)}`;

/** JSON has only text for the keys of a map. */
function byText<V>(map: ReadonlyMap<number, V>): Record<string, V> {
  return Object.fromEntries([...map].map(([key, value]) => [String(key), value]));
}
