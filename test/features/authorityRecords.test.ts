/** The registry that the service keeps in its database: what the log makes, however it came there; and a log that was altered is noticed. */

import { expect, test } from 'vitest';
import { encodeEntry, headOf } from '../../src/authority/entry.ts';
import { genesisOf } from '../../src/authority/root.ts';
import { systemClock } from '../../src/base/clock.ts';
import { review, reviewEnd } from '../../src/features/authority/review.ts';
import { createAuthority } from '../../src/features/authority/service.ts';
import { insertEntry } from '../../src/features/authority/store.ts';
import { createLog } from '../../src/log.ts';
import { projection } from '../../src/server/compose.ts';
import type { Database } from '../../src/store/database.ts';
import { createWorld } from '../authority/world.ts';
import { done } from '../support/authorityLog.ts';
import { closedAfterEach, eachDatabase } from '../support/databases.ts';
import { type FakeWorld, newSecrets, type Secrets, startWorld } from '../support/world.ts';

eachDatabase((_, openNew) => {
  const open = closedAfterEach(openNew);

  const recordsOf = (database: Database) =>
    database.query('select kind, id, sequence, record from authority_records order by kind collate "C", id collate "C", sequence');
  const checkpointOf = (database: Database) => database.query('select sequence, time from authority_checkpoint');

  /** Keys, one of them archived; a wallet, children, an assignment that goes. */
  async function work({ root }: FakeWorld): Promise<void> {
    const eddsa = { scheme: 'EdDSA', curve: 'ed25519' };
    const master = await done(root, 'POST', '/keys', { ...eddsa, masterKey: true });
    for (let i = 0; i < 2; i++) await done(root, 'POST', '/keys', { ...eddsa, deriveFrom: { keyId: master.id } });
    const key = await done(root, 'POST', '/keys', eddsa);
    await done(root, 'POST', '/wallets', { network: 'Solana' });
    const { id } = await done(root, 'POST', '/permissions', { name: 'p', operations: ['Keys:Read'] });
    const assigned = await done(root, 'POST', `/permissions/${id}/assignments`, { identityId: root.userId });
    await done(root, 'DELETE', `/permissions/${id}/assignments/${assigned.id}`);
    await done(root, 'DELETE', `/keys/${key.id}`);
  }

  /** A replica's view, without a server. */
  function authorityOn({ database, coordinator }: FakeWorld, { root }: Secrets) {
    return createAuthority({ database, coordinator, root, projection, clock: systemClock, log: createLog('test', 'silent') });
  }

  test('is the same, entry by entry as it was made, read from a log without records, and taken over from the signers', async () => {
    const secrets = newSecrets();
    const world = await startWorld({ database: await open(), secrets });
    const { database, coordinator } = world;
    await work(world);
    await world.stop();
    const [made, checkpoint] = [await recordsOf(database), await checkpointOf(database)];
    expect(checkpoint).toMatchObject([{ sequence: 9 }]);

    for (const sql of [
      'delete from authority_records; delete from authority_checkpoint;',
      'update authority_checkpoint set version = version - 1;',
      `delete from authority_checkpoint; update authority_records set record = '{}' where kind = 'key';`,
    ]) {
      await database.script(sql);
      await (await startWorld({ database, secrets, coordinator })).stop();
      expect([await recordsOf(database), await checkpointOf(database)]).toEqual([made, checkpoint]);
    }
    const restored = await open();
    await (await startWorld({ database: restored, secrets, coordinator })).stop();
    expect([await recordsOf(restored), await checkpointOf(restored)]).toEqual([made, checkpoint]);
  });

  test('is read by a replica as of the head that it stands at', async () => {
    const secrets = newSecrets();
    const world = await startWorld({ database: await open(), secrets });
    const { body: key } = await world.root.call('POST', '/keys', { scheme: 'EdDSA', curve: 'ed25519' });
    const late = authorityOn(world, secrets);
    await late.start();
    const { body: later } = await world.root.call('POST', '/keys', { scheme: 'EdDSA', curve: 'ed25519' });
    await world.root.call('DELETE', `/keys/${key.id}`);
    const seen = () => Promise.all([key.id, later.id].map((id) => late.judge(({ keys }) => keys.get(id)?.status)));
    expect(await seen()).toEqual(['Active', undefined]);
    await late.inTurn(async () => {});
    expect(await seen()).toEqual(['Archived', 'Active']);
    await late.stop();
    await world.stop();
  });

  test('is gone on from: rules read what an earlier life has written', async () => {
    const secrets = newSecrets();
    const world = await startWorld({ database: await open(), secrets });
    await work(world);
    await world.stop();
    const next = await startWorld({ database: world.database, secrets, coordinator: world.coordinator });
    const { body } = await next.root.call('GET', '/keys');
    const master = body.items.find(({ masterKey }: { masterKey?: boolean }) => masterKey);
    const child = { scheme: 'EdDSA', curve: 'ed25519', deriveFrom: { keyId: master.id, path: 'm/1' } };
    expect(await next.root.call('POST', '/keys', child)).toMatchObject({ status: 409 });
    expect(await next.root.call('POST', '/permissions', { name: 'p', operations: ['Keys:Read'] })).toMatchObject({ status: 409 });
    expect(await next.root.call('POST', '/keys', { ...child, deriveFrom: { keyId: master.id } })).toMatchObject({ status: 200 });
    await next.stop();
  });

  test('a log of which an entry was altered is noticed: at the start when it is one of the last, else beside the work', async () => {
    const database = await open();
    const world = createWorld();
    for (let i = 0; i < 620; i++) {
      world.wait(3);
      world.addKey();
    }
    await database.transaction(async (tx) => {
      for (const [i, entry] of world.entries.entries()) await insertEntry(tx, { entry, vouchers: [], dateAccepted: new Date(i) });
    });
    const { head } = world.registry;
    const parts = { genesis: genesisOf(world.root), head };
    const never = new AbortController().signal;
    await reviewEnd(database, head);
    await review(database, parts, never);

    const [old, recent] = [world.entries[49], world.entries[599]];
    if (old === undefined || recent === undefined) throw new Error('there are 620 entries');
    const put = (sequence: number, text: string) =>
      database.query('update authority_log set entry = $2 where sequence = $1', [sequence, text]);
    await put(50, encodeEntry(old).replace('"nonce":"', '"nonce":"A'));
    await reviewEnd(database, head);
    await expect(review(database, parts, never)).rejects.toThrow('entry 50 does not verify: its text is not the one that was hashed');
    await put(50, encodeEntry(old));
    await put(600, '{}');
    await expect(reviewEnd(database, head)).rejects.toThrow('entry 600 does not verify');
    await put(600, encodeEntry(recent));
    await database.query('delete from authority_log where sequence = 300');
    await expect(reviewEnd(database, head)).rejects.toThrow('entry 301 does not verify: it does not follow entry 299');
    // Hashed anew, it is another than the next one names.
    const other = { ...old, authorisation: { ...('authorisation' in old ? old.authorisation : expect.fail()), body: new Uint8Array(1) } };
    await database.query('update authority_log set entry = $1, hash = $2 where sequence = 50', [encodeEntry(other), headOf(other).hash]);
    await expect(review(database, parts, never)).rejects.toThrow('entry 51 does not verify: it follows another entry 50');
  });

  test('a log that is found to have been altered is not added to, and read as a whole at the next start', async () => {
    const secrets = newSecrets();
    const world = await startWorld({ database: await open(), secrets });
    await work(world);
    const late = authorityOn(world, secrets);
    await late.start();
    await world.database.query(`update authority_log set entry = '{}' where sequence = 1`);
    await expect
      .poll(() => late.inTurn(async () => 'a turn').catch((error: Error) => error.message))
      .toBe('who may do what cannot be changed now');
    await late.stop();
    await world.stop();
    const start = startWorld({ database: world.database, secrets, coordinator: world.coordinator });
    await expect(start).rejects.toThrow('the authority log in the database: entry 1 does not verify');
  });
});
