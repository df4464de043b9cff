/**
 * Every line of the error table (contract §1.5) that applies, by plain HTTP against a running instance: the status, the very words, the
 * request id in header and body alike; and the order in which a request is checked.
 */

import { generateKeyPairSync } from 'node:crypto';
import { rmSync } from 'node:fs';
import { connect } from 'node:net';
import { secp256k1 } from '@noble/curves/secp256k1.js';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { maxJsonDepth } from '../../src/base/json.ts';
import { maxMessageBytes } from '../../src/chains/requests.ts';
import { limits } from '../../src/server/limits.ts';
import { openDatabase } from '../../src/store/open.ts';
import type { Client } from '../support/client.ts';
import { type Instance, startInstance } from '../support/instance.ts';
import { newDataDir } from '../support/pglite.ts';
import { type FakeWorld, publicPem, startWorld } from '../support/world.ts';
import { administrator, newAccount } from './accounts.ts';
import { hash } from './examples.ts';

type Account = Awaited<ReturnType<typeof newAccount>>;
type Method = 'GET' | 'POST' | 'PUT' | 'DELETE';

interface Sent {
  /** Of the administrator, when left out; '' sends no header. */
  authorization?: string;
  userAction?: string;
  body?: string | Uint8Array<ArrayBuffer>;
  contentType?: string;
}

const unauthorised = { status: 401, message: 'Not Authorized.' };
const noAction = { status: 403, message: 'user action signature is missing or invalid' };
const used = { status: 400, message: 'user action has already been used' };
const badRequest = (message: string) => ({ status: 400, message });

let instance: Instance;
let root: Client;
/** May make keys and read them, nothing else. */
let keyMaker: Account;

beforeAll(async () => {
  instance = await startInstance({ dataDir: await newDataDir(), env: { LOG_LEVEL: 'info' } });
  root = administrator(instance);
  keyMaker = await newAccount(instance, ['Keys:Create', 'Keys:Read']);
});
afterAll(() => instance?.remove());

const bearer = ({ credentials }: Client) => `Bearer ${credentials.accessToken}`;

/** One request as it is. @returns its error, when it is one of the contract's shape */
async function refused(method: string, path: string, sent: Sent = {}): Promise<{ status: number; message: string; details?: object }> {
  const { authorization = bearer(root), userAction, body, contentType = 'application/json' } = sent;
  const answer = await fetch(new URL(path, instance.origin), {
    method,
    headers: {
      ...(authorization === '' ? {} : { authorization }),
      ...(userAction === undefined ? {} : { 'x-dfns-useraction': userAction }),
      ...(body === undefined || contentType === '' ? {} : { 'content-type': contentType }),
    },
    ...(body === undefined ? {} : { body }),
  });
  expect(answer.headers.get('content-type')).toMatch(/^application\/json/);
  const { error, ...rest } = JSON.parse(await answer.text());
  const { id, ...shown } = error;
  expect([rest, id, shown.status]).toEqual([{}, answer.headers.get('x-request-id'), answer.status]);
  return shown;
}

/** Refused although its caller has signed it. */
async function refusedSigned(caller: Client, method: Method, path: string, body: unknown = {}) {
  const bodyText = typeof body === 'string' ? body : JSON.stringify(body);
  const userAction = await caller.action(method, path, bodyText);
  return refused(method, path, { authorization: bearer(caller), userAction, body: bodyText });
}

async function newKey(scheme: string, curve: string): Promise<{ id: string; signatures: string }> {
  const { status, body } = await root.call('POST', '/keys', { scheme, curve });
  expect(status).toBe(200);
  return { id: body.id, signatures: `/keys/${body.id}/signatures` };
}

