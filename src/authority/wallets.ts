/**
 * The rules of wallets: a key bound to a network. What a wallet's key may be, `chains/networks.ts` says; a key has one wallet on a network.
 * The wallet decides for which network its key signs, so signers know it.
 * @module
 */

import { Refusal } from '../base/errors.ts';
import { keyTypes } from '../base/keyTypes.ts';
import { type WalletNetwork, walletKeyTypes } from '../chains/networks.ts';
import type { CreateKey, CreateWallet } from './bodies.ts';
import { requirePermitted } from './grants.ts';
import { newKey, requireUsableKey } from './keys.ts';
import type { Change, Key, Registry, Wallet } from './registry.ts';
import { registryRequests } from './requests.ts';
import { fresh, type Ground, rule } from './rule.ts';

/** Whoever may create wallets may create the new key that one needs: `Keys:Create` is for keys without a wallet. */
export const creation = rule(registryRequests.createWallet, ({ body, ...ground }) => {
  const { registry, caller } = ground;
  if (body.tags?.length) requirePermitted(registry, caller, 'Wallets:Tags:Add');
  const { key, changes } = keyFor(ground, body);
  return [...changes, newWallet(ground, key, body.network)];
});

/** The change that binds a key to a network. @throws {Refusal} BadRequest for a key of a type that the network does not have, Conflict */
export function newWallet({ registry, names }: Ground, key: Key, network: WalletNetwork): Extract<Change, { kind: 'wallet' }> {
  const types = keyTypesOf(network);
  if (!types.includes(key.keyType)) {
    throw new Refusal('BadRequest', `a wallet of ${network} has a key of ${typesIn(types)}; key ${key.id} is ${key.keyType}`);
  }
  if (registry.walletOf(key.id, network) !== undefined) throw new Refusal('Conflict', `key ${key.id} has a wallet on ${network} already`);
  return { kind: 'wallet', record: { id: fresh(registry.wallets, names.id('wallet')), keyId: key.id, network } };
}

/** @throws {Refusal} NotFound */
export function requireWallet(registry: Registry, walletId: string): Wallet {
  const wallet = registry.wallets.get(walletId);
  if (wallet !== undefined) return wallet;
  throw new Refusal('NotFound', 'Wallet', { details: { walletId, orgId: registry.organisationId } });
}

/** The key of a wallet that is asked for: one that stands, or the change that makes it. */
function keyFor(
  ground: Ground,
  { network, signingKey = {}, delegateTo, delayDelegation }: CreateWallet,
): { key: Key; changes: readonly Change[] } {
  const { id, scheme, curve, ...options } = signingKey;
  const types = keyTypesOf(network);
  if (id === undefined) {
    const wanted = wantedType(types, network, { scheme, curve });
    const delegation = { ...(delegateTo !== undefined && { delegateTo }), ...(delayDelegation !== undefined && { delayDelegation }) };
    const change = newKey(ground, { ...keyTypes[wanted], ...options, ...delegation });
    return { key: change.record, changes: [change] };
  }
  requirePermitted(ground.registry, ground.caller, 'Keys:Reuse');
  if (Object.keys(options).length > 0 || delegateTo !== undefined || delayDelegation !== undefined) {
    throw new Refusal(
      'BadRequest',
      'storeId, deriveFrom, delegateTo and delayDelegation are for a new key; signingKey.id names one that stands',
    );
  }
  const key = requireUsableKey(ground.registry, ground.caller, id);
  const wanted = keyTypes[key.keyType];
  const isAsked = (scheme ?? wanted.scheme) === wanted.scheme && (curve ?? wanted.curve) === wanted.curve;
  if (!isAsked) throw new Refusal('BadRequest', `key ${id} is ${key.keyType}`);
  return { key, changes: [] };
}

/** The first is the usual one. @throws {Refusal} BadRequest for a network without wallets */
function keyTypesOf(network: WalletNetwork): readonly Key['keyType'][] {
  const types = walletKeyTypes(network);
  if (types.length > 0) return types;
  throw new Refusal('BadRequest', `wallets of ${network} are not offered yet; a wallet of KeyECDSA or KeyEdDSA signs hashes for it`);
}

function wantedType(
  types: readonly Key['keyType'][],
  network: WalletNetwork,
  { scheme, curve }: { scheme: CreateKey['scheme'] | undefined; curve: CreateKey['curve'] | undefined },
): Key['keyType'] {
  const found = types.find(
    (type) => (scheme ?? keyTypes[type].scheme) === keyTypes[type].scheme && (curve ?? keyTypes[type].curve) === keyTypes[type].curve,
  );
  if (found === undefined) throw new Refusal('BadRequest', `a wallet of ${network} has a key of ${typesIn(types)}`);
  return found;
}

function typesIn(types: readonly Key['keyType'][]): string {
  return types.join(' or ');
}
