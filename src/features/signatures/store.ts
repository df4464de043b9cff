/**
 * SQL of signature requests. On the signing path there are two statements, each shared by the requests that arrive together: `begin`,
 * before the signers are asked, and `move`, before anybody is answered.
 * @module
 */

import { toHex } from '../../base/bytes.ts';
import { batched } from '../../store/batch.ts';
import type { Database } from '../../store/database.ts';
import { columnsOf } from '../../store/rows.ts';
import { type AuditEntry, auditParameters, spendSql } from '../audit/store.ts';
import type { WireSignature } from './contract.ts';
import { lifecycle, type SignatureEvent, type SignatureStatus, transition } from './lifecycle.ts';

/** A request about to begin. */
export interface NewRequest {
  readonly id: string;
  readonly organisationId: string;
  readonly keyId: string;
  /** That it came through. */
  readonly walletId: string | null;
  readonly requesterId: string;
  readonly requesterTokenId: string;
  /** JSON text, as received. */
  readonly requestBody: string;
  readonly network: string | null;
  readonly externalId: string | null;
  /** Of the externalId: see `features/idempotency`. */
  readonly path: string;
  readonly bodyHash: string | null;
  /** JSON text. */
  readonly details: string | null;
  readonly executingBy: string;
  readonly dateRequested: Date;
}

export interface RequestRow extends Omit<NewRequest, 'path' | 'bodyHash' | 'executingBy' | 'details'> {
  readonly details: Readonly<Record<string, unknown>> | null;
  readonly status: SignatureStatus;
  readonly reason: string | null;
  readonly signatures: readonly WireSignature[] | null;
  readonly signedData: Uint8Array | null;
  readonly datePolicyResolved: Date | null;
  readonly dateSigned: Date | null;
  readonly dateConfirmed: Date | null;
}

/** What became of an attempt to begin: only 'begun' has a row. */
export type Beginning = 'begun' | 'actionUsed' | 'keyUnusable' | 'externalIdBound';

export interface Move {
  readonly id: string;
  /** Stamped where the event stamps one. */
  readonly date: Date;
  readonly reason?: string;
  readonly signatures?: readonly WireSignature[];
  readonly signedData?: Uint8Array;
  readonly expectedTxHash?: string;
}

export interface SignatureStore {
  /** Spends the user action, binds the externalId, records the request as Executing: all of it or, but for the spending, nothing. */
  begin(attempt: { audit: AuditEntry; request: NewRequest }): Promise<Beginning>;
  /** The only writer of `status`. @returns false when the request was in no state the event leaves: somebody else has moved it */
  move(event: SignatureEvent, move: Move): Promise<boolean>;
  find(id: string): Promise<RequestRow | undefined>;
  list(of: { keyId: string; walletId: string | null }, page: { date: Date | null; id: string | null; take: number }): Promise<RequestRow[]>;
  /** Requests whose replica is gone, or is the one given: a replica that starts executes nothing yet. */
  findAbandoned(search: { startingReplica: string | null; leaseSeconds: number; take: number }): Promise<string[]>;
}

/** The embedded database does one thing at a time: a second batch at once would only be a smaller one. */
const batchesOf = ({ kind }: Database) => ({ maxItems: 100, concurrency: kind === 'pglite' ? 1 : 2 });

export function createSignatureStore(database: Database): SignatureStore {
  const batches = batchesOf(database);
  const movers = Object.fromEntries(
    Object.keys(lifecycle).map((event) => [event, batched(moveAll(database, event as SignatureEvent), batches)]),
  ) as Record<SignatureEvent, (move: Move) => Promise<boolean>>; // the keys of an object literal are its type's

  return {
    begin: batched((attempts: readonly Attempt[]) => beginAll(database, attempts), batches),
    move: (event, move) => movers[event](move),
    find: batched((ids: readonly string[]) => findAll(database, ids), batches),
    list: ({ keyId, walletId }, { date, id, take }) =>
      database.query<RequestRow & Record<string, unknown>>(
        `select ${columns} from signature_requests
         where ${walletId === null ? 'key_id' : 'wallet_id'} = $1
           and (date_requested, id) < (coalesce($2::timestamptz, 'infinity'), coalesce($3::text, ''))
         order by date_requested desc, id desc limit $4`,
        [walletId ?? keyId, date, id, take],
      ),
    async findAbandoned({ startingReplica, leaseSeconds, take }) {
      const rows = await database.query<{ id: string }>(
        `select r.id from signature_requests r
         where r.status = 'Executing' and (r.executing_by = $1::text or not exists (
           select 1 from replicas p where p.id = r.executing_by and p.date_seen > now() - make_interval(secs => $2::float8)))
         limit $3`,
        [startingReplica, leaseSeconds, take],
      );
      return rows.map(({ id }) => id);
    },
  };
}

interface Attempt {
  readonly audit: AuditEntry;
  readonly request: NewRequest;
}