describe('who calls: 401', () => {
  test('no token, or what is none of ours', async () => {
    const { accessToken } = root.credentials;
    const [header, claims, signature = ''] = accessToken.split('.');
    const unsigned = `${Buffer.from('{"alg":"none","typ":"JWT"}').toString('base64url')}.${claims}.`;
    const altered = `${header}.${claims}.${signature.slice(0, -4)}${signature.endsWith('AAAA') ? 'BBBB' : 'AAAA'}`;
    const texts = [
      '',
      'Bearer',
      'Bearer ',
      'Bearer nonsense',
      `Basic ${accessToken}`,
      accessToken,
      `Bearer ${unsigned}`,
      `Bearer ${altered}`,
    ];
    for (const authorization of texts) expect(await refused('GET', '/keys', { authorization }), authorization).toEqual(unauthorised);
  });

  test('a challenge or a user action is no bearer token', async () => {
    const userAction = await root.action('POST', '/keys', '{}');
    expect(await refused('GET', '/keys', { authorization: `Bearer ${userAction}` })).toEqual(unauthorised);
    const challenge = await root.send('POST', '/auth/action/init', {
      bodyText: JSON.stringify({ userActionHttpMethod: 'POST', userActionHttpPath: '/keys' }),
    });
    expect(await refused('GET', '/keys', { authorization: `Bearer ${challenge.body.challengeIdentifier}` })).toEqual(unauthorised);
  });

  test('a token whose account is deleted', async () => {
    const account = await newAccount(instance, ['Keys:Read']);
    expect((await account.call('GET', '/keys')).status).toBe(200);
    await root.call('DELETE', `/auth/service-accounts/${account.userId}`);
    expect(await refused('GET', '/keys', { authorization: bearer(account) })).toEqual(unauthorised);
  });

  test('an account that is deactivated is told so, until it is activated again', async () => {
    const account = await newAccount(instance, ['Keys:Read']);
    await root.call('PUT', `/auth/service-accounts/${account.userId}/deactivate`);
    const deactivated = badRequest('User account has been deactivated.');
    expect(await refused('GET', '/keys', { authorization: bearer(account) })).toEqual(deactivated);
    await root.call('PUT', `/auth/service-accounts/${account.userId}/activate`);
    expect((await account.call('GET', '/keys')).status).toBe(200);
  });
});

describe('the signature over a request', () => {
  const complete = (body: unknown, caller: Client = root) =>
    refused('POST', '/auth/action', { authorization: bearer(caller), body: JSON.stringify(body) });

  async function challenge(caller: Client = root) {
    const bodyText = JSON.stringify({ userActionPayload: '{}', userActionHttpMethod: 'POST', userActionHttpPath: '/keys' });
    return (await caller.send('POST', '/auth/action/init', { bodyText })).body;
  }

  test('of another key, or over another challenge, is not authorised', async () => {
    const { challengeIdentifier, challenge: text } = await challenge();
    const firstFactor = root.assertion('another challenge');
    expect(await complete({ challengeIdentifier, firstFactor })).toEqual(unauthorised);
    const { credentialAssertion } = keyMaker.assertion(text);
    const foreign = { kind: 'Key', credentialAssertion: { ...credentialAssertion, credId: root.credentials.credId } };
    expect(await complete({ challengeIdentifier, firstFactor: foreign })).toEqual(unauthorised);
  });

  test('by a credential that the caller does not have, or cannot use for this', async () => {
    const unusable = { status: 401, message: 'User does not have a credential that can be used for the application.' };
    const { challengeIdentifier, challenge: text } = await challenge();
    expect(await complete({ challengeIdentifier, firstFactor: keyMaker.assertion(text) })).toEqual(unusable);
    const passwordProtected = { ...root.assertion(text), kind: 'PasswordProtectedKey' };
    expect(await complete({ challengeIdentifier, firstFactor: passwordProtected })).toEqual(unusable);
  });

  test('over a challenge that is forged, is another kind of token, or was given to another caller', async () => {
    const invalid = badRequest('Challenge token is not valid.');
    const { challengeIdentifier, challenge: text } = await challenge(keyMaker);
    const firstFactor = root.assertion(text);
    expect(await complete({ challengeIdentifier, firstFactor })).toEqual(invalid);
    expect(await complete({ challengeIdentifier: `${challengeIdentifier.slice(0, -4)}AAAA`, firstFactor }, keyMaker)).toEqual(invalid);
    expect(await complete({ challengeIdentifier: root.credentials.accessToken, firstFactor })).toEqual(invalid);
    expect(await complete({ challengeIdentifier: '', firstFactor })).toEqual(invalid);
  });

  test('by a password is not accepted', async () => {
    const { challengeIdentifier } = await challenge();
    expect(await complete({ challengeIdentifier, firstFactor: { kind: 'Password', password: 'x' } })).toEqual(
      badRequest('Password is not accepted; sign the challenge with a credential'),
    );
  });
});

