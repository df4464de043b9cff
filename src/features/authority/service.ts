/**
 * The service's part in making the authority log longer. A request that changes who may do what becomes an entry:
 *
 *   1. it is judged by the rules that the signers judge by
 *   2. it is made durable as the one proposal, its user action not spent yet
 *   3. the signers take it: it stands when t + 1 of them vouch for the head that ends with it
 *   4. one database transaction writes the entry, the audit row that spends the user action, and what the API reads
 *
 * What is interrupted after 2 is settled before the next entry, by this replica or another: the signers know whether 3 has happened.
 * @module
 */

import { randomBytes } from 'node:crypto';
import type { ClusterChange } from '../../authority/cluster.ts';
import { type Entry, encodeEntry, entryAfter } from '../../authority/entry.ts';
import { nonceAt } from '../../authority/head.ts';
import { areVouchedFor, check } from '../../authority/log.ts';
import type { Recovery } from '../../authority/recovery.ts';
import type { Registry } from '../../authority/registry.ts';
import type { Root } from '../../authority/root.ts';
import type { SetInForce } from '../../authority/signers.ts';
import { toHex } from '../../base/bytes.ts';
import type { Clock } from '../../base/clock.ts';
import { messageOf, Refusal } from '../../base/errors.ts';
import type { Coordinator, EntrySource } from '../../coordinator/coordinator.ts';
import type { Database } from '../../store/database.ts';
import { actionOf, authorisationOf, type Context } from '../access/context.ts';
import { spendEntry } from '../audit/store.ts';
import { auditOf } from './audit.ts';
import { createLogCopy, type LogCopy, type Performed } from './copy.ts';
import { judgeHeads } from './heads.ts';
import type { Projection } from './projection.ts';
import * as store from './store.ts';
import { createTurns } from './turns.ts';

const nonceRandomBytes = 16;
/** Of what comes with a start of the service, and no request. */
const changeRequestId = 'cluster-change';
/** How often one request is proposed when the signers turn out to have more entries than the database. */
const maxAttempts = 3;

export interface Authority {
  /** As far as this replica has read the log. What it says may be outdated, except in a turn. */
  readonly registry: Registry;
  /** Keys, and whatever else is not in memory. */
  judge: LogCopy['judge'];
  /** The nonce of a user action that is asked for now: it names the head of the log (`authority/head.ts`). */
  nonce(): string;
  /**
   * Reads the log, brings it up to what the signers have, settles what was left behind. To be awaited before requests are let in.
   * @throws {Error} when the log does not verify, or is not the signers', saying where
   */
  start(): Promise<void>;
  /** After the last request. */
  stop(): Promise<void>;
  /** Settles what a replica that is gone has left behind, or what the signers did not answer in time. */
  settle(): Promise<void>;
  /**
   * Makes the request of this context an entry of the log; its user action is spent with it.
   * @throws {Refusal} what the rules refuse, UserActionUsed, Unavailable: then it may still take effect, until its user action expires
   */
  perform(context: Context): Promise<Performed>;
  /** No replica makes an entry meanwhile, but by `perform`: for what must be decided together with one. */
  inTurn<T>(work: (perform: Authority['perform']) => Promise<T>): Promise<T>;
  /** Makes the recovery an entry of the log, unless it is the last one already. @throws {Refusal} Forbidden, BadRequest, Unavailable */
  recover(recovery: Recovery, requestId: string): Promise<void>;
  /** Makes the change of signers an entry of the log, unless it is in it. @throws {Refusal} Forbidden, BadRequest, Unavailable */
  changeCluster(change: ClusterChange): Promise<void>;
  /** When the signers changed last. */
  clusterChanged(): Promise<Date | undefined>;
}

