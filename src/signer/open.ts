/**
 * A signer out of its directory: its stores, its identity, its authority log and its memory, behind one function that answers questions.
 * @module
 */

import type { KeyObject } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { toHex } from '../base/bytes.ts';
import type { Clock } from '../base/clock.ts';
import { reasonsOf } from '../base/errors.ts';
import { sparingly } from '../base/sparingly.ts';
import type { Logger } from '../log.ts';
import { answerer, type Listener } from './answer.ts';
import { openAuthority } from './authority.ts';
import { type ClusterFile, clusterFile, pinnedClusterFile, rootOf } from './contract.ts';
import { createHandlers } from './handlers.ts';
import { nonceSecretOf, publicSignerOf, readIdentity, signatureBy } from './identity.ts';
import { openInstance } from './instance.ts';
import { membershipOf } from './membership.ts';
import { openReplayMemory } from './replayMemory.ts';
import { replicaOf } from './replication.ts';
import { sealedSeeds } from './seeds.ts';
import { sealedShares } from './shares.ts';
import { openSignerStore, type SignerStore } from './store.ts';
import { succession } from './succession.ts';
import { readTlsKey } from './tlsKey.ts';
import { openWitness } from './witness.ts';

/** Refusals of a kind are logged once in this time. */
const refusalsEveryMs = 1_000;

export interface Signer {
  readonly cluster: ClusterFile;
  readonly index: number;
  /** From a question, as it came, to its answer. Never rejects. */
  readonly answer: (question: unknown) => Promise<unknown>;
  /** The same for its standby, which asks for its shares. */
  readonly replica: (question: unknown) => Promise<unknown>;
  /** Resolves when it was found that what it keeps is not what it was: from then on it does nothing that takes authority. */
  readonly failed: Promise<Error>;
  /** Resolves when all that an earlier start has verified was verified again, or that was given up. */
  readonly reviewed: Promise<void>;
  /** @throws {Error} if this signer has none */
  tlsKey(): KeyObject;
  close(): void;
}

export interface SignerProcess {
  readonly dataDir: string;
  readonly keyEncryptionKey: Uint8Array;
  readonly clock: Clock;
  readonly log: Logger;
}

/** @throws {Error} when it cannot start: another signer runs on the directory, or what is in it is not what it was */
export function openSigner(parts: SignerProcess): Signer {
  const store = openSignerStore(parts.dataDir);
  try {
    return signerOn(store, parts);
  } catch (error) {
    store.close();
    throw error;
  }
}

function signerOn(store: SignerStore, { dataDir, keyEncryptionKey, clock, log }: SignerProcess): Signer {
  const failure = Promise.withResolvers<Error>();
  const closing = new AbortController();
  const secrets = readIdentity(store, keyEncryptionKey);
  const { signerId } = publicSignerOf(secrets);
  const cluster = clusterFile.parse(JSON.parse(readFileSync(join(dataDir, pinnedClusterFile), 'utf8')));
  const index = numberIn(cluster, signerId);
  if (index === undefined) throw new Error(`${join(dataDir, pinnedClusterFile)} does not name this signer (${signerId})`);

  const root = rootOf(cluster);
  const witness = openWitness({
    store,
    keyEncryptionKey,
    signerId,
    takeover: () => instance.takeover,
    onWitnessed: () => replays.becomeBlind(),
  });
  const authority = openAuthority({
    root,
    signerId,
    sign: signatureBy(secrets),
    store,
    clock,
    isDated: () => !witness.isAwaited,
    onHead: ({ sequence, hash, at, signature }) =>
      log.info({ sequence, hash: toHex(hash), at, signature }, 'the authority log has a new head'),
    onDistrust: (reason) =>
      log.error({ reason }, 'the registry beside the log is not gone on from: the whole log is verified, which takes a while'),
    onFault(fault) {
      log.fatal({ reason: fault.message }, 'what this signer keeps is not what it was: it stops, and signs nothing');
      failure.resolve(fault);
    },
  });
  // By entries of a log that has been found to be what it was.
  const instance = openInstance({ store, keyEncryptionKey, signerId, onReplaced: (reason) => failure.resolve(reason) });
  const replays = openReplayMemory({ dataDir, clock, hasHistory: authority.registry.head.sequence > 0 || witness.isAwaited });
  const membership = membershipOf({ file: cluster, index, secrets, registry: () => authority.registry });
  const shares = sealedShares({ store, keyEncryptionKey, signerId });
  const handlers = createHandlers({
    clusterId: cluster.clusterId,
    signerId,
    instance,
    index,
    membership,
    nonceSecret: nonceSecretOf(secrets),
    shares,
    succession: succession({
      clusterId: cluster.clusterId,
      index,
      store,
      shares,
      identity: () => membership().identity,
      holders: () => membership().holders,
    }),
    seeds: sealedSeeds({ store, keyEncryptionKey }),
    authority,
    witness,
    replays,
    clock,
  });
  const reviewed = authority.review(closing.signal).then(
    (entries) => log.info({ entries }, 'the authority log has been verified again'),
    () => undefined, // closed meanwhile, or `failed`
  );
  return {
    cluster,
    index,
    replica: replicaOf({ store, keyEncryptionKey, signerId, identity: secrets }),
    failed: failure.promise,
    reviewed,
    answer: answerer(
      handlers,
      { failed: (error) => log.error({ reasons: reasonsOf(error) }, 'a question failed'), refused: refusalLog(log) },
      (method, params) => {
        instance.guard();
        witness.guard(method, params);
      },
    ),
    tlsKey() {
      const key = readTlsKey(store, keyEncryptionKey);
      if (key === undefined) throw new Error('this signer has no TLS key yet: run `countersign signer init` again');
      return key;
    },
    close() {
      closing.abort();
      replays.close();
      store.close();
    },
  };
}

/** What a signer would not do is said with its reason, of each kind once in a time. */
function refusalLog(log: Logger): Listener['refused'] {
  const reports = new Map<string, (reason: string) => void>(); // as many as the contract has kinds of questions and refusals
  return (method, { code, message }) => {
    const kind = `${method} ${code}`;
    const level = code === 'Forked' ? 'error' : 'warn';
    const say = (reason: string, leftOut: number) => log[level]({ method, code, reason, leftOut }, 'a question was refused');
    const report = reports.get(kind) ?? sparingly(say, refusalsEveryMs);
    reports.set(kind, report);
    report(message);
  };
}

/** Its number, by the last that names it: of a signer that has left, and one that is to come, too. */
function numberIn(file: ClusterFile, signerId: string): number | undefined {
  const members = [file, ...(file.changes ?? [])].flatMap(({ signers }) => signers);
  return members.findLast((member) => member.signerId === signerId)?.index;
}