describe('the user action of a request: 403', () => {
  const body = '{"scheme":"EdDSA","curve":"ed25519"}';

  test('without one, with nonsense, or with another kind of token', async () => {
    expect(await refused('POST', '/keys', { body })).toEqual(noAction);
    for (const userAction of ['', 'nonsense', root.credentials.accessToken]) {
      expect(await refused('POST', '/keys', { body, userAction }), userAction).toEqual(noAction);
    }
  });

  test('for another body, path, method or caller, and it stays good for its own request', async () => {
    const userAction = await root.action('POST', '/keys', body);
    for (const other of [`${body} `, body.replace('"ed25519"', '"secp256k1"'), '{}', '']) {
      expect(await refused('POST', '/keys', { body: other, userAction }), other).toEqual(noAction);
    }
    expect(await refused('POST', '/permissions', { body, userAction })).toEqual(noAction);
    expect(await refused('PUT', '/keys/none', { body, userAction })).toEqual(noAction);
    const putAction = await root.action('PUT', '/keys', body);
    expect(await refused('POST', '/keys', { body, userAction: putAction })).toEqual(noAction);
    expect(await refused('POST', '/keys', { body, userAction, authorization: bearer(keyMaker) })).toEqual(noAction);
    expect((await root.send('POST', '/keys', { bodyText: body, userAction })).status).toBe(200);
  });

  test('with a query that was not signed where another was', async () => {
    const account = await newAccount(instance, ['Keys:Read']);
    const path = `/auth/service-accounts/${account.userId}`;
    const { body: asked } = await root.send('POST', '/auth/action/init', {
      bodyText: JSON.stringify({ userActionPayload: '{}', userActionHttpMethod: 'DELETE', userActionHttpPath: `${path}?force=true` }),
    });
    const { body: given } = await root.send('POST', '/auth/action', {
      bodyText: JSON.stringify({ challengeIdentifier: asked.challengeIdentifier, firstFactor: root.assertion(asked.challenge) }),
    });
    const sent = { body: '{}', userAction: given.userAction };
    expect(await refused('DELETE', `${path}?force=false`, sent)).toEqual(noAction);
    expect(await refused('DELETE', path, sent)).toEqual(noAction);
  });

  test('serves once', async () => {
    const userAction = await root.action('POST', '/keys', body);
    expect((await root.send('POST', '/keys', { bodyText: body, userAction })).status).toBe(200);
    expect(await refused('POST', '/keys', { body, userAction })).toEqual(used);
  });
});

