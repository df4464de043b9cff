/**
 * The way of every request, in the order of contract §1.5: who calls (401), whether they may (403), whether they signed this very request
 * (403); then what it says, by its schemas (400); then the handler.
 * @module
 */

import { isDeepStrictEqual } from 'node:util';
import type { FastifyRequest } from 'fastify';
import type { z } from 'zod';
import { assert, Refusal } from '../base/errors.ts';
import type { Caller } from '../features/access/caller.ts';
import type { Context } from '../features/access/context.ts';
import type { UserAction } from '../features/access/userAction.ts';
import type { Endpoint, Routes } from '../features/endpoint.ts';
import { validationRefusal } from './failures.ts';
import type { Gate } from './gate.ts';
import { readJson } from './jsonBody.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** Undefined until admitted, and where anybody may call. */
    caller: Caller | undefined;
  }
}

/** A contract with its handlers. */
export type Mounted = readonly MountedEndpoint[];

export interface MountedEndpoint {
  readonly endpoint: Endpoint;
  handle(input: unknown): Promise<unknown>;
}

export function mount<C extends Record<string, Endpoint>>(contract: C, routes: Routes<C, Context>): Mounted {
  return Object.entries(contract).map(([name, endpoint]) => ({
    endpoint,
    // The contract's types tie each handler to its endpoint; the input is what that endpoint's schemas made of a request.
    handle: routes[name] as MountedEndpoint['handle'],
  }));
}

/** Before the body is read: of those who are not let in, nothing is. @throws {Refusal} */
export async function admit({ access }: Endpoint, gate: Gate, request: FastifyRequest): Promise<void> {
  if (access === 'anonymous') return;
  request.caller = await gate.authenticate(request.headers.authorization);
  if (access !== 'authenticated') gate.authorise(request.caller, access);
}

/** @returns the body of the answer @throws {Refusal} */
export async function answer({ endpoint, handle }: MountedEndpoint, gate: Gate, request: FastifyRequest): Promise<unknown> {
  const bytes = request.body instanceof Uint8Array ? request.body : new Uint8Array();
  const action = endpoint.userAction ? verifiedAction(gate, request, bytes) : undefined;
  try {
    const result = await handle({
      params: paramsOf(endpoint, request),
      query: endpoint.query === undefined ? {} : parsed('query', endpoint.query, request.query),
      body: endpoint.body === undefined ? undefined : parsed('body', endpoint.body, readJson({ bytes, headers: request.headers })),
      context: contextOf(request, action),
    });
    assert(action === undefined || action.spent, 'a handler spends the user action it was given');
    return result;
  } catch (error) {
    // Verified counts as spent, whatever was wrong with the rest.
    if (error instanceof Refusal && action?.spent === false) await gate.spendRefused(callerOf(request), action, error);
    throw error;
  }
}

/** For tests: what leaves is what the contract says, nothing missing and nothing more. @throws {Bug} */
export function checkAnswer({ method, path, response }: Endpoint, result: unknown): void {
  const sent: unknown = JSON.parse(JSON.stringify(result) ?? 'null');
  const checked = response.safeParse(sent);
  assert(checked.success, `${method} ${path} answers by its contract: ${checked.error?.message}`);
  assert(isDeepStrictEqual(checked.data, sent), `${method} ${path} answers nothing beyond its contract`);
}

function verifiedAction(gate: Gate, request: FastifyRequest, body: Uint8Array): UserAction {
  const header = request.headers['x-dfns-useraction'];
  return gate.verifyUserAction(callerOf(request), {
    header: Array.isArray(header) ? undefined : header,
    method: request.method,
    url: request.url,
    body,
  });
}

/** A path is never wrong by its shape alone: what names nothing is not found (contract §1.1). */
function paramsOf({ params }: Endpoint, request: FastifyRequest): unknown {
  if (params === undefined) return {};
  const result = params.safeParse(request.params);
  if (!result.success) throw new Refusal('NotFound', 'route');
  return result.data;
}

function parsed(where: 'body' | 'query', schema: z.ZodType, value: unknown): unknown {
  const result = schema.safeParse(value);
  if (!result.success) throw validationRefusal(where, result.error);
  return result.data;
}

function contextOf(request: FastifyRequest, action: UserAction | undefined): Context {
  return {
    get caller() {
      return callerOf(request);
    },
    action,
    requestId: request.id,
    path: request.url.split('?', 1).join(),
  };
}

function callerOf({ caller }: FastifyRequest): Caller {
  assert(caller, 'where anybody may call, nobody asks who does');
  return caller;
}
