/**
 * The log of spent user actions. An action is spent by its row: the nonce is unique, so of two uses one finds the row taken.
 * @module
 */

import type { Assertion } from '../../crypto/authorisation.ts';
import type { Query } from '../../store/database.ts';
import { rowsParameter } from '../../store/rows.ts';
import type { Caller } from '../access/caller.ts';
import type { UserAction } from '../access/userAction.ts';

/** An action about to be spent. */
export interface AuditEntry {
  readonly nonce: string;
  readonly organisationId: string;
  readonly userId: string;
  readonly tokenId: string;
  readonly method: string;
  readonly path: string;
  readonly payloadHash: string;
  readonly credentialUuid: string;
  readonly assertion: Assertion;
  readonly dateExpires: string;
  readonly datePerformed: string;
  readonly requestId: string | null;
  readonly refusal: string | null;
}

export function auditEntry(spending: {
  caller: Pick<Caller, 'organisationId' | 'userId' | 'tokenId'>;
  action: Pick<UserAction, 'binding' | 'assertion' | 'credentialUuid'>;
  /** When it is performed. */
  date: Date;
  requestId?: string | null;
  refusal?: string | null;
}): AuditEntry {
  const { caller, action, date, requestId = null, refusal = null } = spending;
  const { nonce, method, path, payloadHash, expiresAt } = action.binding;
  return {
    nonce,
    organisationId: caller.organisationId,
    userId: caller.userId,
    tokenId: caller.tokenId,
    method,
    path,
    payloadHash,
    credentialUuid: action.credentialUuid,
    assertion: action.assertion,
    dateExpires: new Date(expiresAt * 1000).toISOString(),
    datePerformed: date.toISOString(),
    requestId,
    refusal,
  };
}

/** An entry as a row of `json_to_recordset`: see `store/rows.ts`. */
export const entryColumns = `nonce text, "organisationId" text, "userId" text, "tokenId" text, method text, path text, "payloadHash" text,
  "credentialUuid" text, assertion json, "dateExpires" timestamptz, "datePerformed" timestamptz, "requestId" text, refusal text`;

/**
 * The insert that spends actions: returns the nonces of those that were not spent before.
 * @param entries what has the rows: no nonce twice, and in the order of the nonces, so that two statements never wait for each other
 */
export const spendSql = (entries: string) => `
  insert into audit_log (nonce, organisation_id, user_id, token_id, method, path, payload_hash, credential_uuid, assertion, date_expires,
    date_performed, request_id, refusal)
  select nonce, "organisationId", "userId", "tokenId", method, path, "payloadHash", "credentialUuid", assertion, "dateExpires",
    "datePerformed", "requestId", refusal
  from ${entries}
  on conflict (nonce) do nothing
  returning nonce`;

const spendOneSql = spendSql(`json_to_recordset($1::json) as entry (${entryColumns})`);

/** @returns whether the entry was first to spend its action */
export async function spendEntry(query: Query, entry: AuditEntry): Promise<boolean> {
  const spent = await query.query(spendOneSql, [rowsParameter([entry])]);
  return spent.length > 0;
}

/** Writes down that a spent action came to nothing. */
export async function recordRefusal(query: Query, nonce: string, refusal: string): Promise<void> {
  await query.query('update audit_log set refusal = $2 where nonce = $1', [nonce, refusal]);
}

/** For an effect that stands already, whatever was answered before: the action is spent, and has had it. */
export async function recordEffect(query: Query, entry: AuditEntry): Promise<void> {
  if (await spendEntry(query, entry)) return;
  await query.query('update audit_log set refusal = null where nonce = $1', [entry.nonce]);
}
