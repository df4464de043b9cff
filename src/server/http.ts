/**
 * Endpoints over HTTP, by fastify. One way for every request, in the order of contract §1.5: who calls, whether they may, whether they
 * signed this very request; then the body by its schema; then the handler.
 * @module
 */

import type { Socket } from 'node:net';
import cors from '@fastify/cors';
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import type { z } from 'zod';
import { assert, Refusal } from '../base/errors.ts';
import { newId } from '../base/ids.ts';
import type { Caller } from '../features/access/caller.ts';
import type { Context } from '../features/access/context.ts';
import type { UserAction } from '../features/access/userAction.ts';
import type { Endpoint, Routes } from '../features/endpoint.ts';
import type { Logger } from '../log.ts';
import { errorBody, refusalOf, validationRefusal } from './failures.ts';
import type { Gate } from './gate.ts';
import { parseJson } from './jsonBody.ts';
import { limits } from './limits.ts';
import { openApi } from './openapi.ts';
import type { Readiness } from './readiness.ts';

/** A contract with its handlers. */
export interface Mounted {
  readonly endpoints: readonly Endpoint[];
  handle(endpoint: Endpoint, input: unknown): Promise<unknown>;
}

export function mount<C extends Record<string, Endpoint>>(contract: C, routes: Routes<C, Context>): Mounted {
  const handlers = new Map(Object.entries(contract).map(([name, endpoint]) => [endpoint, routes[name as keyof C]]));
  return {
    endpoints: Object.values(contract),
    handle(endpoint, input) {
      // The contract's types tie each handler to its endpoint; the input was parsed by that endpoint's schemas.
      const handler = handlers.get(endpoint) as unknown as (input: unknown) => Promise<unknown>;
      return handler(input);
    },
  };
}

export interface ServerParts {
  readonly features: readonly Mounted[];
  readonly gate: Gate;
  readonly log: Logger;
  readonly corsOrigins: readonly string[];
  readonly ready: () => Promise<Readiness>;
  /** Checks each answer against its schema: for tests. */
  readonly checkAnswers?: boolean;
}

export function createServer(parts: ServerParts): FastifyInstance {
  const { features, log, corsOrigins, ready } = parts;
  // Its own logger stays off: a line per answer is written below.
  const server = fastify({
    genReqId: () => newId('request'),
    bodyLimit: limits.bodyBytes,
    requestTimeout: limits.requestMs,
    keepAliveTimeout: limits.keepAliveMs,
    http: { maxHeaderSize: limits.headerBytes },
    routerOptions: { maxParamLength: limits.pathParameter },
    forceCloseConnections: 'idle',
    clientErrorHandler: answerBrokenRequest,
    frameworkErrors: (error, request, reply) => answerFailure(error, request, reply, log),
  });
  server.server.maxConnections = limits.connections;

  // The bytes are what user actions bind: they are parsed later, from the same buffer.
  server.removeAllContentTypeParsers();
  server.addContentTypeParser('application/json', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));

  server.register(cors, {
    origin: [...corsOrigins],
    methods: ['GET', 'POST', 'PUT', 'DELETE'],
    allowedHeaders: ['authorization', 'content-type', 'x-dfns-useraction', 'x-dfns-sdk-version', 'x-dfns-appid', 'x-dfns-nonce'],
    exposedHeaders: ['x-request-id'],
  });
  server.addHook('onRequest', async (request, reply) => {
    reply.headers({
      'x-request-id': request.id,
      'x-content-type-options': 'nosniff',
      'cache-control': 'no-store',
      'referrer-policy': 'no-referrer',
      'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
    });
  });
  server.addHook('onResponse', async (request, reply) => {
    const { method, id, routeOptions } = request;
    log.info({ requestId: id, method, route: routeOptions.url, status: reply.statusCode, ms: Math.round(reply.elapsedTime) }, 'answered');
  });
  server.setErrorHandler((error, request, reply) => answerFailure(error, request, reply, log));
  server.setNotFoundHandler((request, reply) => {
    reply.code(404).send(errorBody(request.id, { status: 404, message: `${request.method} ${pathOf(request.url)} not found` }));
  });

  for (const feature of features) {
    for (const endpoint of feature.endpoints) {
      server.route({
        method: endpoint.method,
        url: endpoint.path,
        handler: (request) => answer(endpoint, feature, request, parts),
      });
    }
  }

  const document = openApi(features.flatMap(({ endpoints }) => endpoints));
  server.get('/openapi.json', async () => document);
  server.get('/healthz', async () => ({ status: 'ok' }));
  server.get('/readyz', async (_request, reply) => {
    const { ready: isReady, details } = await ready();
    return reply.code(isReady ? 200 : 503).send({ status: isReady ? 'ready' : 'not ready', ...details });
  });
  return server;
}

