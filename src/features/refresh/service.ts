/**
 * Has the signers deal keys anew: those that somebody asked for, and all of them as often as it is configured. One key after the other, at a
 * bounded rate, by whichever replica comes first; what was interrupted is taken up again, from what the signers say.
 *
 *   1. the signers make the new sharing, which counts from then on beside the old one
 *   2. it is recorded; what other replicas remember of keys ends soon after
 *   3. the signers end the old shares
 *
 * @module
 */

import { setTimeout as pause } from 'node:timers/promises';
import { equal } from '../../base/bytes.ts';
import type { Clock } from '../../base/clock.ts';
import { Abort, assert, messageOf, Refusal } from '../../base/errors.ts';
import { sparingly } from '../../base/sparingly.ts';
import type { Coordinator } from '../../coordinator/coordinator.ts';
import type { Database } from '../../store/database.ts';
import type { Actions } from '../access/actions.ts';
import type { Context } from '../access/context.ts';
import type { Notices } from '../authority/service.ts';
import { rememberedMs } from '../keys/remembered.ts';
import type { KeyService } from '../keys/service.ts';
import { recordSharing } from '../keys/store.ts';
import type { Progress } from './contract.ts';
import * as store from './store.ts';

export interface RefreshService {
  /** @param keyId one key; all, when left out @throws {Refusal} NotFound, BadRequest */
  ask(context: Context, keyId: string | undefined): Promise<Progress>;
  progress(): Promise<Progress>;
  /** @param changed when the signers of the cluster changed last: all keys are dealt to those of now */
  start(changed: Date | undefined): void;
  stop(): Promise<void>;
}

/** Between looking for keys that are due, when nobody asks. */
const lookEveryMs = 60_000;
const keysPerPage = 16;
/** Dealing a key costs all signers some ten milliseconds of processor time; most of it is left for signing. */
const maxKeysPerSecond = 20;
const claimMs = 60_000;
/** Seeds are renewed after the last of the keys, but not after each that somebody asks for. */
const seedsEveryMs = 60 * 60 * 1000;
/** Old shares end when nobody asks for them any more: what replicas remember of keys has ended, and so have requests under way. */
const settleAfterMs = 2 * rememberedMs;
const reportEveryMs = 60_000;

