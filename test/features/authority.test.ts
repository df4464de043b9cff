/** The authority log as the service keeps it: one entry a change and none for anything else, in one chain whichever replica makes it. */

import { describe, expect, test } from 'vitest';
import { type Entry, headOf } from '../../src/authority/entry.ts';
import { anchorFor, anchorOf } from '../../src/authority/head.ts';
import { namesOf } from '../../src/authority/ids.ts';
import { Abort, Refusal } from '../../src/base/errors.ts';
import { consistent, die, logOf, newPem, newPermission, work } from '../support/authorityLog.ts';
import { closedAfterEach, eachDatabase } from '../support/databases.ts';
import { refusal } from '../support/refusal.ts';
import { newSecrets, startWorld } from '../support/world.ts';

eachDatabase((kind, openNew) => {
  const open = closedAfterEach(openNew);

  test('every change is one entry, at every signer, and the tables say what the log says', async () => {
    const secrets = newSecrets();
    const world = await startWorld({ database: await open(), secrets });
    const entries = await work(world);
    expect(await logOf(world.database)).toHaveLength(entries);
    await consistent(world, secrets);
    await world.stop();
  });

  test('what changes nobody’s authority makes no entry, nor does what is refused', async () => {
    const world = await startWorld({ database: await open() });
    const { root } = world;
    const { body: key } = await root.call('POST', '/keys', { scheme: 'EdDSA', curve: 'ed25519' });
    const { body: account } = await root.call('POST', '/auth/service-accounts', { name: 'a', publicKey: newPem() });
    const before = await logOf(world.database);
    const appended = world.coordinator.asked.append;

    const pem = newPem();
    for (const [method, path, body, status] of [
      ['PUT', `/keys/${key.id}`, { name: 'x' }, 200],
      ['POST', `/keys/${key.id}/signatures`, { kind: 'Message', message: '00' }, 200],
      ['PUT', `/auth/service-accounts/${account.userInfo.userId}`, { name: 'x', externalId: 'x' }, 200],
      ['GET', '/permissions', undefined, 200],
      ['POST', '/permissions', { name: 'x', operations: [] }, 400],
      ['POST', '/permissions', { name: 'half \ud800 a pair', operations: ['Keys:Read'] }, 400],
      ['POST', '/permissions', { name: 'ManagedFullAdminAccess', operations: ['Keys:Read'] }, 409],
      ['PUT', '/permissions/pm-none', { name: 'x' }, 404],
      ['POST', '/auth/service-accounts', { name: 'x', publicKey: pem, permissionId: 'pm-none' }, 404],
      ['POST', '/auth/service-accounts', { name: 'x', publicKey: 'none' }, 400],
      ['DELETE', `/auth/service-accounts/${root.userId}`, undefined, 400],
      ['POST', '/keys', { scheme: 'EdDSA', curve: 'stark' }, 400],
      ['DELETE', '/keys/key-none', undefined, 404],
    ] as const) {
      expect(await root.call(method, path, body)).toMatchObject({ status });
    }
    expect(await logOf(world.database)).toEqual(before);
    expect(world.coordinator.asked.append).toBe(appended);
    await world.stop();
  });

  test('what a request makes is named after the request', async () => {
    const secrets = newSecrets();
    const world = await startWorld({ database: await open(), secrets });
    const answers = [
      await world.root.call('POST', '/permissions', newPermission()),
      await world.root.call('POST', '/auth/service-accounts', { name: 'a', publicKey: newPem() }),
      await world.root.call('POST', '/keys', { scheme: 'EdDSA', curve: 'ed25519' }),
    ];
    await consistent(world, secrets);
    const names = world.coordinator.signers[0]?.entries.map((entry) => namesOf(actionIn(entry).authorisation)) ?? [];
    const [permission, account, key] = answers.map(({ body }) => body);
    expect(permission.id).toBe(names[0]?.id('permission'));
    expect(account).toMatchObject({
      userInfo: { userId: names[1]?.id('user'), credentialUuid: names[1]?.id('credential') },
      accessTokens: [{ tokenId: names[1]?.id('token'), credId: names[1]?.credId() }],
    });
    expect(key.id).toBe(names[2]?.id('key'));
    await world.stop();
  });

  test('the log is read page by page by who may read logs', async () => {
    const world = await startWorld({ database: await open() });
    const entries = await work(world);
    const auditor = await world.serviceAccount(['Auth:Logs:Read']);
    const stranger = await world.serviceAccount(['Keys:Read']);
    expect(await stranger.call('GET', '/authority/entries')).toMatchObject({ status: 403 });
    expect(await auditor.call('GET', '/authority/entries?from=0')).toMatchObject({ status: 400 });
    const { body } = await auditor.call('GET', '/authority/entries');
    const all = await logOf(world.database);
    expect(body.items).toEqual(all.map((entry, i) => ({ sequence: i + 1, entry })));
    const rest = await auditor.call('GET', `/authority/entries?from=${entries}`);
    expect(rest.body.items).toEqual(body.items.slice(entries - 1));
    expect(await auditor.call('GET', `/authority/entries?from=${all.length + 1}`)).toMatchObject({ body: { items: [] } });
    await world.stop();
  });

  test('a challenge names the head of the log', async () => {
    const world = await startWorld({ database: await open() });
    const anchor = async () => {
      const bodyText = JSON.stringify({ userActionHttpMethod: 'POST', userActionHttpPath: '/keys', userActionPayload: '' });
      const { body } = await world.root.send('POST', '/auth/action/init', { bodyText });
      return anchorOf(JSON.parse(Buffer.from(body.challengeIdentifier.split('.')[1], 'base64url').toString()).jti);
    };
    const head = () => anchorFor(world.coordinator.signers[0]?.registry.head ?? expect.fail('there are signers'));
    const before = await anchor();
    expect(before).toBe(head());
    await world.root.call('POST', '/permissions', newPermission());
    expect(await anchor()).toBe(head());
    expect(await anchor()).not.toBe(before);
    await world.stop();
  });

  test('a user action signed before others have changed the log is still good', async () => {
    const world = await startWorld({ database: await open() });
    const bodyText = JSON.stringify(newPermission());
    const userAction = await world.root.action('POST', '/permissions', bodyText);
    for (let i = 0; i < 3; i++) await world.root.call('POST', '/permissions', newPermission());
    expect(await world.root.send('POST', '/permissions', { bodyText, userAction })).toMatchObject({ status: 200 });
    await world.stop();
  });

  test('the repeat of a creation by its externalId makes no entry, and spends its user action', async () => {
    const world = await startWorld({ database: await open() });
    const bodyText = JSON.stringify({ name: 'a', publicKey: newPem(), externalId: 'x' });
    const path = '/auth/service-accounts';
    expect(await world.root.call('POST', path, bodyText)).toMatchObject({ status: 200 });
    const before = await logOf(world.database);
    const userAction = await world.root.action('POST', path, bodyText);
    expect(await world.root.send('POST', path, { bodyText, userAction })).toMatchObject({ status: 200 });
    expect(await world.root.send('POST', path, { bodyText, userAction })).toMatchObject(refusal(400, 'user action has already been used'));
    expect(await logOf(world.database)).toEqual(before);
    await world.stop();
  });

  test('a user action that was spent by a refusal becomes no entry later', async () => {
    const world = await startWorld({ database: await open() });
    const permission = newPermission();
    const { body } = await world.root.call('POST', '/permissions', permission);
    const bodyText = JSON.stringify(permission);
    const userAction = await world.root.action('POST', '/permissions', bodyText);
    expect(await world.root.send('POST', '/permissions', { bodyText, userAction })).toMatchObject({ status: 409 });
    await world.root.call('PUT', `/permissions/${body.id}`, { name: 'another' }); // now the name would be free
    const used = refusal(400, 'user action has already been used');
    expect(await world.root.send('POST', '/permissions', { bodyText, userAction })).toMatchObject(used);
    await world.stop();
  });

  test.each([
    ['too few answer', new Refusal('Unavailable', 'too few signers answer'), 'too few signers answer'],
    ['one of them misbehaves', new Abort([2], 'a proof is wrong'), 'the signers could not do it together'],
  ])('a key whose shares were not made because %s is in the log, and nowhere else', async (_, failure, message) => {
    const secrets = newSecrets();
    const world = await startWorld({ database: await open(), secrets });
    world.coordinator.before = async (what) => {
      if (what === 'createKey') throw failure;
    };
    expect(await world.root.call('POST', '/keys', { scheme: 'EdDSA', curve: 'ed25519' })).toMatchObject(refusal(503, message));
    world.coordinator.before = async () => {};
    const [entry] = world.coordinator.signers[0]?.entries ?? [];
    if (entry === undefined) throw new Error('the creation is in the log');
    const id = namesOf(actionIn(entry).authorisation).id('key');
    expect(await world.root.call('GET', `/keys/${id}`)).toMatchObject({ status: 404 });
    expect(await world.root.call('POST', `/keys/${id}/signatures`, { kind: 'Message', message: '00' })).toMatchObject({ status: 404 });
    expect(await world.root.call('DELETE', `/keys/${id}`)).toMatchObject({ status: 404 });
    const { nonce } = actionIn(entry).authorisation.binding;
    expect(await world.database.query('select refusal from audit_log where nonce = $1', [nonce])).toEqual([{ refusal: message }]);
    await consistent(world, secrets);
    await world.stop();
  });

  describe.runIf(kind === 'postgres')('two replicas', () => {
    test('that make fifty changes at once make one chain', async () => {
      const database = await open();
      const secrets = newSecrets();
      const one = await startWorld({ database, secrets });
      const two = await startWorld({ database, secrets, coordinator: one.coordinator });
      const answers = await Promise.all(
        Array.from({ length: 50 }, (_, i) => (i % 2 === 0 ? one : two).root.call('POST', '/permissions', newPermission())),
      );
      expect(answers.map(({ status }) => status)).toEqual(Array(50).fill(200));
      expect(await logOf(database)).toHaveLength(50);
      await consistent(one, secrets);
      // Each judges by what the other has done.
      const made = await one.root.call('POST', '/permissions', newPermission());
      expect(await two.root.call('POST', '/permissions', { ...newPermission(), name: made.body.name })).toMatchObject({ status: 409 });
      expect(await two.root.call('PUT', `/permissions/${made.body.id}/archive`, { isArchived: true })).toMatchObject({ status: 200 });
      const account = await two.root.call('POST', '/auth/service-accounts', { name: 'a', publicKey: newPem(), externalId: 'x' });
      const repeat = await one.root.call('POST', '/auth/service-accounts', { name: 'b', publicKey: newPem(), externalId: 'x' });
      expect(repeat).toMatchObject({ status: 409, body: { error: { details: { duplicate: { id: account.body.userInfo.userId } } } } });
      await consistent(two, secrets);
      await Promise.all([one.stop(), two.stop()]);
    });

    test('of which one is killed in the middle of a change: the other settles it first', async () => {
      const database = await open();
      const secrets = newSecrets();
      const one = await startWorld({ database, secrets });
      const two = await startWorld({ database, secrets, coordinator: one.coordinator });
      one.coordinator.after = die;
      const permission = newPermission();
      expect(await one.root.call('POST', '/permissions', permission)).toMatchObject({ status: 500 });
      one.coordinator.after = async () => {};
      expect(await two.root.call('POST', '/permissions', permission)).toMatchObject({ status: 409 });
      await consistent(two, secrets);
      await Promise.all([one.stop(), two.stop()]);
    });
  });
});

function actionIn(entry: Entry) {
  if (!('authorisation' in entry)) throw new Error(`entry ${headOf(entry).sequence} is no action`);
  return entry;
}