describe('permissions: 403', () => {
  test('an operation that the caller does not hold is named, with the caller', async () => {
    const forbidden = (operation: string) => ({
      status: 403,
      message: `ServiceAccount ${keyMaker.userId} is not authorized to perform operation (${operation})`,
    });
    const authorization = bearer(keyMaker);
    const wanted = [
      ['PUT', '/keys/none', 'Keys:Update'],
      ['DELETE', '/keys/none', 'Keys:Delete'],
      ['POST', '/keys/none/derive', 'Keys:Derive'],
      ['POST', '/keys/none/signatures', 'Keys:Signatures:Create'],
      ['GET', '/keys/none/signatures', 'Keys:Signatures:Read'],
      ['POST', '/keys/import', 'Keys:Import'],
      ['POST', '/keys/none/export', 'Keys:Export'],
      ['POST', '/keys/none/delegate', 'Keys:Delegate'],
      ['GET', '/signers', 'Signers:ListSigners'],
      ['GET', '/key-stores', 'KeyStores:Read'],
      ['GET', '/auth/service-accounts', 'Auth:ServiceAccounts:Read'],
      ['POST', '/auth/service-accounts', 'Auth:ServiceAccounts:Create'],
      ['PUT', '/auth/service-accounts/none', 'Auth:ServiceAccounts:Update'],
      ['PUT', '/auth/service-accounts/none/activate', 'Auth:ServiceAccounts:Activate'],
      ['PUT', '/auth/service-accounts/none/deactivate', 'Auth:ServiceAccounts:Deactivate'],
      ['DELETE', '/auth/service-accounts/none', 'Auth:ServiceAccounts:Delete'],
      ['GET', '/permissions', 'Permissions:Read'],
      ['POST', '/permissions', 'Permissions:Create'],
      ['PUT', '/permissions/none', 'Permissions:Update'],
      ['PUT', '/permissions/none/archive', 'Permissions:Archive'],
      ['GET', '/permissions/none/assignments', 'Permissions:Assignments:Read'],
      ['POST', '/permissions/none/assignments', 'Permissions:Assign'],
      ['DELETE', '/permissions/none/assignments/none', 'Permissions:Revoke'],
    ] as const;
    for (const [method, path, operation] of wanted) {
      expect(await refused(method, path, { authorization }), `${method} ${path}`).toEqual(forbidden(operation));
    }
  });

  test('nobody gives away what they do not hold', async () => {
    const giver = await newAccount(instance, ['Permissions:Create', 'Permissions:Assign', 'Permissions:Read']);
    const lacks = { status: 403, message: `ServiceAccount ${giver.userId} is not authorized to perform operation (Keys:Delete)` };
    expect(await refusedSigned(giver, 'POST', '/permissions', { name: 'more', operations: ['Keys:Delete'] })).toEqual(lacks);
  });
});

describe('the order of checks', () => {
  const malformed = '{"scheme":';

  test('a bad token comes before everything else', async () => {
    expect(await refused('POST', '/keys', { authorization: 'Bearer nonsense', body: malformed })).toEqual(unauthorised);
  });

  test('a missing permission comes before a missing user action and a bad body', async () => {
    expect(await refused('POST', '/permissions', { authorization: bearer(keyMaker), body: malformed })).toMatchObject({
      status: 403,
      message: expect.stringContaining('(Permissions:Create)'),
    });
  });

  test('a missing user action comes before a bad body and an unknown id', async () => {
    expect(await refused('POST', '/keys', { body: malformed })).toEqual(noAction);
    expect(await refused('POST', '/keys/none/signatures', { body: malformed })).toEqual(noAction);
  });

  test('a bad body comes before an unknown id; the action is spent by it', async () => {
    const path = '/keys/none/signatures';
    const userAction = await root.action('POST', path, malformed);
    expect(await refused('POST', path, { body: malformed, userAction })).toEqual(badRequest('the body is not valid JSON'));
    expect(await refused('POST', path, { body: malformed, userAction })).toEqual(used);
  });

  test('an action is spent by a refusal of what it asks for', async () => {
    const path = '/keys/none/signatures';
    const body = JSON.stringify({ kind: 'Hash', hash });
    const userAction = await root.action('POST', path, body);
    expect(await refused('POST', path, { body, userAction })).toMatchObject({ status: 404, message: 'Key not found' });
    expect(await refused('POST', path, { body, userAction })).toEqual(used);
  });

  test('a used action comes before the body', async () => {
    const userAction = await root.action('POST', '/keys', malformed);
    await refused('POST', '/keys', { body: malformed, userAction });
    expect(await refused('POST', '/keys', { body: malformed, userAction })).toEqual(used);
  });
});

