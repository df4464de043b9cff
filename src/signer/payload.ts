/** What a signature request asks to be signed, read from the bytes that the caller's credential signed. @module */

import { boundedMap } from '../base/boundedMap.ts';
import { toHex } from '../base/bytes.ts';
import { Refusal } from '../base/errors.ts';
import { parseJson } from '../base/json.ts';
import type { ChainKey } from '../chains/chain.ts';
import { parseRequest, type Where } from '../chains/index.ts';
import { signatureRequestBody } from '../chains/requests.ts';
import { payloadHashOf } from '../crypto/authorisation.ts';
import { type Payload, samePayload } from '../crypto/schemes/scheme.ts';
import { quorumOf } from '../mpc/protocols.ts';

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

/** Of requests that are being signed at once. */
const maxRemembered = 32;

/**
 * `payloadsOf` for a signer that is asked for one payload of a request after the other: of a request with several, they are worked out once,
 * not as many times as there are.
 */
export function rememberedPayloads(): typeof payloadsOf {
  const recent = boundedMap<string, Promise<readonly Payload[]>>(maxRemembered);
  return async (body, key, where = {}) => {
    const name = [payloadHashOf(body), key.keyType, toHex(key.publicKey), JSON.stringify(where)].join();
    const known = recent.get(name);
    if (known !== undefined) return known;
    const payloads = payloadsOf(body, key, where);
    recent.set(name, payloads);
    const isAskedAgain = await payloads.then(({ length }) => length > 1).catch(() => false);
    if (!isAskedAgain) recent.delete(name);
    return payloads;
  };
}

/**
 * What the caller left out, the service says, and could say twice: each signer takes part once for a request, so the sets of signers that
 * make two signatures must have an honest one in common.
 * @throws {Refusal} BadRequest unless they do, whichever t signers are corrupt
 */
export function requireOneAnswer({ keyType }: ChainKey, { signers, threshold }: { signers: number; threshold: number }): void {
  const inCommon = 2 * quorumOf(keyType, threshold) - signers;
  if (inCommon > threshold) return;
  throw new Refusal(
    'BadRequest',
    `a cluster of ${signers} signers, ${threshold} of which may be corrupt, signs no transaction that leaves fields to the service: say them all`,
  );
}

/** @throws {Refusal} Forbidden unless payload `index` of the request is what the session signs */
export function requirePayload(payloads: readonly Payload[], index: number, asked: Payload): void {
  const payload = payloads[index];
  if (payload === undefined)
    throw new Refusal('Forbidden', `the request has ${payloads.length} payloads, the session asks for number ${index}`);
  if (!samePayload(payload, asked)) throw new Refusal('Forbidden', 'the session signs something else than the request asks for');
}
