/**
 * Failures as the wire shows them (contract §1.5): always JSON, with the id under which the log has the rest.
 * @module
 */

import type { z } from 'zod';
import { Refusal } from '../base/errors.ts';

/** What the caller is told. */
export interface Failure {
  readonly status: number;
  readonly message: string;
  readonly details?: object | undefined;
}

export interface ErrorBody {
  readonly error: { readonly id: string; readonly status: number; readonly message: string; readonly details?: object };
}

export function errorBody(id: string, { status, message, details }: Failure): ErrorBody {
  return { error: { id, status, message, ...(details === undefined ? {} : { details }) } };
}

/** Of an error that is neither a refusal nor fastify's, nothing is told. */
export function failureOf(error: unknown): Failure {
  if (error instanceof Refusal) return error;
  return fastifyFailures[codeOf(error) ?? ''] ?? { status: 500, message: 'Internal Server Error' };
}

/** What fastify refuses before a handler runs, or for one that does not end; in our words. */
const fastifyFailures: Readonly<Record<string, Failure>> = {
  FST_ERR_BAD_URL: { status: 400, message: 'the path is not validly encoded' },
  FST_ERR_MAX_PARAM_LENGTH: { status: 404, message: 'route not found' },
  FST_ERR_CTP_BODY_TOO_LARGE: { status: 413, message: 'the body is larger than the service takes' },
  FST_ERR_CTP_INVALID_MEDIA_TYPE: { status: 415, message: 'the body must be application/json' },
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: { status: 400, message: 'the body is not as long as content-length says' },
  FST_ERR_HANDLER_TIMEOUT: { status: 503, message: 'the request took too long: it may still take effect' },
  // The caller closed the connection within its body: nobody reads this.
  ECONNRESET: { status: 400, message: 'the request is malformed' },
};

/** What is not HTTP, or did not come in time: there is no request, only a socket. By the codes of node:http. */
export function connectionFailureOf(error: unknown): Failure {
  return connectionFailures[codeOf(error) ?? ''] ?? { status: 400, message: 'the request is not valid HTTP' };
}

const connectionFailures: Readonly<Record<string, Failure>> = {
  HPE_HEADER_OVERFLOW: { status: 431, message: 'the headers are larger than the service takes' },
  HPE_CHUNK_EXTENSIONS_OVERFLOW: { status: 413, message: 'the chunk extensions are larger than the service takes' },
  ERR_HTTP_REQUEST_TIMEOUT: { status: 408, message: 'the request did not come in whole in time' },
};

const maxProblems = 20;
const maxFieldLength = 200;

/** A body or query that its schema refuses: what is wrong, field by field. */
export function validationRefusal(where: 'body' | 'query', { issues }: z.ZodError): Refusal {
  const problems = issues
    .slice(0, maxProblems)
    .map((issue) => ({ field: [where, ...issue.path].join('.').slice(0, maxFieldLength), problem: issue.message }));
  const [first] = problems;
  return new Refusal('BadRequest', first ? `${first.field}: ${first.problem}` : `the ${where} is not valid`, { details: { problems } });
}

const maxCauses = 5;

/** An error for the log, with its causes; without the members that libraries add, which may hold a row of the database. */
export function loggable(error: unknown, causes = maxCauses): object {
  if (!(error instanceof Error)) return { message: String(error) };
  const { name, message, stack, cause } = error;
  return { name, message, code: codeOf(error), stack, cause: cause && causes > 0 ? loggable(cause, causes - 1) : undefined };
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}