describe('what is not a request', () => {
  test('an unknown route, or a method it does not have', async () => {
    expect(await refused('GET', '/nowhere?x=1')).toEqual({ status: 404, message: 'route not found' });
    expect(await refused('PUT', '/keys', { body: '{}' })).toEqual({ status: 404, message: 'route not found' });
    expect(await refused('PATCH', '/keys', { body: '{}' })).toEqual({ status: 404, message: 'route not found' });
  });

  test('a body that is too large, or of another type', async () => {
    const path = '/auth/action/init';
    const tooLarge = { status: 413, message: 'the body is larger than the service takes' };
    expect(await refused('POST', path, { body: ' '.repeat(limits.bodyBytes + 1) })).toEqual(tooLarge);
    const otherType = { status: 415, message: 'the body must be application/json' };
    for (const contentType of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x']) {
      expect(await refused('POST', path, { body: '{}', contentType }), contentType).toEqual(otherType);
    }
  });

  test('a body that is nested too deep, not JSON, or not UTF-8', async () => {
    const path = '/auth/action/init';
    const nested = (depth: number) => `${'['.repeat(depth)}${']'.repeat(depth)}`;
    const tooDeep = badRequest(`the body is nested deeper than ${maxJsonDepth}`);
    expect(await refused('POST', path, { body: nested(maxJsonDepth + 1) })).toEqual(tooDeep);
    expect(await refused('POST', path, { body: nested(400_000) })).toEqual(tooDeep);
    expect(await refused('POST', path, { body: nested(maxJsonDepth) })).toMatchObject({ status: 400, details: { problems: [{}] } });
    for (const body of ['{', 'undefined', "{'a':1}", '{"a":1}}', '\ufeff']) {
      expect(await refused('POST', path, { body }), body).toEqual(badRequest('the body is not valid JSON'));
    }
    const notUtf8 = new Uint8Array([0x22, 0xff, 0x22]);
    expect(await refused('POST', path, { body: notUtf8 })).toEqual(badRequest('the body is not valid JSON'));
  });

  test('a body that lacks what its endpoint needs: each field is named', async () => {
    expect(await refused('POST', '/auth/action/init', { body: '{"userActionHttpMethod":"PATCH","userActionHttpPath":7}' })).toEqual({
      status: 400,
      message: expect.stringMatching(/^body\.userActionHttpMethod: /),
      details: {
        problems: [
          { field: 'body.userActionHttpMethod', problem: expect.any(String) },
          { field: 'body.userActionHttpPath', problem: expect.any(String) },
        ],
      },
    });
    expect(await refused('GET', '/keys?limit=none&paginationToken=x')).toMatchObject({
      status: 400,
      details: { problems: [{ field: 'query.limit', problem: 'must be a whole number' }] },
    });
    expect(await refused('GET', '/keys?paginationToken=x')).toEqual(badRequest('paginationToken is not valid'));
  });

  test('what is not HTTP, or has too many headers, is answered in JSON too', async () => {
    const raw = (text: string) => spoken(instance, text);
    expect(await raw('NONSENSE\r\n\r\n')).toEqual([400, 'the request is not valid HTTP']);
    expect(await raw('GET / HTTP/1.1\r\nhost: a\r\ncontent-length: x\r\n\r\n')).toEqual([400, 'the request is not valid HTTP']);
    const both = 'POST /keys HTTP/1.1\r\nhost: a\r\ncontent-length: 2\r\ntransfer-encoding: chunked\r\n\r\n{}';
    expect(await raw(both)).toEqual([400, 'the request is not valid HTTP']);
    const long = `GET /healthz HTTP/1.1\r\nhost: a\r\nx-long: ${'a'.repeat(limits.headerBytes)}\r\n\r\n`;
    expect(await raw(long)).toEqual([431, 'the headers are larger than the service takes']);
    expect((await fetch(`${instance.origin}/healthz`)).status).toBe(200);
  });
});

