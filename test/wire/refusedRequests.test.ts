/**
 * What is refused of a caller who may: keys that cannot be made, requests that cannot be signed, changes that cannot be done. By plain
 * HTTP against a running instance.
 */

import { generateKeyPairSync } from 'node:crypto';
import { secp256k1 } from '@noble/curves/secp256k1.js';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { maxMessageBytes } from '../../src/chains/requests.ts';
import type { Client } from '../support/client.ts';
import { type Instance, startInstance } from '../support/instance.ts';
import { newDataDir } from '../support/pglite.ts';
import { publicPem } from '../support/world.ts';
import { administrator, newAccount } from './accounts.ts';
import { hash } from './examples.ts';
import * as plain from './plain.ts';
import { badRequest } from './plain.ts';

let instance: Instance;
let root: Client;
/** Somebody with a permission. */
let account: Awaited<ReturnType<typeof newAccount>>;

beforeAll(async () => {
  instance = await startInstance({ dataDir: await newDataDir() });
  root = administrator(instance);
  account = await newAccount(instance, ['Keys:Read']);
});
afterAll(() => instance?.remove());

const refused = (method: string, path: string) => plain.refused(instance, method, path);
const refusedSigned = (method: 'POST' | 'PUT' | 'DELETE', path: string, body?: unknown) =>
  plain.refusedSigned(instance, root, method, path, body);

async function newKey(scheme: string, curve: string): Promise<{ id: string; signatures: string }> {
  const { status, body } = await root.call('POST', '/keys', { scheme, curve });
  expect(status).toBe(200);
  return { id: body.id, signatures: `/keys/${body.id}/signatures` };
}

describe('refused: keys', () => {
  const create = (body: unknown) => refusedSigned('POST', '/keys', body);

  test('of a scheme that does not go with the curve', async () => {
    const pairs = [
      ['ECDSA', 'ed25519'],
      ['EdDSA', 'secp256k1'],
      ['EdDSA', 'stark'],
      ['Schnorr', 'ed25519'],
      ['Schnorr', 'stark'],
      ['DH', 'ed25519'],
      ['DH', 'stark'],
    ];
    for (const [scheme, curve] of pairs) {
      expect(await create({ scheme, curve })).toEqual(badRequest(`there are no ${scheme} keys on ${curve}`));
    }
  });

  test('with what is not offered yet', async () => {
    const key = { scheme: 'ECDSA', curve: 'secp256k1' };
    expect(await create({ ...key, storeId: 'store-none' })).toEqual(badRequest('storeId names no key store of this organisation'));
  });

  test('that are unknown: 404, with what was looked for', async () => {
    const notFound = {
      status: 404,
      message: 'Key not found',
      details: { keyId: 'key-none', orgId: instance.admin.DFNS_ORG_ID },
    };
    expect(await refused('GET', '/keys/key-none')).toEqual(notFound);
    expect(await refused('GET', '/keys/key-none/signatures')).toEqual(notFound);
    expect(await refused('GET', '/keys/key-none/signatures/sig-none')).toEqual(notFound);
    expect(await refusedSigned('PUT', '/keys/key-none', { name: 'x' })).toEqual(notFound);
    expect(await refusedSigned('DELETE', '/keys/key-none')).toEqual(notFound);
    expect(await refusedSigned('POST', '/keys/key-none/derive', { domain: '01', seed: '01' })).toEqual(notFound);
  });

  test('that do not derive, and what they cannot derive from', async () => {
    const ecdsa = await newKey('ECDSA', 'secp256k1');
    const point = { domain: '01', seed: '01' };
    expect(await refusedSigned('POST', `/keys/${ecdsa.id}/derive`, point)).toEqual(badRequest('derive is for DH keys; this key is ECDSA'));
    const dh = await newKey('DH', 'secp256k1');
    const derive = (body: unknown) => refusedSigned('POST', `/keys/${dh.id}/derive`, body);
    for (const domain of ['', 'x', '0x0', '00'.repeat(256)]) {
      expect(await derive({ ...point, domain }), domain).toMatchObject({ status: 400, details: { problems: [{ field: 'body.domain' }] } });
    }
  });
});

