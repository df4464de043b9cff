/** Whether the service can do all that it offers: the database answers, and so many signers as every scheme needs. @module */

import { setTimeout as pause } from 'node:timers/promises';
import type { Coordinator } from '../coordinator/coordinator.ts';
import type { Database } from '../store/database.ts';

export interface Readiness {
  readonly ready: boolean;
  readonly details: { readonly database: 'up' | 'down'; readonly signers: readonly { readonly index: number; readonly up: boolean }[] };
}

const withinMs = 3_000;

export async function readiness(database: Database, coordinator: Coordinator): Promise<Readiness> {
  const [isDatabaseUp = false, signers = []] = await Promise.all([
    inTime(database.query('select 1').then(() => true)),
    inTime(coordinator.health()),
  ]);
  // ECDSA takes the most: 2t + 1 (docs/protocols.md).
  const isClusterUp = signers.filter(({ up }) => up).length > 2 * coordinator.cluster.threshold;
  return { ready: isDatabaseUp && isClusterUp, details: { database: isDatabaseUp ? 'up' : 'down', signers } };
}

/** What fails or takes too long is undefined: that is the answer here. */
async function inTime<T>(answer: Promise<T>): Promise<T | undefined> {
  const late = new AbortController();
  try {
    return await Promise.race([answer, pause(withinMs, undefined, { signal: late.signal })]);
  } catch {
    return undefined;
  } finally {
    late.abort();
  }
}
