/**
 * Failures as the wire shows them (contract §1.5): always JSON, with the id under which the log has the rest.
 * @module
 */

import type { z } from 'zod';
import { Refusal } from '../base/errors.ts';

export interface ErrorBody {
  readonly error: { readonly id: string; readonly status: number; readonly message: string; readonly details?: object };
}

export function errorBody(
  id: string,
  { status, message, details }: { status: number; message: string; details?: object | undefined },
): ErrorBody {
  return { error: { id, status, message, ...(details === undefined ? {} : { details }) } };
}

/** What fastify refuses before a handler runs, in our words. Anything unknown is undefined: our own fault. */
export function refusalOf(error: unknown): Refusal | undefined {
  if (error instanceof Refusal) return error;
  const { code, statusCode } = error as { code?: string; statusCode?: number };
  switch (code) {
    case 'FST_ERR_CTP_BODY_TOO_LARGE':
      return new Refusal('TooLarge', 'the body is larger than the service takes');
    case 'FST_ERR_CTP_INVALID_MEDIA_TYPE':
      return new Refusal('UnsupportedMediaType', 'the body must be application/json');
    case 'FST_ERR_CTP_INVALID_CONTENT_LENGTH':
      return new Refusal('BadRequest', 'the body is not as long as content-length says');
    default:
      return statusCode !== undefined && statusCode >= 400 && statusCode < 500
        ? new Refusal('BadRequest', 'the request is malformed', { cause: error })
        : undefined;
  }
}

const maxProblems = 20;

/** A body, query or path that its schema refuses: what is wrong, field by field. */
export function validationRefusal(where: 'body' | 'query' | 'path', { issues }: z.ZodError): Refusal {
  const problems = issues.slice(0, maxProblems).map((issue) => ({ field: [where, ...issue.path].join('.'), problem: issue.message }));
  const [first] = problems;
  return new Refusal('BadRequest', first ? `${first.field}: ${first.problem}` : `the ${where} is not valid`, { details: { problems } });
}
