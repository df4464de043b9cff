/** The authority log as the service keeps it: one entry a change, whatever is cut short, and the signers' log always the same. */

import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { verifyCopy } from '../../src/authority/auditVerify.ts';
import { type Entry, entryAfter, headOf } from '../../src/authority/entry.ts';
import { anchorFor, anchorOf } from '../../src/authority/head.ts';
import { namesOf } from '../../src/authority/ids.ts';
import { recoveryMessage } from '../../src/authority/recovery.ts';
import type { Registry } from '../../src/authority/registry.ts';
import { toBase64Url } from '../../src/base/bytes.ts';
import { Abort, Refusal } from '../../src/base/errors.ts';
import { newId } from '../../src/base/ids.ts';
import { createTokens } from '../../src/features/access/tokens.ts';
import { findProposal, readLog } from '../../src/features/authority/store.ts';
import type { Database, Query } from '../../src/store/database.ts';
import { type Answer, createClient } from '../support/client.ts';
import { closedAfterEach, eachDatabase } from '../support/databases.ts';
import { createFakeCoordinator } from '../support/fakeCoordinator.ts';
import { signerIdOf } from '../support/fakeSigner.ts';
import { refusal } from '../support/refusal.ts';
import { type FakeWorld, newSecrets, publicPem, type Secrets, startWorld } from '../support/world.ts';

const newPem = () => publicPem(generateKeyPairSync('ed25519').privateKey);
const newPermission = () => ({ name: newId('permission'), operations: ['Keys:Read'] });

