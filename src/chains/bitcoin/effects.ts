/** What a transaction does to the key that signs it. @module */

import { equal, toHex } from '../../base/bytes.ts';
import { Refusal } from '../../base/errors.ts';
import type { Effect, Summary } from '../chain.ts';
import type { Coin, OwnInput, Spent } from './inputs.ts';
import type { Output, Transaction } from './transaction.ts';

interface Judged {
  readonly transaction: Transaction;
  readonly spent: readonly (Spent | undefined)[];
  readonly own: readonly OwnInput[];
  readonly coin: Coin;
}

/** Whatever is not change is a transfer, also where others take part: which output is whose is not known. */
export function summaryOf({ transaction, spent, own, coin }: Judged): Summary {
  const isChange = ({ script }: Output) => coin.scripts.some((ownScript) => equal(ownScript.script, script));
  const paid = transaction.outputs.filter((output) => !isChange(output));
  const effects = paid.map(
    ({ amount, script }): Effect => ({ kind: 'transfer', to: coin.addressOf(script) ?? toHex(script), amount, asset: 'native' }),
  );
  const isAddressed = paid.every(({ script }) => coin.addressOf(script) !== undefined);
  const fee = feeOf({ transaction, spent, own });
  return { complete: isAddressed && fee !== undefined, effects, ...(fee === undefined ? {} : { fee }) };
}

/**
 * Undefined unless every amount is proven: by the transaction that made it, or because no signature made here is good for another. Taproot
 * signatures are over all amounts, those of witness 0 over their own input's only. So where two inputs are signed, a caller could lie about
 * the first in one request and about the second in another, and join the signature that is good in each: the miner gets what was lied away.
 * @throws {Refusal} BadRequest for outputs of more than the inputs have
 */
function feeOf({ transaction, spent, own }: Omit<Judged, 'coin'>): bigint | undefined {
  const known = spent.flatMap((one) => one ?? []);
  if (known.length < spent.length) return undefined;
  const total = (outputs: readonly Output[]) => outputs.reduce((sum, { amount }) => sum + amount, 0n);
  const [inputs, outputs] = [total(known.map(({ output }) => output)), total(transaction.outputs)];
  if (outputs > inputs) throw new Refusal('BadRequest', `the outputs of the PSBT have ${outputs}, its inputs only ${inputs}`);

  const [unproven, ...others] = spent.flatMap((one, index) => (one?.isProven ? [] : [index]));
  const isProven = unproven === undefined;
  const isCommitted = own.every(({ script }) => script.hashing === 'taproot');
  const isOnlySigned = others.length === 0 && own.length === 1 && own[0]?.index === unproven;
  return isProven || isCommitted || isOnlySigned ? inputs - outputs : undefined;
}
