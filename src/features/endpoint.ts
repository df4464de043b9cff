/**
 * What an endpoint is. Declared once, in a feature's `contract.ts`; types, validation, OpenAPI and the client follow from it.
 * @module
 */

import type { z } from 'zod';
import type { Operation } from '../authority/operations.ts';
import type { KnownRequest } from '../authority/requests.ts';

/** Who may call: 'anonymous' needs no token, 'authenticated' any valid one, an operation demands that permission. */
export type Access = 'anonymous' | 'authenticated' | Operation;

export interface Endpoint {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** With `:name` parameters. */
  readonly path: string;
  readonly summary: string;
  readonly access: Access;
  /** Whether the caller must have signed this very request with a credential (contract §3). */
  readonly userAction: boolean;
  readonly params?: z.ZodType<Record<string, string>>;
  readonly query?: z.ZodType;
  /** Absent: no body is read (DELETE and argument-less PUT may still carry `{}`, which user actions bind). */
  readonly body?: z.ZodType;
  readonly response: z.ZodType;
}

/** Keeps the literal types of a contract while checking its shape. */
export function contract<const C extends Record<string, Endpoint>>(endpoints: C): C {
  return endpoints;
}

/** The part of an endpoint that signers know too: how its request is asked for, and what it demands. */
export function signed<R extends KnownRequest>({ method, path, operation }: R) {
  return { method: method as R['method'], path: path as R['path'], access: operation as R['operation'], userAction: true } as const;
}

type Output<S, Absent> = S extends z.ZodType ? z.output<S> : Absent;

/** What the handler of an endpoint receives: everything checked. */
export interface Input<E extends Endpoint, Context> {
  readonly params: Output<E['params'], Record<string, never>>;
  readonly query: Output<E['query'], Record<string, never>>;
  readonly body: Output<E['body'], undefined>;
  /** Who calls, with what user action, through which request: see `features/access`. */
  readonly context: Context;
}

/** One handler for each endpoint of a contract: a missing one does not compile. */
export type Routes<C extends Record<string, Endpoint>, Context> = {
  readonly [K in keyof C]: (input: Input<C[K], Context>) => Promise<z.input<C[K]['response']>>;
};