describe('keys', () => {
  const create = (body: unknown) => refusedSigned(root, 'POST', '/keys', body);

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
    const childKeys = badRequest('child keys (masterKey, deriveFrom) are not offered yet');
    const delegation = badRequest('delegation (delegateTo, delayDelegation) is not offered yet');
    expect(await create({ ...key, masterKey: true })).toEqual(childKeys);
    expect(await create({ ...key, deriveFrom: { keyId: 'key-none' } })).toEqual(childKeys);
    expect(await create({ ...key, delegateTo: 'us-none' })).toEqual(delegation);
    expect(await create({ ...key, delayDelegation: true })).toEqual(delegation);
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
    expect(await refusedSigned(root, 'PUT', '/keys/key-none', { name: 'x' })).toEqual(notFound);
    expect(await refusedSigned(root, 'DELETE', '/keys/key-none')).toEqual(notFound);
    expect(await refusedSigned(root, 'POST', '/keys/key-none/derive', { domain: '01', seed: '01' })).toEqual(notFound);
  });

  test('that do not derive, and what they cannot derive from', async () => {
    const ecdsa = await newKey('ECDSA', 'secp256k1');
    const point = { domain: '01', seed: '01' };
    expect(await refusedSigned(root, 'POST', `/keys/${ecdsa.id}/derive`, point)).toEqual(
      badRequest('derive is for DH keys; this key is ECDSA'),
    );
    const dh = await newKey('DH', 'secp256k1');
    const derive = (body: unknown) => refusedSigned(root, 'POST', `/keys/${dh.id}/derive`, body);
    for (const domain of ['', 'x', '0x0', '00'.repeat(256)]) {
      expect(await derive({ ...point, domain }), domain).toMatchObject({ status: 400, details: { problems: [{ field: 'body.domain' }] } });
    }
  });
});

describe('signatures', () => {
  const taprootMerkleRoot = '';

  test('of kinds that need a blockchain, while it has no module', async () => {
    const ecdsa = await newKey('ECDSA', 'secp256k1');
    const sign = (body: object) => refusedSigned(root, 'POST', ecdsa.signatures, body);
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
    const sign = ({ signatures }: { signatures: string }, body: object) => refusedSigned(root, 'POST', signatures, body);
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
    expect(await refusedSigned(root, 'POST', eddsa.signatures, message(maxMessageBytes + 1))).toMatchObject({ status: 400 });
  });

  test('by a key that is archived, and there is none by it afterwards', async () => {
    const eddsa = await newKey('EdDSA', 'ed25519');
    await root.call('DELETE', `/keys/${eddsa.id}`);
    expect(await refusedSigned(root, 'POST', eddsa.signatures, { kind: 'Hash', hash })).toEqual(badRequest('the key is archived'));
    expect((await root.call('GET', eddsa.signatures)).body).toEqual({ items: [], keyId: eddsa.id });
    const dh = await newKey('DH', 'secp256k1');
    await root.call('DELETE', `/keys/${dh.id}`);
    expect(await refusedSigned(root, 'POST', `/keys/${dh.id}/derive`, { domain: '01', seed: '01' })).toEqual(
      badRequest('the key is archived'),
    );
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
    expect(await refusedSigned(root, 'POST', eddsa.signatures, { kind: 'Message', message: hash, externalId: 'one' })).toEqual({
      status: 409,
      message: 'Conflicting signature with same externalId',
      details: { duplicate: { id: first.id, externalId: 'one' } },
    });
  });
});

