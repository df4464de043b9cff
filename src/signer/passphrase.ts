/**
 * Sealing under a passphrase: AES-256-GCM under a key that Argon2id (RFC 9106) makes of it. The parameters stand beside the box, so that
 * stronger ones can come later.
 * @module
 */

import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { toBase64 } from '../base/bytes.ts';
import { type Argon2idCost, argon2id } from '../crypto/argon2id.ts';
import { seal, unseal } from '../crypto/seal.ts';

/** Half a second of one core, and memory that makes guessing in parallel dear: above RFC 9106's second recommendation (64 MiB, 3 passes). */
const cost: Argon2idCost = { memoryKiB: 256 * 1024, passes: 3, lanes: 4 };
const saltBytes = 16;
const minPassphraseBytes = 12;

export const passphraseParameters = z.object({
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
export type PassphraseParameters = z.output<typeof passphraseParameters>;

/** @throws {Error} for one that is short */
export async function sealUnder(
  passphrase: Uint8Array,
  plain: Uint8Array,
  aad: Uint8Array,
): Promise<{ readonly sealed: Uint8Array; readonly parameters: PassphraseParameters }> {
  if (passphrase.length < minPassphraseBytes) throw new Error(`a passphrase has ${minPassphraseBytes} characters or more`);
  const parameters = { kdf: 'argon2id' as const, salt: toBase64(new Uint8Array(randomBytes(saltBytes))), ...cost };
  const key = await keyFrom(passphrase, parameters);
  try {
    return { sealed: seal(key, plain, aad), parameters };
  } finally {
    key.fill(0);
  }
}

/** @throws {Error} for another passphrase, other `aad`, or an altered box */
export async function unsealUnder(
  passphrase: Uint8Array,
  { sealed, parameters }: { sealed: Uint8Array; parameters: PassphraseParameters },
  aad: Uint8Array,
): Promise<Uint8Array> {
  const key = await keyFrom(passphrase, parameters);
  try {
    return unseal(key, sealed, aad);
  } catch (cause) {
    throw new Error('the passphrase is another, or what it opens was altered', { cause });
  } finally {
    key.fill(0);
  }
}

function keyFrom(passphrase: Uint8Array, { salt, memoryKiB, passes, lanes }: PassphraseParameters): Promise<Uint8Array> {
  return argon2id(passphrase, new Uint8Array(Buffer.from(salt, 'base64')), { memoryKiB, passes, lanes });
}
