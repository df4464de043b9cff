/** Every answer that a test sees is held against the contract of its endpoint. @module */

import { expect } from 'vitest';
import { z } from 'zod';
import { accessContract } from '../../src/features/access/contract.ts';
import { authorityContract } from '../../src/features/authority/contract.ts';
import type { Endpoint } from '../../src/features/endpoint.ts';
import { keyStoresContract } from '../../src/features/keyStores/contract.ts';
import { keysContract } from '../../src/features/keys/contract.ts';
import { permissionsContract } from '../../src/features/permissions/contract.ts';
import { serviceAccountsContract } from '../../src/features/serviceAccounts/contract.ts';
import { signaturesContract } from '../../src/features/signatures/contract.ts';
import { walletsContract } from '../../src/features/wallets/contract.ts';

export const endpoints: readonly Endpoint[] = [
  accessContract,
  authorityContract,
  permissionsContract,
  serviceAccountsContract,
  keyStoresContract,
  keysContract,
  signaturesContract,
  walletsContract,
].flatMap((contract) => Object.values(contract));

const errorBody = z.object({
  error: z.object({
    id: z.string().min(1),
    status: z.int(),
    message: z.string().min(1),
    details: z.record(z.string(), z.unknown()).optional(),
  }),
});

/** @returns the answer, when it is what its endpoint promises: nothing missing, nothing more; or an error of contract §1.5 */
export function checked<A extends { status: number; body: unknown }>(method: string, path: string, answer: A): A {
  const { status, body } = answer;
  if (status !== 200) {
    expect(errorBody.parse(body)).toEqual(body);
    expect(body).toMatchObject({ error: { status } });
    return answer;
  }
  const endpoint = endpoints.find((one) => one.method === method && matches(one.path, path));
  if (endpoint !== undefined) expect(body).toEqual(endpoint.response.parse(body));
  return answer;
}

function matches(template: string, path: string): boolean {
  const [pathname = ''] = path.split('?');
  const [wanted, given] = [template.split('/'), pathname.split('/')];
  return wanted.length === given.length && wanted.every((part, i) => part.startsWith(':') || part === given[i]);
}
