/** SQL of replicas. Time is the database's, the same for all of them. @module */

import type { Database } from '../../store/database.ts';

export function createReplicaStore(database: Database) {
  return {
    /** Says that the replica lives. */
    async see(id: string): Promise<void> {
      await database.query(
        'insert into replicas (id, date_seen) values ($1, now()) on conflict (id) do update set date_seen = excluded.date_seen',
        [id],
      );
    },
    async remove(id: string): Promise<void> {
      await database.query('delete from replicas where id = $1', [id]);
    },
    /** For a database that only one process can open: whoever was here is gone. */
    async removeAll(): Promise<void> {
      await database.query('delete from replicas');
    },
  };
}

export type ReplicaStore = ReturnType<typeof createReplicaStore>;
