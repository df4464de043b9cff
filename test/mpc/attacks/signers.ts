/** Three real signers, for all attacks of the table that need more than a protocol: their memory, their stores, their authority. @module */

import { randomBytes } from 'node:crypto';
import { toHex } from '../../../src/base/bytes.ts';
import type { Authorisation } from '../../../src/crypto/authorisation.ts';
import { answer, type Method } from '../../../src/signer/contract.ts';
import { createCluster, type TestCluster, type TestKey, type TestSigner } from '../../signer/cluster.ts';
import { setUpSeeds } from '../../signer/shares.ts';
import { once } from './tampering.ts';

/** With seeds. */
export const realSigners = once(async (): Promise<TestCluster> => {
  const cluster = await createCluster();
  await setUpSeeds(cluster.signers);
  return cluster;
});

export async function closeSigners(): Promise<void> {
  (await realSigners()).close();
}

/** That any curve signs. */
export function newDigest(): Uint8Array {
  return new Uint8Array(randomBytes(32)).fill(1, 0, 1);
}

/** The administrator asks for a signature. */
export function requestOf(cluster: TestCluster, { id }: Pick<TestKey, 'id'>, digest: Uint8Array, actor = cluster.admin): Authorisation {
  return cluster.sign(actor, { method: 'POST', path: `/keys/${id}/signatures`, body: { kind: 'Hash', hash: toHex(digest) } });
}

/** For a question as it goes over the wire, whatever it is: `<code>: <reason>`. */
export async function refusalOf(signer: TestSigner, method: Method, params: unknown): Promise<string> {
  const said = answer.parse(await signer.answer({ number: 1, method, params }));
  return 'refusal' in said ? `${said.refusal.code}: ${said.refusal.message}` : 'a share';
}

export const used = 'Refused UserActionUsed: user action has already been used';
export const everybodys = <T>(said: T): T[] => [said, said, said];
