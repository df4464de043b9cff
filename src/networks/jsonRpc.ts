/**
 * JSON-RPC over HTTP, for the few questions whose answers the caller left to us. One try, bounded in time and size. The address of an
 * endpoint may hold its key, so it is in no message.
 * @module
 */

import { Refusal } from '../base/errors.ts';

export interface JsonRpc {
  /** @throws {RpcError} what the endpoint answers as an error @throws {Refusal} Unavailable when it does not answer as it should */
  call(method: string, params: readonly unknown[]): Promise<unknown>;
}

export class RpcError extends Error {
  override readonly name = 'RpcError';
}

const answerWithinMs = 10_000;
const maxAnswerBytes = 1024 * 1024;
const maxMessageChars = 200;
const maxCallsAtOnce = 200;

/** @param what names it in refusals: 'the RPC endpoint of Ethereum' */
export function jsonRpcAt(url: URL, what: string): JsonRpc {
  let underWay = 0;

  async function call(method: string, params: readonly unknown[]): Promise<unknown> {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
      redirect: 'error',
      signal: AbortSignal.timeout(answerWithinMs),
    });
    // Some endpoints give errors of JSON-RPC another status than 200.
    const answer: unknown = JSON.parse(await textOf(response));
    if (typeof answer !== 'object' || answer === null) throw new Error('it is no answer of JSON-RPC');
    if ('error' in answer && answer.error !== undefined && answer.error !== null) throw new RpcError(messageIn(answer.error));
    if (!('result' in answer)) throw new Error('it is no answer of JSON-RPC');
    return answer.result;
  }

  return {
    async call(method, params) {
      if (underWay >= maxCallsAtOnce) throw new Refusal('Unavailable', `${what} is asked too much at once`);
      underWay++;
      try {
        return await call(method, params);
      } catch (error) {
        if (error instanceof RpcError) throw error;
        // Without its cause, which may repeat the address.
        throw new Refusal('Unavailable', `${what} does not answer ${method} as it should (${reasonOf(error)})`);
      } finally {
        underWay--;
      }
    },
  };
}

async function textOf(response: Response): Promise<string> {
  const decoder = new TextDecoder();
  let [text, length] = ['', 0];
  for await (const chunk of response.body ?? []) {
    length += chunk.length;
    if (length > maxAnswerBytes) throw new Error('too long');
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}

/** What the endpoint says, as far as a caller may read it: short, and of printable characters. */
function messageIn(error: unknown): string {
  const message = typeof error === 'object' && error !== null && 'message' in error ? String(error.message) : 'no reason given';
  return message.slice(0, maxMessageChars).replaceAll(/[^\x20-\x7e]/g, '?');
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return 'no reason';
  const { cause } = error;
  if (cause instanceof Error && 'code' in cause) return String(cause.code); // ECONNREFUSED
  return error instanceof SyntaxError ? 'no JSON' : error.name === 'Error' ? error.message : error.name;
}