describe('administration', () => {
  const publicKey = publicPem(generateKeyPairSync('ed25519').privateKey);
  const orgId = () => instance.admin.DFNS_ORG_ID;

  test('unknown accounts, permissions, identities and assignments: 404', async () => {
    const account = { status: 404, message: 'Service account not found', details: { serviceAccountId: 'us-none', orgId: orgId() } };
    expect(await refused('GET', '/auth/service-accounts/us-none')).toEqual(account);
    expect(await refusedSigned(root, 'DELETE', '/auth/service-accounts/us-none')).toEqual(account);
    const permission = { status: 404, message: 'Permission not found', details: { permissionId: 'pm-none', orgId: orgId() } };
    expect(await refused('GET', '/permissions/pm-none')).toEqual(permission);
    expect(await refused('GET', '/permissions/pm-none/assignments')).toEqual(permission);
    const assignments = `/permissions/${keyMaker.permissionId}/assignments`;
    expect(await refusedSigned(root, 'POST', assignments, { identityId: 'us-none' })).toEqual({
      status: 404,
      message: 'Identity not found',
      details: { identityId: 'us-none', orgId: orgId() },
    });
    expect(await refusedSigned(root, 'DELETE', `${assignments}/as-none`)).toEqual({
      status: 404,
      message: 'Assignment not found',
      details: { assignmentId: 'as-none', permissionId: keyMaker.permissionId, orgId: orgId() },
    });
  });

  test('names and externalIds that are taken, and assignments that stand: 409', async () => {
    const operations = ['Keys:Read'];
    await root.call('POST', '/permissions', { name: 'taken', operations });
    expect(await refusedSigned(root, 'POST', '/permissions', { name: 'taken', operations })).toEqual({
      status: 409,
      message: 'a permission with this name exists already',
    });
    const { body } = await root.call('POST', '/auth/service-accounts', { name: 'a', publicKey, externalId: 'taken' });
    expect(await refusedSigned(root, 'POST', '/auth/service-accounts', { name: 'b', publicKey, externalId: 'taken' })).toEqual({
      status: 409,
      message: 'Conflicting service account with same externalId',
      details: { duplicate: { id: body.userInfo.userId, externalId: 'taken' } },
    });
    const assignments = `/permissions/${keyMaker.permissionId}/assignments`;
    expect(await refusedSigned(root, 'POST', assignments, { identityId: keyMaker.userId })).toEqual({
      status: 409,
      message: 'this permission is assigned to this identity already',
    });
  });

  test('keys that are no credentials here', async () => {
    const weak = publicPem(generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey);
    const other = publicPem(generateKeyPairSync('ec', { namedCurve: 'P-384' }).privateKey);
    for (const wrong of ['nonsense', weak, other]) {
      expect(await refusedSigned(root, 'POST', '/auth/service-accounts', { name: 'x', publicKey: wrong })).toMatchObject({
        status: 400,
        message: expect.stringContaining('Ed25519'),
      });
    }
  });

  test('operations that do not exist', async () => {
    expect(await refusedSigned(root, 'POST', '/permissions', { name: 'x', operations: ['Keys:Read', 'Keys:Steal'] })).toMatchObject({
      status: 400,
      details: { problems: [{ field: 'body.operations.1' }] },
    });
  });

  test('what would lock everybody out', async () => {
    const { body } = await root.call('GET', '/permissions');
    const fullAdmin = body.items.find(({ name }: { name: string }) => name === 'ManagedFullAdminAccess');
    const { body: assignments } = await root.call('GET', `/permissions/${fullAdmin.id}/assignments`);
    const [assignment] = assignments.items;
    expect(await refusedSigned(root, 'DELETE', `/permissions/${fullAdmin.id}/assignments/${assignment.id}`)).toEqual({
      status: 409,
      message: 'the organisation would be left without an active full admin',
    });
    const self = badRequest('a service account cannot deactivate or delete itself');
    expect(await refusedSigned(root, 'PUT', `/auth/service-accounts/${assignment.identityId}/deactivate`)).toEqual(self);
    expect(await refusedSigned(root, 'DELETE', `/auth/service-accounts/${assignment.identityId}`)).toEqual(self);
    expect(await refusedSigned(root, 'PUT', `/permissions/${fullAdmin.id}`, { name: 'x' })).toEqual(
      badRequest('ManagedFullAdminAccess is immutable'),
    );
  });
});

test('the id of a refusal is the one under which the log has it', async () => {
  const answer = await fetch(`${instance.origin}/keys`);
  const id = answer.headers.get('x-request-id') ?? '';
  await vi.waitFor(() => {
    const lines = instance.output().split('\n');
    expect(lines.filter((line) => line.includes(id)).map((line) => JSON.parse(line))).toMatchObject([
      { requestId: id, method: 'GET', route: '/keys', status: 401 },
    ]);
  });
});

