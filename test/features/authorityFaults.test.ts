/** The authority log when something fails: a change that is cut short, signers that are away, a log that a start finds short or wrong. */

import { describe, expect, test } from 'vitest';
import type { Database } from '../../src/store/database.ts';
import { consistent, die, logOf, newPem, newPermission, work } from '../support/authorityLog.ts';
import { closedAfterEach, eachDatabase } from '../support/databases.ts';
import { createFakeCoordinator } from '../support/fakeCoordinator.ts';
import { refusal } from '../support/refusal.ts';
import { type FakeWorld, newSecrets, startWorld } from '../support/world.ts';

eachDatabase((_, openNew) => {
  const open = closedAfterEach(openNew);

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
});

interface Faults {
  beforeCommit: boolean;
  afterCommit: boolean;
}

/** The service is gone when so many signers have what is appended. */
function dieAfter({ signers }: FakeWorld['coordinator'], count: number): void {
  for (const signer of signers.slice(count)) {
    const { append } = signer;
    signer.append = async () => {
      signer.append = append;
      return die();
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
