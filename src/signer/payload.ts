/** What a signature request asks to be signed, read from the bytes that the caller's credential signed. @module */

import { Refusal } from '../base/errors.ts';
import { parseJson } from '../base/json.ts';
import type { ChainKey } from '../chains/chain.ts';
import { parseRequest, type Where } from '../chains/index.ts';
import { signatureRequestBody } from '../chains/requests.ts';
import { type Payload, samePayload } from '../crypto/schemes/scheme.ts';

/** As the service takes it, no more. */
const maxBodyBytes = 1024 * 1024;

/**
 * The payloads of the request, derived by the same code as the service's.
 * @throws {Refusal} BadRequest, TooLarge for what is not signed
 */
export async function payloadsOf(body: Uint8Array, key: ChainKey, where: Where = {}): Promise<readonly Payload[]> {
  const parsed = signatureRequestBody.safeParse(parseJson(body, { what: 'body', maxBytes: maxBodyBytes }));
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new Refusal('BadRequest', `${['body', ...(issue?.path ?? [])].join('.')}: ${issue?.message ?? 'malformed'}`);
  }
  return (await parseRequest(parsed.data, key, where)).payloads;
}

/** @throws {Refusal} Forbidden unless payload `index` of the request is what the session signs */
export function requirePayload(payloads: readonly Payload[], index: number, asked: Payload): void {
  const payload = payloads[index];
  if (payload === undefined)
    throw new Refusal('Forbidden', `the request has ${payloads.length} payloads, the session asks for number ${index}`);
  if (!samePayload(payload, asked)) throw new Refusal('Forbidden', 'the session signs something else than the request asks for');
}
