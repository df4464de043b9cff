/**
 * The coordinator over a cluster of signers: one way in for each thing signers do together.
 * @module
 */

import { toHex } from '../base/bytes.ts';
import { Abort, assert, Refusal, reasonsOf } from '../base/errors.ts';
import { sparingly } from '../base/sparingly.ts';
import type { Authorisation } from '../crypto/authorisation.ts';
import type { Signature } from '../crypto/schemes/scheme.ts';
import type { Logger } from '../log.ts';
import { combine as combineDh } from '../mpc/dh/combine.ts';
import { combine as combineEcdsa } from '../mpc/ecdsa/combine.ts';
import { aggregate } from '../mpc/frost/aggregate.ts';
import { type Protocol, protocols, quorumOf } from '../mpc/protocols.ts';
import { type ClusterFile, currentOf, type Outcome, type Params, type Result } from '../signer/contract.ts';
import type { QuickMethod } from '../signer/quick.ts';
import type { Transport } from '../transport/transport.ts';
import { authorityLog } from './authorityLog.ts';
import type { Coordinator, EntrySource, KeyReference, NewKey, SignInput } from './coordinator.ts';
import { collectShares } from './exportShares.ts';
import { findKey } from './findKey.ts';
import { type Link, openLink, SignerFailure } from './link.ts';
import { type Meter, timed, unmetered } from './meter.ts';
import { newKeyOf, sameKey } from './newKey.ts';
import { nonceStock } from './nonces.ts';
import { presignatureStock } from './presignatures.ts';
import { askAll, SignerFailures, withQuorum } from './quorum.ts';
import { agreeOnSeeds, answering, setUpSeeds } from './roll.ts';
import { runSession } from './session.ts';
import { knownSharings } from './sharings.ts';
import { succession } from './succession.ts';
import type { Claimant } from './turns.ts';

/** A signer that is not reached is tried again with every question; what came of it is logged once in this time. */
const reportEveryMs = 1_000;

/** Whoever has not encrypted its share by then is done without. */
const exportTimeoutMs = 2_000;

