/**
 * The official clients, unmodified, over real HTTP against a whole running instance: every route of keys, signatures, service accounts,
 * permissions, signers and key stores, by the direct and by the delegated client, on both databases. A recorder stands between, so that
 * what the clients send is seen and every answer is held against its contract.
 */

import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { DfnsError } from '@dfns/sdk';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { operations } from '../../src/authority/operations.ts';
import { accessContract } from '../../src/features/access/contract.ts';
import { keyStoresContract } from '../../src/features/keyStores/contract.ts';
import { keysContract } from '../../src/features/keys/contract.ts';
import { permissionsContract } from '../../src/features/permissions/contract.ts';
import { serviceAccountsContract } from '../../src/features/serviceAccounts/contract.ts';
import { signaturesContract } from '../../src/features/signatures/contract.ts';
import { eachDatabase } from '../support/databases.ts';
import { type Instance, startInstance } from '../support/instance.ts';
import { handedIn, newOwner, newTravelPair, recombined } from '../support/travellingKeys.ts';
import { publicPem } from '../support/world.ts';
import { type Account, administratorOf, type Client, claimsOf, clientOf, pages } from './clients.ts';
import { exampleOf, examples, expectSigned, hash, type KeyTypeNames } from './examples.ts';
import { expectContract, type Recorder, record } from './recorder.ts';
import { aCredId, aDate, anId, hex0xOf, hexOf } from './shapes.ts';

const keyTypes: readonly KeyTypeNames[] = [
  { scheme: 'ECDSA', curve: 'secp256k1' },
  { scheme: 'ECDSA', curve: 'stark' },
  { scheme: 'EdDSA', curve: 'ed25519' },
  { scheme: 'Schnorr', curve: 'secp256k1' },
  { scheme: 'DH', curve: 'secp256k1' },
];

/** The official client knows nothing of it. */
const ours = 'POST /signers/takeovers';
/** The endpoints that must have been called through each client. */
const endpoints = [accessContract, keysContract, signaturesContract, serviceAccountsContract, permissionsContract, keyStoresContract]
  .flatMap((contract) => Object.values(contract))
  .map(({ method, path }) => `${method} ${path}`)
  .filter((endpoint) => endpoint !== ours);

const privatePem = (key: KeyObject): string => key.export({ type: 'pkcs8', format: 'pem' }).toString();
const newCredential = (): KeyObject => generateKeyPairSync('ed25519').privateKey;

