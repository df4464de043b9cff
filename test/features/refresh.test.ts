import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { Refusal } from '../../src/base/errors.ts';
import { eachDatabase } from '../support/databases.ts';
import { refusal } from '../support/refusal.ts';
import { type FakeWorld, startWorld } from '../support/world.ts';

eachDatabase((_, open) => {
  let world: FakeWorld;
  beforeAll(async () => {
    world = await startWorld({ database: await open() });
  });
  afterAll(() => world.stop());

  const newKey = async (more: object = {}) => (await world.root.call('POST', '/keys', { scheme: 'EdDSA', curve: 'ed25519', ...more })).body;
  const epochOf = async (keyId: string) => {
    const [row] = await world.database.query<{ epoch: number }>('select epoch from keys where id = $1', [keyId]);
    return row?.epoch;
  };

  async function untilDone(): Promise<void> {
    for (let i = 0; i < 500; i++) {
      if ((await world.root.call('GET', '/cluster/refresh')).body.due === 0) return;
      await pause(10);
    }
    throw new Error('keys are due still');
  }

  describe('refreshing keys', () => {
    test('one of them: it is dealt anew once, and signs', async () => {
      const [key, other] = [await newKey(), await newKey()];
      expect(await world.root.call('POST', '/cluster/refresh', { keyId: key.id })).toMatchObject({ status: 200, body: {} });
      await untilDone();
      expect([await epochOf(key.id), await epochOf(other.id)]).toEqual([1, 0]);
      expect(await world.root.call('GET', `/keys/${key.id}`)).toMatchObject({ body: { publicKey: key.publicKey } });
      const body = { kind: 'Message', message: '0x01' };
      expect(await world.root.call('POST', `/keys/${key.id}/signatures`, body)).toMatchObject({ body: { status: 'Signed' } });
    });

    test('all of them', async () => {
      const keys = await Promise.all(Array.from({ length: 5 }, () => newKey()));
      await world.root.call('POST', '/cluster/refresh', {});
      await untilDone();
      expect(await Promise.all(keys.map(({ id }) => epochOf(id)))).toEqual([1, 1, 1, 1, 1]);
    });

    test('while a signer is away: they wait, and say why', async () => {
      const key = await newKey();
      world.coordinator.before = async (what) => {
        if (what === 'redeal') throw new Refusal('Unavailable', 'all signers must answer; signer 2 does not');
      };
      await world.root.call('POST', '/cluster/refresh', { keyId: key.id });
      const waiting = { due: 1, reason: 'all signers must answer; signer 2 does not' };
      await vi.waitFor(async () => expect((await world.root.call('GET', '/cluster/refresh')).body).toEqual(waiting), 5_000);
      expect(await epochOf(key.id)).toBe(0);
      world.coordinator.before = async () => {};
      await world.root.call('POST', '/cluster/refresh', { keyId: key.id });
      await untilDone();
      expect(await epochOf(key.id)).toBe(1);
    });

    test('is refused for a child, an archived key, one that is not there, and without the permission', async () => {
      const master = await newKey({ masterKey: true });
      const child = await newKey({ deriveFrom: { keyId: master.id } });
      const archived = await newKey();
      await world.root.call('DELETE', `/keys/${archived.id}`);
      const ask = (keyId: unknown, caller: Pick<FakeWorld['root'], 'call'> = world.root) =>
        caller.call('POST', '/cluster/refresh', { keyId });
      expect(await ask(child.id)).toMatchObject(refusal(400, `a child has no shares of its own: its master is key ${master.id}`));
      expect(await ask(archived.id)).toMatchObject(refusal(400, 'the key is archived'));
      expect(await ask('key-none')).toMatchObject({ status: 404 });
      expect(await ask(7)).toMatchObject({ status: 400 });
      const stranger = await world.serviceAccount(['Keys:Read']);
      expect(await ask(master.id, stranger)).toMatchObject({ status: 403 });
      expect(await stranger.call('GET', '/cluster/refresh')).toMatchObject({ status: 200 });
    });
  });
});
