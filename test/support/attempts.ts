/** Signature requests without a service: what its two statements on the signing path are given. */

import { randomBytes } from 'node:crypto';
import { newId } from '../../src/base/ids.ts';
import { type AuditEntry, auditEntry } from '../../src/features/audit/store.ts';
import type { NewRequest } from '../../src/features/signatures/store.ts';
import type { Database } from '../../src/store/database.ts';

const organisationId = 'or-attempts';
const keyId = 'key-attempts';

/** The key that attempts are for, in a database that is empty. */
export async function insertKey(database: Database): Promise<void> {
  await database.script(`
    insert into organisations (id, application_id, date_created) values ('${organisationId}', 'ap-attempts', now());
    insert into key_stores (id, organisation_id, kind, name, is_primary, date_created)
      values ('store-attempts', '${organisationId}', 'Mpc', 'store', true, now());
    insert into keys (id, organisation_id, store_id, key_type, public_key, verification_shares, chain_code, status, date_created)
      values ('${keyId}', '${organisationId}', 'store-attempts', 'EdDSA/ed25519', '\\x01', '{}', '\\x${'00'.repeat(32)}', 'Active', now());`);
}

/** One by a user action of its own, as long as those that come over the wire. */
export function attempt(of: Partial<Pick<NewRequest, 'keyId' | 'organisationId' | 'externalId'>> = {}): {
  audit: AuditEntry;
  request: NewRequest;
} {
  const now = new Date();
  const path = `/keys/${keyId}/signatures`;
  const request: NewRequest = {
    ...{ id: newId('signature'), organisationId, keyId, walletId: null, requesterId: 'us-1', requesterTokenId: 'to-1' },
    ...{ requestBody: `{"kind":"Hash","hash":"${'11'.repeat(32)}"}`, network: null, externalId: null, path, bodyHash: null, details: null },
    ...{ executingBy: 'rep-1', dateRequested: now },
    ...of,
  };
  const audit = auditEntry({
    caller: { organisationId: request.organisationId, userId: 'us-1', tokenId: 'to-1' },
    action: {
      binding: {
        ...{ method: 'POST', path, payloadHash: '22'.repeat(32), organisationId, callerId: 'us-1' },
        nonce: randomBytes(32).toString('base64url'),
        expiresAt: 2 ** 31,
      },
      assertion: { kind: 'Key', credId: 'cr-1', clientData: 'a'.repeat(110), signature: 'b'.repeat(86) },
      credentialUuid: 'cr-1',
    },
    date: now,
  });
  return { audit, request };
}