/** @param transports the way to each of the signers that are there now, in their order (`currentOf`) */
export function createCoordinator({
  cluster: file,
  transports,
  log,
  meter = unmetered,
}: {
  cluster: ClusterFile;
  transports: readonly Pick<Transport, 'connect'>[];
  log: Logger;
  meter?: Meter;
}): Coordinator {
  const cluster = currentOf(file);
  const { threshold } = cluster;
  const { threshold: firstThreshold } = file;
  const thresholdOf = (key: KeyReference) => key.threshold ?? firstThreshold;
  assert(transports.length === cluster.signers.length, 'there is a way to each signer');
  const links = transports.map((transport, i) => openLink({ index: cluster.signers[i]?.index ?? 0, transport }));
  const stock = presignatureStock(meter.pool);
  const nonces = nonceStock(meter.pool);
  for (const link of links) {
    const report = sparingly((reason, leftOut) => log.warn({ signer: link.index, reason, leftOut }, 'a signer was lost'), reportEveryMs);
    link.onLost((reason) => {
      stock.forget(link.index);
      nonces.forget(link.index);
      report(reason);
    });
  }
  const authority = authorityLog(links, cluster, (link, before, now) => {
    const shown = [before, now].map(({ sequence, hash, at, signature }) => ({ sequence, hash: toHex(hash), at, signature }));
    log.error({ signer: link.index, shown }, 'the authority log of a signer is not the one it showed before');
  });
  let history: EntrySource | undefined;
  let rotation = 0;
  const sharings = knownSharings((keyId) => findKey(links, cluster, keyId));
  const successions = succession(links, () => ({ links, largestThreshold: Math.max(threshold, thresholdBefore(file)) }));

  /** Without those that turned out to have lost their share, as long as `size` others are there. */
  const holdersOf = (key: KeyReference, size: number): readonly Link[] => {
    const holders = links.filter((link) => key.verificationShares.has(link.index));
    const whole = holders.filter((link) => !sharings.behind(key.id).has(link.index));
    return whole.length < size ? holders : whole;
  };
  /** Refusals carry what the caller may know; the operator's part is logged here, once. */
  const logged = <T>(work: Promise<T>, fields: object): Promise<T> =>
    work.catch((error: unknown) => {
      log.warn({ ...fields, reasons: reasonsOf(error) }, 'the signers did not do what was asked');
      throw error;
    });

  /** Those that answer and whose log has what the history has; one that cannot be brought up is left out. */
  async function current(): Promise<readonly Link[]> {
    const up = await answering(links, cluster);
    const source = history;
    if (source === undefined) return [...up.keys()];
    const brought = await Promise.allSettled(
      [...up].map(async ([link, { head, awaitsWitness }]) => {
        await authority.catchUp(link, head, source);
        if (awaitsWitness) await authority.witness(link, source);
      }),
    );
    return [...up.keys()].filter((link, i) => {
      const outcome = brought[i];
      if (outcome?.status === 'rejected')
        log.warn({ signer: link.index, reasons: reasonsOf(outcome.reason) }, 'a signer was not brought up');
      return outcome?.status === 'fulfilled';
    });
  }

  async function createKey({ keyId, keyType }: Parameters<Coordinator['createKey']>[0]): Promise<NewKey> {
    // Every signer that answers takes part; a key needs 2t+1 holders, so that any scheme can be signed with it.
    const up = await current();
    const needed = 2 * threshold + 1;
    if (up.length < needed) {
      throw new Refusal('Unavailable', `key creation needs ${needed} of ${links.length} signers; ${up.length} answer`);
    }
    const outcomes = await runSession(up, { kind: 'keygen', keyId, keyType }).catch((cause: unknown) => {
      if (!(cause instanceof SignerFailures)) throw cause;
      throw new Refusal('Unavailable', `key creation failed at the signers: ${cause.message}`, { cause });
    });
    return agreed(outcomes);
  }

  async function importKey({ keyId, shares }: Parameters<Coordinator['importKey']>[0]): Promise<NewKey> {
    const up = await current();
    if (up.length < links.length) {
      throw new Refusal('Unavailable', `key import needs all ${links.length} signers, each has a share of its own; ${up.length} answer`);
    }
    const outcomes = await runSession(up, { kind: 'import', keyId, shares: [...shares] }).catch((cause: unknown) => {
      if (!(cause instanceof SignerFailures)) throw cause;
      // What came with the request only the signer can tell to whom it came.
      const fault = cause.failures.find(({ refusal }) => refusal === 'BadRequest');
      if (fault !== undefined) throw new Refusal('BadRequest', `signer ${signerIdOf(fault.index)}: ${fault.reason}`, { cause });
      throw new Refusal('Unavailable', `key import failed at the signers: ${cause.message}`, { cause });
    });
    return agreed(outcomes);
  }

  const signerIdOf = (index: number) => cluster.signers.find((signer) => signer.index === index)?.signerId ?? String(index);

  async function redeal(key: Parameters<Coordinator['redeal']>[0]): Promise<NewKey> {
    await current();
    const made = await successions.redeal(key);
    sharings.moved(key.id, made);
    return made;
  }

  async function sign(input: SignInput): Promise<Signature> {
    const { keyType } = input.key;
    const protocol = protocols[keyType];
    const keyThreshold = thresholdOf(input.key);
    const size = quorumOf(keyType, keyThreshold);
    const quorum = { links: holdersOf(input.key, size), size, threshold: keyThreshold, purpose: `signing with ${keyType}` };
    switch (protocol.family) {
      case 'ecdsa':
        return withQuorum(quorum, (chosen) => signEcdsa(protocol, chosen, input));
      case 'frost':
        return withQuorum({ ...quorum, rotation: rotation++ }, (chosen) => signFrost(protocol, chosen, input));
      case 'dh':
        throw new Refusal('BadRequest', 'a DH key derives; it does not sign');
    }
  }

  /**
   * One question to each signer, after which it gives no second share for the request: so one that does not answer costs the request, and
   * who has not been heard of for a moment is asked for a sign of life before.
   */
  async function signEcdsa(
    { curve }: Extract<Protocol, { family: 'ecdsa' }>,
    chosen: readonly Link[],
    input: SignInput,
  ): Promise<Signature> {
    const { key, payload, authorisation } = input;
    await askAll(chosen, (link) => link.awake());
    const take = () => stock.take(curve, chosen, claimantOf(key, authorisation));
    const { batch, number, R } = await timed(meter, 'pool', take).catch(async (error: unknown) => {
      // Signers whose seeds differ cannot presign together, and none can be blamed for it.
      if (error instanceof SignerFailures) await agreeOnSeeds(links, cluster);
      throw error;
    });
    const question = { ...questionOf(input), batch, number };
    // Each presignature left that names a signer whose memory is gone unnoticed would cost a request.
    const answers = await askForShares(chosen, 'signEcdsa', question, (link) => stock.forget(link.index));
    const together = {
      curve,
      threshold: thresholdOf(key),
      publicKey: key.publicKey,
      digest: payload.bytes,
      batch,
      number,
      participants: chosen.map((link) => link.index),
      R,
      shares: mapValues(answers, ({ share }) => share),
      rerandomised: answers.values().next().value?.R,
    };
    return timed(meter, 'combine', () => combineEcdsa(together));
  }

  async function signFrost(
    { suite }: Extract<Protocol, { family: 'frost' }>,
    chosen: readonly Link[],
    input: SignInput,
  ): Promise<Signature> {
    const { key, payload, authorisation } = input;
    const claimant = claimantOf(key, authorisation);
    await askAll(chosen, (link) => link.awake());
    const commitments = await timed(meter, 'pool', () => askAll(chosen, (link) => nonces.take(suite.keyType, link, claimant)));
    const question = { ...questionOf(input), commitments: Object.fromEntries(commitments) };
    const answers = await askForShares(chosen, 'signFrost', question, (link) => {
      const own = commitments.get(link.index);
      if (own) nonces.discard(link, own.batch);
    });
    const together = {
      suite,
      publicKey: key.publicKey,
      verificationShares: key.verificationShares,
      commitments,
      shares: mapValues(answers, ({ share }) => share),
      payload,
      R: answers.values().next().value?.R,
    };
    return timed(meter, 'combine', () => aggregate(together));
  }

  /** @param forget told of a signer that does not have what was made ahead with it */
  function askForShares<M extends QuickMethod>(
    chosen: readonly Link[],
    method: M,
    question: Params<M>,
    forget: (link: Link) => void,
  ): Promise<ReadonlyMap<number, Result<M>>> {
    const ask = (link: Link) =>
      authority
        .whenCurrent(link, history, () => link.ask(method, question))
        .catch((error: unknown) => {
          if (error instanceof SignerFailure && error.isOfMemory) forget(link);
          throw error;
        });
    return timed(meter, 'signers', () => askAll(chosen, ask));
  }

  async function derive({ key, domain, seed, authorisation }: Parameters<Coordinator['derive']>[0]): Promise<Uint8Array> {
    const keyThreshold = thresholdOf(key);
    const size = quorumOf(key.keyType, keyThreshold);
    const quorum = { links: holdersOf(key, size), size, threshold: keyThreshold, purpose: 'derivation', rotation: rotation++ };
    return withQuorum(quorum, async (chosen) => {
      const question = { keyId: key.id, epoch: key.epoch, domain, seed, authorisation };
      const answers = await askAll(chosen, (link) => authority.whenCurrent(link, history, () => link.ask('derive', question)));
      const partials = mapValues(answers, ({ partial }) => partial);
      const { publicKey, verificationShares } = key;
      return combineDh({ threshold: keyThreshold, publicKey, verificationShares, domain, seed, partials });
    });
  }

  async function exportShares(key: KeyReference): Promise<ReadonlyMap<number, Uint8Array>> {
    const ask = async (link: Link) => {
      const question = { keyId: key.id, epoch: key.epoch };
      const { box } = await authority.whenCurrent(link, history, () => link.ask('exportShare', question, exportTimeoutMs));
      return box;
    };
    return collectShares(holdersOf(key, thresholdOf(key) + 1), thresholdOf(key) + 1, ask);
  }

  return {
    cluster,
    setHistory(source) {
      history = source;
    },
    append: (entry, source) => logged(authority.append(entry, source), { entry: entry.sequence }),
    heads: () => authority.heads(),
    entriesFrom: (from) => authority.entriesFrom(from, history),
    async prepare() {
      await current();
      await agreeOnSeeds(links, cluster);
    },
    async renewSeeds() {
      await current();
      await setUpSeeds(links, cluster);
    },
    createKey: (input) => logged(createKey(input), { keyId: input.keyId }),
    importKey: (input) => logged(importKey(input), { keyId: input.keyId }),
    findKey: (keyId) => findKey(links, cluster, keyId),
    redeal: (key) => logged(redeal(key), { keyId: key.id }),
    settle: (keyIds) => successions.settle(keyIds),
    unsettled: () => successions.unsettled(),
    follow: (follower) => sharings.follow(follower),
    async sign(input) {
      const { id, keyType } = input.key;
      try {
        const signature = await logged(
          sharings.use(input.key, (key) => sign({ ...input, key })),
          { keyId: id },
        );
        meter.signature(keyType, 'signed');
        return signature;
      } catch (error) {
        meter.signature(keyType, 'failed');
        throw error;
      }
    },
    derive: (input) =>
      logged(
        sharings.use(input.key, (key) => derive({ ...input, key })),
        { keyId: input.key.id },
      ),
    pools: () => [...stock.depths(), ...nonces.depths()],
    exportShares: (key) => logged(sharings.use(key, exportShares), { keyId: key.id }),
    async health() {
      const up = await answering(links, cluster);
      return links.map((link) => ({ index: link.index, up: up.has(link) }));
    },
    close() {
      for (const link of links) link.close();
      return Promise.resolve();
    },
  };
}