async function answer(
  endpoint: Endpoint,
  feature: Mounted,
  request: FastifyRequest,
  { gate, checkAnswers }: ServerParts,
): Promise<unknown> {
  const body = request.body instanceof Uint8Array ? request.body : new Uint8Array();
  const caller = endpoint.access === 'anonymous' ? undefined : await gate.authenticate(request.headers.authorization);
  if (caller !== undefined && endpoint.access !== 'authenticated' && endpoint.access !== 'anonymous')
    gate.authorise(caller, endpoint.access);
  const action = endpoint.userAction && caller !== undefined ? verifiedAction(caller, body, request, gate) : undefined;

  try {
    const input = {
      params: parsed('path', endpoint.params, request.params),
      query: parsed('query', endpoint.query, request.query),
      body: endpoint.body === undefined ? undefined : parsed('body', endpoint.body, parseJson(body)),
      context: { caller, action, requestId: request.id, path: pathOf(request.url) },
    };
    const result = await feature.handle(endpoint, input);
    assert(action === undefined || action.spent, 'a handler spends the user action it was given');
    if (checkAnswers) endpoint.response.parse(result);
    return result;
  } catch (error) {
    if (error instanceof Refusal && caller !== undefined && action?.spent === false) await gate.spendRefused(caller, action, error);
    throw error;
  }
}

function verifiedAction(caller: Caller, body: Uint8Array, request: FastifyRequest, gate: Gate): UserAction {
  const header = request.headers['x-dfns-useraction'];
  return gate.verifyUserAction(caller, {
    header: Array.isArray(header) ? undefined : header,
    method: request.method,
    url: request.url,
    body,
  });
}

function parsed(where: 'body' | 'query' | 'path', schema: z.ZodType | undefined, value: unknown): unknown {
  if (schema === undefined) return {};
  const result = schema.safeParse(value);
  if (!result.success) throw validationRefusal(where, result.error);
  return result.data;
}

function answerFailure(error: unknown, request: FastifyRequest, reply: FastifyReply, log: Logger): void {
  const refusal = refusalOf(error);
  if (refusal === undefined) log.error({ requestId: request.id, error }, 'a request failed');
  else if (refusal.status >= 500) log.warn({ requestId: request.id, error: refusal }, 'a request could not be served');
  const shown = refusal ?? { status: 500, message: 'Internal Server Error' };
  reply.code(shown.status).send(errorBody(request.id, shown));
}

/** What is not HTTP, or came too slowly: there is no request yet, only a socket. */
function answerBrokenRequest(error: Error & { code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) return void socket.destroy();
  const [status, reason, message] =
    error.code === 'HPE_HEADER_OVERFLOW'
      ? [431, 'Request Header Fields Too Large', `the headers are larger than ${limits.headerBytes} bytes`]
      : error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
        ? [408, 'Request Timeout', 'the request did not come in whole in time']
        : [400, 'Bad Request', 'the request is not valid HTTP'];
  const body = JSON.stringify(errorBody(newId('request'), { status, message }));
  socket.end(
    `HTTP/1.1 ${status} ${reason}\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\nconnection: close\r\n\r\n${body}`,
  );
}

/** The path as it came, without the query. */
function pathOf(url: string): string {
  return url.split('?', 1)[0] ?? url;
}
