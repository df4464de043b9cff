/** Every failure is JSON of the one shape of contract §1.5, whoever finds it. */

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Refusal } from '../../src/base/errors.ts';
import { actionFor, refused, type Started, startServer, thingRoutes } from './support.ts';

let started: Started;

beforeAll(async () => {
  started = await startServer();
});

afterAll(() => started.server.close());

const create = (body: string, headers: Record<string, string> = {}) =>
  started.call('POST', '/things', { body, headers, action: actionFor('POST', '/things', body) });
const echo = (body: string | Uint8Array<ArrayBuffer>, headers: Record<string, string> = {}) =>
  started.call('POST', '/echo', { token: '', body, headers });

describe('routes and paths', () => {
  test.each([
    ['GET', '/'],
    ['GET', '/nothing/here?secret=1'],
    ['PUT', '/things'],
    ['PATCH', '/things'],
    ['TRACE', '/things'],
    ['GET', '/things/a/b'],
    ['GET', `/things/${'x'.repeat(65)}`],
    ['GET', '/__proto__'],
    ['GET', '/constructor'],
  ])('%s %s is unknown', async (method, path) => {
    if (method === 'TRACE')
      return expect(await started.raw(`TRACE ${path} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n`)).toMatch(/^HTTP\/1.1 404/);
    const { status, body } = await started.call(method, path, { token: '' });
    expect({ status, body }).toEqual({ status: 404, body: refused(404, expect.stringMatching(/ not found$/)) });
    expect(JSON.stringify(body)).not.toContain('secret');
  });

  test('an identifier of 64 characters is looked up', async () => {
    expect(await started.call('GET', `/things/${'x'.repeat(64)}`)).toMatchObject({ status: 200, body: { id: 'x'.repeat(64) } });
  });

  test('an encoded identifier arrives decoded, also as something that looks like a path', async () => {
    expect(await started.call('GET', '/things/a%2F..%2Fb')).toMatchObject({ status: 200, body: { id: 'a/../b' } });
  });

  test.each(['/things/%', '/things/%ff', '/%E0%A4%A'])('a path that is not validly encoded is refused: %s', async (path) => {
    const answer = await started.raw(`GET ${path} HTTP/1.1\r\nhost: a\r\nauthorization: Bearer good\r\nconnection: close\r\n\r\n`);
    expect(answer).toMatch(/^HTTP\/1.1 400 Bad Request\r\n/);
    expect(answer).toMatch(/\r\nx-request-id: req-/);
    expect(JSON.parse(answer.slice(answer.indexOf('\r\n\r\n')))).toEqual(refused(400, expect.any(String)));
  });

  test('an empty identifier names nothing', async () => {
    expect(await started.call('GET', '/things/')).toMatchObject({ status: 404, body: refused(404, 'route not found') });
  });

  test('an unknown entity is told with its details', async () => {
    expect((await started.call('GET', '/things/missing')).body).toEqual(refused(404, 'thing not found', { thingId: 'missing' }));
  });
});

