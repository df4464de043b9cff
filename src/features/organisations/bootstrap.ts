/**
 * The first start: an organisation with its managed permissions, its key store, and a service account that may do everything.
 * @module
 */

import type { Clock } from '../../base/clock.ts';
import { assert } from '../../base/errors.ts';
import { newId } from '../../base/ids.ts';
import { importCredentialKey } from '../../crypto/assertions.ts';
import type { Database, Query } from '../../store/database.ts';
import type { Tokens } from '../access/tokens.ts';
import { insertKeyStore } from '../keyStores/store.ts';
import { managedPermissions } from '../permissions/managed.ts';
import { assignPermission } from '../permissions/service.ts';
import { insertPermission, type Managed, type PermissionRow } from '../permissions/store.ts';
import { bearerOf, newServiceAccount } from '../serviceAccounts/account.ts';
import { daysValidAtMost } from '../serviceAccounts/contract.ts';
import { findServiceAccount, insertServiceAccount, type ServiceAccountRow } from '../serviceAccounts/store.ts';
import { claimInstallation, findInstallation, insertOrganisation } from './store.ts';

const rootName = 'root';

export interface Root {
  readonly organisationId: string;
  readonly applicationId: string;
  readonly userId: string;
  readonly accessToken: string;
  readonly credentialId: string;
}

/**
 * Makes the organisation of this installation unless it stands: exactly one, however many replicas start and however often.
 *
 * @param publicKey PEM of the root credential; its private key stays with the caller
 * @returns the root account of that credential, the same at each call, so that a start that was cut short can be repeated; undefined when
 * the organisation was made with another credential
 * @throws {Refusal} BadRequest for a key that is not accepted
 */
export async function bootstrap(parts: { database: Database; tokens: Tokens; clock: Clock; publicKey: string }): Promise<Root | undefined> {
  const { database, tokens, clock, publicKey } = parts;
  importCredentialKey(publicKey);
  if ((await findInstallation(database)) === undefined) {
    await database.transaction((tx) => install(tx, { publicKey, now: new Date(clock()) }));
  }
  return findRoot(database, tokens, publicKey);
}

/** Does nothing when another replica has been faster. */
async function install(tx: Query, { publicKey, now }: { publicKey: string; now: Date }): Promise<void> {
  const organisationId = newId('organisation');
  const root = newServiceAccount({ organisationId, name: rootName, publicKey, daysValid: daysValidAtMost, now });
  if (await claimInstallation(tx, { organisationId, rootId: root.userId })) await createOrganisation(tx, root);
}

/** An organisation with what every one has from the start, and its first full admin. */
export async function createOrganisation(tx: Query, root: ServiceAccountRow): Promise<void> {
  const { organisationId, dateCreated } = root;
  await insertOrganisation(tx, { id: organisationId, applicationId: newId('application'), dateCreated });
  await insertKeyStore(tx, { id: newId('store'), organisationId, kind: 'Mpc', name: 'Threshold signers', primary: true, dateCreated });

  const fullAdmin = managedPermission('FullAdmin', organisationId, dateCreated);
  await insertPermission(tx, fullAdmin);
  await insertPermission(tx, managedPermission('DefaultEndUser', organisationId, dateCreated));
  await insertServiceAccount(tx, root);
  await assignPermission(tx, fullAdmin, root.userId, dateCreated);
}

function managedPermission(managed: Managed, organisationId: string, now: Date): PermissionRow {
  return {
    id: newId('permission'),
    organisationId,
    ...managedPermissions[managed],
    managed,
    isArchived: false,
    dateCreated: now,
    dateUpdated: now,
  };
}

async function findRoot(database: Database, tokens: Tokens, publicKey: string): Promise<Root | undefined> {
  const installation = await findInstallation(database);
  assert(installation, 'the installation stands now');
  const root = await findServiceAccount(database, installation.id, installation.rootId);
  if (root?.publicKey !== publicKey) return undefined;
  return {
    organisationId: installation.id,
    applicationId: installation.applicationId,
    userId: root.userId,
    accessToken: tokens.issueBearer(bearerOf(root)),
    credentialId: root.credId,
  };
}
