/**
 * The first start: an organisation with its managed permissions, its key store, and a service account that may do everything. All of it
 * follows from the root that the cluster has pinned, so that whoever makes it makes the same.
 * @module
 */

import { daysValidAtMost } from '../../authority/bodies.ts';
import type { Change, Registry } from '../../authority/registry.ts';
import { daySeconds, initialRegistry, type Root, rootIds } from '../../authority/root.ts';
import type { Database, Query } from '../../store/database.ts';
import type { Tokens } from '../access/tokens.ts';
import { type Projection, project } from '../authority/projection.ts';
import { insertKeyStore } from '../keyStores/store.ts';
import { bearerOf } from '../serviceAccounts/account.ts';
import { rootName } from '../serviceAccounts/projection.ts';
import { claimInstallation, findInstallation, insertOrganisation } from './store.ts';

/** What the administrator needs besides the root's private key. */
export interface RootAccess {
  readonly organisationId: string;
  readonly applicationId: string;
  readonly userId: string;
  readonly accessToken: string;
  readonly credentialId: string;
}

/** The same at each call. @throws {Refusal} BadRequest for a root whose credential is not accepted */
export function rootAccess(root: Root, tokens: Tokens): RootAccess {
  const { organisationId, applicationId, userId, tokenId, credId } = rootIds(root);
  const dateIssued = new Date(root.createdAt * 1000);
  const dateExpires = new Date((root.createdAt + daysValidAtMost * daySeconds) * 1000);
  const accessToken = tokens.issueBearer(bearerOf({ tokenId, organisationId, userId, name: rootName, dateIssued, dateExpires }));
  return { organisationId, applicationId, userId, accessToken, credentialId: credId };
}

/**
 * Makes the organisation of this installation unless it stands: exactly one, however many replicas start and however often.
 * @throws {Error} when the database has the organisation of another root
 */
export async function bootstrap({ database, root, projection }: { database: Database; root: Root; projection: Projection }): Promise<void> {
  const registry = initialRegistry(root);
  const { organisationId } = registry;
  if ((await findInstallation(database)) === undefined) {
    await database.transaction(async (tx) => {
      // Does nothing when another replica has been faster.
      if (await claimInstallation(tx, organisationId)) await createOrganisation(tx, registry, projection);
    });
  }
  const installed = await findInstallation(database);
  if (installed?.organisationId === organisationId) return;
  throw new Error(
    `the database has organisation ${installed?.organisationId}, the cluster was made for ${organisationId}: one of the two is of another installation`,
  );
}

/** An organisation as its root has it before the first entry of the authority log. */
export async function createOrganisation(tx: Query, registry: Registry, projection: Projection): Promise<void> {
  const { organisationId, ids, root } = registry;
  const { applicationId, storeId } = ids;
  const date = new Date(root.createdAt * 1000);
  await insertOrganisation(tx, { id: organisationId, applicationId, dateCreated: date });
  await insertKeyStore(tx, { id: storeId, organisationId, kind: 'Mpc', name: 'Threshold signers', primary: true, dateCreated: date });
  await project(tx, projection, recordsOf(registry), { organisationId, date, dateAsked: date });
}

function recordsOf({ accounts, credentials, permissions, assignments }: Registry): readonly Change[] {
  return [
    ...[...permissions.values()].map((record): Change => ({ kind: 'permission', record })),
    ...[...accounts.values()].map((record): Change => ({ kind: 'account', record })),
    ...[...credentials.values()].map((record): Change => ({ kind: 'credential', record })),
    ...[...assignments.values()].map((record): Change => ({ kind: 'assignment', record })),
  ];
}
