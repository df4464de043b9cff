/** Headers, browsers, health, the log, and the end. */

import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { actionFor, refused, type Started, startServer, thingRoutes } from './support.ts';

let started: Started;

beforeAll(async () => {
  started = await startServer();
});

afterAll(() => started.server.close());

const secured = {
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'content-type': 'application/json; charset=utf-8',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-request-id': expect.stringMatching(/^req-/),
};

test('every answer, good or bad, carries its request id and is not to be kept, guessed at or framed', async () => {
  for (const path of ['/me', '/nothing', '/things?limit=0', `/things/${'x'.repeat(65)}`, '/healthz']) {
    expect(Object.fromEntries((await started.call('GET', path)).headers)).toMatchObject(secured);
  }
  const [first, second] = [await started.call('GET', '/me'), await started.call('GET', '/me')];
  expect(first.headers.get('x-request-id')).not.toBe(second.headers.get('x-request-id'));
  const unauthorized = await started.call('GET', '/me', { token: '' });
  expect(unauthorized.body.error.id).toBe(unauthorized.headers.get('x-request-id'));
});

test('a caller does not choose the request id', async () => {
  const answer = await started.call('GET', '/me', { headers: { 'x-request-id': 'mine', 'request-id': 'mine' } });
  expect(answer.headers.get('x-request-id')).toMatch(/^req-/);
});

test('HEAD is GET without the body', async () => {
  expect((await started.call('HEAD', '/me')).status).toBe(200);
  expect((await started.call('HEAD', '/me', { token: '' })).status).toBe(401);
});

describe('browsers', () => {
  const preflight = (origin: string, path = '/things') =>
    fetch(`${started.origin}${path}`, {
      method: 'OPTIONS',
      headers: { origin, 'access-control-request-method': 'POST', 'access-control-request-headers': 'authorization,x-dfns-useraction' },
    });

  test('of a configured origin may call, with the headers of the client', async () => {
    const { status, headers } = await preflight('https://app.example');
    expect(status).toBe(204);
    expect(headers.get('access-control-allow-origin')).toBe('https://app.example');
    expect(headers.get('access-control-allow-methods')).toBe('GET, POST, PUT, DELETE');
    const wanted = ['authorization', 'content-type', 'x-dfns-useraction', 'x-dfns-sdk-version', 'x-dfns-appid', 'x-dfns-nonce'];
    expect(headers.get('access-control-allow-headers')?.split(', ')).toEqual(expect.arrayContaining(wanted));
    expect(headers.get('vary')).toMatch(/origin/i);
    expect(headers.get('access-control-allow-credentials')).toBeNull();
  });

  test('read the answer, errors included, and its request id', async () => {
    for (const token of ['good', 'bad']) {
      const { headers } = await started.call('GET', '/me', { token, headers: { origin: 'https://app.example' } });
      expect(headers.get('access-control-allow-origin')).toBe('https://app.example');
      expect(headers.get('access-control-expose-headers')).toContain('x-request-id');
    }
  });

  test.each(['https://evil.example', 'https://app.example.evil.example', 'null', 'http://app.example'])('of %s may not', async (origin) => {
    expect((await preflight(origin)).headers.get('access-control-allow-origin')).toBeNull();
    const { status, headers } = await started.call('GET', '/me', { headers: { origin } });
    expect(status).toBe(200);
    expect(headers.get('access-control-allow-origin')).toBeNull();
  });

  test('OPTIONS that is no preflight is answered without an error that is not JSON', async () => {
    const answer = await fetch(`${started.origin}/things`, { method: 'OPTIONS' });
    expect(answer.status).toBe(204);
    expect(await answer.text()).toBe('');
  });
});

describe('health', () => {
  test('a process that answers is healthy, and ready when database and signers are', async () => {
    expect(await started.call('GET', '/healthz', { token: '' })).toMatchObject({ status: 200, body: { status: 'ok' } });
    expect((await started.call('GET', '/readyz', { token: '' })).body).toEqual({ status: 'ready', database: 'up', signers: [] });
  });

  test('one that is not ready says what is missing', async () => {
    const details = { database: 'up', signers: [{ index: 1, up: false }] } as const;
    const { call, server } = await startServer({ ready: { ready: false, details } });
    expect(await call('GET', '/readyz')).toMatchObject({ status: 503, body: refused(503, 'not ready', details) });
    expect((await call('GET', '/healthz')).status).toBe(200);
    await server.close();
  });
});

