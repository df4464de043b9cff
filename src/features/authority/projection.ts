/**
 * From the authority log to the tables that the API reads: each kind of change is written by the feature whose table it is. The same for an
 * entry that was asked for now, for one that others have accepted, and for what the root has from the start.
 * @module
 */

import type { Change } from '../../authority/registry.ts';
import { assert } from '../../base/errors.ts';
import type { Authorisation } from '../../crypto/authorisation.ts';
import type { Query } from '../../store/database.ts';

type RecordOf<K extends Change['kind']> = Extract<Change, { kind: K }>['record'];

/** Where a change comes from. */
export interface Origin {
  readonly organisationId: string;
  /** Later than that of every entry before. */
  readonly date: Date;
  /** When it was asked for, in whole seconds: from then on credentials and tokens are valid. */
  readonly dateAsked: Date;
  /** Absent for a recovery, and for what the root has from the start. */
  readonly authorisation?: Authorisation;
}

/** Writes a record as it is from now on; twice is harmless. */
export type Projection = {
  readonly [K in Change['kind']]: (tx: Query, record: RecordOf<K>, origin: Origin) => Promise<void>;
};

/** Who the signers are is in the registry; the API shows those that the service is connected to. */
export const clusterProjection: Pick<Projection, 'cluster'> = { cluster: async () => {} };

/** In their order: later ones refer to earlier ones. */
export async function project(tx: Query, projection: Projection, changes: readonly Change[], origin: Origin): Promise<void> {
  for (const { kind, record } of changes) {
    const write = projection[kind] as (tx: Query, record: Change['record'], origin: Origin) => Promise<void>; // the kind picks both
    await write(tx, record, origin);
  }
}

/** The record of this kind that a request has made. @throws {Bug} when it was another request */
export function made<K extends Change['kind']>({ changes }: { changes: readonly Change[] }, kind: K): RecordOf<K> {
  const change = changes.find((one) => one.kind === kind);
  assert(change, `what was asked for makes a record of kind ${kind}`);
  return change.record as RecordOf<K>; // found by its kind
}
