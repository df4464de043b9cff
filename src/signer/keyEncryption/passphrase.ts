/**
 * A passphrase: AES-256-GCM under a key that Argon2id (RFC 9106) makes of it. The parameters stand beside the wrapped key, so that stronger
 * ones can come later; a signer pays for them once, at its start.
 * @module
 */

import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { toBase64 } from '../../base/bytes.ts';
import { type Argon2idCost, argon2id } from '../../crypto/argon2id.ts';
import { seal, unseal } from '../../crypto/seal.ts';
import { boundBytes, type Provider } from './provider.ts';
import { readSecretSource } from './secretSource.ts';
import type { SecretSource } from './settings.ts';

/** Half a second of one core, and memory that makes guessing in parallel dear: above RFC 9106's second recommendation (64 MiB, 3 passes). */
const cost: Argon2idCost = { memoryKiB: 256 * 1024, passes: 3, lanes: 4 };
const saltBytes = 16;
const minPassphraseBytes = 12;

const parameters = z.object({
  kdf: z.literal('argon2id'),
  salt: z.base64().length(24),
  // A file that somebody altered must not make a start take hours or all memory.
  memoryKiB: z
    .int()
    .min(8 * 1024)
    .max(2 * 1024 * 1024),
  passes: z.int().min(1).max(64),
  lanes: z.int().min(1).max(64),
});

export function passphraseProvider(source: SecretSource | undefined, variable = 'KEY_ENCRYPTION_PASSPHRASE'): Provider {
  /** Once read, a pipe is empty. */
  let passphrase: Uint8Array | undefined;

  async function keyFrom({ salt, ...wanted }: z.output<typeof parameters>): Promise<Uint8Array> {
    passphrase ??= readSecretSource(source, variable);
    return argon2id(passphrase, new Uint8Array(Buffer.from(salt, 'base64')), wanted);
  }

  return {
    async wrap(key, binding) {
      passphrase ??= readSecretSource(source, variable);
      if (passphrase.length < minPassphraseBytes)
        throw new Error(`the passphrase of a signer has ${minPassphraseBytes} characters or more`);
      const chosen = { kdf: 'argon2id' as const, salt: toBase64(new Uint8Array(randomBytes(saltBytes))), ...cost };
      const wrapping = await keyFrom(chosen);
      try {
        return { wrapped: seal(wrapping, key, boundBytes(binding)), parameters: chosen };
      } finally {
        wrapping.fill(0);
      }
    },
    async unwrap({ wrapped, parameters: recorded }, binding) {
      const wrapping = await keyFrom(parameters.parse(recorded));
      try {
        return unseal(wrapping, wrapped, boundBytes(binding));
      } catch (cause) {
        throw new Error('the passphrase is another, or the wrapped key was altered', { cause });
      } finally {
        wrapping.fill(0);
      }
    },
  };
}
