/**
 * The file of the key-encryption key, one of two forms: its 32 bytes as they are (provider `file`), or JSON with the key wrapped and what it
 * takes to unwrap it. Which of them it is the content says, so that one rename changes from any to any. Beside it, while the key itself is
 * being changed, the next one.
 * @module
 */

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { toBase64 } from '../../base/bytes.ts';
import { messageOf } from '../../base/errors.ts';
import { removeDurably, renameDurably, requirePrivate, writeDurably } from '../../files.ts';
import type { Binding, Wrapping } from './provider.ts';
import { type ProviderName, providers, type WrappingProvider } from './settings.ts';

export const keyBytes = 32;

/** What stands in the file. */
export type StoredKey =
  | { readonly provider: 'file'; readonly key: Uint8Array }
  | { readonly provider: WrappingProvider; readonly binding: Binding; readonly wrapping: Wrapping };

const wrappedForm = z.object({
  format: z.literal('countersign/key-encryption'),
  version: z.literal(1),
  provider: z.enum(providers).exclude(['file']),
  clusterId: z.string(),
  signerId: z.string(),
  generation: z.int().min(1),
  parameters: z.record(z.string(), z.union([z.string(), z.int()])),
  wrapped: z.base64(),
});

export const keyFileOf = (dataDir: string): string => join(dataDir, 'key-encryption.key');
const nextFileOf = (dataDir: string): string => `${keyFileOf(dataDir)}.next`;

export const hasKeyFile = (dataDir: string): boolean => existsSync(keyFileOf(dataDir));
export const hasNextKeyFile = (dataDir: string): boolean => existsSync(nextFileOf(dataDir));

/** @throws {Error} if it is missing, of neither form, or readable by others */
export function readKeyFile(dataDir: string): StoredKey {
  return readForm(keyFileOf(dataDir));
}

export function readNextKeyFile(dataDir: string): StoredKey {
  return readForm(nextFileOf(dataDir));
}

/** Replaces what was there; durable when it returns. */
export function writeKeyFile(dataDir: string, stored: StoredKey): void {
  writeDurably(keyFileOf(dataDir), formOf(stored), 0o600);
}

export function writeNextKeyFile(dataDir: string, stored: StoredKey): void {
  writeDurably(nextFileOf(dataDir), formOf(stored), 0o600);
}

/** The next key becomes the key. */
export function promoteNextKeyFile(dataDir: string): void {
  renameDurably(nextFileOf(dataDir), keyFileOf(dataDir));
}

export function dropNextKeyFile(dataDir: string): void {
  removeDurably(nextFileOf(dataDir));
}

function readForm(path: string): StoredKey {
  if (!existsSync(path)) throw new Error(`${path} is missing: without it the shares of this signer cannot be opened`);
  requirePrivate(path);
  const bytes = new Uint8Array(readFileSync(path));
  if (bytes.length === keyBytes) return { provider: 'file', key: bytes };
  try {
    const { provider, clusterId, signerId, generation, parameters, wrapped } = wrappedForm.parse(
      JSON.parse(new TextDecoder().decode(bytes)),
    );
    const wrapping = { parameters, wrapped: new Uint8Array(Buffer.from(wrapped, 'base64')) };
    return { provider, binding: { clusterId, signerId, generation }, wrapping };
  } catch (error) {
    throw new Error(`${path} must hold ${keyBytes} bytes or a wrapped key, it holds neither: ${messageOf(error)}`);
  }
}

function formOf(stored: StoredKey): Uint8Array | string {
  if (stored.provider === 'file') return stored.key;
  const { provider, binding, wrapping } = stored;
  const form: z.input<typeof wrappedForm> = {
    format: 'countersign/key-encryption',
    version: 1,
    provider,
    ...binding,
    parameters: wrapping.parameters,
    wrapped: toBase64(wrapping.wrapped),
  };
  return `${JSON.stringify(form, null, 2)}\n`;
}

export function isWrapped(stored: StoredKey): stored is Extract<StoredKey, { provider: WrappingProvider }> {
  return stored.provider !== ('file' satisfies ProviderName);
}
