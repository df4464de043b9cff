/** A server with a few small endpoints and a gate made of words, listening on a port of its own; and what it said to its log. */

import type { AddressInfo } from 'node:net';
import { connect } from 'node:net';
import { pino } from 'pino';
import { z } from 'zod';
import { Refusal, type RefusalCode } from '../../src/base/errors.ts';
import { pageOf, pageQuery } from '../../src/base/pagination.ts';
import type { Caller } from '../../src/features/access/caller.ts';
import { actionOf, type Context } from '../../src/features/access/context.ts';
import type { UserAction } from '../../src/features/access/userAction.ts';
import { contract, type Routes } from '../../src/features/endpoint.ts';
import type { Gate } from '../../src/server/gate.ts';
import { createServer, mount } from '../../src/server/http.ts';
import type { Readiness } from '../../src/server/readiness.ts';

const thing = z.object({ id: z.string(), name: z.string() });
const thingId = z.object({ thingId: z.string().min(1).max(64) });

export const thingsContract = contract({
  createThing: {
    method: 'POST',
    path: '/things',
    summary: 'Create a thing',
    access: 'Keys:Create',
    userAction: true,
    body: z.object({ name: z.string().min(1).max(20), tags: z.array(z.string()).optional() }),
    response: thing,
  },
  listThings: {
    method: 'GET',
    path: '/things',
    summary: 'List things',
    access: 'Keys:Read',
    userAction: false,
    query: pageQuery({ defaultLimit: 50, maxLimit: 200 }).extend({ tag: z.union([z.string(), z.array(z.string())]).optional() }),
    response: pageOf(thing),
  },
  getThing: {
    method: 'GET',
    path: '/things/:thingId',
    summary: 'Get a thing',
    access: 'Keys:Read',
    userAction: false,
    params: thingId,
    response: thing,
  },
  deleteThing: {
    method: 'DELETE',
    path: '/things/:thingId',
    summary: 'Delete a thing',
    access: 'Keys:Delete',
    userAction: true,
    params: thingId,
    response: thing,
  },
  echo: {
    method: 'POST',
    path: '/echo',
    summary: 'Answer what was understood',
    access: 'anonymous',
    userAction: false,
    body: z.object({ value: z.unknown() }),
    response: z.object({ value: z.unknown() }),
  },
  whoAmI: {
    method: 'GET',
    path: '/me',
    summary: 'Answer who calls',
    access: 'authenticated',
    userAction: false,
    response: z.object({ userId: z.string() }),
  },
});

export type ThingRoutes = Routes<typeof thingsContract, Context>;

export const caller: Caller = {
  organisationId: 'or-1',
  userId: 'us-1',
  tokenId: 'to-1',
  kind: 'ServiceAccount',
  operations: new Set(['Keys:Create', 'Keys:Read']),
  isFullAdmin: false,
  credentials: [],
};

const spent = (context: Context) => {
  actionOf(context).spent = true;
};

export const thingRoutes: ThingRoutes = {
  createThing: async ({ body, context }) => {
    spent(context);
    return { id: 'thing-1', name: body.name };
  },
  listThings: async ({ query }) => ({ items: [{ id: String(query.limit), name: [query.tag ?? []].flat().join() }] }),
  getThing: async ({ params }) => {
    if (params.thingId === 'missing') throw new Refusal('NotFound', 'thing', { details: { thingId: 'missing' } });
    return { id: params.thingId, name: 'a thing' };
  },
  deleteThing: async ({ params, context }) => {
    spent(context);
    return { id: params.thingId, name: `deleted by ${context.path}` };
  },
  echo: async ({ body }) => ({ value: body.value }),
  whoAmI: async ({ context }) => ({ userId: context.caller.userId }),
};

/**
 * Tokens are the words `good`, `all` (may do everything) and `deactivated`; the header of a user action is `for <METHOD> <url> [<body in base64url>]`. What
 * it was asked is noted in `asked`, and each action that it had to spend in `spentRefused`.
 */
