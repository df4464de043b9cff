/**
 * Endpoints over HTTP, by fastify. What the features need not know of HTTP is here: bytes, headers, limits, browsers, the log, and errors
 * that are JSON whatever went wrong.
 * @module
 */

import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import cors from '@fastify/cors';
import fastify, { errorCodes, type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { messageOf, Refusal } from '../base/errors.ts';
import { newId } from '../base/ids.ts';
import type { Logger } from '../log.ts';
import { connectionFailureOf, errorBody, type Failure, failureOf, loggable } from './failures.ts';
import type { Gate } from './gate.ts';
import { type Limits, limits as usualLimits } from './limits.ts';
import type { Metrics } from './metrics.ts';
import { openApi } from './openapi.ts';
import { admit, answer, checkAnswer, type Mounted, mount } from './pipeline.ts';
import type { Readiness } from './readiness.ts';

export { type Mounted, mount };

export interface ServerParts {
  readonly features: readonly Mounted[];
  readonly gate: Gate;
  readonly log: Logger;
  readonly corsOrigins: readonly string[];
  readonly ready: () => Promise<Readiness>;
  /** Told of each answer. */
  readonly answered?: Metrics['answered'];
  /** Checks each answer against its schema: for tests. */
  readonly checkAnswers?: boolean;
  readonly limits?: Partial<Limits>;
}

/** @returns a server that does not listen yet; its `close()` lets requests under way finish, for `limits.drainMs` at most */
export function createServer({
  features,
  gate,
  log,
  corsOrigins,
  ready,
  answered,
  checkAnswers = false,
  ...rest
}: ServerParts): FastifyInstance {
  const limits = { ...usualLimits, ...rest.limits };
  const fail = failWith(log);
  // Its own logger stays off: a line per answer is written below.
  const server = fastify({
    genReqId: () => newId('request'),
    bodyLimit: limits.bodyBytes,
    requestTimeout: limits.requestMs,
    keepAliveTimeout: limits.keepAliveMs,
    http: {
      maxHeaderSize: limits.headerBytes,
      headersTimeout: limits.headersMs,
      connectionsCheckingInterval: limits.headersMs / 2,
      requireHostHeader: false,
    },
    routerOptions: { maxParamLength: limits.pathParameter },
    return503OnClosing: false, // what comes on open connections while the server closes is answered, then they are closed
    forceCloseConnections: 'idle',
    clientErrorHandler: (error, socket) => refuseConnection(error, socket, log),
    frameworkErrors: fail,
  });
  server.server.maxConnections = limits.connections;
  server.server.on('checkExpectation', (_request, response) => {
    const { headers, body } = lastAnswer(newId('request'), expectationFailure);
    response.writeHead(expectationFailure.status, headers).end(body);
  });

  // Whatever it is said to be, a body stays the bytes that came: those are what user actions bind.
  server.removeAllContentTypeParsers();
  server.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));

  server.decorateRequest('caller', undefined);
  boundAnswers(server, limits.answerMs);
  server.addHook('onRequest', async (request, reply) => {
    reply.headers(headersOf(request.id));
    // RFC 9112 §3.2; node's own answer would have no body.
    if (request.headers.host !== undefined || request.raw.httpVersion !== '1.1') return;
    reply.header('connection', 'close');
    throw new Refusal('BadRequest', 'the request names no host');
  });
  server.register(cors, {
    origin: [...corsOrigins],
    methods: ['GET', 'POST', 'PUT', 'DELETE'],
    allowedHeaders,
    exposedHeaders: ['x-request-id'],
    maxAge: 600,
    strictPreflight: false, // OPTIONS that is no preflight is answered like one, not by an error that is not JSON
  });
  server.addHook('onResponse', async (request, reply) => {
    logAnswer(log, request, reply);
    const { method, routeOptions } = request;
    // What is no route of ours is one: whoever calls does not make up labels.
    answered?.({ method, route: routeOptions.url ?? '*', status: reply.statusCode, seconds: reply.elapsedTime / 1000 });
  });
  server.setErrorHandler(fail);
  server.setNotFoundHandler((request, reply) => send(request, reply, { status: 404, message: 'route not found' }));
  boundClosing(server, limits.drainMs);

  for (const mounted of features.flat()) {
    const { endpoint } = mounted;
    server.route({
      method: endpoint.method,
      url: endpoint.path,
      onRequest: (request) => admit(endpoint, gate, request),
      handler: async (request) => {
        const result = await answer(mounted, gate, request);
        if (checkAnswers) checkAnswer(endpoint, result);
        return result;
      },
    });
  }

  const document = openApi(features.flat().map(({ endpoint }) => endpoint));
  server.get('/openapi.json', async () => document);
  server.get('/healthz', async () => ({ status: 'ok' }));
  server.get('/readyz', async (request, reply) => {
    const { ready: isReady, details } = await ready();
    return isReady ? { status: 'ready', ...details } : send(request, reply, { status: 503, message: 'not ready', details });
  });
  return server;
}

