/** What is had again from the authority log and its signers: keys whose records the database has lost, and the root by a recovery. */

import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { entryAfter } from '../../src/authority/entry.ts';
import { recoveryMessage } from '../../src/authority/recovery.ts';
import { toBase64Url } from '../../src/base/bytes.ts';
import { Refusal } from '../../src/base/errors.ts';
import { createTokens } from '../../src/features/access/tokens.ts';
import { consistent, die, logOf, newPem, newPermission } from '../support/authorityLog.ts';
import { type Answer, createClient } from '../support/client.ts';
import { closedAfterEach, eachDatabase } from '../support/databases.ts';
import { signerIdOf } from '../support/fakeSigner.ts';
import { refusal } from '../support/refusal.ts';
import { type FakeWorld, newSecrets, publicPem, type Secrets, startWorld } from '../support/world.ts';

eachDatabase((_, openNew) => {
  const open = closedAfterEach(openNew);

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
});
