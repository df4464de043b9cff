/**
 * From the body of a signature request to what must be signed. A chain is a module of its own, loaded when first used.
 * @module
 */

import { Refusal } from '../base/errors.ts';
import { keyTypes } from '../base/keyTypes.ts';
import { bare } from './bare.ts';
import type { Chain, ChainKey, Format, Target, Unsigned } from './chain.ts';
import { type BlockchainKind, isPseudoNetwork, networkTable, type WalletNetwork } from './networks.ts';
import type { Body } from './requests.ts';

/** One line a blockchain kind that has its module. */
const chains: { readonly [K in BlockchainKind]?: () => Promise<Chain<K>> } = {
  Bitcoin: async () => (await import('./bitcoin.ts')).bitcoin,
  BitcoinCash: async () => (await import('./bitcoinCash.ts')).bitcoinCash,
  Cosmos: async () => (await import('./cosmos.ts')).cosmos,
  Evm: async () => (await import('./evm.ts')).evm,
  Kaspa: async () => (await import('./kaspa.ts')).kaspa,
  Solana: async () => (await import('./solana.ts')).solana,
  Starknet: async () => (await import('./starknet.ts')).starknet,
  Stellar: async () => (await import('./stellar.ts')).stellar,
  Tezos: async () => (await import('./tezos.ts')).tezos,
  Tron: async () => (await import('./tron.ts')).tron,
  Xrpl: async () => (await import('./xrpl.ts')).xrpl,
};

/** What of the request is not in its body. */
export interface Where {
  /** Of the wallet that signs: a body that names another is refused. */
  readonly walletNetwork?: WalletNetwork | undefined;
  /** `Target.filled`. */
  readonly filled?: Target['filled'] | undefined;
}

/**
 * What the request asks to be signed. Pure: the same body, key and place give the same payloads, in the service and in each signer.
 * @throws {Refusal} BadRequest for what is not signed, saying why
 */
export async function parseRequest(body: Body, key: ChainKey, where: Where = {}): Promise<Unsigned> {
  const { chain, target } = await destinationOf(body, where);
  requireKeyType(chain, key);
  const format = chain.formats[body.kind] as Format<typeof body.kind> | undefined; // the kind picks the member of the union for both
  if (format === undefined) throw new Refusal('BadRequest', `kind ${body.kind} ${unoffered(chain, body)}`);
  return format(body, key, target);
}

/** The fields that the body leaves for the service to fill in. @throws {Refusal} BadRequest */
export async function missingFields(body: Body, key: ChainKey, where: Where = {}): Promise<readonly string[]> {
  const { chain, target } = await destinationOf(body, where);
  requireKeyType(chain, key);
  return chain.missingFields?.(body, target) ?? [];
}

/** The address of a wallet; undefined for a pseudo network, and for one whose chain has no module yet. @throws {Refusal} BadRequest */
export async function addressOf(key: ChainKey, network: WalletNetwork): Promise<string | undefined> {
  if (isPseudoNetwork(network)) return undefined;
  const facts = networkTable[network];
  const load = chains[facts.kind] as (() => Promise<Chain>) | undefined; // of this very kind
  return (await load?.())?.addressOf(key, facts);
}

/** A bare Hash is signed as it is, whatever network it is said to be for; everything else follows its chain's rules. */
async function destinationOf(
  body: Body,
  { walletNetwork, filled = {} }: Where,
): Promise<{ chain: Pick<Chain, 'keyTypes' | 'formats' | 'missingFields'>; target: Target }> {
  // A wallet without a network is a key like any other: a request through it may name a network itself.
  const bound = walletNetwork === undefined || isPseudoNetwork(walletNetwork) ? undefined : walletNetwork;
  if (bound !== undefined && body.network !== undefined && body.network !== bound) {
    throw new Refusal('BadRequest', `the wallet is of ${bound}, the request is for ${body.network}`);
  }
  const name = bound ?? body.network;
  const facts = name && networkTable[name];
  if (facts !== undefined && body.blockchainKind !== undefined && body.blockchainKind !== facts.kind) {
    throw new Refusal('BadRequest', `${name} is of blockchainKind ${facts.kind}, not ${body.blockchainKind}`);
  }
  const kind = facts?.kind ?? body.blockchainKind;
  if (kind === undefined || body.kind === 'Hash') return { chain: bare, target: { filled } };
  const load = chains[kind] as (() => Promise<Chain>) | undefined; // of this very kind
  if (load === undefined) {
    throw new Refusal('BadRequest', `kind ${body.kind} is not offered for ${name ?? kind} yet; a Hash can be signed for every network`);
  }
  return { chain: await load(), target: { filled, ...(name && facts && { network: { name, facts } }) } };
}

function requireKeyType(chain: Pick<Chain, 'keyTypes'>, { keyType }: ChainKey): void {
  if (chain.keyTypes.includes(keyType)) return;
  throw new Refusal('BadRequest', `a ${keyTypes[keyType].scheme} key on ${keyTypes[keyType].curve} does not sign here`);
}

function unoffered(chain: Pick<Chain, 'formats'>, body: Body): string {
  if (chain === bare) return 'needs a network or blockchainKind that signs it';
  return `is not signed for ${body.network ?? body.blockchainKind ?? 'this wallet'}: ${Object.keys(chain.formats).join(', ')} and Hash are`;
}
