/**
 * The API as an OpenAPI 3.1 document, made of the contracts themselves.
 * @module
 */

import { z } from 'zod';
import { refusals } from '../base/errors.ts';
import type { Endpoint } from '../features/endpoint.ts';

const jsonContent = (schema: object) => ({ 'application/json': { schema } });

export function openApi(endpoints: readonly Endpoint[]): object {
  const paths: Record<string, Record<string, object>> = {};
  for (const endpoint of endpoints) {
    const path = endpoint.path.replace(/:(\w+)/g, '{$1}');
    paths[path] = { ...paths[path], [endpoint.method.toLowerCase()]: operation(endpoint) };
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Countersign',
      version: '1',
      description: 'Key custody and threshold signing. Every failure has the shape of the Error schema.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    paths,
    components: {
      securitySchemes: {
        bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' },
        userAction: {
          type: 'apiKey',
          in: 'header',
          name: 'x-dfns-useraction',
          description: 'What POST /auth/action answered for this very method, path and body. Good once.',
        },
      },
      schemas: { Error: errorSchema },
    },
  };
}

function operation({ method, path, summary, access, userAction, query, body, response }: Endpoint): object {
  return {
    operationId: `${method.toLowerCase()}${path.replace(/[^a-zA-Z0-9]+(\w)?/g, (_, letter: string | undefined) => (letter ?? '').toUpperCase())}`,
    summary,
    tags: [path.split('/')[path.startsWith('/auth/') ? 2 : 1]],
    ...(access === 'anonymous' ? { security: [] } : { security: [userAction ? { bearer: [], userAction: [] } : { bearer: [] }] }),
    ...(access === 'anonymous' || access === 'authenticated' ? {} : { 'x-permission': access }),
    parameters: [...pathParameters(path), ...queryParameters(query)],
    ...(body === undefined
      ? {}
      : { requestBody: { required: true, content: jsonContent(z.toJSONSchema(body, { io: 'input', unrepresentable: 'any' })) } }),
    responses: {
      200: { description: 'Done', content: jsonContent(z.toJSONSchema(response, { unrepresentable: 'any' })) },
      ...Object.fromEntries(failuresOf({ access, userAction }).map((status) => [status, failure(status)])),
    },
  };
}

function pathParameters(path: string): object[] {
  return [...path.matchAll(/:(\w+)/g)].map(([, name]) => ({ name, in: 'path', required: true, schema: { type: 'string', maxLength: 64 } }));
}

function queryParameters(query: z.ZodType | undefined): object[] {
  if (query === undefined) return [];
  const { properties = {}, required = [] } = z.toJSONSchema(query, { io: 'input', unrepresentable: 'any' });
  return Object.entries(properties).map(([name, schema]) => ({ name, in: 'query', required: required.includes(name), schema }));
}

function failuresOf({ access, userAction }: Pick<Endpoint, 'access' | 'userAction'>): number[] {
  const named = [400, 404, 409, 429, 503];
  return [...named, ...(access === 'anonymous' ? [] : [401]), ...(userAction || access !== 'anonymous' ? [403] : [])].sort();
}

function failure(status: number): object {
  const names = Object.entries(refusals).flatMap(([name, refusal]) => (refusal.status === status ? [name] : []));
  return { description: names.join(', ') || 'Refused', content: jsonContent({ $ref: '#/components/schemas/Error' }) };
}

const errorSchema = {
  type: 'object',
  required: ['error'],
  properties: {
    error: {
      type: 'object',
      required: ['id', 'status', 'message'],
      properties: {
        id: { type: 'string', description: 'The id of the request, which the log has too' },
        status: { type: 'integer' },
        message: { type: 'string' },
        details: { type: 'object' },
      },
    },
  },
};
