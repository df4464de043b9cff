/**
 * The one contract of a Tron transaction: who it is of, and what it does.
 *
 * Read are transfers of TRX and of TRC-10 tokens, calls of smart contracts (as those of Ethereum, TRC-20 being ERC-20), and changes of
 * permissions. The others (votes, stakes, resources, exchanges, new contracts) are signed, and incomplete.
 *
 * Sources   https://github.com/tronprotocol/protocol/blob/master/core/Tron.proto, core/contract/*.proto
 * @module
 */

import { equal } from '../../base/bytes.ts';
import type { Effect } from '../chain.ts';
import { canonicalMessageOf, type Message, messageOf } from '../encodings/protobuf.ts';
import { readCall } from '../evm/calls.ts';
import { accountIn, addressOfAccount } from './address.ts';

export interface Contract {
  readonly name: string;
  /** 20 bytes. */
  readonly owner: Uint8Array;
  /** Its own message. */
  readonly value: Uint8Array;
  readonly permissionId: bigint;
}

export interface ContractEffects {
  readonly complete: boolean;
  readonly effects: readonly Effect[];
  /** What it costs besides bandwidth; undefined where that is not known. */
  readonly costs?: 'energy' | 'newAccount' | 'permissions';
}

/** @throws {Error} */
export function readContract(bytes: Uint8Array): Contract {
  // Provider (3) and name (4) are of no use to anybody.
  const contract = canonicalMessageOf(bytes, [1, 2, 5]);
  const type = Number(contract.number(1));
  const known = kinds[type];
  if (known === undefined) throw new Error(`contracts of type ${type} are not signed here`);
  const { name, ownerField = 1 } = known;
  const parameter = canonicalMessageOf(contract.bytes(2) ?? new Uint8Array(0), [1, 2]);
  const url = parameter.text(1);
  if (url !== `type.googleapis.com/protocol.${name}`) throw new Error(`its type is ${name}, its parameter ${JSON.stringify(url)}`);
  const value = parameter.bytes(2) ?? new Uint8Array(0);
  const owner = accountIn(messageOf(value).bytes(ownerField), 'owner_address');
  return { name, owner, value, permissionId: contract.number(5) };
}

/** @throws {Error} for a malformed one of a kind that is read */
export function effectsOf({ name, owner, value }: Contract): ContractEffects {
  return readers[name]?.(value, owner) ?? { complete: false, effects: [] };
}

const kinds: Readonly<Record<number, { readonly name: string; readonly ownerField?: number }>> = {
  0: { name: 'AccountCreateContract' },
  1: { name: 'TransferContract' },
  2: { name: 'TransferAssetContract', ownerField: 2 },
  4: { name: 'VoteWitnessContract' },
  5: { name: 'WitnessCreateContract' },
  6: { name: 'AssetIssueContract' },
  8: { name: 'WitnessUpdateContract' },
  9: { name: 'ParticipateAssetIssueContract' },
  10: { name: 'AccountUpdateContract', ownerField: 2 },
  11: { name: 'FreezeBalanceContract' },
  12: { name: 'UnfreezeBalanceContract' },
  13: { name: 'WithdrawBalanceContract' },
  14: { name: 'UnfreezeAssetContract' },
  15: { name: 'UpdateAssetContract' },
  16: { name: 'ProposalCreateContract' },
  17: { name: 'ProposalApproveContract' },
  18: { name: 'ProposalDeleteContract' },
  19: { name: 'SetAccountIdContract', ownerField: 2 },
  30: { name: 'CreateSmartContract' },
  31: { name: 'TriggerSmartContract' },
  33: { name: 'UpdateSettingContract' },
  41: { name: 'ExchangeCreateContract' },
  42: { name: 'ExchangeInjectContract' },
  43: { name: 'ExchangeWithdrawContract' },
  44: { name: 'ExchangeTransactionContract' },
  45: { name: 'UpdateEnergyLimitContract' },
  46: { name: 'AccountPermissionUpdateContract' },
  48: { name: 'ClearABIContract' },
  49: { name: 'UpdateBrokerageContract' },
  52: { name: 'MarketSellAssetContract' },
  53: { name: 'MarketCancelOrderContract' },
  54: { name: 'FreezeBalanceV2Contract' },
  55: { name: 'UnfreezeBalanceV2Contract' },
  56: { name: 'WithdrawExpireUnfreezeContract' },
  57: { name: 'DelegateResourceContract' },
  58: { name: 'UnDelegateResourceContract' },
  59: { name: 'CancelAllUnfreezeV2Contract' },
};

const readers: Readonly<Record<string, (value: Uint8Array, owner: Uint8Array) => ContractEffects>> = {
  TransferContract(value) {
    const contract = canonicalMessageOf(value, [1, 2, 3]);
    const to = addressOfAccount(accountIn(contract.bytes(2), 'to_address'));
    return { complete: true, effects: [{ kind: 'transfer', to, amount: amountIn(contract, 3), asset: 'native' }], costs: 'newAccount' };
  },

  TransferAssetContract(value) {
    const contract = canonicalMessageOf(value, [1, 2, 3, 4]);
    const asset = contract.text(1);
    // Once tokens went by names, which anybody could choose: 'native', for example.
    if (!/^[1-9]\d{0,18}$/.test(asset)) throw new Error(`${JSON.stringify(asset)} is not the id of a token`);
    const to = addressOfAccount(accountIn(contract.bytes(3), 'to_address'));
    return { complete: true, effects: [{ kind: 'transfer', to, amount: amountIn(contract, 4), asset }], costs: 'newAccount' };
  },

  TriggerSmartContract(value, owner) {
    const trigger = canonicalMessageOf(value, [1, 2, 3, 4, 5, 6]);
    const contract = addressOfAccount(accountIn(trigger.bytes(2), 'contract_address'));
    const data = trigger.bytes(4) ?? new Uint8Array(0);
    const call = readCall({ contract, data, self: owner, addressText: addressOfAccount });
    const sent = [
      { amount: amountIn(trigger, 3), asset: 'native' },
      { amount: amountIn(trigger, 5), asset: amountIn(trigger, 6).toString() },
    ].filter(({ amount }) => amount > 0n);
    return {
      complete: call.complete,
      effects: [...sent.map((value): Effect => ({ kind: 'transfer', to: contract, ...value })), ...call.effects],
      costs: 'energy',
    };
  },

  /** Whoever is given a key of a permission has the account, alone or with others. */
  AccountPermissionUpdateContract(value, owner) {
    const update = canonicalMessageOf(value, [1, 2, 3, 4]);
    const permissions = [update.bytes(2), update.bytes(3), ...update.list(4)].filter((permission) => permission !== undefined);
    const holders = permissions
      .flatMap((permission) => canonicalMessageOf(permission, [1, 2, 3, 4, 5, 6, 7]).list(7))
      .map((key) => accountIn(canonicalMessageOf(key, [1, 2]).bytes(1), 'key'))
      .filter((account) => !equal(account, owner));
    const effects = [...new Set(holders.map(addressOfAccount))].map((to): Effect => ({ kind: 'control', to }));
    return { complete: true, effects, costs: 'permissions' };
  },
};

/** @throws {Error} for a negative one: an int64 */
function amountIn(message: Message, field: number): bigint {
  const amount = message.number(field);
  if (amount >= 2n ** 63n) throw new Error(`the amount in field ${field} is negative`);
  return amount;
}