describe('bodies', () => {
  test('of a wrong shape are refused field by field, without repeating them', async () => {
    const { status, body } = await create(JSON.stringify({ name: 7, tags: ['a', { hidden: 'value' }] }));
    expect(status).toBe(400);
    const problems = [
      { field: 'body.name', problem: expect.any(String) },
      { field: 'body.tags.1', problem: expect.any(String) },
    ];
    expect(body).toEqual(refused(400, expect.stringContaining('body.name: '), { problems }));
    expect(JSON.stringify(body)).not.toContain('hidden');
  });

  test('with a thousand problems are answered with a few', async () => {
    const { body } = await create(JSON.stringify({ name: 'a', tags: Array.from({ length: 1000 }, () => 1) }));
    expect(body.error.details.problems).toHaveLength(20);
  });

  test('may have unknown fields, which are ignored', async () => {
    expect(await create('{"name":"a","other":{"deep":[1]}}')).toMatchObject({ status: 200, body: { id: 'thing-1', name: 'a' } });
  });

  test.each(['', '   ', '{', '{"name":"a"', "{'name':'a'}", '{"name":"a"}x', 'undefined', '\ufeff{}x', '[1', '"', '\u0000'])(
    'that are not JSON are refused: %j',
    async (text) => {
      const { status, body } = await create(text);
      expect({ status, body }).toMatchObject({ status: 400, body: refused(400, expect.any(String)) });
    },
  );

  test('that are not UTF-8 are refused', async () => {
    const { status } = await echo(Uint8Array.of(...Buffer.from('{"value":"'), 0xff, 0xfe, ...Buffer.from('"}')));
    expect(status).toBe(400);
  });

  test('are refused beyond a depth of 64, whatever their strings hold', async () => {
    const nested = (depth: number) => `{"value":${'['.repeat(depth - 1)}${']'.repeat(depth - 1)}}`;
    expect((await echo(nested(64))).status).toBe(200);
    expect(await echo(nested(65))).toMatchObject({ status: 400, body: refused(400, expect.stringMatching(/nested/)) });
    expect((await echo('['.repeat(500_000))).status).toBe(400);
    expect((await echo('{"a":'.repeat(100_000))).status).toBe(400);
    const brackets = '[{'.repeat(1000);
    expect((await echo(JSON.stringify({ value: `"\\${brackets}` }))).body).toEqual({ value: `"\\${brackets}` });
  });

  test('with members named like parts of a prototype change nothing', async () => {
    const text = '{"__proto__":{"name":"a","polluted":1},"constructor":{"prototype":{"polluted":1}},"value":{"__proto__":{"polluted":1}}}';
    const answer = await echo(text);
    expect(answer.status).toBe(200);
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
    expect((await create('{"__proto__":{"name":"inherited"}}')).status).toBe(400);
  });

  test('above one megabyte are refused, with or without a length', async () => {
    const fits = JSON.stringify({ value: 'x'.repeat(2 ** 20 - 12) });
    expect(fits.length).toBe(2 ** 20);
    expect((await echo(fits)).status).toBe(200);
    const { status, body } = await echo(`${fits} `);
    expect({ status, body }).toEqual({ status: 413, body: refused(413, expect.any(String)) });
    const chunks = `${(2 ** 20 + 1).toString(16)}\r\n${'x'.repeat(2 ** 20 + 1)}\r\n0\r\n\r\n`;
    const answer = await started.raw(
      `POST /echo HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n${chunks}`,
    );
    expect(answer).toMatch(/^HTTP\/1.1 413 /);
  });

  test.each([
    'text/plain',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'application/jsonx',
    'nonsense',
    'application/octet-stream',
  ])('of type %s are refused', async (type) => {
    const { status, body } = await echo('{"value":1}', { 'content-type': type });
    expect({ status, body }).toEqual({ status: 415, body: refused(415, expect.any(String)) });
  });

  test.each(['application/json', 'application/json; charset=utf-8', 'APPLICATION/JSON;charset=UTF-8'])(
    'of type %s are read',
    async (type) => {
      expect((await echo('{"value":1}', { 'content-type': type })).body).toEqual({ value: 1 });
    },
  );

  test('without a type are read as JSON', async () => {
    const answer = await started.raw('POST /echo HTTP/1.1\r\nhost: a\r\ncontent-length: 11\r\nconnection: close\r\n\r\n{"value":1}');
    expect(answer).toMatch(/^HTTP\/1.1 200 /);
  });

  test('that are compressed are refused', async () => {
    expect((await echo('{"value":1}', { 'content-encoding': 'gzip' })).status).toBe(415);
  });

  test('of no endpoint that takes one are not looked at', async () => {
    const action = actionFor('DELETE', '/things/a', '{not json');
    const { status } = await started.call('DELETE', '/things/a', {
      token: 'all',
      action,
      body: '{not json',
      headers: { 'content-type': 'text/plain' },
    });
    expect(status).toBe(200);
    const get = 'GET /me HTTP/1.1\r\nhost: a\r\nauthorization: Bearer good\r\ncontent-length: 5\r\nconnection: close\r\n\r\nhello';
    expect(await started.raw(get)).toMatch(/^HTTP\/1.1 200 /);
  });

  test('announced as JSON and empty are no body', async () => {
    const action = actionFor('DELETE', '/things/a');
    const { status } = await started.call('DELETE', '/things/a', { token: 'all', action, headers: { 'content-type': 'application/json' } });
    expect(status).toBe(200);
  });
});

describe('queries', () => {
  test('are checked and given their defaults', async () => {
    expect((await started.call('GET', '/things')).body).toEqual({ items: [{ id: '50', name: '' }] });
    expect((await started.call('GET', '/things?limit=7&tag=a&tag=b&unknown=1')).body).toEqual({ items: [{ id: '7', name: 'a,b' }] });
  });

  test.each(['limit=0', 'limit=201', 'limit=-1', 'limit=1.5', 'limit=1e2', 'limit=', 'limit=a', 'limit=1&limit=2'])(
    '?%s is refused',
    async (query) => {
      const { status, body } = await started.call('GET', `/things?${query}`);
      expect(status).toBe(400);
      expect(body.error.details.problems[0].field).toBe('query.limit');
    },
  );

  test('with names like parts of a prototype are harmless', async () => {
    expect((await started.call('GET', '/things?__proto__=1&constructor=2&__proto__[a]=3')).status).toBe(200);
  });
});

