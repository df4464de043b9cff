/** What happens when a service starts: the organisation, and what a crash has left behind. */

import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { type Root, rootIds } from '../../src/authority/root.ts';
import { bootstrap } from '../../src/features/organisations/bootstrap.ts';
import { abandonedReason } from '../../src/features/signatures/service.ts';
import { createSignatureStore } from '../../src/features/signatures/store.ts';
import { projection } from '../../src/server/compose.ts';
import type { Database } from '../../src/store/database.ts';
import { eachDatabase } from '../support/databases.ts';
import { newSecrets, publicPem, startWorld } from '../support/world.ts';

eachDatabase((kind, open) => {
  describe('the first start', () => {
    const replicas = (database: Database, root: Root) =>
      Promise.all(Array.from({ length: 8 }, () => bootstrap({ database, root, projection })));

    test('makes one organisation, however many replicas start, and it is what the root says', async () => {
      const database = await open();
      const { root } = newSecrets();
      await replicas(database, root);
      for (const table of ['organisations', 'users', 'tokens', 'credentials', 'key_stores', 'permission_assignments', 'installation']) {
        expect(await database.query(`select count(*) as count from ${table}`)).toEqual([{ count: 1 }]);
      }
      expect(await database.query('select id, name from permissions order by name')).toEqual([
        { id: rootIds(root).defaultEndUserId, name: 'ManagedDefaultEndUserAccess' },
        { id: rootIds(root).fullAdminId, name: 'ManagedFullAdminAccess' },
      ]);
      const { organisationId, userId, tokenId, credentialUuid, credId, storeId, assignmentId } = rootIds(root);
      expect(
        await database.query(
          `select o.id as organisation, u.id as user, t.id as token, c.uuid, c.cred_id, s.id as store, a.id as assignment
           from organisations o, users u, tokens t, credentials c, key_stores s, permission_assignments a`,
        ),
      ).toEqual([
        {
          organisation: organisationId,
          user: userId,
          token: tokenId,
          uuid: credentialUuid,
          cred_id: credId,
          store: storeId,
          assignment: assignmentId,
        },
      ]);
    });

    test('on the database of another cluster is refused', async () => {
      const database = await open();
      await bootstrap({ database, root: newSecrets().root, projection });
      await expect(replicas(database, newSecrets().root)).rejects.toThrow('one of the two is of another installation');
    });

    test('refuses a credential that is not accepted, and makes nothing', async () => {
      const database = await open();
      const publicKey = publicPem(generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey);
      await expect(bootstrap({ database, root: { ...newSecrets().root, publicKey }, projection })).rejects.toThrow('Accepted public keys');
      expect(await database.query('select id from organisations')).toEqual([]);
    });

    test('what the root gets is good after a restart', async () => {
      const database = await open();
      const secrets = newSecrets();
      const first = await startWorld({ database, secrets });
      await first.stop();
      const second = await startWorld({ database, secrets });
      expect(second.root.accessToken).toBe(first.root.accessToken);
      expect(await second.root.call('POST', '/keys', { scheme: 'DH', curve: 'secp256k1' })).toMatchObject({ status: 200 });
      await second.stop();
    });
  });

  describe('requests left Executing', () => {
    async function interrupted(executingBy: string) {
      const database = await open();
      const secrets = newSecrets();
      const world = await startWorld({ database, secrets });
      const key = (await world.root.call('POST', '/keys', { scheme: 'EdDSA', curve: 'ed25519' })).body;
      const path = `/keys/${key.id}/signatures`;
      await world.root.call('POST', path, { kind: 'Message', message: '00', externalId: 'a' });
      await database.query(`update signature_requests set status = 'Executing', signatures = null, date_signed = null, executing_by = $1`, [
        executingBy,
      ]);
      return { database, secrets, world, path };
    }

    test('by the former life of a replica are Failed at its next start, with the reason', async () => {
      const { world, path, ...shared } = await interrupted('rep-crashed');
      await world.stop();
      await shared.database.query(`insert into replicas (id, date_seen) values ('rep-crashed', now())`);
      const next = await startWorld({ ...shared, replicaId: 'rep-crashed' });
      const { body } = await next.root.call('GET', path);
      expect(body.items).toMatchObject([{ status: 'Failed', reason: abandonedReason }]);
      const again = await next.root.call('POST', path, { kind: 'Message', message: '00', externalId: 'a' });
      expect(again).toMatchObject({ status: 200, body: { status: 'Failed' } });
      await next.stop();
    });

    test('are left alone when they were signed after all', async () => {
      const database = await open();
      const world = await startWorld({ database });
      const key = (await world.root.call('POST', '/keys', { scheme: 'EdDSA', curve: 'ed25519' })).body;
      const signed = await world.root.call('POST', `/keys/${key.id}/signatures`, { kind: 'Message', message: '00' });
      const { id } = signed.body;
      expect(await createSignatureStore(database).move('abandon', { id, date: new Date(), reason: 'late' })).toBe(false);
      expect(await world.root.call('GET', `/keys/${key.id}/signatures/${id}`)).toEqual(signed);
      await world.stop();
    });

    test('by a replica that is not seen any more are Failed', async () => {
      const { world, path, ...shared } = await interrupted('rep-lost');
      await world.stop();
      await shared.database.query(`insert into replicas (id, date_seen) values ('rep-lost', now() - interval '1 minute')`);
      const next = await startWorld(shared);
      expect((await next.root.call('GET', path)).body.items).toMatchObject([{ status: 'Failed' }]);
      await next.stop();
    });

    test.runIf(kind === 'postgres')('by another live replica are left to it', async () => {
      const { world, path, ...shared } = await interrupted('rep-alive');
      await shared.database.query(`insert into replicas (id, date_seen) values ('rep-alive', now())`);
      const next = await startWorld(shared);
      expect((await next.root.call('GET', path)).body.items).toMatchObject([{ status: 'Executing' }]);
      await next.stop();
      await world.stop();
    });

    test.runIf(kind === 'pglite')('by whoever had the embedded database before are Failed', async () => {
      const { world, path, ...shared } = await interrupted('rep-any');
      await world.stop();
      await shared.database.query(`insert into replicas (id, date_seen) values ('rep-any', now())`);
      const next = await startWorld(shared);
      expect((await next.root.call('GET', path)).body.items).toMatchObject([{ status: 'Failed' }]);
      await next.stop();
    });
  });
});
