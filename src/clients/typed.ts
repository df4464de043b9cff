/**
 * The API as functions, typed by its own contracts: the path, the body and the answer of each are what the service itself is built from.
 *
 *   const { keys } = countersign(createClient(credentials));
 *   const key = await keys.createKey({ body: { scheme: 'ECDSA', curve: 'secp256k1' } });
 *
 * @module
 */

import type { z } from 'zod';
import type { Endpoint } from '../features/endpoint.ts';
import { keysContract } from '../features/keys/contract.ts';
import { signaturesContract } from '../features/signatures/contract.ts';
import { walletsContract } from '../features/wallets/contract.ts';
import type { Client } from './client.ts';

type Given<E extends Endpoint, K extends 'params' | 'query' | 'body'> = E[K] extends z.ZodType ? z.input<E[K]> : undefined;
/** Members that are undefined, and those that may be, can be left out. */
type WithoutAbsent<T> = { [K in keyof T as undefined extends T[K] ? never : K]: T[K] } & {
  [K in keyof T as undefined extends T[K] ? K : never]?: T[K];
};

type Asked<E extends Endpoint> = WithoutAbsent<{ params: Given<E, 'params'>; query: Given<E, 'query'>; body: Given<E, 'body'> }>;

export type Typed<C extends Record<string, Endpoint>> = {
  readonly [K in keyof C]: (asked: Asked<C[K]>) => Promise<z.output<C[K]['response']>>;
};

export interface Countersign {
  readonly keys: Typed<typeof keysContract>;
  readonly signatures: Typed<typeof signaturesContract>;
  readonly wallets: Typed<typeof walletsContract>;
}

export function countersign(client: Client): Countersign {
  return { keys: typed(client, keysContract), signatures: typed(client, signaturesContract), wallets: typed(client, walletsContract) };
}

/** One function for each endpoint of a contract. @throws {RequestFailed | LyingService} as the client does */
export function typed<C extends Record<string, Endpoint>>(client: Client, contract: C): Typed<C> {
  const functions = Object.entries(contract).map(([name, { method, path, response }]) => [
    name,
    async ({ params = {}, query = {}, body }: Loose) =>
      response.parse(await client.call(method, targetOf(path, params, query), body ?? bodyless(method))),
  ]);
  // Each name with the function that its own endpoint describes.
  return Object.fromEntries(functions) as Typed<C>;
}

interface Loose {
  readonly params?: Readonly<Record<string, string>>;
  readonly query?: Readonly<Record<string, unknown>>;
  readonly body?: unknown;
}

/** A write without a body is signed as an empty object, as the original's clients do. */
function bodyless(method: Endpoint['method']): object | undefined {
  return method === 'GET' ? undefined : {};
}

function targetOf(path: string, params: Readonly<Record<string, string>>, query: Readonly<Record<string, unknown>>): string {
  const filled = path.replaceAll(/:(\w+)/g, (_, name: string) => encodeURIComponent(params[name] ?? ''));
  const asked = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) if (value !== undefined) asked.set(name, String(value));
  return asked.size === 0 ? filled : `${filled}?${asked}`;
}