describe('what is not HTTP', () => {
  test.each([
    ['a greeting', 'hello\r\n\r\n', 400],
    ['a bad version', 'GET / HTTP/9.9\r\n\r\n', 400],
    ['a header without a name', 'GET /me HTTP/1.1\r\nhost: a\r\n: b\r\n\r\n', 400],
    ['two lengths', 'POST /echo HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nxx', 400],
    ['a length and chunks', 'POST /echo HTTP/1.1\r\nhost: a\r\ncontent-length: 4\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n', 400],
    ['a bad chunk', 'POST /echo HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\nxyz\r\n', 400],
    ['no host', 'GET /me HTTP/1.1\r\n\r\n', 400],
    ['a newline in the path', 'GET /me\n HTTP/1.1\r\nhost: a\r\n\r\n', 400],
    ['huge headers', `GET /me HTTP/1.1\r\nhost: a\r\nx: ${'y'.repeat(100_000)}\r\n\r\n`, 431],
    ['an expectation', 'GET /me HTTP/1.1\r\nhost: a\r\nexpect: wonders\r\nconnection: close\r\n\r\n', 417],
  ])('%s', async (_, bytes, status) => {
    const answer = await started.raw(bytes);
    expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${status} [A-Z]`));
    expect(answer).toMatch(/\r\nconnection: close\r\n/i);
    expect(answer).toMatch(/\r\ncontent-type: application\/json/i);
    expect(JSON.parse(answer.slice(answer.indexOf('\r\n\r\n')))).toEqual(refused(status, expect.any(String)));
  });

  test('leaves the server serving others', async () => {
    expect((await started.call('GET', '/me')).status).toBe(200);
  });
});

describe('our own failures', () => {
  const failing = async (error: unknown) => {
    const server = await startServer({
      routes: {
        ...thingRoutes,
        whoAmI: async () => {
          throw error;
        },
      },
    });
    const answer = await server.call('GET', '/me');
    await server.server.close();
    return { ...answer, log: server.log };
  };

  test('tell the caller nothing, and the log everything, under one id', async () => {
    const cause = Object.assign(new Error('the row'), { detail: 'Key (secret)=(hunter2) exists', code: '23505' });
    const { status, body, headers, log } = await failing(new Error('inner workings', { cause }));
    expect({ status, body }).toEqual({ status: 500, body: refused(500, 'Internal Server Error') });
    expect(headers.get('x-request-id')).toBe(body.error.id);
    const line = log.find(({ level }) => level === 50);
    expect(line).toMatchObject({ requestId: body.error.id });
    expect(JSON.stringify(line)).toContain('inner workings');
    expect(JSON.stringify(line)).toContain('the row');
    expect(JSON.stringify(log)).not.toContain('hunter2');
  });

  test.each([
    ['a text'],
    [undefined],
    [null],
    [{ statusCode: 200, message: 'odd' }],
    [Object.assign(new Error('odd'), { statusCode: 302 })],
  ])('that are not errors are the same: %j', async (thrown) => {
    const { status, body } = await failing(thrown);
    expect({ status, body }).toEqual({ status: 500, body: refused(500, 'Internal Server Error') });
  });

  test('an error of a library does not choose the status of the answer', async () => {
    const { status } = await failing(Object.assign(new Error('not your fault'), { statusCode: 404 }));
    expect(status).toBe(500);
  });

  test('an outage is 503, with its reason in the log alone', async () => {
    const { status, body, log } = await failing(
      new Refusal('Unavailable', 'the database is not available', { cause: new Error('ECONNREFUSED 10.0.0.7') }),
    );
    expect({ status, body }).toEqual({ status: 503, body: refused(503, 'the database is not available') });
    expect(JSON.stringify(log)).toContain('10.0.0.7');
  });

  test('an answer that breaks its contract is found when answers are checked', async () => {
    for (const answer of [{ userId: 7 }, { userId: 'us-1', extra: true }, {}]) {
      const routes = { ...thingRoutes, whoAmI: async () => answer as { userId: string } };
      const server = await startServer({ routes });
      expect((await server.call('GET', '/me')).status).toBe(500);
      await server.server.close();
      const unchecked = await startServer({ routes, checkAnswers: false });
      expect((await unchecked.call('GET', '/me')).body).toEqual(answer);
      await unchecked.server.close();
    }
  });
});
