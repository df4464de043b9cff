/**
 * Roll call: which signers answer, whether they are who the cluster file says, and whether they share the replicated seeds that ECDSA
 * presigning draws its randomness from (docs/protocols.md).
 * @module
 */

import { Refusal } from '../base/errors.ts';
import type { ClusterFile, Result } from '../signer/contract.ts';
import { type Link, SignerFailure } from './link.ts';
import { runSession } from './session.ts';

const helloTimeoutMs = 1_000;

/** Those that answer now and are who they should be. */
export async function answering(links: readonly Link[], cluster: ClusterFile): Promise<ReadonlyMap<Link, Result<'hello'>>> {
  const answers = await Promise.allSettled(links.map((link) => hello(link, cluster)));
  return new Map(answers.flatMap((answer, i) => (answer.status === 'fulfilled' ? [[links[i] as Link, answer.value] as const] : [])));
}

async function hello(link: Link, cluster: ClusterFile): Promise<Result<'hello'>> {
  const answer = await link.ask('hello', {}, helloTimeoutMs);
  const expected = cluster.signers.find((signer) => signer.index === link.index);
  if (answer.clusterId !== cluster.clusterId || answer.index !== link.index || answer.signerId !== expected?.signerId) {
    throw new SignerFailure(link.index, 'Refused', 'is another signer than the cluster file names');
  }
  return answer;
}

/**
 * Makes all signers share one set of seeds, setting them up where they do not: at the first start, or when a signer came back without
 * its own. Needs every signer, since each holds seeds with others.
 * @throws {Refusal} Unavailable while a signer is away
 */
export async function agreeOnSeeds(links: readonly Link[], cluster: ClusterFile): Promise<void> {
  const up = await answering(links, cluster);
  const names = new Set([...up.values()].map(({ seeds }) => seeds));
  // With a signer away nothing can be set up; those that are there go on if they agree.
  if (names.size === 1 && !names.has('')) return;
  await setUpSeeds(links, cluster, up.size);
}

/** @throws {Refusal} Unavailable unless all answer */
export async function setUpSeeds(links: readonly Link[], cluster: ClusterFile, known?: number): Promise<void> {
  const up = known ?? (await answering(links, cluster)).size;
  if (up < links.length) {
    throw new Refusal('Unavailable', `setting up the cluster needs all ${links.length} signers; ${up} answer`);
  }
  await runSession(links, { kind: 'seeds' });
}
