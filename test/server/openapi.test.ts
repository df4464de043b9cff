/** The description of the API, as a client generator would read it. */

import { describe, expect, test } from 'vitest';
import { accessContract } from '../../src/features/access/contract.ts';
import { keyStoresContract } from '../../src/features/keyStores/contract.ts';
import { keysContract } from '../../src/features/keys/contract.ts';
import { permissionsContract } from '../../src/features/permissions/contract.ts';
import { serviceAccountsContract } from '../../src/features/serviceAccounts/contract.ts';
import { signaturesContract } from '../../src/features/signatures/contract.ts';
import { openApi } from '../../src/server/openapi.ts';
import { startServer, thingsContract } from './support.ts';

// biome-ignore lint/suspicious/noExplicitAny: a JSON document, read by its own words
type Json = any;

test('the server shows it to anybody', async () => {
  const { call, server } = await startServer();
  const { status, body } = await call('GET', '/openapi.json', { token: '' });
  expect(status).toBe(200);
  expect(body).toEqual(JSON.parse(JSON.stringify(openApi(Object.values(thingsContract)))));
  await server.close();
});

test('an endpoint is there with its parameters, body, answer, permission and security', () => {
  const { paths }: Json = openApi(Object.values(thingsContract));
  expect(Object.keys(paths)).toEqual(['/things', '/things/{thingId}', '/echo', '/me']);
  const { post, get } = paths['/things'];
  expect(post).toMatchObject({
    summary: 'Create a thing',
    'x-permission': 'Keys:Create',
    security: [{ bearer: [], userAction: [] }],
    requestBody: { required: true, content: { 'application/json': { schema: { type: 'object', required: ['name'] } } } },
    responses: { 200: { content: { 'application/json': { schema: { required: ['id', 'name'] } } } } },
  });
  expect(get.parameters.map(({ name, required }: Json) => ({ name, required }))).toEqual([
    { name: 'limit', required: false },
    { name: 'paginationToken', required: false },
    { name: 'tag', required: false },
  ]);
  expect(paths['/things/{thingId}'].get.parameters).toEqual([
    { name: 'thingId', in: 'path', required: true, schema: { type: 'string', maxLength: 64 } },
  ]);
  expect(paths['/echo'].post.security).toEqual([]);
  expect(paths['/me'].get.security).toEqual([{ bearer: [] }]);
});

describe('of the whole service', () => {
  const contracts = [accessContract, permissionsContract, serviceAccountsContract, keyStoresContract, keysContract, signaturesContract];
  const endpoints = contracts.flatMap((contract) => Object.values(contract));
  const document: Json = JSON.parse(JSON.stringify(openApi(endpoints)));
  const operations: Json[] = Object.values(document.paths).flatMap((path: Json) => Object.values(path));

  test('has each endpoint once, under a name of its own', () => {
    expect(operations).toHaveLength(endpoints.length);
    expect(new Set(operations.map(({ operationId }) => operationId)).size).toBe(endpoints.length);
  });

  test('names every parameter of its paths, and no other', () => {
    for (const [path, operation] of Object.entries<Json>(document.paths)) {
      const inPath = [...path.matchAll(/{(\w+)}/g)].map(([, name]) => name);
      for (const { parameters } of Object.values<Json>(operation)) {
        expect(parameters.filter((one: Json) => one.in === 'path').map((one: Json) => one.name)).toEqual(inPath);
      }
    }
  });

  test('refers to nothing that is not there, and every answer is described', () => {
    for (const [, reference] of JSON.stringify(document).matchAll(/"\$ref":"([^"]+)"/g)) {
      const target = (reference ?? '')
        .split('/')
        .slice(1)
        .reduce((at: Json, name) => at?.[name], document);
      expect(target, reference).toBeDefined();
    }
    for (const { responses } of operations) {
      for (const response of Object.values<Json>(responses)) {
        expect(response.description).toEqual(expect.any(String));
        expect(response.content['application/json'].schema).toBeDefined();
      }
    }
  });
});