describe('the log', () => {
  test('has one line a request: method, route, status, time, request id; nothing that the caller sent', async () => {
    const secret = 'hunter2';
    const body = JSON.stringify({ name: secret });
    const before = started.log.length;
    const { headers } = await started.call('POST', `/things?token=${secret}`, {
      body,
      action: actionFor('POST', `/things?token=${secret}`, body),
    });
    await started.call('GET', `/things/${secret}`);
    await started.call('GET', `/${secret}`);
    await wait(20);
    const lines = started.log.slice(before);
    expect(lines).toHaveLength(3);
    expect(lines[0]).toMatchObject({ requestId: headers.get('x-request-id'), method: 'POST', route: '/things', status: 200 });
    expect(lines[0]?.ms).toEqual(expect.any(Number));
    expect(lines[1]).toMatchObject({ method: 'GET', route: '/things/:thingId', status: 200 });
    expect(lines[2]).toMatchObject({ method: 'GET', status: 404 });
    expect(JSON.stringify(lines)).not.toMatch(/hunter2|Bearer|good/);
  });
});

describe('slow and many', () => {
  test('a request that does not arrive is ended', async () => {
    const { raw, server } = await startServer({ limits: { requestMs: 200, headersMs: 100 } });
    for (const bytes of [
      'GET /me HTTP/1.1\r\nhost: a\r\n',
      'POST /echo HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n{',
    ]) {
      const answer = await raw(bytes);
      expect(answer).toMatch(/^HTTP\/1.1 408 /);
      expect(JSON.parse(answer.slice(answer.indexOf('\r\n\r\n')))).toEqual(refused(408, expect.any(String)));
    }
    await server.close();
  });

  test('a handler that does not answer is answered for', async () => {
    const { call, server } = await startServer({
      limits: { answerMs: 100 },
      routes: { ...thingRoutes, whoAmI: async () => wait(400, { userId: 'late' }) },
    });
    expect(await call('GET', '/me')).toMatchObject({ status: 503, body: refused(503, expect.stringMatching(/too long/)) });
    await wait(400);
    expect((await call('GET', '/healthz')).status).toBe(200);
    await server.close();
  });

  test('connections beyond the limit are not taken', async () => {
    const { server, call } = await startServer({ limits: { connections: 2 } });
    const address = server.server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const sockets = [connect(port, '127.0.0.1'), connect(port, '127.0.0.1')];
    await Promise.all(sockets.map((socket) => once(socket, 'connect')));
    await wait(20);
    await expect(call('GET', '/me')).rejects.toThrow();
    for (const socket of sockets) socket.destroy();
    await wait(50);
    expect((await call('GET', '/me')).status).toBe(200);
    await server.close();
  });
});

describe('the end', () => {
  const slow = (ms: number) => ({ ...thingRoutes, whoAmI: async () => wait(ms, { userId: 'us-1' }) });

  test('lets the requests under way finish', async () => {
    const { call, server } = await startServer({ routes: slow(300) });
    const [answer] = await Promise.all([call('GET', '/me'), wait(100).then(() => server.close())]);
    expect(answer.status).toBe(200);
    await expect(call('GET', '/me')).rejects.toThrow();
  });

  test('does not wait for ever, neither for a handler nor for an idle or silent connection', async () => {
    const { call, server, origin } = await startServer({ routes: slow(5_000), limits: { drainMs: 200 } });
    await call('GET', '/healthz');
    const silent = connect(Number(new URL(origin).port), '127.0.0.1');
    await once(silent, 'connect');
    const hanging = call('GET', '/me').catch((error: unknown) => error);
    await wait(100);
    const began = performance.now();
    await server.close();
    expect(performance.now() - began).toBeLessThan(1_500);
    expect(await hanging).toBeInstanceOf(Error);
  });
});
