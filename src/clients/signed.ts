/** What every adapter does with the answer to a signature request. @module */

import type { SignatureRequest, WireSignature } from '../features/signatures/contract.ts';

/** The request was not signed now: a policy holds it, or signing failed. `request` says which, and can be asked for again by its id. */
export class NotSigned extends Error {
  readonly request: Pick<SignatureRequest, 'id' | 'status' | 'reason'>;

  constructor(request: NotSigned['request']) {
    super(`signature request ${request.id} is ${request.status}${request.reason === undefined ? '' : `: ${request.reason}`}`);
    this.name = 'NotSigned';
    this.request = request;
  }
}

type Answer = Pick<SignatureRequest, 'id' | 'status' | 'reason' | 'signature' | 'signedData'>;

/** @throws {NotSigned} */
export function signatureOf(answer: Answer): WireSignature & { readonly encoded: `0x${string}` } {
  const { status, signature } = answer;
  if ((status !== 'Signed' && status !== 'Confirmed') || signature?.encoded === undefined) throw new NotSigned(answer);
  return { ...signature, encoded: hexOf(signature.encoded) };
}

/** @throws {NotSigned} */
export function signedDataOf(answer: Answer): `0x${string}` {
  signatureOf(answer);
  if (answer.signedData === undefined) throw new NotSigned(answer);
  return hexOf(answer.signedData);
}

function hexOf(text: string): `0x${string}` {
  if (!text.startsWith('0x')) throw new Error('the service answers hex with 0x');
  return text as `0x${string}`; // as just checked
}
