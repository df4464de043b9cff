/** SQL of key stores. @module */

import type { Query } from '../../store/database.ts';
import type { keyStoreKinds } from './contract.ts';

export interface KeyStoreRow {
  readonly id: string;
  readonly organisationId: string;
  readonly kind: (typeof keyStoreKinds)[number];
  readonly name: string;
  readonly primary: boolean;
  readonly dateCreated: Date;
}

const maxListed = 100;

export function listKeyStores(query: Query, organisationId: string): Promise<KeyStoreRow[]> {
  return query.query<KeyStoreRow & Record<string, unknown>>(
    `select id, organisation_id as "organisationId", kind, name, is_primary as "primary", date_created as "dateCreated"
     from key_stores where organisation_id = $1 order by is_primary desc, date_created, id limit $2`,
    [organisationId, maxListed],
  );
}

export async function insertKeyStore(tx: Query, row: KeyStoreRow): Promise<void> {
  await tx.query('insert into key_stores (id, organisation_id, kind, name, is_primary, date_created) values ($1, $2, $3, $4, $5, $6)', [
    row.id,
    row.organisationId,
    row.kind,
    row.name,
    row.primary,
    row.dateCreated,
  ]);
}
