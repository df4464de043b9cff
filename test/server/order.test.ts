/** The order of checks (contract §1.5), and what becomes of a user action. */

import { afterAll, beforeEach, expect, test } from 'vitest';
import { Refusal } from '../../src/base/errors.ts';
import { actionFor, refused, type Started, startServer, thingRoutes } from './support.ts';

const servers: Started[] = [];
let started: Started;

beforeEach(async () => {
  started = await start();
});

afterAll(async () => {
  for (const { server } of servers) await server.close();
});

async function start(...options: Parameters<typeof startServer>): Promise<Started> {
  const one = await startServer(...options);
  servers.push(one);
  return one;
}

const bad = '{"name":7}';
const good = '{"name":"a"}';
const used = '{"name":"used","tags":7}';

test.each([
  ['no token', { token: '' }, 401, 'Not Authorized.', ['authenticate']],
  ['a bad token', { token: 'bad' }, 401, 'Not Authorized.', ['authenticate']],
  ['a deactivated account', { token: 'deactivated' }, 400, 'User account has been deactivated.', ['authenticate']],
  ['no user action', {}, 403, 'user action signature is missing or invalid', ['authenticate', 'authorise Keys:Create', 'verifyUserAction']],
])('with a bad body, %s comes first', async (_, options, status, message, asked) => {
  const answer = await started.call('POST', '/things', { ...options, body: bad });
  expect({ status: answer.status, body: answer.body }).toEqual({ status, body: refused(status, message) });
  expect(started.asked).toEqual(asked);
});

test('a missing permission comes before the user action', async () => {
  const answer = await started.call('DELETE', '/things/a');
  expect(answer).toMatchObject({ status: 403, body: refused(403, 'not authorized (Keys:Delete)') });
  expect(started.asked).toEqual(['authenticate', 'authorise Keys:Delete']);
});

test('who is not let in need not send the body, and nothing of it is read', async () => {
  const head = 'POST /things HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: 1000000\r\nconnection: close\r\n\r\n';
  expect(await started.raw(head)).toMatch(/^HTTP\/1.1 401 /);
});

test('a permission is not asked for where any caller may, nor a token where anybody may', async () => {
  expect((await started.call('GET', '/me')).body).toEqual({ userId: 'us-1' });
  expect((await started.call('POST', '/echo', { token: '', body: '{"value":1}' })).status).toBe(200);
  expect((await started.call('POST', '/echo', { token: 'bad', body: '{"value":1}' })).status).toBe(200);
  expect(started.asked).toEqual(['authenticate']);
});

test('a handler of an endpoint that anybody may call cannot take anybody for a caller', async () => {
  const { call } = await start({ routes: { ...thingRoutes, echo: async ({ context }) => ({ value: context.caller.userId }) } });
  expect((await call('POST', '/echo', { body: '{"value":1}' })).status).toBe(500);
});

test('what a user action binds is the request as it came: target and bytes', async () => {
  const body = ' {"name" : "\\u0061"}\n';
  const ok = await started.call('POST', '/things?x=%41', { body, action: actionFor('POST', '/things?x=%41', body) });
  expect(ok).toMatchObject({ status: 200, body: { id: 'thing-1', name: 'a' } });
  const empty = await started.call('DELETE', '/things/a%62', {
    token: 'all',
    body: '{}',
    action: actionFor('DELETE', '/things/a%62', '{}'),
  });
  expect(empty).toMatchObject({ status: 200, body: { id: 'ab', name: 'deleted by /things/a%62' } });
});

test('a verified user action is spent by the refusal of a bad body', async () => {
  const answer = await started.call('POST', '/things', { body: bad, action: actionFor('POST', '/things', bad) });
  expect(answer.status).toBe(400);
  expect(started.spentRefused).toEqual(['BadRequest']);
});

test('one that had been used before is the answer, rather than the bad body', async () => {
  const answer = await started.call('POST', '/things', { body: used, action: actionFor('POST', '/things', used) });
  expect(answer).toMatchObject({ status: 400, body: refused(400, 'user action has already been used') });
  expect(started.spentRefused).toEqual([]);
});

test('one is spent by the refusal of its handler, unless the handler had spent it', async () => {
  const refusing = (spent: boolean) =>
    start({
      routes: {
        ...thingRoutes,
        createThing: async ({ context }) => {
          if (context.action && spent) context.action.spent = true;
          throw new Refusal('Conflict', 'no');
        },
      },
    });
  const [before, after] = [await refusing(false), await refusing(true)];
  for (const { call } of [before, after]) {
    const answer = await call('POST', '/things', { body: good, action: actionFor('POST', '/things', good) });
    expect(answer).toMatchObject({ status: 409, body: refused(409, 'no') });
  }
  expect([before.spentRefused, after.spentRefused]).toEqual([['Conflict'], []]);
});

test('one that a handler does not spend is our mistake', async () => {
  const { call, log } = await start({ routes: { ...thingRoutes, createThing: async () => ({ id: 'thing-1', name: 'a' }) } });
  expect((await call('POST', '/things', { body: good, action: actionFor('POST', '/things', good) })).status).toBe(500);
  expect(JSON.stringify(log)).toContain('does not hold');
});

test('a header given twice is no user action', async () => {
  const head = `POST /things HTTP/1.1\r\nhost: a\r\nauthorization: Bearer good\r\nx-dfns-useraction: ${actionFor('POST', '/things', good)}\r\n`;
  const rest = `x-dfns-useraction: other\r\ncontent-length: ${good.length}\r\nconnection: close\r\n\r\n${good}`;
  expect(await started.raw(head + rest)).toMatch(/^HTTP\/1.1 403 /);
});
