/**
 * From the body of a signature request to what must be signed. A chain is a module of its own, loaded when first used.
 * @module
 */

import { Refusal } from '../base/errors.ts';
import { keyTypes } from '../base/keyTypes.ts';
import { bare } from './bare.ts';
import type { Chain, ChainKey, Format, Unsigned } from './chain.ts';
import type { BlockchainKind } from './networks.ts';
import type { Body } from './requests.ts';

/** One line a blockchain kind that has its module. */
const chains: { readonly [K in BlockchainKind]?: () => Promise<Chain> } = {};

/**
 * What the request asks to be signed. Pure: the same body and key give the same payloads, in the service and in each signer.
 * @throws {Refusal} BadRequest for what is not signed, saying why
 */
export async function parseRequest(body: Body, key: ChainKey): Promise<Unsigned> {
  const chain = await chainOf(body);
  if (!chain.keyTypes.includes(key.keyType)) {
    throw new Refusal('BadRequest', `a ${keyTypes[key.keyType].scheme} key on ${keyTypes[key.keyType].curve} does not sign here`);
  }
  const format = chain.formats[body.kind] as Format<typeof body.kind> | undefined; // the kind picks the member of the union for both
  if (format === undefined) throw new Refusal('BadRequest', `kind ${body.kind} needs a network or blockchainKind that signs it`);
  return format(body, key);
}

/** A bare Hash is signed as it is, whatever network it is said to be for; everything else follows its chain's rules. */
async function chainOf(body: Body): Promise<Chain> {
  const name = body.network ?? body.blockchainKind;
  if (name === undefined || body.kind === 'Hash') return bare;
  const load = body.blockchainKind === undefined ? undefined : chains[body.blockchainKind];
  if (load === undefined) {
    throw new Refusal('BadRequest', `kind ${body.kind} is not offered for ${name} yet; a Hash can be signed for every network`);
  }
  return load();
}
