/**
 * The rules of keys. A key is in the registry before its shares are made: under an id that follows from the request, so that the shares
 * which the signers make under it are of the key that was asked for.
 * @module
 */

import { Refusal } from '../base/errors.ts';
import { type KeyType, keyTypeOf } from '../base/keyTypes.ts';
import type { CreateKey } from './bodies.ts';
import type { Change, Key, Registry } from './registry.ts';
import { registryRequests } from './requests.ts';
import { fresh, type Ground, rule } from './rule.ts';

const { createKey, deleteKey } = registryRequests;

export const creation = rule(createKey, ({ body, ...ground }) => [newKey(ground, body)]);

/** The change that makes the key which is wanted, for itself or for a wallet. @throws {Refusal} BadRequest, Conflict */
export function newKey({ registry, names }: Ground, wanted: CreateKey): Extract<Change, { kind: 'key' }> {
  refuseUnoffered(wanted);
  const keyType = requireKeyType(wanted);
  if (wanted.storeId !== undefined && wanted.storeId !== registry.ids.storeId) {
    throw new Refusal('BadRequest', 'storeId names no key store of this organisation');
  }
  const id = fresh(registry.keys, names.id('key'));
  return { kind: 'key', record: { id, keyType, status: 'Active' } };
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

function requireKeyType({ scheme, curve }: CreateKey): KeyType {
  const keyType = keyTypeOf(scheme, curve);
  if (keyType === undefined) throw new Refusal('BadRequest', `there are no ${scheme} keys on ${curve}`);
  return keyType;
}

function refuseUnoffered({ masterKey, deriveFrom, delegateTo, delayDelegation }: CreateKey): void {
  if (masterKey || deriveFrom !== undefined) throw new Refusal('BadRequest', 'child keys (masterKey, deriveFrom) are not offered yet');
  if (delegateTo !== undefined || delayDelegation) {
    throw new Refusal('BadRequest', 'delegation (delegateTo, delayDelegation) is not offered yet');
  }
}
