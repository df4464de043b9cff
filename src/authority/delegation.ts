/**
 * Delegation: a key that was created for it becomes an end user's, for good, with every wallet on it (contract §5.3, §10.6).
 * @module
 */

import { Refusal } from '../base/errors.ts';
import { requireEndUser } from './accounts.ts';
import { requireActiveKey, requireUsableKey } from './keys.ts';
import type { Change } from './registry.ts';
import { registryRequests } from './requests.ts';
import { type Ground, rule } from './rule.ts';
import { requireWallet } from './wallets.ts';

const { delegateKey, delegateWallet } = registryRequests;

export const ofKey = rule(delegateKey, ({ params, body, ...ground }) => [delegationOf(ground, params.keyId, body.delegateTo)]);

/** Of its key. */
export const ofWallet = rule(delegateWallet, ({ params, body, ...ground }) => {
  return [delegationOf(ground, requireWallet(ground.registry, params.walletId).keyId, body.delegateTo)];
});

function delegationOf({ registry, caller }: Ground, keyId: string, delegateTo: string): Change {
  const { delegatedTo } = requireActiveKey(registry, keyId);
  const mayKnow = caller.kind !== 'EndUser' || delegatedTo === caller.userId;
  if (delegatedTo !== undefined && mayKnow) throw new Refusal('Conflict', 'the key is delegated already, which is not undone');
  const key = requireUsableKey(registry, caller, keyId);
  if (!key.isDelegable) throw new Refusal('BadRequest', 'only a key that was created with delayDelegation is delegated later on');
  const { id } = requireEndUser(registry, delegateTo);
  return { kind: 'key', record: { ...key, delegatedTo: id } };
}
