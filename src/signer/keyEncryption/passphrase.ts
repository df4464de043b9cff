/** A passphrase, which a signer is given at its start. @module */

import { passphraseParameters, sealUnder, unsealUnder } from '../passphrase.ts';
import { boundBytes, type Provider } from './provider.ts';
import { readSecretSource } from './secretSource.ts';
import type { SecretSource } from './settings.ts';

export function passphraseProvider(source: SecretSource | undefined): Provider {
  async function withPassphrase<T>(work: (passphrase: Uint8Array) => Promise<T>): Promise<T> {
    const passphrase = readSecretSource(source, 'KEY_ENCRYPTION_PASSPHRASE');
    try {
      return await work(passphrase);
    } finally {
      passphrase.fill(0);
    }
  }

  return {
    async wrap(key, binding) {
      const { sealed, parameters } = await withPassphrase((passphrase) => sealUnder(passphrase, key, boundBytes(binding)));
      return { wrapped: sealed, parameters };
    },
    unwrap({ wrapped, parameters: recorded }, binding) {
      const box = { sealed: wrapped, parameters: passphraseParameters.parse(recorded) };
      return withPassphrase((passphrase) => unsealUnder(passphrase, box, boundBytes(binding)));
    },
  };
}
