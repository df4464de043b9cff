/**
 * A rule: from the registry, who asks and what they ask, to what changes. Pure, so that every signer and the service come to the same.
 * @module
 */

import type { z } from 'zod';
import { Refusal } from '../base/errors.ts';
import type { Authorisation } from '../crypto/authorisation.ts';
import { type Caller, requirePermitted } from './grants.ts';
import type { Names } from './ids.ts';
import { parseBody, parsed, type Target } from './parse.ts';
import type { Change, Lookup, Registry } from './registry.ts';
import type { KnownRequest } from './requests.ts';

/** On what a rule stands. */
export interface Ground {
  readonly registry: Registry;
  readonly caller: Caller;
  /** For what the request creates. */
  readonly names: Names;
  /** When the request was made, in unix seconds. */
  readonly at: number;
}

export interface Asked<P extends z.ZodType, Q extends z.ZodType, B extends z.ZodType> extends Ground {
  readonly params: z.output<P>;
  readonly query: z.output<Q>;
  readonly body: z.output<B>;
}

export interface Rule {
  readonly request: KnownRequest;
  /** @throws {Refusal} Forbidden, BadRequest, NotFound, Conflict, TooLarge */
  decide(ground: Ground, target: Target, body: Authorisation['body']): readonly Change[];
}

/** The order of contract §1.5: permission, then form, then what the rule itself refuses. */
export function rule<P extends z.ZodType, Q extends z.ZodType, B extends z.ZodType>(
  request: KnownRequest<P, Q, B>,
  decide: (asked: Asked<P, Q, B>) => readonly Change[],
): Rule {
  return {
    request,
    decide(ground, target, body) {
      requirePermitted(ground.registry, ground.caller, request.operation);
      return decide({
        ...ground,
        params: parsed('path', request.params, target.params),
        query: parsed('query', request.query, target.query),
        body: parseBody(request.body, body),
      });
    },
  };
}

/** Ids are hashes of 130 bits, and yet nothing is ever put over what stands. @throws {Refusal} Conflict */
export function fresh(records: Pick<Lookup<unknown>, 'has'>, id: string): string {
  if (records.has(id)) throw new Refusal('Conflict', `${id} exists already`);
  return id;
}