eachDatabase((kind, openNew) => {
  const open = closedAfterEach(openNew);

  /** A little of everything that changes who may do what. @returns how many entries that makes */
  async function work({ root }: FakeWorld): Promise<number> {
    const done = async (...asked: Parameters<typeof root.call>) => {
      const { status, body } = await root.call(...asked);
      expect({ status, body }).toMatchObject({ status: 200 });
      return body;
    };
    const permission = await done('POST', '/permissions', newPermission());
    const other = await done('POST', '/permissions', newPermission());
    const account = await done('POST', '/auth/service-accounts', { name: 'a', publicKey: newPem(), permissionId: permission.id });
    const gone = await done('POST', '/auth/service-accounts', { name: 'b', publicKey: newPem(), permissionId: other.id });
    const { userId } = account.userInfo;
    await done('PUT', `/permissions/${permission.id}`, { operations: ['Keys:Read', 'Keys:Create'] });
    await done('PUT', `/permissions/${other.id}/archive`, { isArchived: true });
    const assigned = await done('POST', `/permissions/${permission.id}/assignments`, { identityId: gone.userInfo.userId });
    await done('DELETE', `/permissions/${permission.id}/assignments/${assigned.id}`);
    await done('PUT', `/auth/service-accounts/${userId}/deactivate`);
    await done('PUT', `/auth/service-accounts/${userId}/activate`);
    await done('DELETE', `/auth/service-accounts/${gone.userInfo.userId}`);
    const key = await done('POST', '/keys', { scheme: 'EdDSA', curve: 'ed25519' });
    await done('POST', '/keys', { scheme: 'DH', curve: 'secp256k1' });
    await done('DELETE', `/keys/${key.id}`);
    return 14;
  }

  async function logOf(database: Query): Promise<string[]> {
    const texts = [];
    for await (const { text } of readLog(database)) texts.push(text);
    return texts;
  }

  /** The registry that a copy of the log makes, read offline; the same log at every signer; the same records in the tables. */
  async function consistent({ database, coordinator }: FakeWorld, { root }: Secrets): Promise<Registry> {
    const [signer] = coordinator.signers;
    const copy = (await logOf(database)).map((text) => `${text}\n`).join('');
    const verdict = verifyCopy(root, copy, signer?.registry.head);
    if (!verdict.ok) throw new Error(`entry ${verdict.sequence} ${verdict.fault}: ${verdict.reason}`);
    for (const { registry } of coordinator.signers) expect(registry.head).toEqual(verdict.head);
    expect(await findProposal(database)).toBeUndefined();
    expect(await recordsIn(database)).toEqual(recordsOf(verdict.registry));
    return verdict.registry;
  }

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

  describe('a change that is cut short', () => {
    /** Where a service may be killed, and whether its change has happened then. */
    const places: readonly [string, (world: FakeWorld, faults: Faults) => void][] = [
      ['when it has been proposed', ({ coordinator }) => (coordinator.before = die)],
      ['when one signer has it', ({ coordinator }) => dieAfter(coordinator, 1)],
      ['when all signers have it', ({ coordinator }) => (coordinator.after = die)],
      ['before the database has it', (_, faults) => (faults.beforeCommit = true)],
      ['right after the database has it', (_, faults) => (faults.afterCommit = true)],
    ];

    test.each(places)('%s, is there after the next start, once', async (_, arm) => {
      const { database, faults } = failing(await open());
      const secrets = newSecrets();
      const world = await startWorld({ database, secrets });
      const { coordinator } = world;
      await world.root.call('POST', '/permissions', newPermission());
      const bodyText = JSON.stringify({ name: 'a', publicKey: newPem(), externalId: 'x' });
      const path = '/auth/service-accounts';
      const userAction = await world.root.action('POST', path, bodyText);
      arm(world, faults);
      expect(await world.root.send('POST', path, { bodyText, userAction })).toMatchObject({ status: 500 });
      await world.stop();
      coordinator.before = async () => {};
      coordinator.after = async () => {};

      const next = await startWorld({ database, secrets, coordinator });
      await consistent(next, secrets);
      expect(await logOf(database)).toHaveLength(2);
      const used = refusal(400, 'user action has already been used');
      const again = await next.root.send('POST', path, { bodyText, userAction });
      // Its externalId is bound: a repeat is answered before anything else, unless its user action is spent, which it is.
      expect(again).toMatchObject(used);
      const { body } = await next.root.call('GET', path);
      expect(body.items.map(({ userInfo }: { userInfo: { name: string } }) => userInfo.name)).toEqual(['a', 'root']);
      expect(await next.root.call('POST', path, bodyText)).toMatchObject({ status: 200, body: body.items[0] });
      await work(next);
      await consistent(next, secrets);
      await next.stop();
    });

    test.each(places)('%s, is there before the next change, without a restart', async (_, arm) => {
      const { database, faults } = failing(await open());
      const secrets = newSecrets();
      const world = await startWorld({ database, secrets });
      arm(world, faults);
      const [first, second] = [newPermission(), newPermission()];
      expect(await world.root.call('POST', '/permissions', first)).toMatchObject({ status: 500 });
      world.coordinator.before = async () => {};
      world.coordinator.after = async () => {};
      expect(await world.root.call('POST', '/permissions', second)).toMatchObject({ status: 200 });
      const { body } = await world.root.call('GET', '/permissions?limit=2');
      expect(body.items.map(({ name }: { name: string }) => name)).toEqual([second.name, first.name]);
      await consistent(world, secrets);
      await world.stop();
    });

    test('and has expired before the signers got it, is dropped, and the audit log says why', async () => {
      const database = await open();
      const secrets = newSecrets();
      let shiftMs = 0;
      const clock = () => Date.now() + shiftMs;
      const world = await startWorld({ database, secrets, clock });
      world.coordinator.before = die;
      expect(await world.root.call('POST', '/permissions', newPermission())).toMatchObject({ status: 500 });
      world.coordinator.before = async () => {};
      await world.stop();
      shiftMs = 301_000;
      const next = await startWorld({ database, secrets, coordinator: world.coordinator, clock });
      expect(await logOf(database)).toEqual([]);
      expect(await database.query('select refusal from audit_log')).toEqual([
        { refusal: expect.stringMatching(/^the authorisation expired \d+ seconds ago$/) },
      ]);
      await consistent(next, secrets);
      await next.stop();
    });
  });

  describe('with too few signers', () => {
    test('a change is not made, others wait for what becomes of it, and then all is well', async () => {
      const secrets = newSecrets();
      const world = await startWorld({ database: await open(), secrets });
      const [one, two] = world.coordinator.signers;
      if (one === undefined || two === undefined) throw new Error('there are signers');
      one.isUp = two.isUp = false;
      const [first, second] = [newPermission(), newPermission()];
      const unavailable = refusal(503, 'this needs 2 of 3 signers');
      expect(await world.root.call('POST', '/permissions', first)).toMatchObject(unavailable);
      expect(await world.root.call('POST', '/permissions', second)).toMatchObject(unavailable);
      expect(await world.root.call('GET', '/permissions')).toMatchObject({ status: 200 });
      one.isUp = two.isUp = true;
      const third = newPermission();
      expect(await world.root.call('POST', '/permissions', third)).toMatchObject({ status: 200 });
      const { body } = await world.root.call('GET', '/permissions?limit=3');
      expect(body.items.map(({ name }: { name: string }) => name).slice(0, 2)).toEqual([third.name, first.name]);
      expect(await world.database.query(`select count(*) as count from audit_log where refusal is null`)).toEqual([{ count: 2 }]);
      await consistent(world, secrets);
      await world.stop();
    });

    test('the service starts, and settles what is open when they are back', async () => {
      const database = await open();
      const secrets = newSecrets();
      const world = await startWorld({ database, secrets });
      const { coordinator } = world;
      coordinator.before = die;
      const permission = newPermission();
      expect(await world.root.call('POST', '/permissions', permission)).toMatchObject({ status: 500 });
      coordinator.before = async () => {};
      await world.stop();
      for (const signer of coordinator.signers) signer.isUp = false;
      const next = await startWorld({ database, secrets, coordinator });
      expect(await next.root.call('GET', '/permissions')).toMatchObject({ status: 200 });
      for (const signer of coordinator.signers) signer.isUp = true;
      // The renewal of the replica's lease settles it.
      const names = async () => (await next.root.call('GET', '/permissions')).body.items.map(({ name }: { name: string }) => name);
      await expect.poll(names, { timeout: 20_000 }).toContain(permission.name);
      await consistent(next, secrets);
      await next.stop();
    });

    test('one that was away is caught up from the database', async () => {
      const secrets = newSecrets();
      const world = await startWorld({ database: await open(), secrets });
      const [one] = world.coordinator.signers;
      if (one === undefined) throw new Error('there are signers');
      one.isUp = false;
      for (let i = 0; i < 5; i++) await world.root.call('POST', '/permissions', newPermission());
      one.isUp = true;
      await world.root.call('POST', '/permissions', newPermission());
      await consistent(world, secrets);
      await world.stop();
    });
  });

  describe('at the start', () => {
    test('a database without the log, or with the beginning of it, gets the rest from the signers', async () => {
      const secrets = newSecrets();
      const original = await startWorld({ database: await open(), secrets });
      const { coordinator } = original;
      await original.root.call('POST', '/auth/service-accounts', { name: 'a', publicKey: newPem(), externalId: 'x' });
      await work(original);
      const backup = await open();
      const early = await startWorld({ database: backup, secrets, coordinator });
      await early.stop();
      await work(original);
      await original.root.call('POST', '/permissions', newPermission());
      const accounts = await original.root.call('GET', '/auth/service-accounts');
      await original.stop();

      const restored = await startWorld({ database: backup, secrets, coordinator });
      await consistent(restored, secrets);
      expect(await logOf(backup)).toEqual(await logOf(original.database));
      const { body } = await restored.root.call('GET', '/auth/service-accounts');
      const facts = (items: typeof body.items) =>
        items.map(({ userInfo, accessTokens }: (typeof body.items)[0]) => [userInfo, accessTokens[0].tokenId, accessTokens[0].isActive]);
      expect(facts(body.items)).toEqual(facts(accounts.body.items));
      const repeat = await restored.root.call('POST', '/auth/service-accounts', { name: 'b', publicKey: newPem(), externalId: 'x' });
      expect(repeat).toMatchObject(refusal(409, 'Conflicting service account with same externalId'));
      await work(restored);
      await consistent(restored, secrets);
      await restored.stop();
    });

    test('a log that is not the signers’ is refused, and named where it forks', async () => {
      const secrets = newSecrets();
      const [here, there] = [await startWorld({ database: await open(), secrets }), await startWorld({ database: await open(), secrets })];
      for (const { root } of [here, there]) for (let i = 0; i < 3; i++) await root.call('POST', '/permissions', newPermission());
      await Promise.all([here.stop(), there.stop()]);
      const start = () => startWorld({ database: here.database, secrets, coordinator: there.coordinator });
      await expect(start()).rejects.toThrow(/^the authority log in the database is not the signers', it forks: signer .* as entry 3/);
      // The same when the signers have gone on.
      const ahead = await startWorld({ database: there.database, secrets, coordinator: there.coordinator });
      await ahead.root.call('POST', '/permissions', newPermission());
      await ahead.stop();
      await expect(start()).rejects.toThrow("the authority log in the database is not the signers': it forks at entry 1");
    });

    test('one signer with another log is done without', async () => {
      const secrets = newSecrets();
      const world = await startWorld({ database: await open(), secrets });
      await world.root.call('POST', '/permissions', newPermission());
      await world.stop();
      const elsewhere = await startWorld({ database: await open(), secrets });
      await elsewhere.root.call('POST', '/permissions', newPermission());
      await elsewhere.stop();
      const { coordinator } = world;
      const mixed = createFakeCoordinator(secrets);
      const odd = elsewhere.coordinator.signers[0];
      if (odd === undefined) throw new Error('there are signers');
      (mixed.signers as unknown[]).splice(0, 3, odd, ...coordinator.signers.slice(1));
      const next = await startWorld({ database: world.database, secrets, coordinator: mixed });
      expect(await next.root.call('POST', '/permissions', newPermission())).toMatchObject({ status: 200 });
      expect(await logOf(world.database)).toHaveLength(2);
      await next.stop();
    });

    test.each([
      [
        'altered',
        `update authority_log set entry = replace(entry, '"sequence":2', '"sequence":7') where sequence = 2`,
        'entry 2 does not verify',
      ],
      ['removed', 'delete from authority_log where sequence = 2', 'entry 3 does not verify'],
      [
        'cut off its vouchers',
        `update authority_log set vouchers = '[]' where sequence = 3`,
        'too few signers vouch for its last entry, 3',
      ],
    ])('a log of which an entry was %s is refused, and the entry named', async (_, sql, message) => {
      const secrets = newSecrets();
      const world = await startWorld({ database: await open(), secrets });
      for (let i = 0; i < 3; i++) await world.root.call('POST', '/permissions', newPermission());
      await world.stop();
      await world.database.query(sql);
      const start = startWorld({ database: world.database, secrets, coordinator: world.coordinator });
      await expect(start).rejects.toThrow(`the authority log in the database: ${message}`);
    });
  });

  describe('a key whose record the database has lost', () => {
    const eddsa = { scheme: 'EdDSA', curve: 'ed25519' };
    const hash = { kind: 'Hash', hash: '01'.repeat(32) };
    const signs = async ({ root }: FakeWorld, keyId: string, body: object = { kind: 'Message', message: '00' }) =>
      (await root.call('POST', `/keys/${keyId}/signatures`, body)).body.status;

    test('is there again after a restore, to an empty database or an older one, and signs', async () => {
      const secrets = newSecrets();
      const original = await startWorld({ database: await open(), secrets });
      const { coordinator } = original;
      const backup = await open();
      const made = [(await original.root.call('POST', '/keys', { ...eddsa, name: 'first' })).body];
      await (await startWorld({ database: backup, secrets, coordinator })).stop();
      for (const body of [{ scheme: 'ECDSA', curve: 'secp256k1', name: 'wallet \u00fc' }, { scheme: 'DH', curve: 'secp256k1' }, eddsa]) {
        made.push((await original.root.call('POST', '/keys', body)).body);
      }
      const [archived] = made.splice(3);
      await original.root.call('DELETE', `/keys/${archived.id}`);
      await original.stop();

      for (const database of [backup, await open()]) {
        const restored = await startWorld({ database, secrets, coordinator });
        const { body } = await restored.root.call('GET', '/keys');
        const facts = (keys: typeof made) => keys.map(({ dateCreated: _, ...key }) => key);
        expect(facts(body.items)).toEqual(facts(made).reverse());
        const [first, second] = made;
        expect([await signs(restored, first.id), await signs(restored, second.id, hash)]).toEqual(['Signed', 'Signed']);
        expect(await restored.root.call('GET', `/keys/${archived.id}`)).toMatchObject({ status: 404 });
        await consistent(restored, secrets);
        await restored.stop();
      }
      const records = `select id, key_type, public_key, verification_shares, chain_code, name, status, store_id, organisation_id from keys
        where status = 'Active' order by id`;
      expect(await backup.query(records)).toEqual(await original.database.query(records));
    });

    test('stays away when its shares were never made, and is not asked for without end', async () => {
      const secrets = newSecrets();
      let shiftMs = 0;
      const clock = () => Date.now() + shiftMs;
      const world = await startWorld({ database: await open(), secrets, clock });
      const { coordinator } = world;
      coordinator.before = async (what) => {
        if (what === 'createKey') throw new Refusal('Unavailable', 'too few signers answer');
      };
      expect(await world.root.call('POST', '/keys', eddsa)).toMatchObject({ status: 503 });
      await world.stop();
      const next = await startWorld({ database: world.database, secrets, coordinator, clock });
      expect(coordinator.asked.findKey).toBe(1);
      expect((await next.root.call('GET', '/keys')).body.items).toEqual([]);
      shiftMs = 61_000;
      await expect.poll(() => coordinator.asked.findKey, { timeout: 20_000 }).toBe(2);
      await sleep(6_000); // one more renewal of the lease
      expect(coordinator.asked.findKey).toBe(2);
      await next.stop();
    });

    test('is there after the next start when the service died before it wrote it, and as it was asked for', async () => {
      const secrets = newSecrets();
      const world = await startWorld({ database: await open(), secrets });
      const { coordinator } = world;
      coordinator.after = async (what) => {
        if (what === 'createKey') await die();
      };
      expect(await world.root.call('POST', '/keys', { ...eddsa, name: 'mine' })).toMatchObject({ status: 500 });
      await world.stop();
      const next = await startWorld({ database: world.database, secrets, coordinator });
      const { body } = await next.root.call('GET', '/keys');
      expect(body.items).toMatchObject([{ name: 'mine', status: 'Active' }]);
      expect(await signs(next, body.items[0].id)).toBe('Signed');
      const dates = 'select k.date_created = l.date_accepted as same from keys k, authority_log l';
      expect(await world.database.query(dates)).toEqual([{ same: true }]);
      await next.stop();
    });

    test('comes back without a restart, when enough signers are there to tell', async () => {
      const secrets = newSecrets();
      const world = await startWorld({ database: await open(), secrets });
      const { coordinator } = world;
      const { body: key } = await world.root.call('POST', '/keys', eddsa);
      await world.stop();
      await world.database.query('delete from keys');
      for (const signer of coordinator.signers.slice(1)) signer.isUp = false;
      const next = await startWorld({ database: world.database, secrets, coordinator });
      expect(await next.root.call('GET', `/keys/${key.id}`)).toMatchObject({ status: 404 });
      for (const signer of coordinator.signers) signer.isUp = true;
      await expect.poll(async () => (await next.root.call('GET', `/keys/${key.id}`)).status, { timeout: 20_000 }).toBe(200);
      await next.stop();
    });

    test('that is restored while its maker still works has one record, the same for both', async () => {
      const secrets = newSecrets();
      const world = await startWorld({ database: await open(), secrets });
      const { coordinator, database } = world;
      let other: FakeWorld | undefined;
      coordinator.after = async (what) => {
        if (what === 'createKey') other = await startWorld({ database, secrets, coordinator });
      };
      const { status, body } = await world.root.call('POST', '/keys', { ...eddsa, name: 'mine' });
      expect(status).toBe(200);
      expect((await world.root.call('GET', '/keys')).body.items).toEqual([body]);
      expect(coordinator.asked.findKey).toBe(1);
      await other?.stop();
      await world.stop();
    });
  });

  describe('a recovery gives the root', () => {
    /** What the operators of two signers have signed at this head. */
    function agreed({ coordinator }: FakeWorld, secrets: Secrets) {
      const { privateKey } = generateKeyPairSync('ed25519');
      const { head } = coordinator.signers[0]?.registry ?? expect.fail('there are signers');
      const terms = { publicKey: publicPem(privateKey), at: Math.floor(Date.now() / 1000) };
      const message = recoveryMessage(secrets.root.clusterId, head, terms);
      const signatures = secrets.identities
        .slice(0, 2)
        .map((identity) => ({ signerId: signerIdOf(identity), signature: toBase64Url(new Uint8Array(sign(null, message, identity))) }))
        .sort((a, b) => (a.signerId < b.signerId ? -1 : 1));
      return { privateKey, recovery: { ...terms, signatures } };
    }

    async function submit({ origin }: FakeWorld, recovery: object): Promise<Answer> {
      const headers = { 'content-type': 'application/json' };
      const response = await fetch(new URL('/authority/recovery', origin), { method: 'POST', headers, body: JSON.stringify(recovery) });
      return { status: response.status, body: await response.json() };
    }

    async function recovered(world: FakeWorld, access: { accessToken: string; credentialId: string }, privateKey: KeyObject) {
      const root = createClient(world.origin, { accessToken: access.accessToken, credId: access.credentialId, privateKey });
      expect(await world.root.call('GET', '/keys')).toMatchObject(refusal(401, 'Not Authorized.'));
      expect(await root.call('POST', '/permissions', newPermission())).toMatchObject({ status: 200 });
      const { body } = await root.call('GET', '/auth/service-accounts');
      expect(body.items).toMatchObject([{ userInfo: { userId: world.root.userId }, accessTokens: [{ credId: access.credentialId }] }]);
    }

    test('a new credential and token, and the old ones end', async () => {
      const secrets = newSecrets();
      const world = await startWorld({ database: await open(), secrets });
      await world.root.call('POST', '/permissions', newPermission());
      const { privateKey, recovery } = agreed(world, secrets);
      const answer = await submit(world, recovery);
      const { organisationId, applicationId } = world.root;
      expect(answer).toMatchObject({ status: 200, body: { organisationId, applicationId } });
      // Sent again because the answer was lost.
      expect(await submit(world, recovery)).toEqual(answer);
      expect(await logOf(world.database)).toHaveLength(2);
      await recovered(world, answer.body, privateKey);
      await consistent(world, secrets);
      // Good for one head only.
      expect(await submit(world, recovery)).toMatchObject({ status: 403 });
      await world.stop();
    });

    test('nothing, where too few have signed it, and proposes nothing', async () => {
      const secrets = newSecrets();
      const world = await startWorld({ database: await open(), secrets });
      const { recovery } = agreed(world, secrets);
      const [first, second] = recovery.signatures;
      for (const signatures of [[], [first], [first, first], [first, { ...second, signature: first?.signature }]]) {
        expect(await submit(world, { ...recovery, signatures })).toMatchObject({ status: 403 });
      }
      expect(await submit(world, { ...recovery, publicKey: newPem() })).toMatchObject({ status: 403 });
      expect(world.coordinator.asked.append).toBe(0);
      expect(await logOf(world.database)).toEqual([]);
      await world.stop();
    });

    test('the same when the service learns of it from the signers', async () => {
      const secrets = newSecrets();
      const world = await startWorld({ database: await open(), secrets });
      const { coordinator } = world;
      await world.stop();
      const { privateKey, recovery } = agreed(world, secrets);
      const { head } = coordinator.signers[0]?.registry ?? expect.fail('there are signers');
      await coordinator.append(entryAfter(head, { recovery }), {
        entries: async () => [],
        vouchers: async () => [],
        areVouchedFor: () => false,
      });

      const next = await startWorld({ database: world.database, secrets, coordinator });
      const registry = await consistent(next, secrets);
      const account = registry.accounts.get(next.root.userId) ?? expect.fail('the root stands');
      const credential = [...registry.credentialsOf(account.id)].find(({ isActive }) => isActive) ?? expect.fail('it has a credential');
      const accessToken = createTokens({ key: secrets.tokenKey, clock: Date.now }).issueBearer({
        tokenId: account.tokenId,
        organisationId: next.root.organisationId,
        userId: account.id,
        username: 'root',
        kind: 'ServiceAccount',
        dateIssued: new Date(recovery.at * 1000),
        dateExpires: new Date(account.validUntil * 1000),
      });
      await recovered(next, { accessToken, credentialId: credential.credId }, privateKey);
      await consistent(next, secrets);
      await next.stop();
    });
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

interface Faults {
  beforeCommit: boolean;
  afterCommit: boolean;
}

async function die(): Promise<never> {
  throw new Error('killed here');
}

/** The service is gone when so many signers have what is appended. */
function dieAfter({ signers }: FakeWorld['coordinator'], count: number): void {
  for (const signer of signers.slice(count)) {
    const { append } = signer;
    signer.append = async () => {
      signer.append = append;
      throw new Error('killed here');
    };
  }
}

/** A database on which the transaction that writes an entry fails once, when told to: rolled back, or after its commit. */
function failing(database: Database): { database: Database; faults: Faults } {
  const faults: Faults = { beforeCommit: false, afterCommit: false };
  const transaction: Database['transaction'] = async (work) => {
    let isEntry = false;
    const result = await database.transaction(async (tx) => {
      const done = await work({
        script: (sql) => tx.script(sql),
        query: (sql, params) => {
          isEntry ||= sql.includes('insert into authority_log');
          return tx.query(sql, params);
        },
      });
      if (isEntry && faults.beforeCommit) {
        faults.beforeCommit = false;
        await die();
      }
      return done;
    });
    if (isEntry && faults.afterCommit) {
      faults.afterCommit = false;
      await die();
    }
    return result;
  };
  return { database: { ...database, transaction }, faults };
}

function actionIn(entry: Entry) {
  if (!('authorisation' in entry)) throw new Error(`entry ${headOf(entry).sequence} is no action`);
  return entry;
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
