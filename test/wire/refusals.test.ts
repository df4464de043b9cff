/**
 * Who is refused, and in which order: every line of the error table (contract §1.5) that stands before a request is looked at for what it
 * asks, by plain HTTP against a running instance.
 */

import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { maxJsonDepth } from '../../src/base/json.ts';
import { limits } from '../../src/server/limits.ts';
import type { Client } from '../support/client.ts';
import { type Instance, startInstance } from '../support/instance.ts';
import { newDataDir } from '../support/pglite.ts';
import { administrator, newAccount } from './accounts.ts';
import { hash } from './examples.ts';
import * as plain from './plain.ts';
import { badRequest, bearer, noAction, unauthorised, used } from './plain.ts';

let instance: Instance;
let root: Client;
/** May make keys and read them, nothing else. */
let keyMaker: Awaited<ReturnType<typeof newAccount>>;

beforeAll(async () => {
  instance = await startInstance({ dataDir: await newDataDir(), env: { LOG_LEVEL: 'info' } });
  root = administrator(instance);
  keyMaker = await newAccount(instance, ['Keys:Create', 'Keys:Read']);
});
afterAll(() => instance?.remove());

const refused = (method: string, path: string, sent?: plain.Sent) => plain.refused(instance, method, path, sent);

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
    expect(await plain.refusedSigned(instance, giver, 'POST', '/permissions', { name: 'more', operations: ['Keys:Delete'] })).toEqual(
      lacks,
    );
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

test('the id of a refusal is the one under which the log has it', async () => {
  const answer = await fetch(`${instance.origin}/keys`);
  const id = answer.headers.get('x-request-id') ?? '';
  await vi.waitFor(
    () => {
      const lines = instance.output().split('\n');
      expect(lines.filter((line) => line.includes(id)).map((line) => JSON.parse(line))).toMatchObject([
        { requestId: id, method: 'GET', route: '/keys', status: 401 },
      ]);
    },
    { timeout: 10_000 },
  );
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
