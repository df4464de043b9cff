import type { Registry } from '../../authority/registry.ts';
import { assert } from '../../base/errors.ts';
import type { Authorisation } from '../../crypto/authorisation.ts';
import { type AuditEntry, auditEntry } from '../audit/store.ts';

/** The audit row of a request that the registry knows the caller of. */
export function auditOf(
  registry: Registry,
  { binding, assertion }: Authorisation,
  { date, requestId, refusal }: { date: Date; requestId: string | null; refusal?: string },
): AuditEntry {
  const account = registry.accounts.get(binding.callerId);
  const credential = registry.credentials.get(assertion.credId);
  assert(account && credential, 'a request has been authenticated before it is proposed');
  return auditEntry({
    caller: { organisationId: registry.organisationId, userId: account.id, tokenId: account.tokenId },
    action: { binding, assertion, credentialUuid: credential.uuid },
    date,
    requestId,
    refusal: refusal ?? null,
  });
}
