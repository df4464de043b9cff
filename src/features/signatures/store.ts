/**
 * SQL of signature requests. On the signing path there are two statements, each shared by the requests that arrive together: `begin`,
 * before the signers are asked, and `move`, before anybody is answered.
 * @module
 */

import { toHex } from '../../base/bytes.ts';
import { batched } from '../../store/batch.ts';
import type { Database } from '../../store/database.ts';
import { rowsParameter } from '../../store/rows.ts';
import { type AuditEntry, entryColumns, spendSql } from '../audit/store.ts';
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
  readonly details: Readonly<Record<string, unknown>> | null;
  readonly executingBy: string;
  readonly dateRequested: Date;
}

export interface RequestRow extends Omit<NewRequest, 'path' | 'bodyHash' | 'executingBy'> {
  readonly status: SignatureStatus;
  readonly reason: string | null;
  readonly signatures: readonly WireSignature[] | null;
  readonly signedData: Uint8Array | null;
  readonly datePolicyResolved: Date | null;
  readonly dateSigned: Date | null;
  readonly dateConfirmed: Date | null;
}

/** What became of an attempt to begin. 'notBegun': the action is spent, on a key that is used no more or an externalId that is bound. */
export type Beginning = 'begun' | 'actionUsed' | 'notBegun';

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

/** An attempt as a row of `json_to_recordset`. */
const attemptColumns = `${entryColumns}, id text, "keyId" text, "walletId" text, "requestBody" text, network text, "externalId" text,
  "externalIdPath" text, "bodyHash" text, details json, "executingBy" text`;

/** Those whose action was not spent before, and whose key may be used: looked up for each, for a join may be planned to read all keys. */
const ableSql = `
  select a.* from attempts a join spent using (nonce)
  where (select k.organisation_id = a."organisationId" and k.status = 'Active' and k.date_exported is null from keys k where k.id = a."keyId")`;

const insertSql = (able: string) => `
  insert into signature_requests (id, organisation_id, key_id, wallet_id, requester_id, requester_token_id, nonce, request_body, network,
    external_id, status, details, executing_by, date_requested, date_policy_resolved)
  select id, "organisationId", "keyId", "walletId", "userId", "tokenId", nonce, "requestBody", network,
    "externalId", 'Executing', details, "executingBy", "datePerformed", "datePerformed"
  from ${able}
  returning id`;

const beginWith = (steps: string) => `
  with attempts as (select * from json_to_recordset($1::json) as attempt (${attemptColumns})),
  spent as (${spendSql('attempts')}),
  ${steps}
  select nonce as done from spent union all select id from begun`;

/** Gives back the nonces of the actions that are spent now, and the ids of the requests that have begun. */
const beginSql = beginWith(`begun as (${insertSql(`(${ableSql}) able`)})`);

/** The same, where some have an externalId: one that is bound lets none begin. Bound in one order everywhere, as actions are spent. */
const beginBoundSql = beginWith(`
  able as (${ableSql}),
  bound as (
    insert into external_ids (organisation_id, path, external_id, entity_id, body_hash)
    select "organisationId", "externalIdPath", "externalId", id, "bodyHash" from able where "externalId" is not null
    order by "organisationId", "externalIdPath", "externalId"
    on conflict do nothing
    returning entity_id
  ),
  begun as (${insertSql('able where "externalId" is null or id in (select entity_id from bound)')})`);

async function beginAll(database: Database, attempts: readonly Attempt[]): Promise<Beginning[]> {
  const firsts = firstUses(attempts);
  const sql = firsts.some(({ request }) => request.externalId !== null) ? beginBoundSql : beginSql;
  const rows = await database.query<{ done: string }>(sql, [rowsParameter(firsts.map(rowOf))]);
  const done = new Set(rows.map((row) => row.done));
  return attempts.map((attempt) => {
    if (done.has(attempt.request.id)) return 'begun';
    return done.has(attempt.audit.nonce) && firsts.includes(attempt) ? 'notBegun' : 'actionUsed';
  });
}

/** Of attempts that use the same action the first, in the order of the actions. */
function firstUses(attempts: readonly Attempt[]): Attempt[] {
  const firsts = new Map<string, Attempt>();
  for (const attempt of attempts) if (!firsts.has(attempt.audit.nonce)) firsts.set(attempt.audit.nonce, attempt);
  return [...firsts.values()].sort((a, b) => (a.audit.nonce < b.audit.nonce ? -1 : 1));
}

/** Who asks, and when, the audit entry says. */
function rowOf({ audit, request }: Attempt): object {
  const { id, keyId, walletId, requestBody, network, externalId, path, bodyHash, details, executingBy } = request;
  return { ...audit, id, keyId, walletId, requestBody, network, externalId, externalIdPath: path, bodyHash, details, executingBy };
}

function moveAll(database: Database, event: SignatureEvent): (moves: readonly Move[]) => Promise<boolean[]> {
  const { from, to, stamps } = transition(event);
  // `r.id = m.id` might be planned as a join that reads the whole table, when that has few rows still: this way each row is looked up.
  const sql = `
    update signature_requests r
    set status = $1, reason = coalesce(m.reason, r.reason), signatures = coalesce(m.signatures, r.signatures),
      signed_data = coalesce(decode(m."signedData", 'hex'), r.signed_data),
      expected_tx_hash = coalesce(m."expectedTxHash", r.expected_tx_hash)${stamps === undefined ? '' : `, ${stamps} = m.date`}
    from json_to_recordset($3::json)
      as m (id text, date timestamptz, reason text, signatures json, "signedData" text, "expectedTxHash" text)
    where r.id = any(array[m.id]) and r.status = any($2::text[])
    returning r.id`;
  return async (moves) => {
    const patches = moves.map(({ signedData, ...move }) => ({ ...move, signedData: signedData && toHex(signedData) }));
    const rows = await database.query<{ id: string }>(sql, [to, from, rowsParameter(patches)]);
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
