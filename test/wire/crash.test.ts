/**
 * A crash in the middle of everything: what was answered is there afterwards, and what was not is settled. Linux: signers are found by
 * their command lines.
 */

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { abandonedReason } from '../../src/features/signatures/service.ts';
import type { Answer, Client } from '../support/client.ts';
import { eachDatabase } from '../support/databases.ts';
import { type Instance, signerPids, startInstance } from '../support/instance.ts';
import { administrator } from './accounts.ts';
import { exampleOf, expectSigned } from './examples.ts';
import { expectSigns, type Key, newKeys, type Prepared, prepared, recorded } from './requests.ts';

const eddsa = exampleOf('EdDSA', 'ed25519');
const ecdsa = exampleOf('ECDSA', 'secp256k1');

eachDatabase((_, __, place) => {
  describe.skipIf(process.platform !== 'linux')('kill -9 of the service and all signers under 200 concurrent requests', () => {
    let instance: Instance;
    let keys: Key[];
    let requests: Prepared[];
    /** What the clients were answered before the crash. */
    const answered = new Map<string, Answer['body']>();
    let root: Client;

    beforeAll(async () => {
      const { dataDir, databaseUrl } = await place();
      const env: Record<string, string> = databaseUrl === undefined ? {} : { DATABASE_URL: databaseUrl };
      instance = await startInstance({ dataDir, env });
      root = administrator(instance);
      keys = await newKeys(instance, [eddsa, ecdsa]);
      requests = await prepared(root, keys, 300);

      const waiting = [...requests];
      const enough = Promise.withResolvers<void>();
      const callers = Array.from({ length: 200 }, async () => {
        for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
          const { path, externalId, ...request } = next;
          const answer = await root.send('POST', path, request).catch(unlessCrashed);
          if (answer === undefined) return;
          expect(answer.status).toBe(200);
          answered.set(externalId, answer.body);
          if (answered.size === 60) enough.resolve();
        }
      });
      await Promise.race([enough.promise, Promise.all(callers)]);
      const signers = signerPids(instance.dataDir);
      const killed = instance.kill();
      for (const pid of signers) process.kill(pid, 'SIGKILL');
      await Promise.all([killed, ...callers]);

      instance = await startInstance({ dataDir, env });
      root = administrator(instance);
    });
    afterAll(() => instance?.remove());

    test('loses nothing that was answered', async () => {
      expect(answered.size).toBeGreaterThanOrEqual(60);
      const found = await recorded(root, keys);
      for (const [externalId, answer] of answered) expect(found.get(externalId)).toEqual(answer);
      for (const { externalId, key } of requests) {
        const answer = answered.get(externalId);
        if (answer !== undefined) expectSigned(answer, key.example, key);
      }
    });

    test('leaves no request Executing: what was not signed is Failed, with the reason', async () => {
      const found = await recorded(root, keys);
      for (const [externalId, { status, reason, signature }] of found) {
        if (status === 'Signed') expect(signature, externalId).toMatchObject({ encoded: expect.any(String) });
        else expect({ status, reason, signature }, externalId).toEqual({ status: 'Failed', reason: abandonedReason });
      }
    });

    test('makes no user action usable again: a request is there with its action spent, or neither', async () => {
      const found = await recorded(root, keys);
      const again = await Promise.all(requests.map(({ path, ...request }) => root.send('POST', path, request)));
      again.forEach((answer, i) => {
        const { externalId = '', key = keys[0] } = requests[i] ?? {};
        if (found.has(externalId)) {
          expect(answer, externalId).toMatchObject({ status: 400, body: { error: { message: 'user action has already been used' } } });
        } else {
          expect(answer, externalId).toMatchObject({ status: 200, body: { externalId, keyId: key?.id } });
        }
      });
    });

    test('signs nothing again in silence: a repeat of what failed is Failed', async () => {
      const failed = [...(await recorded(root, keys)).values()].find(({ status }) => status === 'Failed');
      if (failed === undefined) throw new Error('the crash came in the middle of nothing');
      expect(await root.call('POST', `/keys/${failed.keyId}/signatures`, failed.requestBody)).toEqual({ status: 200, body: failed });
    });

    test('leaves the keys signing', async () => {
      for (const key of keys) await expectSigns(instance, key);
    });
  });
});

/** What fetch throws when the connection breaks; anything else is a failure of the test. */
function unlessCrashed(error: unknown): undefined {
  if (!(error instanceof TypeError)) throw error;
}
