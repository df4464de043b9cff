/**
 * HashiCorp Vault and OpenBao, by the transit engine's HTTP API (`encrypt` and `decrypt` of an AEAD key, with `associated_data`): neither has
 * an official client for JavaScript, and the two requests need none. The token goes to the configured address and nowhere else: over TLS
 * (or to an agent on this machine), and no redirect is followed.
 * @module
 */

import { z } from 'zod';
import { toBase64 } from '../../base/bytes.ts';
import { messageOf } from '../../base/errors.ts';
import { answerWithinMs, type Binding, boundBytes, type Provider, setting } from './provider.ts';
import { readSecretSource } from './secretSource.ts';
import type { KeyEncryptionSettings } from './settings.ts';

const maxAnswerBytes = 64 * 1024;
const maxReasonChars = 300;
const loopback = new Set(['localhost', '127.0.0.1', '[::1]']);

/** Names as transit has them: nothing that climbs in a path. */
const parameters = z.object({ key: z.string().regex(/^\w[\w.-]*$/) });
const encrypted = z.object({ data: z.object({ ciphertext: z.string() }) });
const decrypted = z.object({ data: z.object({ plaintext: z.base64() }) });
const failure = z.object({ errors: z.array(z.string()) });

export function vaultProvider(settings: KeyEncryptionSettings['vault']): Provider {
  async function ask(action: 'encrypt' | 'decrypt', { key }: z.output<typeof parameters>, body: Record<string, string>): Promise<unknown> {
    const response = await fetch(urlOf(settings, `${action}/${key}`), {
      method: 'POST',
      headers: headersOf(settings),
      body: JSON.stringify(body),
      redirect: 'error',
      signal: AbortSignal.timeout(answerWithinMs),
    }).catch((cause: unknown) => {
      throw new Error(`${settings.address} does not answer: ${reasonOf(cause)}`, { cause });
    });
    const answer = await jsonOf(response);
    if (response.ok) return answer;
    const said = failure.safeParse(answer);
    const reason = said.success ? said.data.errors.join('; ').slice(0, maxReasonChars) : '';
    throw new Error(`${settings.address} refuses to ${action} with ${settings.mount}/${key}: ${response.status} ${reason}`.trimEnd());
  }

  return {
    async wrap(key, binding) {
      const at = parameters.parse({ key: setting(settings.key, 'VAULT_TRANSIT_KEY') });
      const { data } = parseAnswer(encrypted, await ask('encrypt', at, { plaintext: toBase64(key), ...associated(binding) }));
      return { wrapped: new TextEncoder().encode(data.ciphertext), parameters: at };
    },
    async unwrap({ wrapped, parameters: recorded }, binding) {
      const at = parameters.parse(recorded);
      const body = { ciphertext: new TextDecoder().decode(wrapped), ...associated(binding) };
      const { data } = parseAnswer(decrypted, await ask('decrypt', at, body));
      return new Uint8Array(Buffer.from(data.plaintext, 'base64'));
    },
  };
}

const associated = (binding: Binding) => ({ associated_data: toBase64(boundBytes(binding)) });

/** @throws {Error} for an address that would carry the token in the clear */
function urlOf({ address, mount }: KeyEncryptionSettings['vault'], path: string): URL {
  const base = new URL(setting(address, 'VAULT_ADDR'));
  if (base.protocol !== 'https:' && !loopback.has(base.hostname))
    throw new Error(`VAULT_ADDR must be https, or an agent on this machine; it is ${base.origin}`);
  return new URL(`${base.pathname.replace(/\/$/, '')}/v1/${mount}/${path}`, base);
}

function headersOf({ token, namespace }: KeyEncryptionSettings['vault']): Record<string, string> {
  const secret = readSecretSource(token, 'VAULT_TOKEN');
  const headers = {
    'content-type': 'application/json',
    'x-vault-request': 'true',
    'x-vault-token': new TextDecoder().decode(secret).trim(),
    ...(namespace === undefined ? {} : { 'x-vault-namespace': namespace }),
  };
  secret.fill(0);
  return headers;
}

/** Undefined where it is not JSON, or too long for an answer of transit. */
async function jsonOf({ body }: Response): Promise<unknown> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of body ?? []) {
    bytes += chunk.length;
    if (bytes > maxAnswerBytes) return undefined;
    chunks.push(chunk);
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8'));
  } catch {
    return undefined;
  }
}

function parseAnswer<S extends z.ZodType>(schema: S, answer: unknown): z.output<S> {
  const parsed = schema.safeParse(answer);
  if (!parsed.success) throw new Error('the answer is not one of the transit engine');
  return parsed.data;
}

/** `fetch` says why in its cause. */
function reasonOf(error: unknown): string {
  return error instanceof Error && error.cause !== undefined ? messageOf(error.cause) : messageOf(error);
}