eachDatabase((_, __, place) => {
  let instance: Instance;
  let admin: Account;
  beforeAll(async () => {
    const { dataDir, databaseUrl } = await place();
    instance = await startInstance({ dataDir, env: databaseUrl === undefined ? {} : { DATABASE_URL: databaseUrl } });
    admin = administratorOf(instance);
  });
  afterAll(() => instance?.remove());

  describe.each(['direct', 'delegated'] as const)('the %s client', (kind) => {
    let recorder: Recorder;
    let client: Client;
    let keys: readonly Awaited<ReturnType<Client['keys']['createKey']>>[];
    const keyOf = ({ scheme, curve }: KeyTypeNames) => {
      const found = keys.find((key) => key.scheme === scheme && key.curve === curve);
      if (found === undefined) throw new Error(`no ${scheme} key on ${curve}`);
      return found;
    };
    /** The member of every answer that says who asked. */
    const requester = () => {
      const { jti, 'https://custom/app_metadata': metadata } = claimsOf(admin.authToken);
      return { userId: metadata.userId, tokenId: jti };
    };

    beforeAll(async () => {
      recorder = await record(instance.origin);
      client = clientOf(kind, recorder.origin, admin);
      keys = await Promise.all(keyTypes.map((key) => client.keys.createKey({ body: key })));
    });
    afterAll(() => recorder?.close());

    describe('keys', () => {
      test.each(keyTypes)('$scheme on $curve: created and read', async ({ scheme, curve }) => {
        const key = keyOf({ scheme, curve });
        expect(key).toEqual({
          id: anId('key'),
          scheme,
          curve,
          publicKey: curve === 'ed25519' ? hexOf(32) : expect.stringMatching(/^0[23][0-9a-f]{64}$/),
          status: 'Active',
          custodial: true,
          dateCreated: aDate,
        });
        const store = { id: anId('store'), kind: 'Mpc', keyId: key.id };
        expect(await client.keys.getKey({ keyId: key.id })).toEqual({ ...key, wallets: [], store });
      });

      test('listed newest first, page by page, each once', async () => {
        const whole = (await client.keys.listKeys({ query: { limit: 200 } })).items;
        expect(whole.filter(({ id }) => keys.some((key) => key.id === id))).toHaveLength(keys.length);
        const dates = whole.map(({ dateCreated }) => dateCreated);
        expect(dates).toEqual([...dates].sort().reverse());
        expect(await pages((query) => client.keys.listKeys({ query }))).toEqual(whole);
        expect(await client.keys.listKeys()).toEqual({ items: whole });
      });

      test('named, renamed, their name taken away, archived', async () => {
        const key = await client.keys.createKey({ body: { scheme: 'EdDSA', curve: 'ed25519', name: 'Treasury' } });
        expect(key).toMatchObject({ name: 'Treasury', status: 'Active' });
        const { name: _, ...unnamed } = key;
        const keyId = key.id;
        expect(await client.keys.updateKey({ keyId, body: { name: 'Zürich ☂' } })).toEqual({ ...key, name: 'Zürich ☂' });
        expect(await client.keys.updateKey({ keyId, body: { name: null } })).toEqual(unnamed);
        const archived = await client.keys.deleteKey({ keyId });
        expect(archived).toEqual({ ...unnamed, status: 'Archived', dateDeleted: aDate });
        expect(await client.keys.deleteKey({ keyId })).toEqual(archived);
        expect(await client.keys.getKey({ keyId })).toMatchObject(archived);
      });

      test('of DH derive, the same each time, another output for another seed or domain', async () => {
        const { id: keyId } = keyOf({ scheme: 'DH', curve: 'secp256k1' });
        const derive = (domain: string, seed: string) => client.keys.deriveKey({ keyId, body: { domain, seed } });
        const first = await derive('0x0a0b', '0x01');
        expect(first).toEqual({ output: hex0xOf(32) });
        expect(await derive('0A0B', '01')).toEqual(first);
        const others = await Promise.all([derive('0x0a0b', '0x02'), derive('0x0a0c', '0x01')]);
        expect(new Set([first, ...others].map(({ output }) => output)).size).toBe(3);
      });

      test('are exported, to the end that they sign no more', async () => {
        const pair = newTravelPair();
        const key = await client.keys.createKey({ body: { scheme: 'EdDSA', curve: 'ed25519' } });
        const { encryptionKey } = pair;
        const body = { encryptionKey, supportedSchemes: [{ protocol: 'FROST' as const, curve: 'ed25519' as const }] };
        const answer = await client.keys.exportKey({ keyId: key.id, body });
        expect(answer).toMatchObject({ publicKey: key.publicKey, protocol: 'FROST', curve: 'ed25519', minSigners: 2 });
        recombined(pair, answer);
        expect(await client.keys.getKey({ keyId: key.id })).toMatchObject({ exported: true, dateExported: aDate });
        await expect(client.keys.generateSignature({ keyId: key.id, body: { kind: 'Message', message: '00' } })).rejects.toMatchObject({
          httpStatus: 400,
          message: 'the key was exported: it is used here no more',
        });
      });

      test('are delegated to end users only, of whom there are none yet', async () => {
        const { id: keyId } = await client.keys.createKey({ body: { scheme: 'EdDSA', curve: 'ed25519', delayDelegation: true } });
        const { userId } = claimsOf(admin.authToken)['https://custom/app_metadata'];
        await expect(client.keys.delegateKey({ keyId, body: { delegateTo: 'us-none' } })).rejects.toMatchObject({
          httpStatus: 404,
          message: 'User not found',
        });
        await expect(client.keys.delegateKey({ keyId, body: { delegateTo: userId } })).rejects.toMatchObject({
          httpStatus: 400,
          message: `keys are delegated to end users; ${userId} is a ServiceAccount`,
        });
      });

      test('are imported, whoever has split them', async () => {
        const owner = newOwner('ed25519');
        const { clusters } = await client.signers.listSigners();
        const body = { protocol: 'FROST' as const, ...handedIn(owner, clusters[0]?.signers ?? [], 3) };
        const key = await client.keys.importKey({ body: { ...body, name: 'From home' } });
        expect(key).toEqual({
          id: anId('key'),
          scheme: 'EdDSA',
          curve: 'ed25519',
          publicKey: owner.publicKey,
          name: 'From home',
          imported: true,
          status: 'Active',
          custodial: true,
          dateCreated: aDate,
        });
        expectSigned(
          await client.keys.generateSignature({ keyId: key.id, body: exampleOf('EdDSA', 'ed25519').body('0x') }),
          exampleOf('EdDSA', 'ed25519'),
          key,
        );
        await expect(client.keys.importKey({ body: { ...body, ...handedIn(owner, clusters[0]?.signers ?? [], 2) } })).rejects.toMatchObject(
          {
            httpStatus: 409,
            message: 'this key is here already',
          },
        );
      });
    });

    describe('signatures', () => {
      test.each(examples.flatMap((example) => ['0x', ''].map((prefix) => ({ example, prefix, ...example }))))(
        '$name, of hex with "$prefix" before it',
        async ({ example, prefix }) => {
          const key = keyOf(example.key);
          const body = example.body(prefix);
          const answer = await client.keys.generateSignature({ keyId: key.id, body });
          const isEcdsa = key.scheme === 'ECDSA';
          expect(answer).toEqual({
            id: anId('sig'),
            keyId: key.id,
            requester: requester(),
            requestBody: body,
            status: 'Signed',
            signature: {
              r: hex0xOf(32),
              s: hex0xOf(32),
              encoded: hex0xOf(example.encodedBytes),
              ...(isEcdsa ? { recid: expect.toBeOneOf([0, 1]) } : {}),
            },
            dateRequested: aDate,
            datePolicyResolved: aDate,
            dateSigned: aDate,
          });
          expectSigned(answer, example, key);
          const { r = '', s = '', recid = 0, encoded } = answer.signature ?? {};
          const last = !isEcdsa ? '' : key.curve === 'stark' ? `0${recid}` : (27 + recid).toString(16);
          expect(encoded).toBe(`${r}${s.slice(2)}${last}`);
          expect(await client.keys.getSignature({ keyId: key.id, signatureId: answer.id })).toEqual(answer);
          expect((await client.keys.listSignatures({ keyId: key.id })).items).toContainEqual(answer);
        },
      );

      test('listed newest first, page by page, each once', async () => {
        const { id: keyId } = keyOf({ scheme: 'EdDSA', curve: 'ed25519' });
        for (const message of ['', '0x00', '0x0102']) {
          expect(await client.keys.generateSignature({ keyId, body: { kind: 'Message', message } })).toMatchObject({ status: 'Signed' });
        }
        const { items, keyId: listed, ...rest } = await client.keys.listSignatures({ keyId });
        expect([listed, rest]).toEqual([keyId, {}]);
        expect(items.slice(0, 3).map(({ requestBody }) => requestBody)).toEqual(
          ['0x0102', '0x00', ''].map((message) => ({ kind: 'Message', message })),
        );
        expect(await pages((query) => client.keys.listSignatures({ keyId, query }))).toEqual(items);
      });

      test('a repeat by its externalId gets the first answer; with another body it is a conflict', async () => {
        const { id: keyId } = keyOf({ scheme: 'EdDSA', curve: 'ed25519' });
        const body = { kind: 'Hash', hash, externalId: `invoice ${kind}` } as const;
        const first = await client.keys.generateSignature({ keyId, body });
        expect(first).toMatchObject({ status: 'Signed', externalId: body.externalId });
        expect(await client.keys.generateSignature({ keyId, body })).toEqual(first);
        await expect(client.keys.generateSignature({ keyId, body: { ...body, hash: '11'.repeat(32) } })).rejects.toMatchObject({
          httpStatus: 409,
          message: 'Conflicting signature with same externalId',
          context: { body: { error: { details: { duplicate: { id: first.id, externalId: body.externalId } } } } },
        });
      });

      test('an answer names the network it was asked for', async () => {
        const key = keyOf({ scheme: 'ECDSA', curve: 'secp256k1' });
        const body = { kind: 'Hash', hash, network: 'EthereumSepolia', blockchainKind: 'Evm' } as const;
        expect(await client.keys.generateSignature({ keyId: key.id, body })).toMatchObject({
          status: 'Signed',
          network: 'EthereumSepolia',
          requestBody: body,
        });
      });
    });

    describe('service accounts', () => {
      test('are made, read, changed, stopped, let go on, and deleted', async () => {
        const { items: permissions } = await client.permissions.listPermissions();
        const endUser = permissions.find(({ name }) => name === 'ManagedDefaultEndUserAccess');
        const publicKey = publicPem(newCredential());
        const body = { name: 'Signer of invoices', publicKey, permissionId: endUser?.id ?? '', externalId: `robot ${kind}`, daysValid: 3 };
        const made = await client.auth.createServiceAccount({ body });

        const permissionAssignments = [
          {
            permissionName: 'ManagedDefaultEndUserAccess',
            permissionId: endUser?.id,
            assignmentId: anId('as'),
            operations: endUser?.operations,
          },
        ];
        expect(made).toEqual({
          userInfo: {
            username: body.name,
            name: body.name,
            userId: anId('us'),
            kind: 'CustomerEmployee',
            credentialUuid: anId('cr'),
            orgId: admin.orgId,
            isActive: true,
            isServiceAccount: true,
            isRegistered: true,
            permissionAssignments,
          },
          accessTokens: [
            {
              accessToken: expect.stringMatching(/^[\w-]+\.[\w-]+\.[\w-]+$/),
              dateCreated: aDate,
              credId: aCredId,
              isActive: true,
              kind: 'ServiceAccount',
              linkedUserId: made.userInfo.userId,
              linkedAppId: '',
              name: body.name,
              orgId: admin.orgId,
              permissionAssignments,
              publicKey,
              tokenId: anId('to'),
            },
          ],
        });

        const serviceAccountId = made.userInfo.userId;
        const [{ accessToken: _, ...shownToken } = {}] = made.accessTokens;
        const shown = { ...made, accessTokens: [shownToken] };
        expect(await client.auth.createServiceAccount({ body })).toEqual(shown);
        expect(await client.auth.getServiceAccount({ serviceAccountId })).toEqual(shown);
        expect((await client.auth.listServiceAccounts()).items[0]).toEqual(shown);

        const renamed = {
          userInfo: { ...shown.userInfo, username: 'Renamed', name: 'Renamed' },
          accessTokens: [{ ...shownToken, name: 'Renamed' }],
        };
        expect(await client.auth.updateServiceAccount({ serviceAccountId, body: { name: 'Renamed' } })).toEqual(renamed);
        const stopped = {
          userInfo: { ...renamed.userInfo, isActive: false },
          accessTokens: [{ ...renamed.accessTokens[0], isActive: false }],
        };
        expect(await client.auth.deactivateServiceAccount({ serviceAccountId, body: { force: true } })).toEqual(stopped);
        expect(await client.auth.activateServiceAccount({ serviceAccountId })).toEqual(renamed);
        expect(await client.auth.archiveServiceAccount({ serviceAccountId, query: { force: true } })).toEqual(stopped);
        await expect(client.auth.getServiceAccount({ serviceAccountId })).rejects.toMatchObject({ httpStatus: 404 });
        expect((await client.auth.listServiceAccounts()).items.map(({ userInfo }) => userInfo.userId)).not.toContain(serviceAccountId);
      });

      test('are stopped by a request without a body too, as plain JavaScript may send it', async () => {
        const { userInfo } = await client.auth.createServiceAccount({ body: { name: 'x', publicKey: publicPem(newCredential()) } });
        type Request = Parameters<Client['auth']['deactivateServiceAccount']>[0];
        const answer = await client.auth.deactivateServiceAccount({ serviceAccountId: userInfo.userId } as Request);
        expect(answer.userInfo).toEqual({ ...userInfo, isActive: false });
        expect(recorder.last()).toMatchObject({ method: 'PUT', body: '' });
        expect(recorder.last().headers).not.toHaveProperty('content-type');
      });

      test.each([
        ['Ed25519', () => newCredential()],
        ['P-256', () => generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey],
        ['secp256k1', () => generateKeyPairSync('ec', { namedCurve: 'secp256k1' }).privateKey],
        ['RSA of 2048 bits', () => generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey],
      ] as const)('sign user actions with a credential of %s', async (_, generate) => {
        const privateKey = generate();
        const fullAdmin = (await client.permissions.listPermissions()).items.find(({ name }) => name === 'ManagedFullAdminAccess');
        const { accessTokens } = await client.auth.createServiceAccount({
          body: { name: 'robot', publicKey: publicPem(privateKey), permissionId: fullAdmin?.id ?? '' },
        });
        const [{ accessToken: authToken = '', credId = '' } = {}] = accessTokens;
        const own = clientOf(kind, recorder.origin, { orgId: admin.orgId, authToken, credId, privateKey: privatePem(privateKey) });
        const key = keyOf({ scheme: 'EdDSA', curve: 'ed25519' });
        const answer = await own.keys.generateSignature({ keyId: key.id, body: { kind: 'Message', message: '0x2a' } });
        expect(answer).toMatchObject({
          status: 'Signed',
          requester: { userId: claimsOf(authToken)['https://custom/app_metadata'].userId },
        });
      });
    });

    describe('permissions', () => {
      test('are made, read, changed, archived and brought back', async () => {
        const body = { name: `Readers ${kind}`, operations: ['Keys:Read', 'Wallets:GenerateSignature'] as const };
        const made = await client.permissions.createPermission({ body: { ...body, operations: [...body.operations] } });
        expect(made).toEqual({
          id: anId('pm'),
          ...body,
          status: 'Active',
          isImmutable: false,
          isArchived: false,
          dateCreated: aDate,
          dateUpdated: made.dateCreated,
        });
        const permissionId = made.id;
        expect(await client.permissions.getPermission({ permissionId })).toEqual(made);
        const changed = { ...made, name: `${body.name}, all`, operations: ['Keys:Read'], dateUpdated: aDate };
        expect(
          await client.permissions.updatePermission({ permissionId, body: { name: changed.name, operations: ['Keys:Read'] } }),
        ).toEqual(changed);
        const archived = { ...changed, isArchived: true };
        expect(await client.permissions.archivePermission({ permissionId, body: { isArchived: true } })).toEqual(archived);
        expect((await client.permissions.listPermissions({ query: { limit: 200 } })).items).toContainEqual(archived);
        expect(await client.permissions.archivePermission({ permissionId, body: { isArchived: false } })).toEqual(changed);
      });

      test('that are managed stand from the start: full access, which holds every operation, and that of end users', async () => {
        const items = await pages((query) => client.permissions.listPermissions({ query }));
        expect(items.filter(({ name }) => name.startsWith('Managed')).map(({ name, isImmutable }) => [name, isImmutable])).toEqual(
          expect.arrayContaining([
            ['ManagedFullAdminAccess', true],
            ['ManagedDefaultEndUserAccess', false],
          ]),
        );
        expect(items.find(({ name }) => name === 'ManagedFullAdminAccess')?.operations).toEqual([...operations]);
      });

      test('are assigned and revoked, which acts at once', async () => {
        const privateKey = newCredential();
        const { userInfo, accessTokens } = await client.auth.createServiceAccount({
          body: { name: 'x', publicKey: publicPem(privateKey) },
        });
        const [{ accessToken: authToken = '', credId = '' } = {}] = accessTokens;
        const own = clientOf(kind, recorder.origin, { orgId: admin.orgId, authToken, credId, privateKey: privatePem(privateKey) });
        const forbidden = {
          httpStatus: 403,
          message: `ServiceAccount ${userInfo.userId} is not authorized to perform operation (Keys:Read)`,
        };
        await expect(own.keys.listKeys()).rejects.toMatchObject(forbidden);

        const { id: permissionId } = await client.permissions.createPermission({
          body: { name: `Assigned ${kind}`, operations: ['Keys:Read'] },
        });
        const assigned = await client.permissions.createAssignment({ permissionId, body: { identityId: userInfo.userId } });
        expect(assigned).toEqual({
          id: anId('as'),
          permissionId,
          identityId: userInfo.userId,
          isImmutable: false,
          dateCreated: aDate,
          dateUpdated: aDate,
        });
        expect(await client.permissions.listAssignments({ permissionId })).toEqual({ items: [assigned] });
        expect((await own.keys.listKeys({ query: { limit: 1 } })).items).toHaveLength(1);

        await client.permissions.deleteAssignment({ permissionId, assignmentId: assigned.id, query: { force: true } });
        expect(await client.permissions.listAssignments({ permissionId })).toEqual({ items: [] });
        await expect(own.keys.listKeys()).rejects.toMatchObject(forbidden);
      });
    });

    test('signers and key stores are listed', async () => {
      const { clusters } = await client.signers.listSigners();
      expect(clusters).toEqual([
        {
          clusterId: expect.any(String),
          signers: Array.from({ length: 3 }, () => ({
            signerId: expect.stringMatching(/^[\w+/]{43}=$/),
            encryptionKey: expect.stringMatching(/^AQ[\w+/]{44}==$/),
            head: {
              sequence: expect.any(Number),
              hash: expect.stringMatching(/^[0-9a-f]{64}$/),
              at: expect.any(Number),
              signature: expect.stringMatching(/^[\w-]{86}$/),
            },
          })),
        },
      ]);
      const ids = clusters[0]?.signers.map(({ signerId }) => Buffer.from(signerId, 'base64').toString('hex')) ?? [];
      expect(ids).toEqual([...new Set(ids)].sort());
      expect(await client.signers.listKeyStores()).toEqual({
        items: [{ id: anId('store'), kind: 'Mpc', name: 'Threshold signers', primary: true }],
      });
    });

    describe('what the client relies on', () => {
      test('a token of three parts, of which the second is readable and names the organisation', () => {
        const [header = ''] = admin.authToken.split('.');
        expect(JSON.parse(Buffer.from(header, 'base64url').toString())).toEqual({
          alg: 'EdDSA',
          typ: 'JWT',
          kid: expect.stringMatching(/^[\w-]{16}$/),
        });
        const { iat, exp, ...claims } = claimsOf(admin.authToken);
        expect(claims).toEqual({
          iss: 'countersign',
          aud: 'countersign/api',
          sub: admin.orgId,
          jti: anId('to'),
          'https://custom/username': 'root',
          'https://custom/app_metadata': { userId: anId('us'), orgId: admin.orgId, tokenKind: 'ServiceAccount' },
        });
        expect(exp - iat).toBe(730 * 24 * 60 * 60);
      });

      test('with another organisation, or a token it cannot read, it stops by itself', async () => {
        const before = recorder.exchanges.length;
        const other = clientOf(kind, recorder.origin, { ...admin, orgId: 'or-other' });
        await expect(other.keys.listKeys()).rejects.toThrow('Provided auth token is not scoped to org ID or-other');
        const garbled = clientOf(kind, recorder.origin, { ...admin, authToken: 'nonsense' });
        await expect(garbled.keys.listKeys()).rejects.toThrow('Provided auth token could not be properly parsed');
        expect(recorder.exchanges.length).toBe(before);
      });

      test('the path of its base address is dropped', async () => {
        const deep = clientOf(kind, `${recorder.origin}/some/where`, admin);
        await deep.keys.listKeys({ query: { limit: 1 } });
        expect(recorder.last().target).toBe('/keys?limit=1');
      });

      test('a refusal is a DfnsError with the status, the message and the whole body', async () => {
        const refused: DfnsError = await client.keys.getKey({ keyId: 'key-none' }).then(
          () => expect.unreachable(),
          (error) => error,
        );
        expect(refused).toBeInstanceOf(DfnsError);
        expect(refused.httpStatus).toBe(404);
        expect(refused.message).toBe('Key not found');
        expect(refused.context).toHaveProperty('body', {
          error: { id: expect.any(String), status: 404, message: 'Key not found', details: { keyId: 'key-none', orgId: admin.orgId } },
        });
      });

      test('a challenge names the one credential that may sign it, in lists that are always there', async () => {
        await client.keys.createKey({ body: { scheme: 'EdDSA', curve: 'ed25519' } });
        const asked = recorder.exchanges.findLast(({ target }) => target === '/auth/action/init');
        expect(JSON.parse(asked?.answer ?? '')).toEqual({
          challenge: expect.stringMatching(/^[\w-]{22,}$/),
          challengeIdentifier: expect.stringMatching(/^[\w-]+\.[\w-]+\.[\w-]+$/),
          supportedCredentialKinds: [{ kind: 'Key', factor: 'first', requiresSecondFactor: false }],
          userVerification: 'required',
          attestation: 'direct',
          allowCredentials: { key: [{ type: 'public-key', id: admin.credId }], webauthn: [] },
          externalAuthenticationUrl: '',
        });
      });
    });

    describe('what has passed', () => {
      test('is every endpoint', () => {
        const called = recorder.exchanges.map(({ method, target }) => `${method} ${templateOf(target)}`);
        expect(endpoints.filter((endpoint) => !called.includes(endpoint))).toEqual([]);
      });

      test('is what each endpoint promises, with a request id and without a null', () => {
        for (const exchange of recorder.exchanges) expectContract(exchange);
      });

      test('came without application id and nonce, from the official client', () => {
        for (const { headers } of recorder.exchanges) {
          expect(headers).toMatchObject({ 'x-dfns-sdk-version': '0.8.21', authorization: expect.stringMatching(/^Bearer /) });
          expect(Object.keys(headers)).not.toEqual(expect.arrayContaining([expect.stringMatching(/^x-dfns-(appid|nonce)$/)]));
        }
      });

      test('binds the body {} of deletions, with their query by the delegated client and without by the direct one', () => {
        const deletions = recorder.exchanges.filter(({ method }) => method === 'DELETE');
        expect(new Set(deletions.map(({ body }) => body))).toEqual(new Set(['{}']));
        const bound = actionsOf(recorder).filter(({ userActionHttpMethod }) => userActionHttpMethod === 'DELETE');
        expect(bound.map(({ userActionPayload }) => userActionPayload)).toEqual(bound.map(() => '{}'));
        const queries = bound.filter(({ userActionHttpPath }) => userActionHttpPath?.endsWith('?force=true'));
        expect(queries).toHaveLength(kind === 'direct' ? 0 : 2);
        expect(deletions.filter(({ target }) => target.endsWith('?force=true'))).toHaveLength(2);
      });

      test('binds no body once: the payload is left out by the delegated client, and empty from the direct one', () => {
        const unusual = actionsOf(recorder).filter(({ userActionPayload }) => userActionPayload === undefined || userActionPayload === '');
        expect(unusual).toEqual([
          {
            userActionHttpMethod: 'PUT',
            userActionHttpPath: expect.stringMatching(/\/deactivate$/),
            userActionServerKind: 'Api',
            ...(kind === 'direct' ? { userActionPayload: '' } : {}),
          },
        ]);
      });
    });
  });
});

/** The bodies of the requests for a challenge. */
function actionsOf({ exchanges }: Recorder): Readonly<Record<string, string>>[] {
  return exchanges.filter(({ target }) => target === '/auth/action/init').map(({ body }) => JSON.parse(body));
}

/** `/keys/key-…/signatures?limit=2` -> `/keys/:keyId/signatures`. */
function templateOf(target: string): string {
  const given = (target.split('?')[0] ?? '').split('/');
  const templates = endpoints.map((endpoint) => endpoint.split(' ')[1] ?? '');
  const fits = (template: string) => {
    const wanted = template.split('/');
    return wanted.length === given.length && wanted.every((part, i) => part.startsWith(':') || part === given[i]);
  };
  return templates.includes(given.join('/')) ? given.join('/') : (templates.find(fits) ?? target);
}