describe('refused: signatures', () => {
  const taprootMerkleRoot = '';

  test('of kinds that need a blockchain, while it has no module', async () => {
    const ecdsa = await newKey('ECDSA', 'secp256k1');
    const sign = (body: object) => refusedSigned('POST', ecdsa.signatures, body);
    const types = { Mail: [{ name: 'text', type: 'string' }] };
    const bare = [
      { kind: 'Transaction', transaction: '0x00' },
      { kind: 'Eip191', message: '0x00' },
      { kind: 'Eip712', types, domain: {}, message: {} },
      { kind: 'Psbt', psbt: '0x00' },
      { kind: 'SignDocDirect', signDoc: '0x00' },
    ];
    for (const body of bare) {
      expect(await sign(body)).toEqual(badRequest(`kind ${body.kind} needs a network or blockchainKind that signs it`));
      expect(await sign({ ...body, network: 'Ion' })).toEqual(
        badRequest(`kind ${body.kind} is not offered for Ion yet; a Hash can be signed for every network`),
      );
    }
    for (const kind of ['DfnsSmartAccountTransaction', 'StellarFeeBumpTransaction', 'Nonsense', undefined]) {
      expect(await sign({ kind }), kind).toMatchObject({ status: 400, details: { problems: [{ field: 'body.kind' }] } });
    }
  });

  test('of what the key cannot sign', async () => {
    const [ecdsa, stark, eddsa, schnorr, dh] = await Promise.all([
      newKey('ECDSA', 'secp256k1'),
      newKey('ECDSA', 'stark'),
      newKey('EdDSA', 'ed25519'),
      newKey('Schnorr', 'secp256k1'),
      newKey('DH', 'secp256k1'),
    ]);
    const sign = ({ signatures }: { signatures: string }, body: object) => refusedSigned('POST', signatures, body);
    const hashOnly = badRequest('Message without a network is for EdDSA keys; send the digest as kind Hash instead');
    for (const key of [ecdsa, stark, schnorr]) expect(await sign(key, { kind: 'Message', message: '0x00' })).toEqual(hashOnly);
    expect(await sign(dh, { kind: 'Hash', hash })).toEqual(badRequest('a DH key on secp256k1 does not sign here'));

    for (const wrong of ['00'.repeat(31), '00'.repeat(33), `0x${'00'.repeat(31)}`, 'zz'.repeat(32), '', 7]) {
      expect(await sign(ecdsa, { kind: 'Hash', hash: wrong }), `${wrong}`).toMatchObject({
        status: 400,
        details: { problems: [{ field: 'body.hash' }] },
      });
    }
    const zero = badRequest('a hash that is zero in the order of the curve is not signed');
    const order = secp256k1.Point.Fn.ORDER.toString(16);
    for (const wrong of ['00'.repeat(32), order]) expect(await sign(ecdsa, { kind: 'Hash', hash: wrong })).toEqual(zero);
    expect(await sign(stark, { kind: 'Hash', hash: '00'.repeat(32) })).toEqual(zero);

    const tooLarge = badRequest('a hash signed by a stark key must be below 2^251');
    for (const wrong of ['08'.padEnd(64, '0'), 'ff'.repeat(32)]) expect(await sign(stark, { kind: 'Hash', hash: wrong })).toEqual(tooLarge);
    expect(await root.call('POST', stark.signatures, { kind: 'Hash', hash: `07${'ff'.repeat(31)}` })).toMatchObject({ status: 200 });

    expect(await sign(schnorr, { kind: 'Hash', hash })).toEqual(
      badRequest('taprootMerkleRoot is required for a Schnorr key: "" for a key without scripts, or 32 bytes of hex'),
    );
    expect(await sign(schnorr, { kind: 'Hash', hash, taprootMerkleRoot: '00' })).toMatchObject({
      status: 400,
      details: { problems: [{ field: 'body.taprootMerkleRoot', problem: 'expected "" or 32 bytes of hex' }] },
    });
    expect(await sign(eddsa, { kind: 'Hash', hash, taprootMerkleRoot })).toEqual(
      badRequest('taprootMerkleRoot is for Schnorr keys; this key is EdDSA'),
    );

    for (const message of ['0', '0x0', 'xy', '0x 0']) {
      expect(await sign(eddsa, { kind: 'Message', message }), message).toMatchObject({
        status: 400,
        details: { problems: [{ field: 'body.message' }] },
      });
    }
  });

  test('of a message longer than the limit; one that just fits is signed', async () => {
    const eddsa = await newKey('EdDSA', 'ed25519');
    const message = (bytes: number) => ({ kind: 'Message', message: `0x${'ab'.repeat(bytes)}` });
    expect(await root.call('POST', eddsa.signatures, message(maxMessageBytes))).toMatchObject({ status: 200, body: { status: 'Signed' } });
    expect(await refusedSigned('POST', eddsa.signatures, message(maxMessageBytes + 1))).toMatchObject({ status: 400 });
  });

  test('by a key that is archived, and there is none by it afterwards', async () => {
    const eddsa = await newKey('EdDSA', 'ed25519');
    await root.call('DELETE', `/keys/${eddsa.id}`);
    expect(await refusedSigned('POST', eddsa.signatures, { kind: 'Hash', hash })).toEqual(badRequest('the key is archived'));
    expect((await root.call('GET', eddsa.signatures)).body).toEqual({ items: [], keyId: eddsa.id });
    const dh = await newKey('DH', 'secp256k1');
    await root.call('DELETE', `/keys/${dh.id}`);
    expect(await refusedSigned('POST', `/keys/${dh.id}/derive`, { domain: '01', seed: '01' })).toEqual(badRequest('the key is archived'));
  });

  test('that are unknown, or of another key: 404', async () => {
    const [one, other] = [await newKey('EdDSA', 'ed25519'), await newKey('EdDSA', 'ed25519')];
    const { body: signed } = await root.call('POST', one.signatures, { kind: 'Hash', hash });
    const notFound = (signatureId: string, keyId: string) => ({
      status: 404,
      message: 'Signature not found',
      details: { signatureId, keyId, orgId: instance.admin.DFNS_ORG_ID },
    });
    expect(await refused('GET', `${one.signatures}/sig-none`)).toEqual(notFound('sig-none', one.id));
    expect(await refused('GET', `${other.signatures}/${signed.id}`)).toEqual(notFound(signed.id, other.id));
  });

  test('with an externalId that stands for another request: 409', async () => {
    const eddsa = await newKey('EdDSA', 'ed25519');
    const { body: first } = await root.call('POST', eddsa.signatures, { kind: 'Hash', hash, externalId: 'one' });
    expect(await refusedSigned('POST', eddsa.signatures, { kind: 'Message', message: hash, externalId: 'one' })).toEqual({
      status: 409,
      message: 'Conflicting signature with same externalId',
      details: { duplicate: { id: first.id, externalId: 'one' } },
    });
  });
});

