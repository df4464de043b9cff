import { generateKeyPairSync } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { utf8 } from '../../src/base/bytes.ts';
import { newId } from '../../src/base/ids.ts';
import { challengeOf, payloadHashOf } from '../../src/crypto/authorisation.ts';
import { type Client, createClient } from '../support/client.ts';
import { eachDatabase } from '../support/databases.ts';
import { refusal } from '../support/refusal.ts';
import { type FakeWorld, newSecrets, publicPem, startWorld } from '../support/world.ts';

const used = refusal(400, 'user action has already been used');
const missing = refusal(403, 'user action signature is missing or invalid');
const unauthorized = refusal(401, 'Not Authorized.');
const challengeInvalid = refusal(400, 'Challenge token is not valid.');

eachDatabase((kind, open) => {
  let world: FakeWorld;
  let shiftMs = 0;
  const secrets = newSecrets();

  beforeAll(async () => {
    world = await startWorld({ database: await open(), secrets, clock: () => Date.now() + shiftMs });
  });
  afterAll(() => world.stop());

  const permission = () => JSON.stringify({ name: newId('permission'), operations: ['Keys:Read'] });

  async function later<T>(ms: number, work: () => Promise<T>): Promise<T> {
    shiftMs = ms;
    try {
      return await work();
    } finally {
      shiftMs = 0;
    }
  }

  describe('the bearer token', () => {
    test.each([
      ['missing', undefined],
      ['of another scheme', 'Basic cm9vdDpyb290'],
      ['not a token', 'Bearer abc'],
      ['of another service', `Bearer ${'e30.e30.e30'}`],
    ])('%s is refused', async (_, authorization) => {
      const response = await fetch(`${world.origin}/keys`, authorization === undefined ? {} : { headers: { authorization } });
      expect({ status: response.status, body: await response.json() }).toMatchObject(unauthorized);
    });

    test('is good for its user until it expires', async () => {
      const account = await world.serviceAccount(['Keys:Read']);
      expect(await account.call('GET', '/keys')).toMatchObject({ status: 200 });
      expect(await later(731 * 24 * 3600_000, () => account.call('GET', '/keys'))).toMatchObject(unauthorized);
    });

    test('of a deactivated account is refused, and good again when that is activated', async () => {
      const account = await world.serviceAccount(['Keys:Read']);
      const path = `/auth/service-accounts/${account.userId}`;
      await world.root.call('PUT', `${path}/deactivate`);
      expect(await account.call('GET', '/keys')).toMatchObject(refusal(400, 'User account has been deactivated.'));
      await world.root.call('PUT', `${path}/activate`);
      expect(await account.call('GET', '/keys')).toMatchObject({ status: 200 });
    });

    test('of a deleted account is refused', async () => {
      const account = await world.serviceAccount(['Keys:Read']);
      await world.root.call('DELETE', `/auth/service-accounts/${account.userId}`);
      expect(await account.call('GET', '/keys')).toMatchObject(unauthorized);
    });

    test('grants what is assigned at this moment', async () => {
      const account = await world.serviceAccount(['Keys:Read']);
      expect(await account.call('GET', '/keys')).toMatchObject({ status: 200 });
      const { body } = await world.root.call('GET', `/permissions/${account.permissionId}/assignments`);
      await world.root.call('DELETE', `/permissions/${account.permissionId}/assignments/${body.items[0].id}`);
      expect(await account.call('GET', '/keys')).toMatchObject(
        refusal(403, `ServiceAccount ${account.userId} is not authorized to perform operation (Keys:Read)`),
      );
    });

    test('grants nothing of an archived permission', async () => {
      const account = await world.serviceAccount(['Keys:Read']);
      await world.root.call('PUT', `/permissions/${account.permissionId}/archive`, { isArchived: true });
      expect(await account.call('GET', '/keys')).toMatchObject({ status: 403 });
    });

    test('grants what a legacy operation stands for', async () => {
      const account = await world.serviceAccount(['PermissionAssignments:Read']);
      expect(await account.call('GET', `/permissions/${account.permissionId}/assignments`)).toMatchObject({ status: 200 });
    });
  });

  describe('a challenge', () => {
    test('commits to the request, so that anyone can recompute it', async () => {
      const payload = permission();
      const { body } = await world.root.send('POST', '/auth/action/init', {
        bodyText: JSON.stringify({ userActionPayload: payload, userActionHttpMethod: 'POST', userActionHttpPath: '/permissions' }),
      });
      const claims = JSON.parse(Buffer.from(body.challengeIdentifier.split('.')[1], 'base64url').toString());
      expect(body).toEqual({
        challenge: challengeOf({
          method: 'POST',
          path: '/permissions',
          payloadHash: payloadHashOf(utf8(payload)),
          organisationId: world.root.organisationId,
          callerId: world.root.userId,
          nonce: claims.jti,
          expiresAt: claims.exp,
        }),
        challengeIdentifier: expect.any(String),
        supportedCredentialKinds: [{ kind: 'Key', factor: 'first', requiresSecondFactor: false }],
        userVerification: 'required',
        attestation: 'direct',
        allowCredentials: { key: [{ type: 'public-key', id: world.root.credentialId }], webauthn: [] },
        externalAuthenticationUrl: '',
      });
      expect(Buffer.from(claims.jti, 'base64url')).toHaveLength(32);
      expect(claims.exp - claims.iat).toBe(300);
    });

    test.each([
      ['P-256', () => generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey, 'sha256'],
      ['secp256k1', () => generateKeyPairSync('ec', { namedCurve: 'secp256k1' }).privateKey, 'sha256'],
      ['RSA', () => generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey, 'sha256'],
    ])('is signed with a credential on %s', async (_, generate, digest) => {
      const privateKey = generate();
      const permissionId = (await world.serviceAccount(['Permissions:Create'])).permissionId;
      const made = await world.root.call('POST', '/auth/service-accounts', {
        name: 'other',
        publicKey: publicPem(privateKey),
        permissionId,
      });
      const [{ accessToken, credId }] = made.body.accessTokens;
      const account = createClient(world.origin, { accessToken, credId, privateKey, digest });
      expect(await account.action('POST', '/permissions', permission())).toEqual(expect.any(String));
    });

    test.each([
      ['no path', { userActionHttpMethod: 'POST' }],
      ['another method', { userActionHttpMethod: 'PATCH', userActionHttpPath: '/keys' }],
      ['a relative path', { userActionHttpMethod: 'POST', userActionHttpPath: 'keys' }],
      ['a path with U+0000', { userActionHttpMethod: 'POST', userActionHttpPath: '/keys/\0' }],
      ['the other server kind', { userActionHttpMethod: 'POST', userActionHttpPath: '/keys', userActionServerKind: 'Staff' }],
    ])('is not given for %s', async (_, body) => {
      expect(await world.root.send('POST', '/auth/action/init', { bodyText: JSON.stringify(body) })).toMatchObject({ status: 400 });
    });
  });

  describe('the answer to a challenge', () => {
    async function complete(client: Client, change: (body: Record<string, unknown>) => Record<string, unknown>) {
      const init = await client.send('POST', '/auth/action/init', {
        bodyText: JSON.stringify({ userActionHttpMethod: 'POST', userActionHttpPath: '/permissions' }),
      });
      const { challengeIdentifier, challenge } = init.body;
      const body = change({ challengeIdentifier, firstFactor: client.assertion(challenge), challenge });
      return client.send('POST', '/auth/action', { bodyText: JSON.stringify(body) });
    }

    test('is a user action', async () => {
      expect(await complete(world.root, (body) => body)).toMatchObject({ status: 200, body: { userAction: expect.any(String) } });
    });

    test('is refused over a forged challenge', async () => {
      const forged = (body: Record<string, unknown>) => ({
        ...body,
        challengeIdentifier: `${body.challengeIdentifier}`.replace(/.{8}$/, 'AAAAAAAA'),
      });
      expect(await complete(world.root, forged)).toMatchObject(challengeInvalid);
      const bearer = () => ({ challengeIdentifier: world.root.accessToken });
      expect(await complete(world.root, (body) => ({ ...body, ...bearer() }))).toMatchObject(challengeInvalid);
    });

    test('is refused over an expired challenge', async () => {
      const init = await world.root.send('POST', '/auth/action/init', {
        bodyText: JSON.stringify({ userActionHttpMethod: 'POST', userActionHttpPath: '/permissions' }),
      });
      const { challengeIdentifier, challenge } = init.body;
      const bodyText = JSON.stringify({ challengeIdentifier, firstFactor: world.root.assertion(challenge) });
      expect(await later(301_000, () => world.root.send('POST', '/auth/action', { bodyText }))).toMatchObject(challengeInvalid);
    });

    test('is refused over the challenge of another caller', async () => {
      const other = await world.serviceAccount();
      const init = await other.send('POST', '/auth/action/init', {
        bodyText: JSON.stringify({ userActionHttpMethod: 'POST', userActionHttpPath: '/permissions' }),
      });
      const { challengeIdentifier, challenge } = init.body;
      const bodyText = JSON.stringify({ challengeIdentifier, firstFactor: world.root.assertion(challenge) });
      expect(await world.root.send('POST', '/auth/action', { bodyText })).toMatchObject(challengeInvalid);
    });

    test('is refused with a wrong signature', async () => {
      expect(await complete(world.root, (body) => ({ ...body, firstFactor: world.root.assertion('another challenge') }))).toMatchObject(
        unauthorized,
      );
    });

    test('is refused with a credential of somebody else', async () => {
      const other = await world.serviceAccount();
      expect(await complete(world.root, (body) => ({ ...body, firstFactor: other.assertion(`${body.challenge}`) }))).toMatchObject(
        refusal(401, 'User does not have a credential that can be used for the application.'),
      );
    });

    test('is refused with the credential under another kind', async () => {
      const asFido = ({ challenge, ...body }: Record<string, unknown>) => {
        const { credentialAssertion } = world.root.assertion(`${challenge}`);
        return { ...body, firstFactor: { kind: 'Fido2', credentialAssertion: { ...credentialAssertion, authenticatorData: '' } } };
      };
      expect(await complete(world.root, asFido)).toMatchObject({ status: 401 });
    });

    test('is refused with a password', async () => {
      const firstFactor = { kind: 'Password', password: 'secret' };
      expect(await complete(world.root, (body) => ({ ...body, firstFactor }))).toMatchObject({ status: 400 });
    });

    test('is refused when the second factor is the first', async () => {
      expect(await complete(world.root, (body) => ({ ...body, secondFactor: body.firstFactor }))).toMatchObject({ status: 400 });
    });
  });

  describe('a user action', () => {
    test('is required', async () => {
      expect(await world.root.send('POST', '/permissions', { bodyText: permission() })).toMatchObject(missing);
    });

    test.each([
      ['another body', 'POST', '/permissions', (text: string) => `${text} `],
      ['no body', 'POST', '/permissions', () => ''],
      ['another path', 'POST', '/permissions/', (text: string) => text],
      ['another method', 'PUT', '/permissions', (text: string) => text],
    ] as const)('does not serve for %s', async (_, method, path, change) => {
      const bodyText = permission();
      const userAction = await world.root.action(method, path, change(bodyText));
      expect(await world.root.send('POST', '/permissions', { bodyText, userAction })).toMatchObject(missing);
    });

    test('does not serve for another caller', async () => {
      const other = await world.serviceAccount(['Permissions:Create', 'Keys:Read']);
      const bodyText = permission();
      const userAction = await world.root.action('POST', '/permissions', bodyText);
      expect(await other.send('POST', '/permissions', { bodyText, userAction })).toMatchObject(missing);
    });

    test('is none of the other tokens', async () => {
      expect(await world.root.send('POST', '/permissions', { bodyText: permission(), userAction: world.root.accessToken })).toMatchObject(
        missing,
      );
    });

    test('does not serve when it has expired', async () => {
      const bodyText = permission();
      const userAction = await world.root.action('POST', '/permissions', bodyText);
      expect(await later(301_000, () => world.root.send('POST', '/permissions', { bodyText, userAction }))).toMatchObject(missing);
    });

    test('does not serve when its credential was deactivated meanwhile', async () => {
      const account = await world.serviceAccount(['Permissions:Create', 'Keys:Read']);
      const bodyText = permission();
      const userAction = await account.action('POST', '/permissions', bodyText);
      await world.database.query('update credentials set is_active = false where user_id = $1', [account.userId]);
      // The embedded database has no other writer than this process: what is written behind its back shows with the next entry of the log.
      await world.root.call('POST', '/permissions', JSON.parse(permission()));
      expect(await account.send('POST', '/permissions', { bodyText, userAction })).toMatchObject(missing);
    });

    test('serves once', async () => {
      const bodyText = permission();
      const userAction = await world.root.action('POST', '/permissions', bodyText);
      expect(await world.root.send('POST', '/permissions', { bodyText, userAction })).toMatchObject({ status: 200 });
      expect(await world.root.send('POST', '/permissions', { bodyText, userAction })).toMatchObject(used);
    });

    test.each([
      ['a body that is not valid', 'POST', '/permissions', '{"name":""}', 400],
      ['a body that is not JSON', 'POST', '/permissions', '{', 400],
      ['an entity that is not there', 'PUT', '/permissions/pm-none/archive', '{"isArchived":true}', 404],
    ] as const)('is spent by a request with %s', async (_, method, path, bodyText, status) => {
      const userAction = await world.root.action(method, path, bodyText);
      expect(await world.root.send(method, path, { bodyText, userAction })).toMatchObject({ status });
      expect(await world.root.send(method, path, { bodyText, userAction })).toMatchObject(used);
    });

    test('leaves one row in the audit log, with all it takes to verify it again', async () => {
      const bodyText = permission();
      const userAction = await world.root.action('POST', '/permissions', bodyText);
      await world.root.send('POST', '/permissions', { bodyText, userAction });
      const rows = await world.database.query('select * from audit_log where payload_hash = $1', [payloadHashOf(utf8(bodyText))]);
      expect(rows).toEqual([
        {
          nonce: expect.any(String),
          organisation_id: world.root.organisationId,
          user_id: world.root.userId,
          token_id: expect.stringMatching(/^to-/),
          method: 'POST',
          path: '/permissions',
          payload_hash: payloadHashOf(utf8(bodyText)),
          credential_uuid: expect.stringMatching(/^cr-/),
          assertion: { kind: 'Key', credId: world.root.credentialId, clientData: expect.any(String), signature: expect.any(String) },
          date_expires: expect.any(Date),
          date_performed: expect.any(Date),
          request_id: expect.any(String),
          refusal: null,
        },
      ]);
    });

    test('a refused one leaves its row, with the reason', async () => {
      const bodyText = JSON.stringify({ name: newId('permission'), operations: ['No:Such:Thing'] });
      const { body } = await world.root.call('POST', '/permissions', bodyText);
      const rows = await world.database.query('select refusal from audit_log where payload_hash = $1', [payloadHashOf(utf8(bodyText))]);
      expect(rows).toEqual([{ refusal: body.error.message }]);
    });

    test('used by twenty requests at once serves one', async () => {
      const bodyText = permission();
      const userAction = await world.root.action('POST', '/permissions', bodyText);
      const answers = await Promise.all(
        Array.from({ length: 20 }, () => world.root.send('POST', '/permissions', { bodyText, userAction })),
      );
      expectOneOf(answers, 20);
    });

    test('used by twenty signature requests at once serves one', async () => {
      const { body: key } = await world.root.call('POST', '/keys', { scheme: 'EdDSA', curve: 'ed25519' });
      const path = `/keys/${key.id}/signatures`;
      const bodyText = JSON.stringify({ kind: 'Message', message: '0x00' });
      const userAction = await world.root.action('POST', path, bodyText);
      const answers = await Promise.all(Array.from({ length: 20 }, () => world.root.send('POST', path, { bodyText, userAction })));
      expectOneOf(answers, 20);
      expect((await world.root.call('GET', path)).body.items).toHaveLength(1);
    });

    test.runIf(kind === 'postgres')('used at two replicas at once serves one', async () => {
      const { body: key } = await world.root.call('POST', '/keys', { scheme: 'EdDSA', curve: 'ed25519' });
      const second = await startWorld({ database: world.database, secrets, coordinator: world.coordinator });
      const path = `/keys/${key.id}/signatures`;
      for (let i = 0; i < 10; i++) {
        const bodyText = JSON.stringify({ kind: 'Message', message: '0x00' });
        const userAction = await world.root.action('POST', path, bodyText);
        const answers = await Promise.all(
          [world, second, world, second].map(({ root }) => root.send('POST', path, { bodyText, userAction })),
        );
        expectOneOf(answers, 4);
      }
      await second.stop();
    });
  });

  describe('permissions come before the user action', () => {
    test('without the permission a request is refused, and its user action not spent', async () => {
      const account = await world.serviceAccount(['Keys:Read']);
      const bodyText = JSON.stringify({ scheme: 'EdDSA', curve: 'ed25519' });
      const userAction = await account.action('POST', '/keys', bodyText);
      const forbidden = refusal(403, `ServiceAccount ${account.userId} is not authorized to perform operation (Keys:Create)`);
      expect(await account.send('POST', '/keys', { bodyText, userAction })).toMatchObject(forbidden);
      expect(await account.send('POST', '/keys', { bodyText })).toMatchObject(forbidden);
    });
  });
});

function expectOneOf(answers: readonly { status: number; body: unknown }[], count: number): void {
  expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
  const others = answers.filter(({ status }) => status !== 200);
  expect(others).toHaveLength(count - 1);
  for (const other of others) expect(other).toMatchObject(used);
}
