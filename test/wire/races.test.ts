/**
 * The same thing asked for many times at once: it is done once. On the embedded database, and on PostgreSQL by two replicas of the
 * service, each in a process of its own, over the same signers.
 */

import { generateKeyPairSync } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Answer, Client } from '../support/client.ts';
import { eachDatabase } from '../support/databases.ts';
import { type Instance, startInstance, startReplica } from '../support/instance.ts';
import { publicPem } from '../support/world.ts';
import { administrator, at, newAccount } from './accounts.ts';
import { bytes, exampleOf, expectSigned } from './examples.ts';

const used = { status: 400, message: 'user action has already been used' };

eachDatabase((kind, _, place) => {
  /** One, or two on PostgreSQL: requests are sent to them in turn. */
  const replicas: Instance[] = [];
  let first: Instance;
  /** The administrator at each replica. */
  let roots: Client[];

  beforeAll(async () => {
    const { dataDir, databaseUrl } = await place();
    const env: Record<string, string> = databaseUrl === undefined ? {} : { DATABASE_URL: databaseUrl };
    first = await startInstance({ dataDir, env });
    replicas.push(first);
    if (kind === 'postgres') replicas.push(await startReplica(first, { env }));
    roots = replicas.map(administrator);
  });
  afterAll(async () => {
    for (const replica of replicas.reverse()) await replica.remove();
  });

  /** In turn. */
  const root = (i: number): Client => roots[i % roots.length] as Client; // there is one at least
  const times = <T>(count: number, one: (i: number) => Promise<T>) => Promise.all(Array.from({ length: count }, (_, i) => one(i)));

  async function newKey(scheme: 'EdDSA' | 'ECDSA'): Promise<{ id: string; publicKey: string; path: string }> {
    const { key } = exampleOf(scheme, scheme === 'EdDSA' ? 'ed25519' : 'secp256k1');
    const { body } = await root(0).call('POST', '/keys', key);
    return { ...body, path: `/keys/${body.id}/signatures` };
  }

  function expectOneServed(answers: readonly Answer[]): Answer['body'] {
    const [served, ...more] = answers.filter(({ status }) => status === 200);
    expect(more).toEqual([]);
    const refused = answers.filter(({ status }) => status !== 200);
    expect(refused.map(({ status, body }) => ({ status, message: body.error.message }))).toEqual(answers.slice(1).map(() => used));
    return served?.body;
  }

  describe('fifty requests with one externalId at once', () => {
    test.each(['EdDSA', 'ECDSA'] as const)('are one signature by %s, which each of them is answered', async (scheme) => {
      const key = await newKey(scheme);
      const example = exampleOf(scheme, scheme === 'EdDSA' ? 'ed25519' : 'secp256k1');
      const bodyText = JSON.stringify({ ...example.body('0x'), externalId: 'the same' });
      const actions = await times(50, (i) => root(i).action('POST', key.path, bodyText));
      const answers = await times(50, (i) => root(i).send('POST', key.path, { bodyText, userAction: actions[i] ?? '' }));
      const [answer] = answers;
      expect(answers).toEqual(answers.map(() => answer));
      expectSigned(answer?.body, example, key);
      expect((await root(0).call('GET', key.path)).body.items).toEqual([answer?.body]);
    });

    test('are one service account, whose token one of them is given', async () => {
      const publicKey = publicPem(generateKeyPairSync('ed25519').privateKey);
      const bodyText = JSON.stringify({ name: 'the same', publicKey, externalId: 'the same' });
      const path = '/auth/service-accounts';
      const actions = await times(50, (i) => root(i).action('POST', path, bodyText));
      const answers = await times(50, (i) => root(i).send('POST', path, { bodyText, userAction: actions[i] ?? '' }));
      expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
      expect(new Set(answers.map(({ body }) => body.userInfo.userId)).size).toBe(1);
      expect(answers.filter(({ body }) => body.accessTokens[0].accessToken !== undefined)).toHaveLength(1);
      const { body: listed } = await root(0).call('GET', path);
      expect(listed.items.filter(({ userInfo }: { userInfo: { name: string } }) => userInfo.name === 'the same')).toHaveLength(1);
    });

    test('with different bodies are one signature, and conflicts that name it', async () => {
      const key = await newKey('EdDSA');
      const bodies = Array.from({ length: 50 }, (_, i) => JSON.stringify({ kind: 'Message', message: toHex(i), externalId: 'the same' }));
      const actions = await times(50, (i) => root(i).action('POST', key.path, bodies[i]));
      const answers = await times(50, (i) => root(i).send('POST', key.path, { bodyText: bodies[i] ?? '', userAction: actions[i] ?? '' }));
      const { body: listed } = await root(0).call('GET', key.path);
      const [only, ...more] = listed.items;
      expect(more).toEqual([]);
      expect(answers.filter(({ status }) => status === 200)).toEqual([{ status: 200, body: only }]);
      const error = {
        message: 'Conflicting signature with same externalId',
        details: { duplicate: { id: only.id, externalId: 'the same' } },
      };
      for (const answer of answers.filter(({ status }) => status !== 200)) expect(answer).toMatchObject({ status: 409, body: { error } });
    });
  });

  describe('one user action', () => {
    test.each(['EdDSA', 'ECDSA'] as const)('used by twenty requests at once is one signature by %s', async (scheme) => {
      const key = await newKey(scheme);
      const example = exampleOf(scheme, scheme === 'EdDSA' ? 'ed25519' : 'secp256k1');
      for (let round = 1; round <= 5; round++) {
        const bodyText = JSON.stringify(example.body('0x'));
        const userAction = await root(round).action('POST', key.path, bodyText);
        const answers = await times(20, (i) => root(i).send('POST', key.path, { bodyText, userAction }));
        const served = expectOneServed(answers);
        expectSigned(served, example, key);
        const { body: listed } = await root(0).call('GET', key.path);
        expect(listed.items).toHaveLength(round);
        expect(listed.items[0]).toEqual(served);
      }
    });

    test('used by twenty requests at once is one key', async () => {
      const bodyText = '{"scheme":"EdDSA","curve":"ed25519","name":"only one"}';
      const userAction = await root(0).action('POST', '/keys', bodyText);
      const served = expectOneServed(await times(20, (i) => root(i).send('POST', '/keys', { bodyText, userAction })));
      const { body: listed } = await root(0).call('GET', '/keys?limit=200');
      expect(listed.items.filter(({ name }: { name: string }) => name === 'only one')).toEqual([served]);
    });

    test('used by twenty requests at once whose body is refused is spent by one of them', async () => {
      const bodyText = '{"scheme":';
      const userAction = await root(0).action('POST', '/keys', bodyText);
      const answers = await times(20, (i) => root(i).send('POST', '/keys', { bodyText, userAction }));
      const messages = answers.map(({ status, body }) => ({ status, message: body.error.message }));
      const malformed = { status: 400, message: 'the body is not valid JSON' };
      expect(messages.filter(({ message }) => message === malformed.message)).toEqual([malformed]);
      expect(messages.filter(({ message }) => message === used.message)).toHaveLength(19);
    });
  });

  if (kind === 'pglite') return; // one process at a time

  describe('two replicas', () => {
    const second = () => replicas[1] as Instance;

    test('take each other’s tokens, challenges and user actions, and show the same', async () => {
      const key = await newKey('ECDSA');
      const example = exampleOf('ECDSA', 'secp256k1');
      const bodyText = JSON.stringify(example.body('0x'));
      const asked = JSON.stringify({ userActionPayload: bodyText, userActionHttpMethod: 'POST', userActionHttpPath: key.path });
      const { body: challenge } = await root(0).send('POST', '/auth/action/init', { bodyText: asked });
      const firstFactor = root(0).assertion(challenge.challenge);
      const signed = JSON.stringify({ challengeIdentifier: challenge.challengeIdentifier, firstFactor });
      const { body: action } = await root(1).send('POST', '/auth/action', { bodyText: signed });
      const { body: answer } = await root(0).send('POST', key.path, { bodyText, userAction: action.userAction });
      expectSigned(answer, example, key);
      expect((await root(1).call('GET', `${key.path}/${answer.id}`)).body).toEqual(answer);
      expect(await root(1).send('POST', key.path, { bodyText, userAction: action.userAction })).toMatchObject({
        status: used.status,
        body: { error: { message: used.message } },
      });
    });

    test('stop an account at once, wherever it is deactivated', async () => {
      const account = await newAccount(first, ['Keys:Read']);
      const there = at(second(), account);
      for (let round = 0; round < 5; round++) {
        expect((await there.call('GET', '/keys')).status).toBe(200);
        await root(0).call('PUT', `/auth/service-accounts/${account.userId}/deactivate`);
        expect(await there.call('GET', '/keys')).toMatchObject({
          status: 400,
          body: { error: { message: 'User account has been deactivated.' } },
        });
        await root(0).call('PUT', `/auth/service-accounts/${account.userId}/activate`);
      }
    });

    test('stop a permission at once, wherever it is revoked', async () => {
      const account = await newAccount(first, ['Keys:Read']);
      const there = at(second(), account);
      expect((await there.call('GET', '/keys')).status).toBe(200);
      await root(0).call('DELETE', `/permissions/${account.permissionId}/assignments/${account.assignmentId}`);
      expect((await there.call('GET', '/keys')).status).toBe(403);
    });

    test('sign with the same key at the same time', async () => {
      const [eddsa, ecdsa] = [await newKey('EdDSA'), await newKey('ECDSA')];
      const signing = [
        { key: eddsa, example: exampleOf('EdDSA', 'ed25519') },
        { key: ecdsa, example: exampleOf('ECDSA', 'secp256k1') },
      ] as const;
      await times(100, async (i) => {
        const { key, example } = signing[i % 4 < 2 ? 0 : 1];
        const { body } = await root(i).call('POST', key.path, example.body('0x'));
        expectSigned(body, example, key);
      });
      for (const { key } of signing) {
        const { body: listed } = await root(0).call('GET', `${key.path}?limit=200`);
        const rs: string[] = listed.items.map(({ signature }: { signature: { r: string } }) => signature.r);
        expect(rs).toHaveLength(50);
        expect(new Set(rs.map((r) => bytes(r).join())).size).toBe(50); // no nonce twice
      }
    });

    test('are one when the other is killed', async () => {
      const key = await newKey('EdDSA');
      const example = exampleOf('EdDSA', 'ed25519');
      await second().kill();
      const { body } = await root(0).call('POST', key.path, example.body('0x'));
      expectSigned(body, example, key);
    });
  });
});

function toHex(byte: number): string {
  return byte.toString(16).padStart(2, '0');
}