describe('refused in administration:', () => {
  const publicKey = publicPem(generateKeyPairSync('ed25519').privateKey);
  const orgId = () => instance.admin.DFNS_ORG_ID;

  test('unknown accounts, permissions, identities and assignments: 404', async () => {
    const unknown = { status: 404, message: 'Service account not found', details: { serviceAccountId: 'us-none', orgId: orgId() } };
    expect(await refused('GET', '/auth/service-accounts/us-none')).toEqual(unknown);
    expect(await refusedSigned('DELETE', '/auth/service-accounts/us-none')).toEqual(unknown);
    const permission = { status: 404, message: 'Permission not found', details: { permissionId: 'pm-none', orgId: orgId() } };
    expect(await refused('GET', '/permissions/pm-none')).toEqual(permission);
    expect(await refused('GET', '/permissions/pm-none/assignments')).toEqual(permission);
    const assignments = `/permissions/${account.permissionId}/assignments`;
    expect(await refusedSigned('POST', assignments, { identityId: 'us-none' })).toEqual({
      status: 404,
      message: 'Identity not found',
      details: { identityId: 'us-none', orgId: orgId() },
    });
    expect(await refusedSigned('DELETE', `${assignments}/as-none`)).toEqual({
      status: 404,
      message: 'Assignment not found',
      details: { assignmentId: 'as-none', permissionId: account.permissionId, orgId: orgId() },
    });
  });

  test('names and externalIds that are taken, and assignments that stand: 409', async () => {
    const operations = ['Keys:Read'];
    await root.call('POST', '/permissions', { name: 'taken', operations });
    expect(await refusedSigned('POST', '/permissions', { name: 'taken', operations })).toEqual({
      status: 409,
      message: 'a permission with this name exists already',
    });
    const { body } = await root.call('POST', '/auth/service-accounts', { name: 'a', publicKey, externalId: 'taken' });
    expect(await refusedSigned('POST', '/auth/service-accounts', { name: 'b', publicKey, externalId: 'taken' })).toEqual({
      status: 409,
      message: 'Conflicting service account with same externalId',
      details: { duplicate: { id: body.userInfo.userId, externalId: 'taken' } },
    });
    const assignments = `/permissions/${account.permissionId}/assignments`;
    expect(await refusedSigned('POST', assignments, { identityId: account.userId })).toEqual({
      status: 409,
      message: 'this permission is assigned to this identity already',
    });
  });

  test('keys that are no credentials here', async () => {
    const weak = publicPem(generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey);
    const other = publicPem(generateKeyPairSync('ec', { namedCurve: 'P-384' }).privateKey);
    for (const wrong of ['nonsense', weak, other]) {
      expect(await refusedSigned('POST', '/auth/service-accounts', { name: 'x', publicKey: wrong })).toMatchObject({
        status: 400,
        message: expect.stringContaining('Ed25519'),
      });
    }
  });

  test('operations that do not exist', async () => {
    expect(await refusedSigned('POST', '/permissions', { name: 'x', operations: ['Keys:Read', 'Keys:Steal'] })).toMatchObject({
      status: 400,
      details: { problems: [{ field: 'body.operations.1' }] },
    });
  });

  test('what would lock everybody out', async () => {
    const { body } = await root.call('GET', '/permissions');
    const fullAdmin = body.items.find(({ name }: { name: string }) => name === 'ManagedFullAdminAccess');
    const { body: assignments } = await root.call('GET', `/permissions/${fullAdmin.id}/assignments`);
    const [assignment] = assignments.items;
    expect(await refusedSigned('DELETE', `/permissions/${fullAdmin.id}/assignments/${assignment.id}`)).toEqual({
      status: 409,
      message: 'the organisation would be left without an active full admin',
    });
    const self = badRequest('a service account cannot deactivate or delete itself');
    expect(await refusedSigned('PUT', `/auth/service-accounts/${assignment.identityId}/deactivate`)).toEqual(self);
    expect(await refusedSigned('DELETE', `/auth/service-accounts/${assignment.identityId}`)).toEqual(self);
    expect(await refusedSigned('PUT', `/permissions/${fullAdmin.id}`, { name: 'x' })).toEqual(
      badRequest('ManagedFullAdminAccess is immutable'),
    );
  });
});
