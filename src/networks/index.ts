/**
 * What only the networks know, asked of their RPC endpoints: by the service, never by a signer. Nothing here is trusted with what is signed.
 * @module
 */

import { assert } from '../base/errors.ts';
import type { ChainKey, Target } from '../chains/chain.ts';
import { addressOf, type Where } from '../chains/index.ts';
import { isPseudoNetwork, type Network, networkTable } from '../chains/networks.ts';
import type { Body } from '../chains/requests.ts';
import { fillEvm } from './evm.ts';
import { type JsonRpc, jsonRpcAt } from './jsonRpc.ts';

/** By network: where it has an endpoint. */
export type RpcUrls = { readonly [N in Network]?: URL };

export interface Networks {
  /**
   * The fields that the body leaves out (`missingFields`); undefined where no endpoint of the network is configured.
   * @throws {Refusal} Unavailable, BadRequest
   */
  fill(body: Body, key: ChainKey, where: Pick<Where, 'walletNetwork'>): Promise<Target['filled'] | undefined>;
}

export function createNetworks(rpcUrls: RpcUrls): Networks {
  const whatOf = (network: Network) => `the RPC endpoint of ${network}`;
  const endpoints = new Map(
    Object.entries(rpcUrls).map(([name, url]): [Network, JsonRpc] => {
      const network = name as Network; // a key of the table
      return [network, jsonRpcAt(url, whatOf(network))];
    }),
  );

  return {
    async fill(body, key, { walletNetwork }) {
      const network = walletNetwork === undefined || isPseudoNetwork(walletNetwork) ? body.network : walletNetwork;
      const rpc = network && endpoints.get(network);
      if (network === undefined || rpc === undefined) return undefined;
      const facts = networkTable[network];
      assert(facts.kind === 'Evm' && 'chainId' in facts, 'only transactions of Ethereum’s family, bound to a chain, leave fields out');
      assert(body.kind === 'Transaction' && typeof body.transaction === 'object', 'only JSON leaves fields out');
      const sender = await addressOf(key, network);
      assert(sender, 'a key of the chain has an address');
      return fillEvm({ rpc, what: whatOf(network), chainId: facts.chainId, sender, transaction: body.transaction });
    },
  };
}
