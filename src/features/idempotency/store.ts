/**
 * What an externalId stands for, under a path of an organisation (contract §1.6). A binding is permanent, whatever becomes of the entity.
 * @module
 */

import { createHash } from 'node:crypto';
import { canonicalJson } from '../../base/canonicalJson.ts';
import { Refusal } from '../../base/errors.ts';
import type { Query } from '../../store/database.ts';

export interface Claim {
  readonly organisationId: string;
  /** Under which ids are unique. */
  readonly path: string;
  readonly externalId: string;
  readonly entityId: string;
  /** See `bodyHashOf`; null when the id is given to an entity that stands already. */
  readonly bodyHash: string | null;
}

export interface Binding {
  readonly entityId: string;
  readonly bodyHash: string | null;
}

/** What makes two creating bodies the same: deep equality without the order of members. SHA-256, lower-case hex. */
export function bodyHashOf(body: Uint8Array): string {
  const value: unknown = JSON.parse(new TextDecoder().decode(body));
  return createHash('sha256').update(canonicalJson(value)).digest('hex');
}

/**
 * Binds the externalId to the entity, unless it is bound: a race is decided here, and the loser waits for the winner's commit.
 * @returns undefined when it is bound now, else to what it was bound before
 */
export async function claimExternalId(tx: Query, claim: Claim): Promise<Binding | undefined> {
  const { organisationId, path, externalId, entityId, bodyHash } = claim;
  const bound = await tx.query(
    `insert into external_ids (organisation_id, path, external_id, entity_id, body_hash) values ($1, $2, $3, $4, $5)
     on conflict do nothing returning entity_id`,
    [organisationId, path, externalId, entityId, bodyHash],
  );
  return bound.length > 0 ? undefined : findExternalId(tx, claim);
}

export async function findExternalId(
  query: Query,
  { organisationId, path, externalId }: Pick<Claim, 'organisationId' | 'path' | 'externalId'>,
): Promise<Binding | undefined> {
  const [binding] = await query.query<{ entityId: string; bodyHash: string | null }>(
    `select entity_id as "entityId", body_hash as "bodyHash" from external_ids
     where organisation_id = $1 and path = $2 and external_id = $3`,
    [organisationId, path, externalId],
  );
  return binding;
}

/** @param entity its name, as in "Conflicting <entity> with same externalId" */
export function externalIdConflict(entity: string, duplicate: { id: string; externalId: string }): Refusal {
  return new Refusal('Conflict', `Conflicting ${entity} with same externalId`, { details: { duplicate } });
}
