/** What is signed, judged by a node: Litecoin's, as Debian has it, on a chain of its own. */

import * as bitcoin from 'bitcoinjs-lib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { to0x, toHex } from '../../src/base/bytes.ts';
import { assert } from '../../src/base/errors.ts';
import { encodePsbt, readPsbt } from '../../src/chains/bitcoin/psbt.ts';
import { inputTypes } from '../../src/chains/bitcoin/psbtFields.ts';
import { signed } from '../conformance/chain.ts';
import { type Litecoind, startLitecoind } from '../support/litecoind.ts';
import { extracted, type Form, paymentOf, psbtOf } from '../support/psbts.ts';
import { type LocalSigner, localSigner } from '../support/wholeKey.ts';

const ecdsa = localSigner('ECDSA/secp256k1', new Uint8Array(32).fill(21));
const schnorr = localSigner('Schnorr/secp256k1', new Uint8Array(32).fill(22));
const other = localSigner('ECDSA/secp256k1', new Uint8Array(32).fill(23));
const fee = 10_000n;

/** Of every form one, and each key finds inputs that are not its own. */
const owners: readonly (readonly [Form, LocalSigner])[] = [
  ['wpkh', ecdsa],
  ['tr', schnorr],
  ['pkh', ecdsa],
  ['sh-wpkh', ecdsa],
  ['wpkh', other],
];

let node: Litecoind | { readonly reason: string };
beforeAll(async () => {
  node = await startLitecoind();
}, 240_000);
afterAll(() => ('stop' in node ? node.stop() : undefined));

test.for([0, 2] as const)(
  'a transaction that three keys sign as a PSBT of version %i is mined, but refused with another byte in any signature',
  { timeout: 120_000 },
  async (version, { skip }) => {
    if ('reason' in node) skip(`no litecoind: ${node.reason}`);
    assert('fund' in node, 'there is a node');
    let psbt = await fundedPsbt(node, version);
    const ids: (string | undefined)[] = [];
    for (const signer of [ecdsa, schnorr, other]) {
      const { signed: answer } = await signed(signer, { kind: 'Psbt', network: 'LitecoinTestnet', psbt: to0x(psbt) });
      assert(answer.signedData, 'a PSBT comes back');
      psbt = answer.signedData;
      ids.push(answer.txHash);
    }
    const { id, bytes } = extracted(psbt);
    // The first has signed all inputs with a script in them: the others do not know it.
    expect(ids).toEqual([id, undefined, undefined]);

    for (const index of owners.keys())
      expect(await verdictOf(node, extracted(tampered(psbt, index)).bytes), `input ${index}`).toBe('refused');
    expect(await verdictOf(node, bytes)).toBe('allowed');
    expect(await node.call('sendrawtransaction', toHex(bytes))).toBe(id);
    expect(await node.mine()).toContain(id);
  },
);

async function fundedPsbt(funder: Litecoind, version: 0 | 2): Promise<Uint8Array> {
  const payments = owners.map(([form, { key }]) => paymentOf(form, key.publicKey));
  const fundings = await funder.fund(payments.map(({ script }) => script));
  const inputs = fundings.map((transaction, i) => {
    const { script, ...fields } = payments[i] ?? { script: new Uint8Array() };
    const amount = amountOf(transaction);
    const witness = owners[i]?.[0] === 'pkh' ? {} : { witnessUtxo: { script, amount } };
    const txid = bitcoin.Transaction.fromBuffer(transaction).getId();
    return { txid, index: 0, nonWitnessUtxo: transaction, ...witness, ...fields };
  });
  const total = fundings.reduce((sum, transaction) => sum + amountOf(transaction), 0n);
  return psbtOf({ inputs, outputs: [{ script: paymentOf('wpkh', other.key.publicKey).script, amount: total - fee }], version });
}

function amountOf(transaction: Uint8Array): bigint {
  return bitcoin.Transaction.fromBuffer(transaction).outs[0]?.value ?? 0n;
}

/** Another byte in the middle of the signature of one input. */
function tampered(psbt: Uint8Array, index: number): Uint8Array {
  const read = readPsbt(psbt);
  const signatures: readonly number[] = [inputTypes.partialSignature, inputTypes.taprootSignature];
  const inputs = read.inputs.map((map, i) =>
    map.map((pair) =>
      i === index && signatures.includes(pair.type)
        ? { ...pair, value: pair.value.map((byte, at) => (at === 20 ? byte ^ 1 : byte)) }
        : pair,
    ),
  );
  return encodePsbt({ ...read, inputs });
}

async function verdictOf(judge: Litecoind, transaction: Uint8Array): Promise<string> {
  const [verdict] = await judge.call<{ allowed: boolean }[]>('testmempoolaccept', [toHex(transaction)]);
  return verdict?.allowed ? 'allowed' : 'refused';
}
