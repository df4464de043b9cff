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
  const { registry, caller, names } = ground;
  if (body.tags?.length) requirePermitted(registry, caller, 'Wallets:Tags:Add');
  const { key, changes } = keyFor(ground, body);
  const { network } = body;
  if (registry.walletOf(key.id, network) !== undefined) throw new Refusal('Conflict', `key ${key.id} has a wallet on ${network} already`);
  return [...changes, { kind: 'wallet', record: { id: fresh(registry.wallets, names.id('wallet')), keyId: key.id, network } }];
});

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
  const [usual, ...others] = walletKeyTypes(network);
  if (usual === undefined)
    throw new Refusal('BadRequest', `wallets of ${network} are not offered yet; a wallet of KeyECDSA or KeyEdDSA signs hashes for it`);

  if (id === undefined) {
    const wanted = wantedType([usual, ...others], network, { scheme, curve });
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
  if (!isAsked || ![usual, ...others].includes(key.keyType)) {
    throw new Refusal('BadRequest', `a wallet of ${network} has a key of ${typesIn([usual, ...others])}; key ${id} is ${key.keyType}`);
  }
  return { key, changes: [] };
}

function wantedType(
  types: readonly [Key['keyType'], ...Key['keyType'][]],
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
