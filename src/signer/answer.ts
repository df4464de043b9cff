/**
 * From a question to its answer: parses it by the contract, calls the handler, and says every failure as the contract says it.
 * @module
 */

import { z } from 'zod';
import { Abort, messageOf, Refusal } from '../base/errors.ts';
import { type Method, methods, type Params, question, type RefusalAnswer, type Result, refusal as refusalSchema } from './contract.ts';
import { SignerRefusal } from './errors.ts';
import { isQuick, type QuickMethod, quick, writeResult } from './quick.ts';

/** One handler for each method of the contract. */
export type Handlers = { readonly [M in Method]: (params: Params<M>) => Result<M> | Promise<Result<M>> };

/** Told what did not go well: `failed` what is the signer's own fault, `refused` what it would not do. */
export interface Listener {
  failed(error: unknown): void;
  refused(method: Method, refusal: RefusalAnswer): void;
}

/** @param guard throws a SignerRefusal for what this signer must not be asked now */
export function answerer(
  handlers: Handlers,
  listener: Listener,
  guard: (method: Method, params: unknown) => void,
): (input: unknown) => Promise<unknown> {
  return async (input) => {
    const parsed = quickQuestionOf(input) ?? question.safeParse(input);
    if (!parsed.success) return { number: -1, refusal: { code: 'BadQuestion', message: z.prettifyError(parsed.error) } };
    const { number, method, params } = parsed.data;
    try {
      return { number, result: await call(handlers, { method, params, guard }) };
    } catch (error) {
      const refusal = refusalOf(error);
      if (refusal.code === 'Internal') listener.failed(error);
      else listener.refused(method, refusal);
      return { number, refusal: z.encode(refusalSchema, refusal) };
    }
  };
}

async function call<M extends Method>(
  handlers: Handlers,
  { method, params, guard }: { method: M; params: unknown; guard: (method: Method, params: unknown) => void },
): Promise<unknown> {
  const read = (isQuick(method) && quick[method].readParams(params)) || readBySchema(method, params);
  guard(method, read);
  const result = await handlers[method](read as Params<M>); // read as a question of this very method
  return isQuick(method) ? writeResult(result as Result<QuickMethod>) : z.encode(methods[method].result as z.ZodType, result);
}

function readBySchema(method: Method, params: unknown): unknown {
  const parsed = methods[method].params.safeParse(params);
  if (!parsed.success) throw new SignerRefusal('BadQuestion', z.prettifyError(parsed.error));
  return parsed.data;
}

/** What the schema of a question says of one that is as it should be. */
function quickQuestionOf(input: unknown): { success: true; data: { number: number; method: QuickMethod; params: unknown } } | undefined {
  if (typeof input !== 'object' || input === null || !('number' in input && 'method' in input && 'params' in input)) return undefined;
  const { number, method, params } = input;
  if (typeof number !== 'number' || !Number.isSafeInteger(number) || (method !== 'signEcdsa' && method !== 'signFrost')) return undefined;
  return { success: true, data: { number, method, params } };
}

/** What goes back is for the coordinator's log and the caller's reason: never a value of the signer's own. */
function refusalOf(error: unknown): RefusalAnswer {
  if (error instanceof SignerRefusal) {
    const { code, message, head, cause } = error;
    return { code, message, ...(cause instanceof Refusal && { refusal: cause.code }), ...(head && { head }) };
  }
  if (error instanceof Abort) return { code: 'Aborted', message: error.message, culprits: [...error.culprits] };
  if (error instanceof Refusal) return { code: 'Refused', message: messageOf(error), refusal: error.code };
  return { code: 'Internal', message: 'the signer failed; its log says why' };
}
