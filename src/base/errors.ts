/**
 * Whose fault is it? The caller's is a `Refusal` (4xx, or 503 when the house cannot serve now), a peer's an `Abort`, ours a `Bug`.
 * What the caller may read (`message`, `details`) and what the operator needs (`cause`) are kept apart.
 * @module
 */

/** Every refusal the API gives: a row is its HTTP status and the text the caller reads. `{}` is filled from the refusal's `subject`. */
export const refusals = {
  BadRequest: { status: 400, message: '{}' },
  ChallengeInvalid: { status: 400, message: 'Challenge token is not valid.' },
  UserActionUsed: { status: 400, message: 'user action has already been used' },
  AccountDeactivated: { status: 400, message: 'User account has been deactivated.' },
  Unauthorized: { status: 401, message: 'Not Authorized.' },
  CredentialUnusable: { status: 401, message: 'User does not have a credential that can be used for the application.' },
  UserActionMissing: { status: 403, message: 'user action signature is missing or invalid' },
  Forbidden: { status: 403, message: '{}' },
  NotFound: { status: 404, message: '{} not found' },
  Conflict: { status: 409, message: '{}' },
  TooLarge: { status: 413, message: '{}' },
  UnsupportedMediaType: { status: 415, message: '{}' },
  TooManyRequests: { status: 429, message: '{}' },
  Unavailable: { status: 503, message: '{}' },
} as const satisfies Record<string, { status: number; message: string }>;

export type RefusalCode = keyof typeof refusals;

/** The caller asked for what is not to be had. Becomes the JSON error of contract §1.5. */
export class Refusal extends Error {
  readonly code: RefusalCode;
  readonly status: number;
  readonly details: Readonly<Record<string, unknown>> | undefined;

  constructor(code: RefusalCode, subject = '', options: { details?: Record<string, unknown>; cause?: unknown } = {}) {
    super(refusals[code].message.replace('{}', subject), { cause: options.cause });
    this.name = 'Refusal';
    this.code = code;
    this.status = refusals[code].status;
    this.details = options.details;
  }
}

/** A protocol stopped because of a peer. `culprits` are the participants known to have caused it; empty when that cannot be known. */
export class Abort extends Error {
  readonly culprits: readonly number[];

  constructor(culprits: readonly number[], reason: string, options: { cause?: unknown } = {}) {
    super(reason, options);
    this.name = 'Abort';
    this.culprits = culprits;
  }
}

/** What must hold in our own code does not. */
export class Bug extends Error {
  override readonly name = 'Bug';
}

/** Our own invariant, written as the truth: `assert(share.index > 0, 'participants are numbered from 1')`. @throws {Bug} */
export function assert(condition: unknown, truth: string): asserts condition {
  if (!condition) throw new Bug(`does not hold: ${truth}`);
}

/** The message of anything thrown, for logs and reasons. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Why, as the operator reads it: the message of anything thrown, then those of its causes, each once. */
export function reasonsOf(error: unknown): readonly string[] {
  const below = error instanceof AggregateError ? error.errors : error instanceof Error && error.cause !== undefined ? [error.cause] : [];
  return [...new Set([messageOf(error), ...below.flatMap(reasonsOf)])].filter((reason) => reason !== '');
}
