/** What the signers hold of a key whose record the service has lost. @module */

import { Refusal } from '../base/errors.ts';
import type { ClusterFile, Result } from '../signer/contract.ts';
import type { Coordinator } from './coordinator.ts';
import { type Link, SignerFailure } from './link.ts';
import { newKeyOf, sameKey } from './newKey.ts';
import { SignerFailures } from './quorum.ts';

type Description = Result<'describeKey'>;

const describeTimeoutMs = 1_000;

/**
 * Asks all signers, and waits for no more of them than it takes.
 * @returns what t + 1 say alike, so that an honest one says it; undefined when fewer have the key
 * @throws {Refusal} Unavailable when too few answer to tell
 */
export async function findKey(links: readonly Link[], { threshold }: ClusterFile, keyId: string): ReturnType<Coordinator['findKey']> {
  const needed = threshold + 1;
  const said: Description[] = [];
  const failures: SignerFailure[] = [];
  let unknown = 0;

  const alike = (one: Description) => said.filter((other) => one.keyType === other.keyType && sameKey(one, other)).length;
  const found = () => said.find((one) => alike(one) >= needed);
  /** Not even if all who have said neither had it. */
  const isAbsent = () => Math.max(0, ...said.map(alike)) + links.length - said.length - unknown < needed;

  await new Promise<void>((resolve, reject) => {
    let waitingFor = links.length;
    const ask = async (link: Link) => {
      try {
        said.push(await link.ask('describeKey', { keyId }, describeTimeoutMs));
      } catch (error) {
        if (!(error instanceof SignerFailure)) return reject(error);
        if (error.code === 'UnknownKey') unknown += 1;
        else failures.push(error);
      }
      waitingFor -= 1;
      if (waitingFor === 0 || found() !== undefined || isAbsent()) resolve();
    };
    for (const link of links) void ask(link);
  });

  const key = found();
  if (key !== undefined) return { ...newKeyOf(key), keyType: key.keyType };
  if (isAbsent()) return undefined;
  throw new Refusal(
    'Unavailable',
    `whether there is a key ${keyId}, ${links.length - failures.length} of ${links.length} signers cannot tell`,
    {
      cause: new SignerFailures(failures),
    },
  );
}