/** Where it is said what an operator should know. */
export interface Notices {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

export function createAuthority(parts: {
  database: Database;
  coordinator: Coordinator;
  root: Root;
  projection: Projection;
  clock: Clock;
  log: Notices;
}): Authority {
  const { database, coordinator, clock, log } = parts;
  const copy = createLogCopy(parts);
  const history: EntrySource = {
    ...store.historyOf(database),
    areVouchedFor: (entries, vouchers) => areVouchedFor(copy.registry, entries, vouchers),
  };
  const turns = createTurns(database);
  const now = () => ({ now: clock() });
  const stopping = new AbortController();
  let reviewing: Promise<void> = Promise.resolve();
  /** What the review has found: then nobody changes who may do what, and the next start reads the whole log. */
  let fault: unknown;

  async function review(): Promise<void> {
    try {
      await copy.review(stopping.signal);
    } catch (error) {
      if (stopping.signal.aborted || (error instanceof Refusal && error.code === 'Unavailable')) return;
      fault = error;
      log.error({ reason: messageOf(error) }, 'the authority log is not what it was: nothing that changes it is accepted any more');
    }
  }

  async function takeOver(): Promise<boolean> {
    const from = await copy.takeOver();
    if (from === undefined) return false;
    log.warn({ from, to: copy.registry.head.sequence }, 'entries that the database did not have were taken over from the signers');
    return true;
  }

  /** Nobody else has a turn, so a proposal that stands is of a turn that was cut short. */
  async function settleProposal(): Promise<void> {
    if ((await store.findProposal(database)) === undefined) return;
    await takeOver();
    const proposal = await store.findProposal(database);
    if (proposal === undefined) return;
    const { entry, requestId } = proposal;
    try {
      const accepted = await copy.judge((registry) => check(registry, entry, now()));
      await copy.record({ entry, accepted, vouchers: await coordinator.append(entry, history), requestId });
    } catch (error) {
      if (!(error instanceof Refusal) || error.code === 'Unavailable') throw error;
      await database.transaction(async (tx) => {
        if ('authorisation' in entry) {
          const refused = { date: new Date(clock()), requestId, refusal: error.message };
          await spendEntry(tx, auditOf(copy.registry, entry.authorisation, refused));
        }
        await store.removeProposal(tx);
      });
    }
  }

  async function append(content: Parameters<typeof entryAfter>[1], requestId: string): Promise<Performed> {
    const nonce = 'authorisation' in content ? content.authorisation.binding.nonce : null;
    for (let attempt = 1; ; attempt++) {
      const entry = entryAfter(copy.registry.head, content);
      const accepted = await copy.judge((registry) => check(registry, entry, now()));
      const proposed = await store.propose(database, { entry, nonce, requestId });
      if (proposed === 'spent') throw new Refusal('UserActionUsed');
      if (proposed === 'open') throw new Refusal('Unavailable', 'another replica is changing who may do what; ask again');
      try {
        return await copy.record({ entry, accepted, vouchers: await coordinator.append(entry, history), requestId });
      } catch (error) {
        // Whether the entry stands is not known: it stays open.
        if (!(error instanceof Refusal) || error.code === 'Unavailable') throw error;
        await store.removeProposal(database);
        if (error.code !== 'Conflict') throw error;
        // Our own rules have let it through: it is the place in the log that is taken.
        if (attempt < maxAttempts && (await takeOver())) continue;
        throw new Refusal('Unavailable', 'the signers do not agree on the authority log; ask again later', { cause: error });
      }
    }
  }

  async function appendAction(context: Context): Promise<Performed> {
    const performed = await append({ authorisation: authorisationOf(context) }, context.requestId);
    actionOf(context).spent = true;
    return performed;
  }

  const inTurn: Authority['inTurn'] = (work) =>
    turns(async () => {
      if (fault !== undefined) throw new Refusal('Unavailable', 'who may do what cannot be changed now', { cause: fault });
      await copy.refresh();
      await settleProposal();
      return work(appendAction);
    });

  coordinator.setHistory(history);
  return {
    get registry() {
      return copy.registry;
    },
    judge: copy.judge,
    nonce: () => nonceAt(copy.registry.head, new Uint8Array(randomBytes(nonceRandomBytes))),
    perform: (context) => inTurn((perform) => perform(context)),
    inTurn,

    async recover(recovery, requestId) {
      const last = await store.lastEntry(database);
      if (isRecovery(last, recovery)) return;
      // Whoever calls is unknown: what is no recovery takes nobody's turn.
      const { head } = copy.registry;
      if ((last?.sequence ?? 0) === head.sequence) {
        await copy.judge((registry) => check(registry, entryAfter(head, { recovery }), now()));
      }
      await inTurn(() => append({ recovery }, requestId));
    },

    async changeCluster(change) {
      await inTurn(async () => {
        const { cluster } = copy.registry;
        const isInForce = cluster.since.sequence > 0 && isSameSet(cluster, change);
        if (!isInForce) await append({ cluster: change }, changeRequestId);
      });
    },

    async clusterChanged() {
      const { sequence } = copy.registry.cluster.since;
      const [row] = sequence === 0 ? [] : await store.readRows(database, sequence, 1);
      return row?.dateAccepted;
    },

    async start() {
      await turns(async () => {
        await copy.refresh();
        const heads = await coordinator.heads();
        await copy.judge((registry) => judgeHeads(registry, heads, log));
        await takeOver();
        await settleProposal().catch((error: unknown) => {
          if (!(error instanceof Refusal) || error.code !== 'Unavailable') throw error;
          log.warn({ reason: error.message }, 'a proposed entry of the authority log could not be settled yet');
        });
      });
      const { sequence, hash } = copy.registry.head;
      log.info({ sequence, hash: toHex(hash) }, 'the authority log stands here');
      reviewing = review();
    },

    stop() {
      stopping.abort();
      return reviewing;
    },

    async settle() {
      if ((await store.findProposal(database)) !== undefined) await inTurn(async () => {});
    },
  };
}

function isSameSet({ threshold, signers }: SetInForce, change: ClusterChange): boolean {
  const of = (set: readonly { readonly signerId: string; readonly index?: number }[]) =>
    JSON.stringify(set.map(({ index, signerId }) => [index, signerId]));
  return threshold === change.threshold && of(signers) === of(change.signers);
}

function isRecovery(entry: Entry | undefined, recovery: Recovery): boolean {
  return entry !== undefined && 'recovery' in entry && encodeEntry({ ...entry, recovery }) === encodeEntry(entry);
}
