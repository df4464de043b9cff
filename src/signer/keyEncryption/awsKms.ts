/**
 * AWS KMS, by its official client, which finds its credentials as everywhere (environment, instance profile, …). It is an optional
 * dependency: two dozen packages that no other signer needs. The binding is the encryption context, so it stands in CloudTrail.
 * @module
 */

import type { KMSClient } from '@aws-sdk/client-kms';
import { z } from 'zod';
import { messageOf } from '../../base/errors.ts';
import { answerWithinMs, type Binding, type Provider, setting } from './provider.ts';
import type { KeyEncryptionSettings } from './settings.ts';

const connectWithinMs = 3_000;
const maxAttempts = 3;
const parameters = z.object({ key: z.string() });

export async function awsKmsProvider(settings: KeyEncryptionSettings['awsKms']): Promise<Provider> {
  const kms = await import('@aws-sdk/client-kms').catch((cause: unknown) => {
    throw new Error('the package @aws-sdk/client-kms is not installed; docs/keys-at-rest.md says how', { cause });
  });

  async function ask<T>(keyId: string, question: (client: KMSClient, within: { abortSignal: AbortSignal }) => Promise<T>): Promise<T> {
    const region = regionOf(keyId);
    const client = new kms.KMSClient({
      maxAttempts,
      requestHandler: { connectionTimeout: connectWithinMs, requestTimeout: answerWithinMs },
      ...(settings.endpoint === undefined ? {} : { endpoint: settings.endpoint }),
      ...(region === undefined ? {} : { region }),
    });
    try {
      return await question(client, { abortSignal: AbortSignal.timeout(answerWithinMs) });
    } catch (cause) {
      const name = cause instanceof Error ? cause.name : 'Error';
      throw new Error(`key ${keyId}: ${name}: ${messageOf(cause)}`, { cause });
    } finally {
      client.destroy();
    }
  }

  return {
    async wrap(key, binding) {
      const wanted = setting(settings.key, 'AWS_KMS_KEY');
      const command = new kms.EncryptCommand({ KeyId: wanted, Plaintext: key, EncryptionContext: contextOf(binding) });
      const { CiphertextBlob, KeyId } = await ask(wanted, (client, within) => client.send(command, within));
      if (CiphertextBlob === undefined || KeyId === undefined) throw new Error('the answer of KMS has no ciphertext');
      return { wrapped: CiphertextBlob, parameters: { key: KeyId } }; // the key itself: an alias may point to another tomorrow
    },
    async unwrap({ wrapped, parameters: recorded }, binding) {
      const { key } = parameters.parse(recorded);
      const command = new kms.DecryptCommand({ KeyId: key, CiphertextBlob: wrapped, EncryptionContext: contextOf(binding) });
      const { Plaintext } = await ask(key, (client, within) => client.send(command, within));
      if (Plaintext === undefined) throw new Error('the answer of KMS has no plaintext');
      return Plaintext;
    },
  };
}

function contextOf({ clusterId, signerId, generation }: Binding): Record<string, string> {
  return {
    'countersign:cluster': clusterId === '' ? '-' : clusterId,
    'countersign:signer': signerId,
    'countersign:generation': String(generation),
  };
}

/** Of an ARN: arn:aws:kms:REGION:…; else the client finds it. */
function regionOf(keyId: string): string | undefined {
  const [arn, , , region] = keyId.split(':');
  return arn === 'arn' && region ? region : undefined;
}
