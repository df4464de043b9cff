/**
 * The rules of keys. A key is in the registry before its shares are made: under an id that follows from the request, so that the shares
 * which the signers make under it are of the key that was asked for.
 * @module
 */

import { Refusal } from '../base/errors.ts';
import { type KeyType, keyTypeOf, keyTypes } from '../base/keyTypes.ts';
import { requireEndUser } from './accounts.ts';
import type { CreateKey } from './bodies.ts';
import { type Caller, requirePermitted } from './grants.ts';

import type { Change, Derivation, Key, Registry } from './registry.ts';
import { registryRequests } from './requests.ts';
import { fresh, type Ground, rule } from './rule.ts';

const { createKey, deleteKey } = registryRequests;

export const creation = rule(createKey, ({ body, ...ground }) => [newKey(ground, body)]);

/**
 * The change that makes the key which is wanted, for itself or for a wallet.
 * @throws {Refusal} Forbidden, BadRequest, NotFound, Conflict
 */
export function newKey(ground: Ground, wanted: CreateKey): Extract<Change, { kind: 'key' }> {
  const { registry, names } = ground;
  const { storeId, masterKey, deriveFrom, delegateTo } = wanted;
  if (deriveFrom !== undefined) requirePermitted(registry, ground.caller, 'Keys:ChildKeys:Create');
  if (delegateTo !== undefined) requirePermitted(registry, ground.caller, 'Keys:Delegate');
  const keyType = requireKeyType(wanted);
  if (storeId !== undefined && storeId !== registry.ids.storeId) {
    throw new Refusal('BadRequest', 'storeId names no key store of this organisation');
  }
  if (deriveFrom !== undefined && masterKey) {
    throw new Refusal('BadRequest', 'a child is no master key; what is below it is derived from its own master, by a longer path');
  }
  const id = fresh(registry.keys, names.id('key'));
  return {
    kind: 'key',
    record: {
      id,
      keyType,
      status: 'Active',
      ...(masterKey && { isMaster: true }),
      ...(deriveFrom && { derivedFrom: requireDerivation(ground, keyType, deriveFrom) }),
      ...custodyOf(ground, wanted),
    },
  };
}

/** Archived already: that is what was asked for. */
export const archival = rule(deleteKey, ({ registry, caller, params }) => {
  if (caller.kind === 'EndUser') throw new Refusal('Forbidden', 'end users do not delete keys');
  const key = requireKey(registry, params.keyId);
  return [{ kind: 'key', record: { ...key, status: 'Archived' } }];
});

/** @throws {Refusal} NotFound */
export function requireKey(registry: Registry, keyId: string): Key {
  const key = registry.keys.get(keyId);
  if (key !== undefined) return key;
  throw keyNotFound(registry, keyId);
}

/** @throws {Refusal} NotFound, BadRequest */
export function requireActiveKey(registry: Registry, keyId: string): Key {
  const key = requireKey(registry, keyId);
  if (key.status !== 'Active') throw new Refusal('BadRequest', 'the key is archived');
  return key;
}

/**
 * A key that this caller may use: sign, derive or make others with it.
 * @throws {Refusal} NotFound, BadRequest when it is archived or was exported, Forbidden when it is somebody's
 */
export function requireUsableKey(registry: Registry, caller: Caller, keyId: string): Key {
  requireActiveKey(registry, keyId);
  const key = requireOwnership(registry, caller, keyId);
  if (key.exported !== undefined) throw new Refusal('BadRequest', 'the key was exported: it is used here no more');
  return key;
}

/** What was delegated is its end user's alone, and an end user knows of nothing else. @throws {Refusal} NotFound, Forbidden */
export function requireOwnership(registry: Registry, caller: Caller, keyId: string): Key {
  const key = requireKey(registry, keyId);
  const isOwn = key.delegatedTo === caller.userId;
  if (isOwn || (caller.kind !== 'EndUser' && key.delegatedTo === undefined)) return key;
  if (caller.kind === 'EndUser') throw keyNotFound(registry, keyId);
  throw new Refusal('Forbidden', 'the key is delegated: only its end user signs with it, exports it or derives from it');
}

/** Whose a new key is. What an end user makes is theirs. @throws {Refusal} Forbidden, NotFound, BadRequest */
function custodyOf(
  { registry, caller }: Ground,
  { delegateTo, delayDelegation }: CreateKey,
): Pick<Key, 'delegatedTo'> | Pick<Key, 'isDelegable'> {
  if (delegateTo !== undefined && delayDelegation) {
    throw new Refusal('BadRequest', 'a key is delegated from the start (delegateTo) or later on (delayDelegation)');
  }
  if (caller.kind === 'EndUser') return { delegatedTo: requireOwn(caller, delegateTo) };
  if (delegateTo !== undefined) return { delegatedTo: requireEndUser(registry, delegateTo).id };
  return delayDelegation ? { isDelegable: true } : {};
}

function requireOwn({ userId }: Caller, delegateTo = userId): string {
  if (delegateTo !== userId) throw new Refusal('Forbidden', 'an end user makes keys for nobody else');
  return userId;
}

/** @throws {Refusal} NotFound, Forbidden, BadRequest, Conflict when there is this child already */
function requireDerivation(
  { registry, caller }: Ground,
  keyType: KeyType,
  { keyId, path }: NonNullable<CreateKey['deriveFrom']>,
): Derivation {
  const master = requireUsableKey(registry, caller, keyId);
  if (!master.isMaster) throw new Refusal('BadRequest', `key ${keyId} is no master key: no others are derived from it`);
  if (master.keyType !== keyType) {
    const { scheme, curve } = keyTypes[master.keyType];
    throw new Refusal('BadRequest', `children of key ${keyId} are ${scheme} keys on ${curve}`);
  }
  const derivation = { keyId, path: path || `m/${registry.nextChildOf(keyId)}` };
  const existing = registry.childAt(derivation);
  if (existing === undefined) return derivation;
  throw new Refusal('Conflict', `key ${keyId} has a child at ${derivation.path} already`, { details: { keyId: existing.id } });
}

function requireKeyType({ scheme, curve }: CreateKey): KeyType {
  const keyType = keyTypeOf(scheme, curve);
  if (keyType === undefined) throw new Refusal('BadRequest', `there are no ${scheme} keys on ${curve}`);
  return keyType;
}

function keyNotFound({ organisationId }: Registry, keyId: string): Refusal {
  return new Refusal('NotFound', 'Key', { details: { keyId, orgId: organisationId } });
}
