/** Asking signers for their part in a signature, straight by their contract: what a thief with the service's place would do. */

import { SignerFailure } from '../../src/coordinator/link.ts';
import type { FrostKeyType } from '../../src/coordinator/nonces.ts';
import { runSession } from '../../src/coordinator/session.ts';
import type { Authorisation } from '../../src/crypto/authorisation.ts';
import type { Payload } from '../../src/crypto/schemes/scheme.ts';
import { protocols } from '../../src/mpc/protocols.ts';
import type { Params } from '../../src/signer/contract.ts';
import type { TestCluster, TestKey, TestSigner } from './cluster.ts';

export interface Attempt {
  readonly key: Pick<TestKey, 'id' | 'keyType'>;
  readonly payload: Payload;
  readonly payloadIndex?: number;
  readonly filled?: Readonly<Record<string, string>>;
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
  const commitments = await committed(signers, key.keyType === 'Schnorr/secp256k1' ? key.keyType : 'EdDSA/ed25519');
  const question = { keyId: key.id, payload, payloadIndex, commitments, authorisation };
  return Promise.all(among.map((signer) => outcomeOf(signer.ask('signFrost', question))));
}

export async function ecdsaShares(
  { signers }: Pick<TestCluster, 'signers'>,
  { key, payload, payloadIndex = 0, filled, authorisation }: Attempt,
  among: readonly TestSigner[] = signers,
): Promise<string[]> {
  const protocol = protocols[key.keyType];
  const { batch, number } = await presigned(signers, protocol.family === 'ecdsa' ? protocol.curve : 'secp256k1');
  const question = { keyId: key.id, batch, number, payload, payloadIndex, ...(filled && { filled }), authorisation };
  return Promise.all(among.map((signer) => outcomeOf(signer.ask('signEcdsa', question))));
}

/** One fresh commitment of each signer, with the name of the nonces behind it. */
export async function committed(
  signers: readonly Pick<TestSigner, 'index' | 'ask'>[],
  keyType: FrostKeyType = 'EdDSA/ed25519',
): Promise<Params<'signFrost'>['commitments']> {
  const made = signers.map(async ({ index, ask }) => {
    const { batch, commitments } = await ask('commit', { keyType, count: 1 });
    const [commitment] = commitments;
    if (commitment === undefined) throw new Error('no nonces were made');
    return [index, { batch, number: 0, ...commitment }] as const;
  });
  return Object.fromEntries(await Promise.all(made));
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
