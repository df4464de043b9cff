/**
 * What a JSON transaction leaves out, as a node of its network says: the next nonce, how much gas it takes, what gas costs now. Signers take
 * it within bounds of their own (`chains/evm/json.ts`).
 *
 *   nonce                  transactions of the account, those that the node knows and has not mined yet included
 *   gasLimit               what the transaction takes as the node runs it now
 *   maxPriorityFeePerGas   what the node suggests, at most the maxFeePerGas of the caller
 *   maxFeePerGas           twice the base fee, so that six full blocks do not outbid it, and the tip
 *   gasPrice               what the node suggests
 *
 * @module
 */

import { to0x } from '../base/bytes.ts';
import { Refusal } from '../base/errors.ts';
import { type Draft, readDraft } from '../chains/evm/json.ts';
import { type JsonRpc, RpcError } from './jsonRpc.ts';

export interface Question {
  readonly rpc: JsonRpc;
  /** 'the RPC endpoint of Ethereum' */
  readonly what: string;
  readonly chainId: number;
  readonly sender: string;
  readonly transaction: Readonly<Record<string, unknown>>;
}

/**
 * @returns each missing field as a decimal number
 * @throws {Refusal} Unavailable for an endpoint that fails; BadRequest when the node says that the transaction does
 */
export async function fillEvm(question: Question): Promise<Readonly<Record<string, string>>> {
  const { rpc, what, chainId, sender } = question;
  const draft = readDraft(question.transaction, BigInt(chainId));
  const isMissing = (...names: readonly string[]) => draft.missing.some((name) => names.includes(name));
  const ask = async (method: string, ...params: readonly unknown[]) => quantity(await rpc.call(method, params), { what, method });

  try {
    const [actual, nonce, gasLimit, gasPrice, fees] = await Promise.all([
      ask('eth_chainId'),
      isMissing('nonce') ? ask('eth_getTransactionCount', sender, 'pending') : undefined,
      isMissing('gasLimit') ? ask('eth_estimateGas', callOf(draft, sender)).catch(refuseEstimate) : undefined,
      isMissing('gasPrice') ? ask('eth_gasPrice') : undefined,
      isMissing('maxFeePerGas', 'maxPriorityFeePerGas') ? feesOf(question, draft) : undefined,
    ]);
    if (actual !== BigInt(chainId)) throw new Refusal('Unavailable', `${what} is of chain id ${actual}, not ${chainId}`);
    const all: Readonly<Record<string, bigint | undefined>> = { nonce, gasLimit, gasPrice, ...fees };
    return Object.fromEntries(draft.missing.map((name) => [name, String(all[name] ?? '')]));
  } catch (error) {
    if (error instanceof RpcError) throw new Refusal('Unavailable', `${what} answers: ${error.message}`);
    throw error;
  }
}

async function feesOf({ rpc, what }: Question, { given }: Draft): Promise<{ maxFeePerGas: bigint; maxPriorityFeePerGas: bigint }> {
  const method = 'eth_maxPriorityFeePerGas';
  const [block, suggested] = await Promise.all([
    rpc.call('eth_getBlockByNumber', ['latest', false]),
    given.maxPriorityFeePerGas ?? rpc.call(method, []).then((tip) => quantity(tip, { what, method })),
  ]);
  const baseFee = typeof block === 'object' && block !== null && 'baseFeePerGas' in block ? block.baseFeePerGas : undefined;
  if (baseFee === undefined) {
    throw new Refusal('BadRequest', 'the network has no base fee: say maxFeePerGas and maxPriorityFeePerGas, or use type 0');
  }
  const maxFeePerGas = given.maxFeePerGas ?? 2n * quantity(baseFee, { what, method: 'eth_getBlockByNumber' }) + suggested;
  return { maxFeePerGas, maxPriorityFeePerGas: suggested < maxFeePerGas ? suggested : maxFeePerGas };
}

/** Without fees, so that the account need not have them yet; without empty lists, for which some nodes count gas. */
function callOf({ given }: Draft, sender: string): object {
  const { to, value, data, accessList = [], authorizationList = [] } = given;
  return {
    from: sender,
    ...(to.length === 0 ? {} : { to: to0x(to) }),
    value: hex(value),
    data: to0x(data),
    ...(accessList.length === 0
      ? {}
      : { accessList: accessList.map(({ address, storageKeys }) => ({ address: to0x(address), storageKeys: storageKeys.map(to0x) })) }),
    ...(authorizationList.length === 0
      ? {}
      : {
          authorizationList: authorizationList.map(({ address, ...numbers }) => ({
            address: to0x(address),
            ...Object.fromEntries(Object.entries(numbers).map(([name, number]) => [name, hex(number)])),
          })),
        }),
  };
}

/** The transaction itself fails: the caller's to know. */
function refuseEstimate(error: unknown): never {
  if (error instanceof RpcError)
    throw new Refusal('BadRequest', `gasLimit: the transaction would fail, says the network: ${error.message}`);
  throw error;
}

function quantity(value: unknown, { what, method }: { what: string; method: string }): bigint {
  if (typeof value === 'string' && /^0x[0-9a-fA-F]{1,64}$/.test(value)) return BigInt(value);
  throw new Refusal('Unavailable', `${what} answers no number to ${method}`);
}

function hex(value: number | bigint): string {
  return `0x${value.toString(16)}`;
}
