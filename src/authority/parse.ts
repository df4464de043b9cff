/**
 * A signed request read as one of those we know: method and path as the challenge committed to them, the body from its bytes.
 * @module
 */

import type { z } from 'zod';
import { Refusal } from '../base/errors.ts';
import { parseJson } from '../base/json.ts';
import type { ActionBinding } from '../crypto/authorisation.ts';
import type { KnownRequest } from './requests.ts';

/** Far above the largest body of these requests; signature requests are not read here. */
export const maxBodyBytes = 64 * 1024;

/** What a path says, still as text. */
export interface Target {
  readonly params: Readonly<Record<string, string>>;
  readonly query: Readonly<Record<string, string>>;
}

type Named = Pick<KnownRequest, 'method' | 'path'>;

/**
 * Whether the challenge committed to this kind of request: with its query or without (contract §3.6).
 * @returns undefined for any other request, and for a path that is not percent-encoding
 * @throws {Refusal} BadRequest for a query that says one thing twice
 */
export function targetOf(request: Named, { method, path }: Pick<ActionBinding, 'method' | 'path'>): Target | undefined {
  if (method !== request.method) return undefined;
  const [pathname = '', ...rest] = path.split('?');
  const params = paramsOf(request.path.split('/'), pathname.split('/'));
  return params && { params, query: queryOf(rest.join('?')) };
}

/** Segment by segment, so that an encoded `/` never becomes a separator. */
function paramsOf(pattern: readonly string[], segments: readonly string[]): Record<string, string> | undefined {
  if (pattern.length !== segments.length) return undefined;
  const params: Record<string, string> = {};
  for (const [i, wanted] of pattern.entries()) {
    const segment = decoded(segments[i] ?? '');
    if (wanted.startsWith(':') && segment) params[wanted.slice(1)] = segment;
    else if (segment !== wanted) return undefined;
  }
  return params;
}

function decoded(segment: string): string | undefined {
  try {
    return decodeURIComponent(segment);
  } catch {
    return undefined; // not percent-encoding
  }
}

function queryOf(text: string): Record<string, string> {
  if (text === '') return {};
  const members = [...new URLSearchParams(text)];
  const query = Object.fromEntries(members);
  if (Object.keys(query).length !== members.length) throw new Refusal('BadRequest', 'the query names one parameter twice');
  return query;
}

/** @throws {Refusal} BadRequest, naming where */
export function parsed<S extends z.ZodType>(what: string, schema: S, value: unknown): z.output<S> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw new Refusal('BadRequest', `${[what, ...(issue?.path ?? [])].join('.')}: ${issue?.message ?? 'malformed'}`);
}

/** No bytes are no body. @throws {Refusal} TooLarge, BadRequest */
export function parseBody<S extends z.ZodType>(schema: S, bytes: Uint8Array): z.output<S> {
  return parsed('body', schema, parseJson(bytes, { what: 'body', maxBytes: maxBodyBytes }));
}