export function wordGate() {
  const asked: string[] = [];
  const spentRefused: RefusalCode[] = [];
  const gate: Gate = {
    async authenticate(authorization) {
      asked.push('authenticate');
      if (authorization === 'Bearer good') return caller;
      if (authorization === 'Bearer all') return { ...caller, operations: new Set([...caller.operations, 'Keys:Delete']) };
      throw new Refusal(authorization === 'Bearer deactivated' ? 'AccountDeactivated' : 'Unauthorized');
    },
    authorise({ operations }, operation) {
      asked.push(`authorise ${operation}`);
      if (!operations.has(operation)) throw new Refusal('Forbidden', `not authorized (${operation})`);
    },
    verifyUserAction(_caller, { header, method, url, body }) {
      asked.push('verifyUserAction');
      if (header !== actionFor(method, url, body)) throw new Refusal('UserActionMissing');
      return { body, spent: false, token: header } as UserAction; // the rest is not looked at here
    },
    async spendRefused(_caller, action, refusal) {
      asked.push('spendRefused');
      if (Buffer.from(action.body).includes('used')) throw new Refusal('UserActionUsed');
      spentRefused.push(refusal.code);
    },
  };
  return { gate, asked, spentRefused };
}

export interface Started {
  readonly origin: string;
  readonly asked: string[];
  readonly spentRefused: RefusalCode[];
  /** The lines of the log so far. */
  readonly log: Record<string, unknown>[];
  readonly server: ReturnType<typeof createServer>;
  /** One request; its answer must be JSON. */
  call(method: string, path: string, options?: CallOptions): Promise<Answer>;
  /** Bytes over a socket; resolves with all that came back when the server has closed it. */
  raw(bytes: string): Promise<string>;
}

export interface CallOptions {
  readonly token?: string;
  readonly action?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string | Uint8Array<ArrayBuffer>;
}

export interface Answer {
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: what a test expects of a body, it says by comparing
  readonly body: any;
  readonly headers: Headers;
}

type Options = Partial<Parameters<typeof createServer>[0]>;

export async function startServer({
  routes = thingRoutes,
  ready = { ready: true, details: { database: 'up', signers: [] } },
  ...options
}: Omit<Options, 'ready'> & { routes?: ThingRoutes; ready?: Readiness } = {}): Promise<Started> {
  const log: Record<string, unknown>[] = [];
  const { gate, asked, spentRefused } = wordGate();
  const server = createServer({
    features: [mount(thingsContract, routes)],
    gate,
    log: pino({ level: 'debug' }, { write: (line: string) => log.push(JSON.parse(line)) }),
    corsOrigins: ['https://app.example'],
    ready: async () => ready,
    checkAnswers: true,
    ...options,
  });
  const origin = await server.listen({ host: '127.0.0.1', port: 0 });

  return {
    origin,
    asked,
    spentRefused,
    log,
    server,
    async call(method, path, { token = 'good', action, headers = {}, body } = {}) {
      const answer = await fetch(`${origin}${path}`, {
        method,
        headers: {
          ...(token === '' ? {} : { authorization: `Bearer ${token}` }),
          ...(action === undefined ? {} : { 'x-dfns-useraction': action }),
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          ...headers,
        },
        ...(body === undefined ? {} : { body }),
      });
      return { status: answer.status, body: method === 'HEAD' ? undefined : await answer.json(), headers: answer.headers };
    },
    raw(bytes) {
      return new Promise((resolve, reject) => {
        let text = '';
        const socket = connect((server.server.address() as AddressInfo).port, '127.0.0.1', () => socket.write(bytes));
        socket.on('data', (chunk) => {
          text += chunk;
        });
        socket.on('close', () => resolve(text));
        socket.on('error', reject);
      });
    },
  };
}

/** The header that `wordGate` takes for this request. */
export const actionFor = (method: string, url: string, body: string | Uint8Array = '') =>
  `for ${method} ${url} [${Buffer.from(body).toString('base64url')}]`;

/** An error of contract §1.5. */
export const refused = (status: number, message: unknown, details?: object) => ({
  error: { id: expectId, status, message, ...(details === undefined ? {} : { details }) },
});

const expectId = {
  asymmetricMatch: (value: unknown) => typeof value === 'string' && /^req-[a-z0-9]{5}-[a-z0-9]{5}-[a-z0-9]{16}$/.test(value),
  toString: () => 'a request id',
};
