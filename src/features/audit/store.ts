/**
 * The log of spent user actions. An action is spent by its row: the nonce is unique, so of two uses one finds the row taken.
 * @module
 */

import { newId } from '../../base/ids.ts';
import type { Query } from '../../store/database.ts';
import { columnsOf } from '../../store/rows.ts';
import type { Caller } from '../access/caller.ts';
import type { UserAction } from '../access/userAction.ts';

/** An action about to be spent. */
export interface AuditEntry {
  /** A fresh id for each attempt: tells apart two attempts at the same action in one statement. */
  readonly id: string;
  readonly nonce: string;
  readonly organisationId: string;
  readonly userId: string;
  readonly tokenId: string;
  readonly method: string;
  readonly path: string;
  readonly payloadHash: string;
  readonly credentialUuid: string;
  /** JSON text. */
  readonly assertion: string;
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
    id: newId('audit'),
    nonce,
    organisationId: caller.organisationId,
    userId: caller.userId,
    tokenId: caller.tokenId,
    method,
    path,
    payloadHash,
    credentialUuid: action.credentialUuid,
    assertion: JSON.stringify(action.assertion),
    dateExpires: new Date(expiresAt * 1000).toISOString(),
    datePerformed: date.toISOString(),
    requestId,
    refusal,
  };
}

/**
 * The insert that spends actions, with `auditParameters` as `$1` to `$14`: returns the ids of the entries that were first. In a
 * statement with further effects, join them on that id and never on the nonce: two uses of one action may stand in one batch. Rows go
 * in by the order of their nonces, so that two batches never wait for each other.
 */
export const spendSql = `
  insert into audit_log (id, nonce, organisation_id, user_id, token_id, method, path, payload_hash, credential_uuid, assertion,
    date_expires, date_performed, request_id, refusal)
  select id, nonce, organisation_id, user_id, token_id, method, path, payload_hash, credential_uuid, assertion::json,
    date_expires::timestamptz, date_performed::timestamptz, request_id, refusal
  from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[], $10::text[],
    $11::text[], $12::text[], $13::text[], $14::text[])
    as entry (id, nonce, organisation_id, user_id, token_id, method, path, payload_hash, credential_uuid, assertion,
      date_expires, date_performed, request_id, refusal)
  order by nonce
  on conflict (nonce) do nothing
  returning id`;

export function auditParameters(entries: readonly AuditEntry[]): unknown[] {
  return columnsOf(entries, [
    'id',
    'nonce',
    'organisationId',
    'userId',
    'tokenId',
    'method',
    'path',
    'payloadHash',
    'credentialUuid',
    'assertion',
    'dateExpires',
    'datePerformed',
    'requestId',
    'refusal',
  ]);
}

/** @returns whether the entry was first to spend its action */
export async function spendEntry(query: Query, entry: AuditEntry): Promise<boolean> {
  const spent = await query.query(spendSql, auditParameters([entry]));
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
