/**
 * Who wraps a key-encryption key: each provider is a file, loaded when its name is asked for. What it makes is bound to the signer, so that
 * the wrapped key of another signer, or an older one of this signer, is not taken for this one's.
 * @module
 */

import { lengthPrefixed, u32, utf8 } from '../../base/bytes.ts';
import type { KeyEncryptionSettings, WrappingProvider } from './settings.ts';

/** What a wrapped key belongs to. */
export interface Binding {
  /** Empty for a signer that was made before its cluster. */
  readonly clusterId: string;
  readonly signerId: string;
  /** Counts the key-encryption keys that this signer has had. */
  readonly generation: number;
}

export interface Wrapping {
  readonly wrapped: Uint8Array;
  /** What the provider must know again to unwrap; nothing secret. */
  readonly parameters: Readonly<Record<string, string | number>>;
}

export interface Provider {
  /** @throws {Error} saying what the operator must set right */
  wrap(key: Uint8Array, binding: Binding): Promise<Wrapping>;
  /** @throws {Error} as `wrap`; also when the wrapped key is of another binding, or altered */
  unwrap(wrapping: Wrapping, binding: Binding): Promise<Uint8Array>;
}

/** How long any question to a provider may take. */
export const answerWithinMs = 10_000;

export async function providerOf(name: WrappingProvider, settings: KeyEncryptionSettings): Promise<Provider> {
  switch (name) {
    case 'passphrase':
      return (await import('./passphrase.ts')).passphraseProvider(settings.passphrase);
    case 'pkcs11':
      return (await import('./pkcs11.ts')).pkcs11Provider(settings.pkcs11);
    case 'aws-kms':
      return (await import('./awsKms.ts')).awsKmsProvider(settings.awsKms);
    case 'vault':
      return (await import('./vault.ts')).vaultProvider(settings.vault);
  }
}

/** The additional data of those providers that take bytes. */
export function boundBytes({ clusterId, signerId, generation }: Binding): Uint8Array {
  return lengthPrefixed(utf8('countersign/key-encryption/v1'), utf8(clusterId), utf8(signerId), u32(generation));
}

/** @throws {Error} naming the variable, when it is not set */
export function setting<T>(value: T | undefined, variable: string): T {
  if (value === undefined) throw new Error(`${variable} is not set in the environment of the signer (.env.example)`);
  return value;
}