const columns = `id, organisation_id as "organisationId", key_id as "keyId", wallet_id as "walletId", requester_id as "requesterId",
  requester_token_id as "requesterTokenId", request_body as "requestBody", network, external_id as "externalId", status, reason, signatures,
  signed_data as "signedData", details, date_requested as "dateRequested", date_policy_resolved as "datePolicyResolved",
  date_signed as "dateSigned", date_confirmed as "dateConfirmed"`;

/**
 * Attempts are joined with the audit rows that were inserted, by their ids: an action that was spent before, or twice in this batch, lets
 * one attempt through. An externalId that is bound lets none through. Rows that compete are inserted in one order everywhere, so that
 * two batches never wait for each other.
 */
const beginSql = `
  with spent as (${spendSql}),
  asked as (
    select r.*, k.id is not null as key_is_usable
    from unnest($15::text[], $16::text[], $17::text[], $18::text[], $19::text[], $20::text[], $21::text[], $22::text[], $23::text[],
      $24::text[], $25::text[], $26::text[], $27::text[], $28::text[], $29::text[])
      as r (audit_id, id, organisation_id, key_id, wallet_id, requester_id, requester_token_id, request_body, network, external_id, path, body_hash,
        details, executing_by, date_requested)
    join spent on spent.id = r.audit_id
    left join keys k on k.id = r.key_id and k.organisation_id = r.organisation_id
      and k.status = 'Active' and k.date_exported is null
  ),
  bound as (
    insert into external_ids (organisation_id, path, external_id, entity_id, body_hash)
    select organisation_id, path, external_id, id, body_hash from asked
    where key_is_usable and external_id is not null
    order by organisation_id, path, external_id
    on conflict do nothing
    returning entity_id
  ),
  begun as (
    insert into signature_requests (id, organisation_id, key_id, wallet_id, requester_id, requester_token_id, audit_id, request_body, network,
      external_id, status, details, executing_by, date_requested, date_policy_resolved)
    select id, organisation_id, key_id, wallet_id, requester_id, requester_token_id, audit_id, request_body, network, external_id, 'Executing',
      details::json, executing_by, date_requested::timestamptz, date_requested::timestamptz
    from asked left join bound on bound.entity_id = asked.id
    where key_is_usable and (external_id is null or bound.entity_id is not null)
    returning id
  )
  select asked.id, case when begun.id is not null then 'begun' when key_is_usable then 'externalIdBound' else 'keyUnusable' end as beginning
  from asked left join begun on begun.id = asked.id`;

async function beginAll(database: Database, attempts: readonly Attempt[]): Promise<Beginning[]> {
  const audits = attempts.map(({ audit }) => audit);
  const requests = attempts.map(({ audit, request }) => ({
    ...request,
    auditId: audit.id,
    dateRequested: request.dateRequested.toISOString(),
  }));
  const rows = await database.query<{ id: string; beginning: Beginning }>(beginSql, [
    ...auditParameters(audits),
    ...columnsOf(requests, [
      'auditId',
      'id',
      'organisationId',
      'keyId',
      'walletId',
      'requesterId',
      'requesterTokenId',
      'requestBody',
      'network',
      'externalId',
      'path',
      'bodyHash',
      'details',
      'executingBy',
      'dateRequested',
    ]),
  ]);
  const byId = new Map(rows.map(({ id, beginning }) => [id, beginning]));
  return requests.map(({ id }) => byId.get(id) ?? 'actionUsed');
}

function moveAll(database: Database, event: SignatureEvent): (moves: readonly Move[]) => Promise<boolean[]> {
  const { from, to, stamps } = transition(event);
  const sql = `
    update signature_requests r
    set status = $1, reason = coalesce(m.reason, r.reason), signatures = coalesce(m.signatures::json, r.signatures),
      signed_data = coalesce(decode(m.signed_data, 'hex'), r.signed_data),
      expected_tx_hash = coalesce(m.expected_tx_hash, r.expected_tx_hash)${stamps === undefined ? '' : `, ${stamps} = m.date::timestamptz`}
    from unnest($3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[])
      as m (id, date, reason, signatures, signed_data, expected_tx_hash)
    where r.id = m.id and r.status = any($2::text[])
    returning r.id`;
  return async (moves) => {
    const patches = moves.map(({ id, date, reason = null, signatures, signedData, expectedTxHash = null }) => ({
      id,
      date: date.toISOString(),
      reason,
      signatures: signatures === undefined ? null : JSON.stringify(signatures),
      signedData: signedData === undefined ? null : toHex(signedData),
      expectedTxHash,
    }));
    const rows = await database.query<{ id: string }>(sql, [
      to,
      from,
      ...columnsOf(patches, ['id', 'date', 'reason', 'signatures', 'signedData', 'expectedTxHash']),
    ]);
    const moved = new Set(rows.map(({ id }) => id));
    return moves.map(({ id }) => moved.has(id));
  };
}

async function findAll(database: Database, ids: readonly string[]): Promise<(RequestRow | undefined)[]> {
  const rows = await database.query<RequestRow & Record<string, unknown>>(
    `select ${columns} from signature_requests where id = any($1::text[])`,
    [[...new Set(ids)]],
  );
  const byId = new Map(rows.map((row) => [row.id, row]));
  return ids.map((id) => byId.get(id));
}
