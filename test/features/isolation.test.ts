/**
 * Nobody reaches another organisation's things: what is foreign answers as what does not exist. The cluster has one organisation, so the
 * other one is in the database alone, and changes nothing of its own either.
 */

import { afterAll, beforeAll, expect, test } from 'vitest';
import { newId } from '../../src/base/ids.ts';
import { eachDatabase } from '../support/databases.ts';
import { refusal } from '../support/refusal.ts';
import { type FakeWorld, startWorld } from '../support/world.ts';

eachDatabase((_, open) => {
  let world: FakeWorld;
  let other: Awaited<ReturnType<FakeWorld['organisation']>>;
  beforeAll(async () => {
    world = await startWorld({ database: await open() });
    other = await world.organisation();
  });
  afterAll(() => world.stop());

  const notOfTheCluster = () => refusal(403, `the request is of organisation ${other.organisationId}, not of ${world.root.organisationId}`);
  const changesAuthority = (method: string, path: string) => method !== 'GET' && path.startsWith('/permissions');

  test('foreign ids answer as unknown ones, on every route', async () => {
    const key = (await world.root.call('POST', '/keys', { scheme: 'EdDSA', curve: 'ed25519' })).body;
    const dh = (await world.root.call('POST', '/keys', { scheme: 'DH', curve: 'secp256k1' })).body;
    const signature = (await world.root.call('POST', `/keys/${key.id}/signatures`, { kind: 'Message', message: '00' })).body;
    const permission = (await world.root.call('POST', '/permissions', { name: newId('permission'), operations: ['Keys:Read'] })).body;
    const account = await world.serviceAccount();
    const assignment = (await world.root.call('POST', `/permissions/${permission.id}/assignments`, { identityId: account.userId })).body;
    const own = (await other.call('GET', '/permissions')).body.items[0];

    const requests: readonly (readonly ['GET' | 'POST' | 'PUT' | 'DELETE', string, unknown?])[] = [
      ['GET', `/keys/${key.id}`],
      ['PUT', `/keys/${key.id}`, { name: 'mine' }],
      ['DELETE', `/keys/${key.id}`],
      ['POST', `/keys/${dh.id}/derive`, { domain: '01', seed: '02' }],
      ['POST', `/keys/${key.id}/signatures`, { kind: 'Message', message: '00' }],
      ['GET', `/keys/${key.id}/signatures`],
      ['GET', `/keys/${key.id}/signatures/${signature.id}`],
      ['GET', `/permissions/${permission.id}`],
      ['PUT', `/permissions/${permission.id}`, { name: 'mine' }],
      ['PUT', `/permissions/${permission.id}/archive`, { isArchived: true }],
      ['GET', `/permissions/${permission.id}/assignments`],
      ['POST', `/permissions/${permission.id}/assignments`, { identityId: other.userId }],
      ['DELETE', `/permissions/${permission.id}/assignments/${assignment.id}`],
      ['DELETE', `/permissions/${own.id}/assignments/${assignment.id}`],
      ['POST', `/permissions/${own.id}/assignments`, { identityId: account.userId }],
      ['GET', `/auth/service-accounts/${account.userId}`],
      ['PUT', `/auth/service-accounts/${account.userId}`, { name: 'mine' }],
      ['PUT', `/auth/service-accounts/${account.userId}/activate`],
      ['PUT', `/auth/service-accounts/${account.userId}/deactivate`],
      ['DELETE', `/auth/service-accounts/${account.userId}`],
    ];
    const ids = [key.id, dh.id, signature.id, permission.id, assignment.id, account.userId];
    for (const [method, path, body] of requests) {
      const foreign = await other.call(method, path, body);
      const unknown = await other.call(
        method,
        ids.reduce((text, id) => text.replaceAll(id, 'none'), path),
        body && renamed(body, ids),
      );
      expect(foreign, `${method} ${path}`).toMatchObject(changesAuthority(method, path) ? notOfTheCluster() : { status: 404 });
      expect(foreign.body.error.message).toBe(unknown.body.error.message);
    }
    expect(await world.root.call('GET', `/keys/${key.id}`)).toMatchObject({ body: { ...key, status: 'Active' } });
  });

  test('lists show the own organisation only', async () => {
    await world.root.call('POST', '/keys', { scheme: 'EdDSA', curve: 'ed25519' });
    expect(await other.call('GET', '/keys')).toEqual({ status: 200, body: { items: [] } });
    const { body: accounts } = await other.call('GET', '/auth/service-accounts');
    expect(accounts.items).toMatchObject([{ userInfo: { orgId: other.organisationId } }]);
    const [mine, theirs] = [await other.call('GET', '/key-stores'), await world.root.call('GET', '/key-stores')];
    expect(mine.body.items[0].id).not.toBe(theirs.body.items[0].id);
  });

  test('an organisation that the cluster does not have makes no keys and no accounts', async () => {
    const entries = world.coordinator.signers.map((signer) => signer.entries.length);
    const publicKey = (await other.call('GET', '/auth/service-accounts')).body.items[0].accessTokens[0].publicKey;
    expect(await other.call('POST', '/keys', { scheme: 'EdDSA', curve: 'ed25519' })).toMatchObject(notOfTheCluster());
    expect(await other.call('POST', '/auth/service-accounts', { name: 'x', publicKey })).toMatchObject(notOfTheCluster());
    expect(world.coordinator.signers.map((signer) => signer.entries.length)).toEqual(entries);
  });

  test('an externalId of another organisation is free', async () => {
    const body = { name: 'x', publicKey: (await world.root.call('GET', '/auth/service-accounts')).body.items[0].accessTokens[0].publicKey };
    const externalId = newId('request');
    expect(await other.call('PUT', `/auth/service-accounts/${other.userId}`, { externalId })).toMatchObject({ status: 200 });
    const made = await world.root.call('POST', '/auth/service-accounts', { ...body, externalId });
    expect(made).toMatchObject({ status: 200, body: { userInfo: { orgId: world.root.organisationId } } });
  });

  test('a page token of another organisation does not serve', async () => {
    for (let i = 0; i < 2; i++) await world.root.call('POST', '/keys', { scheme: 'EdDSA', curve: 'ed25519' });
    const { body } = await world.root.call('GET', '/keys?limit=1');
    expect(await other.call('GET', `/keys?limit=1&paginationToken=${body.nextPageToken}`)).toMatchObject({ status: 400 });
  });
});

function renamed(body: unknown, ids: readonly string[]): unknown {
  return JSON.parse(ids.reduce((text, id) => text.replaceAll(id, 'none'), JSON.stringify(body)));
}
