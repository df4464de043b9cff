/**
 * An operator's part in a recovery (`authority/recovery.ts`): this signer's signature over the new credential of the root, at the head of
 * this signer's own log.
 * @module
 */

import type { Head } from '../authority/head.ts';
import type { OperatorSignature } from '../authority/operators.ts';
import { type RecoveryTerms, recoveryMessage } from '../authority/recovery.ts';
import { importCredentialKey } from '../crypto/assertions.ts';
import { type OperatorPlace, signAsOperator } from './operator.ts';

export interface RecoveryPart extends OperatorSignature {
  /** Of this signer's log: all parts of a recovery must name the same. */
  readonly head: Head;
}

/** @throws {Error} as `signAsOperator`, or when the new credential is not accepted */
export async function signRecovery({ terms, ...place }: OperatorPlace & { terms: RecoveryTerms }): Promise<RecoveryPart> {
  importCredentialKey(terms.publicKey);
  const { head, signerId, signature } = await signAsOperator(place, (registry) => {
    return { head: registry.head, message: recoveryMessage(registry.root.clusterId, registry.head, terms) };
  });
  return { head, signerId, signature };
}
