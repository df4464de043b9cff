/**
 * A takeover: from this entry on, another instance of a signer acts in its name (its standby, docs/standby.md). It changes no record. What it
 * changes is who may speak for the signer: the instance that is replaced stops for good when its log comes to this entry, the new one begins
 * with it, and requests are made at heads before it or after it. So none is served by both.
 * @module
 */

import { Refusal } from '../base/errors.ts';
import type { Entry } from './entry.ts';
import { parseBody, targetOf } from './parse.ts';
import { registryRequests } from './requests.ts';
import { rule } from './rule.ts';

export interface Takeover {
  readonly signerId: string;
  /** Greater than that of every instance before. */
  readonly instance: number;
}

export const takeover = rule(registryRequests.takeOverSigner, ({ registry, body }) => {
  const isSigner = registry.cluster.signers.some(({ signerId }) => signerId === body.signerId);
  if (!isSigner) throw new Refusal('NotFound', 'Signer');
  return [];
});

/** What an entry that was accepted says of a signer's instances; undefined for any other entry. */
export function takeoverIn(entry: Entry): Takeover | undefined {
  const request = registryRequests.takeOverSigner;
  if (!('authorisation' in entry)) return undefined;
  const { binding, body } = entry.authorisation;
  return targetOf(request, binding) && parseBody(request.body, body);
}
