/** Bitcoin Cash against libauth: its virtual machine runs what is signed. */

import {
  createVirtualMachineBCH,
  encodeTransaction,
  lockingBytecodeToCashAddress,
  type Output,
  type TransactionCommon,
} from '@bitauth/libauth';
import { describe, expect, test } from 'vitest';
import { concat, to0x, toHex } from '../../src/base/bytes.ts';
import { readPsbt } from '../../src/chains/bitcoin/psbt.ts';
import { inputTypes } from '../../src/chains/bitcoin/psbtFields.ts';
import { hash256, idText, readOutput, readTransaction } from '../../src/chains/bitcoin/transaction.ts';
import { addressOf } from '../../src/chains/index.ts';
import { chainConforms, type Outcome, refusalOf, signed } from '../conformance/chain.ts';
import { type Draft, fundingOf, inputOf, paymentOf, psbtOf } from '../support/psbts.ts';
import type { Random } from '../support/random.ts';
import { type LocalSigner, localSigner } from '../support/wholeKey.ts';
import { hex } from '../vectors/shared.ts';

const keyType = 'ECDSA/secp256k1';
const signer = localSigner(keyType, hex('ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80'));
const { publicKey } = signer.key;
const stranger = localSigner(keyType, new Uint8Array(32).fill(7)).key.publicKey;
const none = new Uint8Array(0);
const machine = createVirtualMachineBCH();

const requestOf = (draft: Draft) => ({ kind: 'Psbt', network: 'BitcoinCash', psbt: to0x(psbtOf(draft)) });
const script = paymentOf('pkh', publicKey).script;
const scriptHash32 = concat(hex('aa20'), new Uint8Array(32).fill(5), hex('87'));

function randomRequest(random: Random, { key }: LocalSigner, version: 0 | 2) {
  const spent = Array.from({ length: 1 + random.int(4) }, () => {
    const ownScript = paymentOf('pkh', key.publicKey).script;
    const { txid, index, transaction, output } = fundingOf(ownScript, 100_000n + random.bigint(40), random);
    const data = random.bool() ? { nonWitnessUtxo: transaction } : { witnessUtxo: output };
    return { txid, index, sequence: random.int(2 ** 32), ...data };
  });
  const outputs = Array.from({ length: 1 + random.int(3) }, () => ({
    script: random.pick([
      paymentOf('pkh', stranger).script,
      paymentOf('pkh', key.publicKey).script,
      paymentOf('sh-wpkh', stranger).script,
      scriptHash32,
    ]),
    amount: 1000n + BigInt(random.int(20_000)),
  }));
  return requestOf({ inputs: spent, outputs, version, lockTime: random.int(400_000_000) });
}

/** The final transaction, when all inputs are the signer's. */
function finalised({ signed: { signedData = none }, signer: { key } }: Outcome): {
  transaction: TransactionCommon;
  sourceOutputs: Output[];
} {
  const { transaction, inputs } = readPsbt(signedData);
  const fieldOf = (index: number, type: number) => inputs[index]?.find((pair) => pair.type === type)?.value;
  const sourceOutputs = transaction.inputs.map(({ outPoint }, index): Output => {
    const previous = fieldOf(index, inputTypes.previousTransaction);
    const output =
      previous === undefined
        ? readOutput(fieldOf(index, inputTypes.previousOutput) ?? none)
        : readTransaction(previous).outputs[outPoint[32] ?? 0];
    if (output === undefined) throw new Error('the previous transaction has no such output');
    return { valueSatoshis: output.amount, lockingBytecode: output.script };
  });
  return {
    sourceOutputs,
    transaction: {
      version: transaction.version,
      locktime: transaction.lockTime,
      inputs: transaction.inputs.map(({ outPoint, sequence }, index) => {
        const signature = fieldOf(index, inputTypes.partialSignature) ?? none;
        return {
          outpointTransactionHash: outPoint.slice(0, 32).reverse(),
          outpointIndex: outPoint[32] ?? 0,
          sequenceNumber: sequence,
          unlockingBytecode: concat(Uint8Array.of(signature.length), signature, Uint8Array.of(key.publicKey.length), key.publicKey),
        };
      }),
      outputs: transaction.outputs.map(({ amount, script: lockingBytecode }) => ({ valueSatoshis: amount, lockingBytecode })),
    },
  };
}

function verify(outcome: Outcome): void {
  const { transaction, sourceOutputs } = finalised(outcome);
  expect(outcome.signed.encoded).toHaveLength(transaction.inputs.length);
  expect(machine.verify({ sourceOutputs, transaction })).toBe(true);
  expect(outcome.signed.txHash).toBe(idText(hash256(encodeTransaction(transaction))));
}

chainConforms(
  'BitcoinCash',
  ([0, 2] as const).map((version) => ({
    name: `Psbt version ${version}`,
    keyType,
    request: (random, own) => randomRequest(random, own, version),
    verify,
    encodedIn: 'psbt',
  })),
);

