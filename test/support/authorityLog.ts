/**
 * The authority log of a service under test: work that writes it, what it must agree with, and where it is cut short.
 *
 *   const world = await startWorld({ database: await open(), secrets });
 *   const entries = await work(world);
 *   await consistent(world, secrets);
 * @module
 */

import { generateKeyPairSync } from 'node:crypto';
import { expect } from 'vitest';
import { verifyCopy } from '../../src/authority/auditVerify.ts';
import type { Registry } from '../../src/authority/registry.ts';
import { newId } from '../../src/base/ids.ts';
import { findProposal, readLog } from '../../src/features/authority/store.ts';
import type { Query } from '../../src/store/database.ts';
import type { Answer, Client } from './client.ts';
import { type FakeWorld, publicPem, type Secrets } from './world.ts';

/** A little of everything that changes who may do what. @returns how many entries that makes */
export async function work({ root }: FakeWorld): Promise<number> {
  const permission = await done(root, 'POST', '/permissions', newPermission());
  const other = await done(root, 'POST', '/permissions', newPermission());
  const account = await done(root, 'POST', '/auth/service-accounts', { name: 'a', publicKey: newPem(), permissionId: permission.id });
  const gone = await done(root, 'POST', '/auth/service-accounts', { name: 'b', publicKey: newPem(), permissionId: other.id });
  const { userId } = account.userInfo;
  await done(root, 'PUT', `/permissions/${permission.id}`, { operations: ['Keys:Read', 'Keys:Create'] });
  await done(root, 'PUT', `/permissions/${other.id}/archive`, { isArchived: true });
  const assigned = await done(root, 'POST', `/permissions/${permission.id}/assignments`, { identityId: gone.userInfo.userId });
  await done(root, 'DELETE', `/permissions/${permission.id}/assignments/${assigned.id}`);
  await done(root, 'PUT', `/auth/service-accounts/${userId}/deactivate`);
  await done(root, 'PUT', `/auth/service-accounts/${userId}/activate`);
  await done(root, 'DELETE', `/auth/service-accounts/${gone.userInfo.userId}`);
  const key = await done(root, 'POST', '/keys', { scheme: 'EdDSA', curve: 'ed25519' });
  await done(root, 'POST', '/keys', { scheme: 'DH', curve: 'secp256k1' });
  await done(root, 'DELETE', `/keys/${key.id}`);
  return 14;
}

/** The registry that a copy of the log makes, read offline; the same log at every signer; the same records in the tables. */
export async function consistent({ database, coordinator }: FakeWorld, { root }: Secrets): Promise<Registry> {
  const [signer] = coordinator.signers;
  const copy = (await logOf(database)).map((text) => `${text}\n`).join('');
  const verdict = verifyCopy(root, copy, signer?.registry.head);
  if (!verdict.ok) throw new Error(`entry ${verdict.sequence} ${verdict.fault}: ${verdict.reason}`);
  for (const { registry } of coordinator.signers) expect(registry.head).toEqual(verdict.head);
  expect(await findProposal(database)).toBeUndefined();
  expect(await recordsIn(database)).toEqual(recordsOf(verdict.registry));
  return verdict.registry;
}

export async function logOf(database: Query): Promise<string[]> {
  const texts = [];
  for await (const { text } of readLog(database)) texts.push(text);
  return texts;
}

/** The body of the answer to a call that must succeed. */
export async function done(client: Client, ...asked: Parameters<Client['call']>): Promise<Answer['body']> {
  const { status, body } = await client.call(...asked);
  expect({ status, body }).toMatchObject({ status: 200 });
  return body;
}

export const newPem = () => publicPem(generateKeyPairSync('ed25519').privateKey);
export const newPermission = () => ({ name: newId('permission'), operations: ['Keys:Read'] });

/** In the place of any step of a change: the service goes no further. */
export async function die(): Promise<never> {
  throw new Error('killed here');
}

/** The accounts, credentials, permissions, assignments and keys of the tables, sorted by their ids. */
async function recordsIn(database: Query) {
  const rows = (sql: string) => database.query(sql);
  return {
    accounts: await rows(
      `select u.id, t.id as "tokenId", case when u.date_deleted is not null then 'Deleted' when u.is_active then 'Active' else 'Deactivated' end
         as status, extract(epoch from t.date_expires)::int as "validUntil"
       from users u join lateral (select * from tokens where user_id = u.id order by is_active desc, date_created desc limit 1) t on true
       order by u.id collate "C"`,
    ),
    credentials: await rows(
      `select uuid, cred_id as "credId", user_id as "accountId", kind, public_key as "publicKey", is_active as "isActive"
       from credentials order by cred_id collate "C"`,
    ),
    permissions: await rows(`select id, name, operations, managed, is_archived as "isArchived" from permissions order by id collate "C"`),
    assignments: await rows(
      `select id, permission_id as "permissionId", identity_id as "identityId" from permission_assignments where date_revoked is null
       order by id collate "C"`,
    ),
    keys: await rows(`select id, key_type as "keyType", status from keys order by id collate "C"`),
  };
}

/** As `recordsIn`. A key without shares is in no table, and which those are, the log does not know. */
function recordsOf(registry: Registry) {
  const sorted = <T>(records: ReadonlyMap<string, T>) => [...records].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, record]) => record);
  return {
    accounts: sorted(registry.accounts).map(({ kind: _, ...account }) => account),
    credentials: sorted(registry.credentials).map(({ key: _, ...credential }) => credential),
    permissions: sorted(registry.permissions),
    assignments: sorted(registry.assignments),
    keys: expect.toSatisfy((rows: readonly { id: string }[]) =>
      rows.every((row) => JSON.stringify(registry.keys.get(row.id)) === JSON.stringify(row)),
    ),
  };
}
