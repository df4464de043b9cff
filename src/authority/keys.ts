/**
 * The rules of keys. A key is in the registry before its shares are made: under an id that follows from the request, so that the shares
 * which the signers make under it are of the key that was asked for.
 * @module
 */

import { Refusal } from '../base/errors.ts';
import { type KeyType, keyTypeOf, keyTypes } from '../base/keyTypes.ts';
import type { CreateKey } from './bodies.ts';
import { requirePermitted } from './grants.ts';
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
  const { storeId, masterKey, deriveFrom } = wanted;
  refuseUnoffered(wanted);
  if (deriveFrom !== undefined) requirePermitted(registry, ground.caller, 'Keys:ChildKeys:Create');
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
      ...(deriveFrom && { derivedFrom: requireDerivation(registry, keyType, deriveFrom) }),
    },
  };
}

/** Archived already: that is what was asked for. */
export const archival = rule(deleteKey, ({ registry, params }) => {
  const key = requireKey(registry, params.keyId);
  return [{ kind: 'key', record: { ...key, status: 'Archived' } }];
});

/** @throws {Refusal} NotFound */
export function requireKey(registry: Registry, keyId: string): Key {
  const key = registry.keys.get(keyId);
  if (key !== undefined) return key;
  throw new Refusal('NotFound', 'Key', { details: { keyId, orgId: registry.organisationId } });
}

/** @throws {Refusal} NotFound, BadRequest */
export function requireActiveKey(registry: Registry, keyId: string): Key {
  const key = requireKey(registry, keyId);
  if (key.status !== 'Active') throw new Refusal('BadRequest', 'the key is archived');
  return key;
}

/** @throws {Refusal} NotFound, BadRequest, Conflict when there is this child already */
function requireDerivation(registry: Registry, keyType: KeyType, { keyId, path }: NonNullable<CreateKey['deriveFrom']>): Derivation {
  const master = requireActiveKey(registry, keyId);
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

function refuseUnoffered({ delegateTo, delayDelegation }: CreateKey): void {
  if (delegateTo !== undefined || delayDelegation) {
    throw new Refusal('BadRequest', 'delegation (delegateTo, delayDelegation) is not offered yet');
  }
}
