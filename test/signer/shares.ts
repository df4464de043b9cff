/** Asking signers for their part in a signature, straight by their contract: what a thief with the service's place would do. */

import { randomBytes } from 'node:crypto';
import { SignerFailure } from '../../src/coordinator/link.ts';
import { runSession } from '../../src/coordinator/session.ts';
import type { Authorisation } from '../../src/crypto/authorisation.ts';
import type { Payload } from '../../src/crypto/schemes/scheme.ts';
import { protocols } from '../../src/mpc/protocols.ts';
import type { TestCluster, TestKey, TestSigner } from './cluster.ts';

export interface Attempt {
  readonly key: Pick<TestKey, 'id' | 'keyType'>;
  readonly payload: Payload;
  readonly payloadIndex?: number;
  readonly authorisation: Authorisation;
}

/** `a share`, or why not: `<code> <refusal>: <reason>`, without the refusal where no rule of the registry says no. */
export async function outcomeOf(question: Promise<unknown>): Promise<string> {
  try {
    await question;
    return 'a share';
  } catch (error) {
    if (!(error instanceof SignerFailure)) throw error;
    const { code, refusal, reason } = error;
    return `${code}${refusal === undefined ? '' : ` ${refusal}`}: ${reason}`;
  }
}

/** Each signer's answer, in order; by whichever protocol the key's type has. */
export async function sharesOf(cluster: TestCluster, attempt: Attempt, among: readonly TestSigner[] = cluster.signers): Promise<string[]> {
  const { family } = protocols[attempt.key.keyType];
  return family === 'ecdsa' ? ecdsaShares(cluster, attempt, among) : frostShares(cluster, attempt, among);
}

export async function frostShares(
  { signers }: Pick<TestCluster, 'signers'>,
  { key, payload, payloadIndex = 0, authorisation }: Attempt,
  among: readonly TestSigner[] = signers,
): Promise<string[]> {
  const sessionId = new Uint8Array(randomBytes(32));
  const commitments = Object.fromEntries(
    await Promise.all(signers.map(async (signer) => [signer.index, await signer.ask('commit', { sessionId, keyId: key.id })] as const)),
  );
  const question = { sessionId, keyId: key.id, payload, payloadIndex, commitments, authorisation };
  return Promise.all(among.map((signer) => outcomeOf(signer.ask('signFrost', question))));
}

export async function ecdsaShares(
  { signers }: Pick<TestCluster, 'signers'>,
  { key, payload, payloadIndex = 0, authorisation }: Attempt,
  among: readonly TestSigner[] = signers,
): Promise<string[]> {
  const protocol = protocols[key.keyType];
  const { batch, number } = await presigned(signers, protocol.family === 'ecdsa' ? protocol.curve : 'secp256k1');
  const question = { keyId: key.id, batch, number, payload, payloadIndex, authorisation };
  return Promise.all(among.map((signer) => outcomeOf(signer.ask('signEcdsa', question))));
}

/** A presignature that all these signers hold. */
export async function presigned(
  signers: readonly TestSigner[],
  curve: 'secp256k1' | 'stark' = 'secp256k1',
): Promise<{ batch: Uint8Array; number: number; R: Uint8Array }> {
  const links = signers.map(({ link }) => link);
  const [outcome] = (await runSession(links, { kind: 'presign', curve, count: 1 })).values();
  if (outcome?.kind !== 'presign') throw new Error('nothing was presigned');
  return { batch: outcome.batch, number: 0, R: outcome.commitments[0] ?? new Uint8Array() };
}

export async function setUpSeeds(signers: readonly TestSigner[]): Promise<void> {
  await runSession(
    signers.map(({ link }) => link),
    { kind: 'seeds' },
  );
}
