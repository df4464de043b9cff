/** SQL of organisations. @module */

import type { Query } from '../../store/database.ts';

export interface OrganisationRow {
  readonly id: string;
  readonly applicationId: string;
  readonly dateCreated: Date;
}

/** The organisation that the first start has made, and its root account. */
export interface Installation extends OrganisationRow {
  readonly rootId: string;
}

/**
 * Makes the organisation the one of this installation, unless there is one: of several replicas at once, one succeeds, after the others
 * have waited for its commit.
 * @returns whether it is now the one
 */
export async function claimInstallation(
  tx: Query,
  { organisationId, rootId }: { organisationId: string; rootId: string },
): Promise<boolean> {
  const rows = await tx.query(
    'insert into installation (organisation_id, root_id) values ($1, $2) on conflict do nothing returning organisation_id',
    [organisationId, rootId],
  );
  return rows.length > 0;
}

export async function findInstallation(query: Query): Promise<Installation | undefined> {
  const [row] = await query.query<Installation & Record<string, unknown>>(
    `select o.id, o.application_id as "applicationId", o.date_created as "dateCreated", i.root_id as "rootId"
     from installation i join organisations o on o.id = i.organisation_id`,
  );
  return row;
}

export async function insertOrganisation(tx: Query, { id, applicationId, dateCreated }: OrganisationRow): Promise<void> {
  await tx.query('insert into organisations (id, application_id, date_created) values ($1, $2, $3)', [id, applicationId, dateCreated]);
}
