import { generateKeyPairSync } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { newId } from '../../src/base/ids.ts';
import { createClient } from '../support/client.ts';
import { eachDatabase } from '../support/databases.ts';
import { refusal } from '../support/refusal.ts';
import { type FakeWorld, publicPem, startWorld } from '../support/world.ts';

const path = '/auth/service-accounts';

eachDatabase((_, open) => {
  let world: FakeWorld;
  beforeAll(async () => {
    world = await startWorld({ database: await open() });
  });
  afterAll(() => world.stop());

  const publicKey = publicPem(generateKeyPairSync('ed25519').privateKey);
  const bodyOf = (more: Record<string, unknown> = {}) => ({ name: 'signing service', publicKey, ...more });
  const newPermission = async (operations: readonly string[]) =>
    (await world.root.call('POST', '/permissions', { name: newId('permission'), operations })).body;

  describe('creating one', () => {
    test('answers with the account and, this once, its access token', async () => {
      const permission = await newPermission(['Keys:Read']);
      const { status, body } = await world.root.call('POST', path, bodyOf({ permissionId: permission.id }));
      const permissionAssignments = [
        {
          permissionName: permission.name,
          permissionId: permission.id,
          assignmentId: expect.stringMatching(/^as-/),
          operations: ['Keys:Read'],
        },
      ];
      const orgId = world.root.organisationId;
      expect({ status, body }).toEqual({
        status: 200,
        body: {
          userInfo: {
            username: 'signing service',
            name: 'signing service',
            userId: expect.stringMatching(/^us-/),
            kind: 'CustomerEmployee',
            credentialUuid: expect.stringMatching(/^cr-/),
            orgId,
            isActive: true,
            isServiceAccount: true,
            isRegistered: true,
            permissionAssignments,
          },
          accessTokens: [
            {
              accessToken: expect.stringMatching(/^[\w-]+\.[\w-]+\.[\w-]+$/),
              dateCreated: expect.any(String),
              credId: expect.stringMatching(/^[\w-]{43}$/),
              isActive: true,
              kind: 'ServiceAccount',
              linkedUserId: body.userInfo.userId,
              linkedAppId: '',
              name: 'signing service',
              orgId,
              permissionAssignments,
              publicKey,
              tokenId: expect.stringMatching(/^to-/),
            },
          ],
        },
      });
      const [{ accessToken: _, ...token }] = body.accessTokens;
      const shown = { ...body, accessTokens: [token] };
      expect(await world.root.call('GET', `${path}/${body.userInfo.userId}`)).toEqual({ status: 200, body: shown });
      const list = await world.root.call('GET', path);
      expect(list.body.items[0]).toEqual(shown);
      expect(list.body.items.map(({ userInfo }: { userInfo: { name: string } }) => userInfo.name)).toContain('root');
    });

    test('the token lives as long as was asked', async () => {
      const claimsOf = (answer: { body: { accessTokens: { accessToken: string }[] } }) =>
        JSON.parse(Buffer.from(`${answer.body.accessTokens[0]?.accessToken.split('.')[1]}`, 'base64url').toString());
      const day = 24 * 3600;
      const short = claimsOf(await world.root.call('POST', path, bodyOf({ daysValid: 1 })));
      expect(short.exp - short.iat).toBe(day);
      const long = claimsOf(await world.root.call('POST', path, bodyOf()));
      expect(long.exp - long.iat).toBe(730 * day);
    });

    test.each([
      ['no name', { publicKey }],
      ['no public key', { name: 'x' }],
      ['a public key that is none', bodyOf({ publicKey: 'ssh-ed25519 AAAA' })],
      ['a short RSA key', bodyOf({ publicKey: publicPem(generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey) })],
      ['no days', bodyOf({ daysValid: 0 })],
      ['731 days', bodyOf({ daysValid: 731 })],
      ['half a day', bodyOf({ daysValid: 0.5 })],
      ['an empty externalId', bodyOf({ externalId: '' })],
      ['an externalId of 65 characters', bodyOf({ externalId: 'x'.repeat(65) })],
    ])('with %s is refused', async (_, body) => {
      expect(await world.root.call('POST', path, body)).toMatchObject({ status: 400 });
    });

    test('with an unknown permission is refused, and makes nothing', async () => {
      const before = await world.root.call('GET', path);
      const answer = await world.root.call('POST', path, bodyOf({ permissionId: 'pm-none' }));
      expect(answer).toMatchObject(refusal(404, 'Permission not found'));
      expect(await world.root.call('GET', path)).toEqual(before);
    });

    test('with a permission takes the right to assign it, and to hold what it grants', async () => {
      const { id: permissionId } = await newPermission(['Keys:Create']);
      const creator = await world.serviceAccount(['Auth:ServiceAccounts:Create']);
      const lacks = (userId: string, operation: string) =>
        refusal(403, `ServiceAccount ${userId} is not authorized to perform operation (${operation})`);
      expect(await creator.call('POST', path, bodyOf({ permissionId }))).toMatchObject(lacks(creator.userId, 'Permissions:Assign'));
      expect(await creator.call('POST', path, bodyOf())).toMatchObject({ status: 200 });
      const assigner = await world.serviceAccount(['Auth:ServiceAccounts:Create', 'Permissions:Assign']);
      expect(await assigner.call('POST', path, bodyOf({ permissionId }))).toMatchObject(lacks(assigner.userId, 'Keys:Create'));
    });

    test('a public key with newlines as two characters works', async () => {
      const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
      const { id: permissionId } = await newPermission(['Permissions:Create']);
      const escaped = publicPem(privateKey).trim().replaceAll('\n', '\\n');
      const { body } = await world.root.call('POST', path, { name: 'x', publicKey: escaped, permissionId });
      const [{ accessToken, credId, publicKey: shown }] = body.accessTokens;
      expect(shown).toBe(escaped);
      const client = createClient(world.origin, { accessToken, credId, privateKey, digest: 'sha256' });
      const answer = await client.call('POST', '/permissions', { name: newId('permission'), operations: ['Permissions:Create'] });
      expect(answer).toMatchObject({ status: 200 });
    });
  });

  describe('an externalId', () => {
    test('given again with the same body answers the same account, without its token', async () => {
      const externalId = newId('request');
      const first = await world.root.call(
        'POST',
        path,
        `{"name":"one","publicKey":${JSON.stringify(publicKey)},"externalId":"${externalId}"}`,
      );
      const again = await world.root.call('POST', path, { externalId, publicKey, name: 'one' });
      const [{ accessToken, ...token }] = first.body.accessTokens;
      expect(accessToken).toEqual(expect.any(String));
      expect(again).toEqual({ status: 200, body: { ...first.body, accessTokens: [token] } });
    });

    test('given again with another body is refused, and names the one there is', async () => {
      const externalId = newId('request');
      const { body } = await world.root.call('POST', path, bodyOf({ externalId }));
      expect(await world.root.call('POST', path, bodyOf({ externalId, name: 'other' }))).toEqual({
        status: 409,
        body: {
          error: {
            id: expect.any(String),
            status: 409,
            message: 'Conflicting service account with same externalId',
            details: { duplicate: { id: body.userInfo.userId, externalId } },
          },
        },
      });
    });

    test('given by fifty requests at once makes one account', async () => {
      const externalId = newId('request');
      const answers = await Promise.all(Array.from({ length: 50 }, () => world.root.call('POST', path, bodyOf({ externalId }))));
      expect(answers.map(({ status }) => status)).toEqual(Array(50).fill(200));
      expect(new Set(answers.map(({ body }) => body.userInfo.userId)).size).toBe(1);
      expect(answers.filter(({ body }) => body.accessTokens[0].accessToken !== undefined)).toHaveLength(1);
    });

    test('given later belongs to that account', async () => {
      const externalId = newId('request');
      const one = await world.serviceAccount();
      const other = await world.serviceAccount();
      expect(await world.root.call('PUT', `${path}/${one.userId}`, { externalId })).toMatchObject({ status: 200 });
      expect(await world.root.call('PUT', `${path}/${one.userId}`, { externalId })).toMatchObject({ status: 200 });
      const conflict = refusal(409, 'Conflicting service account with same externalId');
      expect(await world.root.call('PUT', `${path}/${other.userId}`, { externalId })).toMatchObject(conflict);
      expect(await world.root.call('POST', path, bodyOf({ externalId }))).toMatchObject(conflict);
    });
  });

  describe('changing one', () => {
    test('renames it', async () => {
      const { userId } = await world.serviceAccount();
      const { body } = await world.root.call('PUT', `${path}/${userId}`, { name: 'renamed' });
      expect(body).toMatchObject({ userInfo: { name: 'renamed', username: 'renamed' }, accessTokens: [{ name: 'renamed' }] });
      expect((await world.root.call('GET', `${path}/${userId}`)).body).toEqual(body);
    });

    test('deactivates and activates it, as often as asked', async () => {
      const { userId } = await world.serviceAccount();
      for (const [event, isActive] of [
        ['deactivate', false],
        ['deactivate', false],
        ['activate', true],
        ['activate', true],
      ] as const) {
        const { status, body } = await world.root.call('PUT', `${path}/${userId}/${event}`);
        expect({ status, body }).toMatchObject({ status: 200, body: { userInfo: { isActive }, accessTokens: [{ isActive }] } });
        expect((await world.root.call('GET', `${path}/${userId}`)).body).toEqual(body);
      }
    });

    test('deactivates it without a body, or with force', async () => {
      const { userId } = await world.serviceAccount();
      const userAction = await world.root.action('PUT', `${path}/${userId}/deactivate`, '');
      expect(await world.root.send('PUT', `${path}/${userId}/deactivate`, { userAction })).toMatchObject({ status: 200 });
      expect(await world.root.call('PUT', `${path}/${userId}/deactivate`, { force: true })).toMatchObject({ status: 200 });
    });

    test('deletes it for good', async () => {
      const { userId } = await world.serviceAccount(['Keys:Read']);
      const { status, body } = await world.root.call('DELETE', `${path}/${userId}?force=true`);
      expect({ status, body }).toMatchObject({
        status: 200,
        body: { userInfo: { userId, isActive: false }, accessTokens: [{ isActive: false }] },
      });
      for (const [method, suffix] of [
        ['GET', ''],
        ['DELETE', ''],
        ['PUT', '/activate'],
      ] as const) {
        const answer = await world.root.call(method, `${path}/${userId}${suffix}`);
        expect(answer).toMatchObject(refusal(404, 'Service account not found'));
      }
      const { body: list } = await world.root.call('GET', path);
      expect(list.items.map(({ userInfo }: { userInfo: { userId: string } }) => userInfo.userId)).not.toContain(userId);
    });

    test('nobody stops or deletes themselves', async () => {
      const self = refusal(400, 'a service account cannot deactivate or delete itself');
      expect(await world.root.call('PUT', `${path}/${world.root.userId}/deactivate`)).toMatchObject(self);
      expect(await world.root.call('DELETE', `${path}/${world.root.userId}`)).toMatchObject(self);
    });

    test('the last full admin is neither stopped nor deleted', async () => {
      const account = await world.serviceAccount(['Auth:ServiceAccounts:Deactivate', 'Auth:ServiceAccounts:Delete']);
      const alone = refusal(409, 'the organisation would be left without an active full admin');
      expect(await account.call('PUT', `${path}/${world.root.userId}/deactivate`)).toMatchObject(alone);
      expect(await account.call('DELETE', `${path}/${world.root.userId}`)).toMatchObject(alone);
      expect(await world.root.call('GET', `${path}/${world.root.userId}`)).toMatchObject({ body: { userInfo: { isActive: true } } });
    });

    test('an unknown one is not found', async () => {
      for (const [method, suffix, body] of [
        ['GET', '', undefined],
        ['PUT', '', { name: 'x' }],
        ['PUT', '/activate', undefined],
        ['PUT', '/deactivate', undefined],
        ['DELETE', '', undefined],
      ] as const) {
        expect(await world.root.call(method, `${path}/us-none${suffix}`, body)).toMatchObject(refusal(404, 'Service account not found'));
      }
    });
  });
});