/** What every question to sign says. */
function questionOf({ key, payload, payloadIndex, filled, authorisation }: SignInput) {
  return { keyId: key.id, epoch: key.epoch, payload, payloadIndex, ...(filled && { filled }), authorisation };
}

/** In whose turn a stock is drained. */
function claimantOf(key: KeyReference, { binding }: Authorisation): Claimant {
  return { organisationId: binding.organisationId, keyId: key.id };
}

type Generated = Extract<Outcome, { kind: 'keygen' }>;

/** @throws {Abort} */
function agreed(outcomes: ReadonlyMap<number, Outcome>): NewKey {
  const [first, ...rest] = [...outcomes.values()].map(generated);
  if (first === undefined || !rest.every((other) => sameKey(first, other))) throw new Abort([], 'the signers made different keys');
  return newKeyOf(first);
}

function generated(outcome: Outcome): Generated {
  if (outcome.kind !== 'keygen') throw new Abort([], `a key generation ended as ${outcome.kind}`);
  return outcome;
}

function mapValues<V, W>(map: ReadonlyMap<number, V>, change: (value: V) => W): Map<number, W> {
  return new Map([...map].map(([key, value]) => [key, change(value)]));
}

/** Of the signers before the last change. */
function thresholdBefore(file: ClusterFile): number {
  return (file.changes?.at(-2) ?? file).threshold;
}
