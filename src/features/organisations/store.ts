/** SQL of organisations. @module */

import type { Query } from '../../store/database.ts';

export interface OrganisationRow {
  readonly id: string;
  readonly applicationId: string;
  readonly dateCreated: Date;
}

/**
 * Makes the organisation the one of this installation, unless there is one: of several replicas at once, one succeeds, after the others
 * have waited for its commit.
 * @returns whether it is now the one
 */
export async function claimInstallation(tx: Query, organisationId: string): Promise<boolean> {
  const rows = await tx.query('insert into installation (organisation_id) values ($1) on conflict do nothing returning organisation_id', [
    organisationId,
  ]);
  return rows.length > 0;
}

/** The organisation that the first start has made. */
export async function findInstallation(query: Query): Promise<{ organisationId: string } | undefined> {
  const [row] = await query.query<{ organisationId: string }>('select organisation_id as "organisationId" from installation');
  return row;
}

export async function insertOrganisation(tx: Query, { id, applicationId, dateCreated }: OrganisationRow): Promise<void> {
  await tx.query('insert into organisations (id, application_id, date_created) values ($1, $2, $3)', [id, applicationId, dateCreated]);
}