/** What the client sends, or once sent (contract §1.4). */
const allowedHeaders = [
  ...['authorization', 'content-type', 'x-dfns-useraction', 'x-dfns-sdk-version'],
  ...['x-dfns-appid', 'x-dfns-nonce', 'x-dfns-appsecret', 'x-dfns-apisignature'],
];

/** For an API whose answers are the caller's alone: not to be kept, guessed at, framed or run. */
function headersOf(requestId: string) {
  return {
    'x-request-id': requestId,
    'x-content-type-options': 'nosniff',
    'cache-control': 'no-store',
    'referrer-policy': 'no-referrer',
    'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  };
}

const expectationFailure: Failure = { status: 417, message: 'the expectation of the request cannot be met' };

/** Where there is no request of fastify's to answer, nor will be another on this connection. */
function lastAnswer(requestId: string, failure: Failure) {
  const body = JSON.stringify(errorBody(requestId, failure));
  const content = { 'content-type': 'application/json; charset=utf-8', 'content-length': String(Buffer.byteLength(body)) };
  return { body, headers: { ...headersOf(requestId), ...content, connection: 'close' } };
}

function failWith(log: Logger) {
  return (error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply => {
    const failure = failureOf(error);
    const line = () => ({ requestId: request.id, error: loggable(error) });
    if (failure.status === 500) log.error(line(), 'a request failed');
    else if (failure.status > 500) log.warn(line(), 'a request could not be served');
    return send(request, reply, failure);
  };
}

function send(request: FastifyRequest, reply: FastifyReply, failure: Failure): FastifyReply {
  return reply.code(failure.status).headers(headersOf(request.id)).send(errorBody(request.id, failure));
}

/** The route by its template, not by its path: of what the caller sent, the log has nothing. */
function logAnswer(log: Logger, request: FastifyRequest, reply: FastifyReply): void {
  const { id: requestId, method, routeOptions, caller } = request;
  const ms = Math.round(reply.elapsedTime * 10) / 10;
  log.info({ requestId, method, route: routeOptions.url, status: reply.statusCode, ms, userId: caller?.userId }, 'answered');
}

/** Answers what is not HTTP, and ends its connection. */
function refuseConnection(error: Error, socket: Socket, log: Logger): void {
  if (!socket.writable) return void socket.destroy();
  const requestId = newId('request');
  const failure = connectionFailureOf(error);
  log.info({ requestId, status: failure.status, reason: messageOf(error) }, 'a connection was refused');
  const { headers, body } = lastAnswer(requestId, failure);
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  socket.end([`HTTP/1.1 ${failure.status} ${STATUS_CODES[failure.status]}`, ...lines, '', body].join('\r\n'));
}

/** Fastify's own limit makes and aborts a signal for every request, which costs ten times as much as this timer. */
function boundAnswers(server: FastifyInstance, answerMs: number): void {
  server.addHook('onRequest', (request, reply, done) => {
    const timer = setTimeout(() => {
      if (!reply.sent) reply.send(new errorCodes.FST_ERR_HANDLER_TIMEOUT(String(answerMs), request.routeOptions.url));
    }, answerMs);
    reply.raw.once('close', () => clearTimeout(timer));
    done();
  });
}

/** Whoever is not done by then loses the connection. */
function boundClosing(server: FastifyInstance, drainMs: number): void {
  let timer: NodeJS.Timeout | undefined;
  server.addHook('preClose', async () => {
    timer = setTimeout(() => server.server.closeAllConnections(), drainMs);
  });
  // A connection that its client would keep is ended with its last answer, instead of being waited for.
  server.addHook('onSend', (_request, reply, payload, done) => {
    if (timer !== undefined) reply.header('connection', 'close');
    done(null, payload);
  });
  server.addHook('onClose', async () => clearTimeout(timer));
}
