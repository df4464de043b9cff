/**
 * A key in a PKCS#11 token (an HSM): AES-256-GCM by the token, with a key that does not leave it. The vendor's library is loaded in a process
 * of its own, for the length of one question: it never shares memory with key shares, and one that hangs or crashes is an error here.
 * @module
 */

import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { toBase64 } from '../../base/bytes.ts';
import { answerWithinMs, boundBytes, type Provider, setting } from './provider.ts';
import { readSecretSource } from './secretSource.ts';
import type { KeyEncryptionSettings } from './settings.ts';

const program = fileURLToPath(new URL('./pkcs11Process.ts', import.meta.url));
const base64Bytes = z.base64().transform((text) => new Uint8Array(Buffer.from(text, 'base64')));
const parameters = z.object({ token: z.string(), key: z.string(), iv: base64Bytes });

/** What the process is asked. */
export interface TokenQuestion {
  readonly module: string;
  readonly token: string;
  readonly key: string;
  readonly pin: Uint8Array;
  readonly iv: Uint8Array | undefined;
  readonly input: Uint8Array;
  readonly additionalData: Uint8Array;
  readonly action: 'encrypt' | 'decrypt';
}

/** `iv` is the token's own choice when it encrypts. */
export type TokenAnswer = { readonly output: Uint8Array; readonly iv: Uint8Array } | { readonly reason: string };

export function pkcs11Provider({ module, token, key, pin }: KeyEncryptionSettings['pkcs11']): Provider {
  const common = () => ({
    module: setting(module, 'PKCS11_MODULE'),
    token: setting(token, 'PKCS11_TOKEN'),
    pin: readSecretSource(pin, 'PKCS11_PIN'),
  });

  return {
    async wrap(input, binding) {
      const asked = { ...common(), key: setting(key, 'PKCS11_KEY'), iv: undefined, input, additionalData: boundBytes(binding) };
      const { output, iv } = await ask({ ...asked, action: 'encrypt' });
      return { wrapped: output, parameters: { token: asked.token, key: asked.key, iv: toBase64(iv) } };
    },
    async unwrap({ wrapped, parameters: recorded }, binding) {
      const { token: recordedToken, key: recordedKey, iv } = parameters.parse(recorded);
      const asked = common();
      // The PIN is for the token that the operator names, whatever the file says.
      if (recordedToken !== asked.token) throw new Error(`it was wrapped by token "${recordedToken}", PKCS11_TOKEN is "${asked.token}"`);
      const question = { ...asked, key: recordedKey, iv, input: wrapped, additionalData: boundBytes(binding) };
      return (await ask({ ...question, action: 'decrypt' })).output;
    },
  };
}

function ask(question: TokenQuestion): Promise<Extract<TokenAnswer, { output: Uint8Array }>> {
  return new Promise((resolve, reject) => {
    const child = fork(program, [], { serialization: 'advanced', execArgv: [], stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
    const late = setTimeout(() => {
      child.kill('SIGKILL');
      reject(new Error(`${question.module} gave no answer within ${answerWithinMs} ms`));
    }, answerWithinMs);
    child.once('message', (answer: TokenAnswer) => {
      if ('reason' in answer) reject(new Error(answer.reason));
      else resolve(answer);
      child.kill('SIGKILL');
    });
    child.once('error', reject);
    child.once('exit', (code, signal) => {
      clearTimeout(late);
      question.pin.fill(0);
      reject(new Error(`${question.module} ended its process (${signal ?? `code ${code}`})`));
    });
    child.send(question);
  });
}
