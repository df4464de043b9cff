/**
 * Assertions of key credentials (kinds Key and PasswordProtectedKey): a signature over clientData, which names the challenge
 * (contract §3.2). The signed bytes are the decoded clientData as it came, whatever else it holds.
 * @module
 */

import { fromBase64Url } from '../base/bytes.ts';
import type { Assertion } from './authorisation.ts';
import { type CredentialKey, verifyCredentialSignature } from './credentialKeys.ts';

export { type CredentialKey, importCredentialKey } from './credentialKeys.ts';

const clientDataCharsAtMost = 8192;
const signatureCharsAtMost = 2048;

/** Whether the holder of `key` signed `challenge`, the text as it was issued. Anything malformed, and any other kind, is `false`. */
export function verifyAssertion(claim: { key: CredentialKey; assertion: Assertion; challenge: string }): boolean {
  const { key, assertion, challenge } = claim;
  if (assertion.kind === 'Fido2') return false;
  if (assertion.clientData.length > clientDataCharsAtMost || assertion.signature.length > signatureCharsAtMost) return false;
  const clientData = fromBase64Url(assertion.clientData);
  const signature = fromBase64Url(assertion.signature);
  if (clientData === undefined || signature === undefined || !names(clientData, challenge)) return false;
  return verifyCredentialSignature(key, clientData, signature, assertion.algorithm);
}

/** Members other than these two (`origin`, `crossOrigin`) come from older signers and mean nothing for a key credential. */
function names(clientData: Uint8Array, challenge: string): boolean {
  try {
    const parsed: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(clientData));
    if (typeof parsed !== 'object' || parsed === null) return false;
    return 'type' in parsed && parsed.type === 'key.get' && 'challenge' in parsed && parsed.challenge === challenge;
  } catch {
    return false; // not UTF-8, not JSON
  }
}