describe('Bitcoin Cash', () => {
  test('signs the reference transaction, whose id is that of libauth and bitcore', async () => {
    const input = { txid: new Uint8Array(32).fill(0x11), index: 1, sequence: 0xffff_ffff, witnessUtxo: { script, amount: 100_000n } };
    const outcome = await signed(signer, requestOf({ inputs: [input], outputs: [{ script, amount: 90_000n }] }));
    expect(outcome.unsigned.payloads.map(({ bytes }) => toHex(bytes))).toEqual([
      '9d1119ab74d1944c43747d148ad9195998d4a063f4c396cbb5f4699aa9cdedae',
    ]);
    expect(outcome.signed.txHash).toBe('479bbd66cf990f3a81e2a3c3c253c20ac27070ae530f1c6cb3f283ba6bf5e408');
    expect(outcome.unsigned.summary).toEqual({ complete: true, effects: [], fee: 10_000n });
  });

  test('is refused by the machine when a byte of the signature is another', async () => {
    const outcome = await signed(signer, requestOf({ inputs: [inputOf('pkh', publicKey)], outputs: [{ script, amount: 90_000n }] }));
    const { transaction, sourceOutputs } = finalised(outcome);
    const [input] = transaction.inputs;
    if (input === undefined) throw new Error('it has an input');
    input.unlockingBytecode[20] = (input.unlockingBytecode[20] ?? 0) ^ 1;
    expect(machine.verify({ sourceOutputs, transaction })).not.toBe(true);
  });

  test('shows every output as its CashAddr, and what has none as incomplete', async () => {
    const scripts = [paymentOf('pkh', stranger).script, paymentOf('sh-wpkh', stranger).script, scriptHash32];
    const outputs = scripts.map((one, i) => ({ script: one, amount: BigInt(i + 1) }));
    const { unsigned } = await signed(signer, requestOf({ inputs: [inputOf('pkh', publicKey)], outputs }));
    const address = (bytecode: Uint8Array) => {
      const result = lockingBytecodeToCashAddress({ bytecode, prefix: 'bitcoincash' });
      return typeof result === 'string' ? result : result.address;
    };
    expect(unsigned.summary).toEqual({
      complete: true,
      effects: scripts.map((one, i) => ({ kind: 'transfer', to: address(one), amount: BigInt(i + 1), asset: 'native' })),
      fee: 99_994n,
    });
    const withTokens = concat(hex('ef'), new Uint8Array(32), hex('1005'), paymentOf('pkh', stranger).script);
    for (const strange of [withTokens, paymentOf('wpkh', stranger).script]) {
      const tokens = await signed(signer, requestOf({ inputs: [inputOf('pkh', publicKey)], outputs: [{ script: strange, amount: 5n }] }));
      expect(tokens.unsigned.summary).toMatchObject({ complete: false, effects: [{ to: toHex(strange), amount: 5n }] });
    }
  });

  test.each([
    ['BitcoinCash', 'bitcoincash'],
    ['BitcoinCashTestnet', 'bchtest'],
  ] as const)('has the addresses that libauth derives, on %s', async (network, prefix) => {
    for (let i = 1; i < 20; i++) {
      const { key } = localSigner(keyType, new Uint8Array(32).fill(i));
      const result = lockingBytecodeToCashAddress({ bytecode: paymentOf('pkh', key.publicKey).script, prefix });
      expect(await addressOf(key, network)).toBe(typeof result === 'string' ? undefined : result.address);
    }
    expect(await addressOf(signer.key, 'BitcoinCash')).toBe('bitcoincash:qzj4gasptsf6lw90hyskqv563n0fwmcl9ce8f8mz2t');
  });

  const tokens = concat(hex('ef'), new Uint8Array(32), hex('1005'), script);
  const holding = fundingOf(tokens, 100_000n);
  test.each<[string, Draft['inputs'][number], string]>([
    [
      'for ALL without FORKID, which is Bitcoin’s',
      inputOf('pkh', publicKey, { fields: { sighashType: 0x01 } }),
      'its sighash type is 0x01; only 0x41',
    ],
    ['for NONE', inputOf('pkh', publicKey, { fields: { sighashType: 0x42 } }), 'its sighash type is 0x42'],
    ['of segregated witness', inputOf('wpkh', publicKey), 'names this key in a script that is not signed here'],
    [
      'that holds tokens',
      { txid: holding.txid, index: holding.index, nonWitnessUtxo: holding.transaction },
      'names this key in a script that is not signed',
    ],
    ['of somebody else', inputOf('pkh', stranger), 'no input of the PSBT spends an output of this key (bitcoincash:qzj4gasp'],
  ])('refuses an input %s', async (_, input, message) => {
    const refusal = await refusalOf(signer, requestOf({ inputs: [input], outputs: [{ script, amount: 5n }] }));
    expect(refusal?.message).toContain(message);
  });

  test('refuses other kinds', async () => {
    expect((await refusalOf(signer, { kind: 'Bip322', network: 'BitcoinCash', message: '' }))?.message).toContain('Psbt and Hash are');
  });
});
