/** Callers of an instance that speak HTTP by themselves, so that a test can send what no client would. @module */

import { createPrivateKey, generateKeyPairSync } from 'node:crypto';
import { newId } from '../../src/base/ids.ts';
import { type Client, createClient } from '../support/client.ts';
import type { Instance } from '../support/instance.ts';
import { publicPem } from '../support/world.ts';
import { administratorOf } from './clients.ts';

export function administrator(instance: Instance): Client {
  const { authToken: accessToken, credId, privateKey } = administratorOf(instance);
  return createClient(instance.origin, { accessToken, credId, privateKey: createPrivateKey(privateKey) });
}

/** The same caller, at another replica. */
export function at({ origin }: Instance, { credentials }: Client): Client {
  return createClient(origin, credentials);
}

/** A service account with those operations, made by the administrator. */
export async function newAccount(
  instance: Instance,
  operations: readonly string[],
): Promise<Client & { userId: string; permissionId: string; assignmentId: string }> {
  const admin = administrator(instance);
  const made = async (path: string, body: unknown) => {
    const answer = await admin.call('POST', path, body);
    if (answer.status !== 200) throw new Error(`${path}: ${JSON.stringify(answer)}`);
    return answer.body;
  };
  const { privateKey } = generateKeyPairSync('ed25519');
  const { id: permissionId } = await made('/permissions', { name: newId('permission'), operations });
  const { userInfo, accessTokens } = await made('/auth/service-accounts', {
    name: 'account',
    publicKey: publicPem(privateKey),
    permissionId,
  });
  const [{ accessToken, credId }] = accessTokens;
  return {
    ...createClient(instance.origin, { accessToken, credId, privateKey }),
    userId: userInfo.userId,
    permissionId,
    assignmentId: userInfo.permissionAssignments[0].assignmentId,
  };
}