export function createRefreshService(parts: {
  database: Database;
  coordinator: Coordinator;
  keys: KeyService;
  actions: Actions;
  /** Keys are dealt anew so often; undefined: when asked for. */
  everyMs: number | undefined;
  clock: Clock;
  log: Notices;
}): RefreshService {
  const { database, coordinator, keys, actions, everyMs, clock, log } = parts;
  const stopping = new AbortController();
  const { signal } = stopping;
  const report = sparingly((reason, leftOut) => log.warn({ reason, leftOut }, 'a key could not be dealt anew yet'), reportEveryMs);
  /** Recorded, with old shares that are to end at that time; in order. */
  const toSettle = new Map<string, number>();
  let woken = Promise.withResolvers<void>();
  let running: Promise<void> = Promise.resolve();
  let reason: string | undefined;
  let nextLook = 0;

  let changed: Date | undefined;
  let seedsRenewed = 0;

  function before(): Date | null {
    const old = everyMs === undefined ? undefined : clock() - everyMs;
    const latest = Math.max(old ?? 0, changed?.getTime() ?? 0);
    return latest === 0 ? null : new Date(latest);
  }

  async function progress(): Promise<Progress> {
    const due = await store.countDue(database, before());
    return { due, ...(due > 0 && reason !== undefined && { reason }) };
  }

  function wake(): void {
    woken.resolve();
  }

  /** @returns whether it was dealt */
  async function deal({ id, keyType, publicKey }: store.DueKey): Promise<boolean> {
    const begun = new Date(clock());
    try {
      const made = await coordinator.redeal({ id, keyType });
      assert(equal(made.publicKey, publicKey), 'a key that is dealt anew stays what it was');
      await recordSharing(database, id, made);
      await store.markDealt(database, id, { begun, date: new Date(clock()) });
      toSettle.set(id, clock() + settleAfterMs);
      return true;
    } catch (error) {
      if (!(error instanceof Refusal || error instanceof Abort)) throw error;
      reason = error.message;
      report(error.message);
      return false;
    }
  }

  async function dealAllDue(): Promise<void> {
    let count = 0;
    for (;;) {
      const now = clock();
      const claim = { before: before(), now: new Date(now), until: new Date(now + claimMs), most: keysPerPage };
      const page = await store.claimDue(database, claim);
      let dealt = 0;
      for (const key of page) if (!signal.aborted && (await deal(key))) dealt += 1;
      count += dealt;
      await settleInTime();
      if (dealt === 0) break;
      await pause(Math.max(0, now + (1000 * page.length) / maxKeysPerSecond - clock()), undefined, { signal });
    }
    if (count === 0) return;
    const due = await store.countDue(database, before());
    log.info({ count, due }, 'keys were dealt anew');
    if (due === 0 && clock() - seedsRenewed > seedsEveryMs) await renewSeeds();
  }

  /** They are worth what shares are, and grow as old. */
  async function renewSeeds(): Promise<void> {
    await coordinator.renewSeeds();
    seedsRenewed = clock();
  }

  async function settleInTime(): Promise<void> {
    const now = clock();
    const ids = [...toSettle].flatMap(([id, at]) => (at <= now ? [id] : []));
    if (ids.length === 0) return;
    for (const id of ids) toSettle.delete(id); // what cannot be settled now, the signers will name again
    const settled = new Set(await coordinator.settle(ids));
    const left = ids.filter((id) => !settled.has(id));
    if (left.length === 0) return;
    report(`old shares of ${left.length} keys could not end yet`);
    await store.askForRefresh(database, left, new Date(clock()));
  }

  /** What the signers hold beside the newest shares, of keys that nobody is at here: a replica was interrupted, or a signer was away. */
  async function takeUp(): Promise<void> {
    for (const id of await coordinator.unsettled()) {
      if (toSettle.has(id)) continue;
      const found = await coordinator.findKey(id);
      if (found !== undefined) await recordSharing(database, id, found);
      toSettle.set(id, clock() + settleAfterMs);
    }
  }

  async function pass(): Promise<void> {
    try {
      if (clock() >= nextLook) await takeUp();
      nextLook = clock() + lookEveryMs;
      await settleInTime();
      await dealAllDue();
    } catch (error) {
      if (!signal.aborted) report(messageOf(error));
    }
  }

  async function run(): Promise<void> {
    while (!signal.aborted) {
      woken = Promise.withResolvers();
      await pass();
      const next = Math.min(nextLook, ...toSettle.values()) - clock();
      await Promise.race([woken.promise, pause(Math.max(0, next), undefined, { signal, ref: false })]).catch(() => undefined);
    }
  }

  coordinator.follow({
    moved: (keyId, sharing) => void recordSharing(database, keyId, sharing).catch((error: unknown) => report(messageOf(error))),
    behind(keyId) {
      store.askForRefresh(database, [keyId], new Date(clock())).then(wake, (error: unknown) => report(messageOf(error)));
    },
  });

  return {
    async ask(context, keyId) {
      const key = keyId === undefined ? undefined : await keys.require(context.caller, keyId);
      if (key !== undefined && key.derivedFrom !== null)
        throw new Refusal('BadRequest', `a child has no shares of its own: its master is key ${key.derivedFrom}`);
      if (key !== undefined && key.status !== 'Active') throw new Refusal('BadRequest', 'the key is archived');
      await actions.perform(context, (tx) => store.askForRefresh(tx, keyId === undefined ? null : [keyId], new Date(clock())));
      reason = undefined;
      wake();
      return progress();
    },
    progress,
    start(date) {
      changed = date;
      running = run();
    },
    async stop() {
      stopping.abort();
      await running;
    },
  };
}
