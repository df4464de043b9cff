/** What the database knows of a token and of those behind it. @module */

import { batched } from '../../store/batch.ts';
import type { Database } from '../../store/database.ts';
import type { CallerCredential } from './caller.ts';

/** The state of a token at this moment. */
export interface TokenState {
  readonly id: string;
  readonly organisationId: string;
  readonly userId: string;
  readonly userKind: 'CustomerEmployee' | 'EndUser';
  readonly isServiceAccount: boolean;
  /** False too when its user is deleted. */
  readonly isActive: boolean;
  readonly accountIsActive: boolean;
  readonly dateExpires: Date;
  readonly isFullAdmin: boolean;
  /** The operations of each permission in force for the user or the token itself. */
  readonly operations: readonly (readonly string[])[];
  /** Active ones: the token's own where it has one (service accounts), else its user's. */
  readonly credentials: readonly CallerCredential[];
}

const maxBatch = 200;
const concurrentBatches = 2;
const maxRemembered = 10_000;

const findSql = `
  select t.id, t.organisation_id as "organisationId", u.id as "userId", u.kind as "userKind", u.is_service_account as "isServiceAccount",
    t.is_active and u.date_deleted is null as "isActive", u.is_active as "accountIsActive", t.date_expires as "dateExpires",
    granted.is_full_admin as "isFullAdmin", granted.operations, held.credentials
  from tokens t
  join users u on u.id = t.user_id
  cross join lateral (
    select coalesce(bool_or(p.managed = 'FullAdmin'), false) as is_full_admin, coalesce(json_agg(p.operations), '[]') as operations
    from permission_assignments a
    join permissions p on p.id = a.permission_id and not p.is_archived
    where a.identity_id in (u.id, t.id) and a.date_revoked is null
  ) granted
  cross join lateral (
    select coalesce(json_agg(json_build_object('uuid', c.uuid, 'credId', c.cred_id, 'kind', c.kind, 'publicKey', c.public_key)), '[]')
      as credentials
    from credentials c
    where c.user_id = u.id and c.is_active and c.kind <> 'RecoveryKey'
      and c.token_id is not distinct from case when t.kind = 'ServiceAccount' then t.id end
  ) held
  where t.id = any($1::text[])`;

export interface AccessStore {
  /** As it is now; one statement for all that ask at the same time. */
  findToken(id: string): Promise<TokenState | undefined>;
}

export function createAccessStore(database: Database): AccessStore {
  return { findToken: batched((ids: readonly string[]) => findAll(database, ids), { maxItems: maxBatch, concurrency: concurrentBatches }) };
}

/**
 * Remembers what was found for as long as the head of the authority log is the same: every change of who may do what moves it. Only for
 * the one process on its database; a replica hears of others' changes later.
 * @param head compared by identity: a head of the same number in another history is another one
 */
export function rememberedAtHead(store: AccessStore, head: () => unknown): AccessStore {
  const known = new Map<string, TokenState>();
  let knownAt = head();
  return {
    async findToken(id) {
      const askedAt = head();
      if (askedAt !== knownAt) known.clear();
      knownAt = askedAt;
      const remembered = known.get(id);
      if (remembered !== undefined) return remembered;
      const found = await store.findToken(id);
      // What was read while the head moved may be of before or after.
      if (found !== undefined && head() === askedAt && known.size < maxRemembered) known.set(id, found);
      return found;
    },
  };
}

async function findAll(database: Database, ids: readonly string[]): Promise<(TokenState | undefined)[]> {
  const rows = await database.query<TokenState & Record<string, unknown>>(findSql, [[...new Set(ids)]]);
  const byId = new Map(rows.map((row) => [row.id, row]));
  return ids.map((id) => byId.get(id));
}