describe('with a clock that a test turns, and a second organisation', () => {
  let now = Date.now();
  let dataDir: string;
  let world: FakeWorld;
  let other: Client;
  beforeAll(async () => {
    dataDir = await newDataDir();
    world = await startWorld({ database: await openDatabase({ dataDir }), clock: () => now });
    other = await world.organisation();
  });
  afterAll(async () => {
    await world?.stop();
    await world?.database.close();
    rmSync(dataDir, { recursive: true });
  });
  test('what belongs to the other organisation is answered as what does not exist, word for word', async () => {
    const { body: key } = await world.root.call('POST', '/keys', { scheme: 'EdDSA', curve: 'ed25519' });
    const { body: signature } = await world.root.call('POST', `/keys/${key.id}/signatures`, { kind: 'Hash', hash });
    const requests = [
      ['GET', `/keys/${key.id}`],
      ['DELETE', `/keys/${key.id}`],
      ['POST', `/keys/${key.id}/signatures`, { kind: 'Hash', hash }],
      ['GET', `/keys/${key.id}/signatures/${signature.id}`],
      ['GET', `/auth/service-accounts/${world.root.userId}`],
    ] as const;
    const ids = [key.id, signature.id, world.root.userId];
    const unknown = (text: string) => ids.reduce((replaced, id) => replaced.replaceAll(id, `none-${ids.indexOf(id)}`), text);
    for (const [method, path, body] of requests) {
      const [foreign, missing] = [await other.call(method, path, body), await other.call(method, unknown(path), body)];
      for (const answer of [foreign, missing]) delete answer.body.error.id;
      expect(foreign.status, path).toBe(404);
      expect(JSON.parse(unknown(JSON.stringify(foreign)))).toEqual(missing);
    }
  });

  const wait = (seconds: number) => {
    now += seconds * 1000;
  };
  const refusal = (status: number, message: string) => ({ status, body: { error: { id: expect.any(String), status, message } } });
  const bodyText = '{"scheme":"EdDSA","curve":"ed25519"}';

  test('a challenge serves for five minutes', async () => {
    const { root } = world;
    const asked = JSON.stringify({ userActionPayload: bodyText, userActionHttpMethod: 'POST', userActionHttpPath: '/keys' });
    const { body } = await root.send('POST', '/auth/action/init', { bodyText: asked });
    const signed = JSON.stringify({ challengeIdentifier: body.challengeIdentifier, firstFactor: root.assertion(body.challenge) });
    const complete = () => root.send('POST', '/auth/action', { bodyText: signed });
    wait(299);
    expect(await complete()).toEqual({ status: 200, body: { userAction: expect.any(String) } });
    wait(2);
    expect(await complete()).toEqual(refusal(400, 'Challenge token is not valid.'));
  });

  test('a user action serves for the five minutes of its challenge', async () => {
    const { root } = world;
    const early = await root.action('POST', '/keys', bodyText);
    const late = await root.action('POST', '/keys', bodyText);
    wait(299);
    expect(await root.send('POST', '/keys', { bodyText, userAction: early })).toMatchObject({ status: 200 });
    wait(2);
    expect(await root.send('POST', '/keys', { bodyText, userAction: late })).toEqual(refusal(403, noAction.message));
    expect(await root.send('POST', '/keys', { bodyText, userAction: early })).toEqual(refusal(403, noAction.message));
  });

  test('a token serves for the days it was given', async () => {
    const account = await world.serviceAccount(['Keys:Read']);
    expect(await account.send('GET', '/keys')).toMatchObject({ status: 200 });
    wait(730 * 24 * 60 * 60 + 1);
    expect(await account.send('GET', '/keys')).toEqual(refusal(401, 'Not Authorized.'));
  });
});

/** What is written to a connection, whatever it is. @returns status and message of the answer */
function spoken({ origin }: Instance, text: string): Promise<[number, string]> {
  return new Promise((resolve, reject) => {
    let answer = '';
    const socket = connect(Number(new URL(origin).port), '127.0.0.1', () => socket.write(text));
    socket.on('data', (chunk) => (answer += String(chunk)));
    socket.on('error', reject);
    socket.on('end', () => {
      const [head = '', body = ''] = answer.split('\r\n\r\n');
      const { error } = JSON.parse(body);
      expect(error.id).toMatch(/./);
      resolve([Number(head.split(' ')[1]), error.message]);
    });
  });
}
