/** What a PSBT may ask of a key of Bitcoin and what it may not, what it means, and that nothing of it is lost. */

import { secp256k1 } from '@noble/curves/secp256k1.js';
import * as scure from '@scure/btc-signer';
import * as bitcoin from 'bitcoinjs-lib';
import { describe, expect, test } from 'vitest';
import { concat, equal, to0x, toHex, utf8 } from '../../src/base/bytes.ts';
import { encodePsbt, type Psbt, readPsbt, withPair } from '../../src/chains/bitcoin/psbt.ts';
import { globalTypes, inputTypes, type Pair } from '../../src/chains/bitcoin/psbtFields.ts';
import type { Network } from '../../src/chains/networks.ts';
import { refusalOf, signed } from '../conformance/chain.ts';
import { type Draft, extracted, type Form, fundingOf, inputOf, paymentOf, psbtOf, requireSigned, unproven } from '../support/psbts.ts';
import { randomOf } from '../support/random.ts';
import { type LocalSigner, localSigner } from '../support/wholeKey.ts';
import { hex } from '../vectors/shared.ts';

const secret = hex('ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80');
const ecdsa = localSigner('ECDSA/secp256k1', secret);
const schnorr = localSigner('Schnorr/secp256k1', secret);
const { publicKey } = ecdsa.key;
const xOnly = publicKey.subarray(1);
const stranger = localSigner('ECDSA/secp256k1', new Uint8Array(32).fill(7)).key.publicKey;
const strangersAddress = 'bc1q50rtrmj2f8vl9tem8qpfw36ylw5jg9j29e5za5';
const none = new Uint8Array(0);

const requestOf = (psbt: Uint8Array, network: Network = 'Bitcoin') => ({ kind: 'Psbt', network, psbt: to0x(psbt) });
const own = (form: Form, options: Parameters<typeof inputOf>[2] = {}) => inputOf(form, publicKey, options);
const toStranger = (amount = 60_000n) => ({ script: paymentOf('wpkh', stranger).script, amount });
const draftOf = (...inputs: Draft['inputs']) => psbtOf({ inputs, outputs: [toStranger()] });
const signatureOf = async (psbt: Uint8Array, signer = ecdsa) => (await signed(signer, requestOf(psbt))).signed.signedData ?? none;
const summaryOf = async (draft: Draft, signer = ecdsa) => (await signed(signer, requestOf(psbtOf(draft)))).unsigned.summary;
const pairOf = (type: number, value: Uint8Array, keyData: Uint8Array = none): Pair => ({ type, keyData, value });

/** The PSBT as it is not written by scure. */
function changed(psbt: Uint8Array, change: (read: Psbt) => Partial<Psbt>): Uint8Array {
  const read = readPsbt(psbt);
  return encodePsbt({ ...read, ...change(read) });
}

/** With one pair more in its first input. */
function withInputPair(psbt: Uint8Array, type: number, value: Uint8Array, keyData?: Uint8Array): Uint8Array {
  return changed(psbt, ({ inputs }) => ({ inputs: inputs.map((map, i) => (i === 0 ? withPair(map, pairOf(type, value, keyData)) : map)) }));
}

/** An input that spends this script, in a transaction of another's. */
function spending(script: Uint8Array, fields: Draft['inputs'][number] = {}): Draft['inputs'][number] {
  const { txid, index, transaction, output } = fundingOf(script, 100_000n);
  return { txid, index, nonWitnessUtxo: transaction, witnessUtxo: output, ...fields };
}

describe('a PSBT', () => {
  test('keeps what is not known here, and the order of what it has', async () => {
    const strange = [pairOf(0xfc, utf8('theirs'), utf8('\x05other')), pairOf(0x40, utf8('unknown')), pairOf(0x39, none, utf8('key'))];
    const psbt = changed(draftOf(own('wpkh'), own('pkh')), ({ global, inputs, outputs }) => ({
      global: [...global, ...strange],
      inputs: inputs.map((map) => [...strange, ...map.toReversed()]),
      outputs: outputs.map((map) => [...map, ...strange]),
    }));
    const isOurs = ({ type, keyData }: Pair) => type === inputTypes.partialSignature && equal(keyData, publicKey);
    const answer = readPsbt(await signatureOf(psbt));
    expect(answer.inputs.map((map) => map.filter(isOurs).length)).toEqual([1, 1]);
    expect(encodePsbt({ ...answer, inputs: answer.inputs.map((map) => map.filter((one) => !isOurs(one))) })).toEqual(psbt);
  });

  test('of version 2 says, once signed, that inputs and outputs are added no more', async () => {
    const psbt = changed(psbtOf({ inputs: [own('wpkh')], outputs: [toStranger()], version: 2 }), ({ global }) => ({
      global: withPair(
        global.filter(({ type }) => type !== globalTypes.modifiable),
        pairOf(globalTypes.modifiable, Uint8Array.of(0b111)),
      ),
    }));
    const { global } = readPsbt(await signatureOf(psbt));
    expect(global.find(({ type }) => type === globalTypes.modifiable)?.value).toEqual(Uint8Array.of(0b100));
  });

  const [late, later] = [{ requiredTimeLocktime: 1_600_000_000 }, { requiredHeightLocktime: 9, requiredTimeLocktime: 1_700_000_000 }];
  test.each<[string, readonly Draft['inputs'][number][], number]>([
    ['nothing', [{}, {}], 777],
    ['heights', [{ requiredHeightLocktime: 100 }, { requiredHeightLocktime: 200 }, {}], 200],
    ['times', [late, {}], 1_600_000_000],
    ['either, where a height will do', [later, { requiredHeightLocktime: 5 }], 9],
    ['either, where only a time will do', [later, late], 1_700_000_000],
  ])('of version 2 is signed for the lock time that follows from inputs which require %s', async (_, fields, lockTime) => {
    const inputs = fields.map((more, i) => own('wpkh', { random: randomOf(`lock ${i}`), fields: { sequence: 1, ...more } }));
    const psbt = psbtOf({ inputs, outputs: [toStranger()], version: 2, lockTime: 777 });
    const { unsigned, signed: answer } = await signed(ecdsa, requestOf(psbt));
    const final = bitcoin.Transaction.fromBuffer(extracted(answer.signedData ?? none).bytes);
    expect(final.locktime).toBe(lockTime);
    const script = paymentOf('pkh', publicKey).script;
    expect(unsigned.payloads.map(({ bytes }) => bytes)).toEqual(fields.map((_, at) => final.hashForWitnessV0(at, script, 100_000n, 1)));
  });

  test('is signed for a taproot output with scripts, under the key tweaked by their root', async () => {
    const tree = scure.p2tr(xOnly, { script: concat(Uint8Array.of(32), stranger.subarray(1), Uint8Array.of(0xac)) });
    const { tapMerkleRoot = none } = tree;
    const psbt = draftOf(spending(tree.script, { tapInternalKey: xOnly, tapMerkleRoot }));
    const { unsigned, signed: answer } = await signed(schnorr, requestOf(psbt));
    expect(unsigned.payloads.map(({ taprootMerkleRoot }) => taprootMerkleRoot)).toEqual([tapMerkleRoot]);
    requireSigned(answer.signedData ?? none, [0], schnorr.key.publicKey);
  });

  test('has its 65th byte for a taproot input that asks for ALL, in the PSBT and not in what is encoded', async () => {
    const { encoded, signedData = none } = (await signed(schnorr, requestOf(draftOf(own('tr', { fields: { sighashType: 1 } }))))).signed;
    const [signature] = readPsbt(signedData).inputs.flatMap((map) => map.filter(({ type }) => type === inputTypes.taprootSignature));
    expect(signature?.value).toEqual(concat(encoded[0] ?? none, Uint8Array.of(1)));
    expect(encoded[0]).toHaveLength(64);
  });

  test('is signed without the redeem script that its output proves', async () => {
    const { redeemScript: _, ...input } = own('sh-wpkh');
    const answer = await signatureOf(draftOf(input));
    expect(readPsbt(answer).inputs[0]?.some(({ type }) => type === inputTypes.partialSignature)).toBe(true);
  });
});

describe('a PSBT is refused', () => {
  const multisig = scure.p2ms(2, [publicKey, stranger]);
  const wrapped = scure.p2wsh(multisig);
  const nested = scure.p2sh(multisig);
  const leaf = scure.p2tr(stranger.subarray(1), { script: concat(Uint8Array.of(32), xOnly, Uint8Array.of(0xac)) });
  const keyed = concat(Uint8Array.of(33), publicKey, Uint8Array.of(0xac));
  const another = fundingOf(paymentOf('pkh', publicKey).script, 100_000n, randomOf('another'));
  const { txid, index, transaction } = fundingOf(paymentOf('pkh', publicKey).script, 100_000n);
  const claim = (form: Form, amount: bigint) => ({ witnessUtxo: { script: paymentOf(form, publicKey).script, amount } });
  const program = paymentOf('sh-wpkh', publicKey).redeemScript ?? none;
  const many = (count: number) =>
    Array.from({ length: count }, (_, i) => ({ ...claim('wpkh', 100_000n), txid: new Uint8Array(32).fill(1), index: i }));

  test.each<[string, () => Uint8Array, string, (LocalSigner | Network)?]>([
    // What is signed over.
    ['with the sighash type NONE', () => draftOf(own('wpkh', { fields: { sighashType: 2 } })), 'its sighash type is 0x02; only 0x01'],
    ['with the sighash type SINGLE', () => draftOf(own('pkh', { fields: { sighashType: 3 } })), 'its sighash type is 0x03'],
    ['with the sighash type ANYONECANPAY', () => draftOf(own('sh-wpkh', { fields: { sighashType: 0x81 } })), 'its sighash type is 0x81'],
    ['with the sighash type of Bitcoin Cash', () => draftOf(own('pkh', { fields: { sighashType: 0x41 } })), 'its sighash type is 0x41'],
    [
      'with the sighash type DEFAULT, for an ECDSA key',
      () => withInputPair(draftOf(own('wpkh')), 3, new Uint8Array(4)),
      'is 0x00; only 0x01',
    ],
    ['with SINGLE for taproot', () => draftOf(own('tr', { fields: { sighashType: 3 } })), 'only 0x00 or 0x01 is signed', schnorr],
    // What is spent.
    [
      'with a P2PKH input that only has a witness UTXO',
      () => draftOf({ txid, index, ...claim('pkh', 9n) }),
      'its previous transaction (non-witness',
    ],
    [
      'with another previous transaction',
      () => withInputPair(draftOf({ txid, index }), 0, another.transaction),
      'the previous transaction given is',
    ],
    ['with an output that is not there', () => withInputPair(draftOf({ txid, index: 9 }), 0, transaction), 'has no output 9'],
    [
      'with a witness UTXO of another amount',
      () => withInputPair(draftOf({ txid, index, ...claim('pkh', 99_999n) }), 0, transaction),
      'the witness UTXO is not the output',
    ],
    [
      'with a foreign input that lies',
      () => withInputPair(draftOf({ txid, index: 0 }, own('wpkh')), 0, another.transaction),
      'expected sound data of input 0 in the PSBT: the previous transaction given is',
    ],
    [
      'with a taproot input beside one that says nothing',
      () => draftOf(own('tr'), { txid, index }),
      'input 1 of the PSBT does not say what',
      schnorr,
    ],
    ['with more in its outputs than in its inputs', () => draftOf(own('wpkh', { amount: 59_999n })), 'have 60000, its inputs only 59999'],
    // Whose it is.
    [
      'without an input of the key',
      () => draftOf(inputOf('wpkh', stranger)),
      'no input of the PSBT spends an output of this key (bc1q5428vq',
    ],
    ['without any utxo', () => draftOf({ txid, index }), 'no input of the PSBT spends an output of this key'],
    ['with segregated witness on Dogecoin', () => draftOf(own('wpkh')), 'in a script that is not signed here', 'Dogecoin'],
    ['with a P2WPKH input of a Schnorr key', () => draftOf(own('wpkh')), 'names this key in a script that is not signed here', schnorr],
    ['with a P2TR input of an ECDSA key', () => draftOf(own('tr')), 'names this key in a script that is not signed here'],
    ['with a bare key', () => draftOf(own('wpkh'), spending(keyed)), 'input 1 of the PSBT names this key in a script'],
    ['with a bare multisig', () => draftOf(own('wpkh'), spending(multisig.script)), 'input 1 of the PSBT names this key in a script'],
    [
      'with a P2SH multisig',
      () => draftOf(own('wpkh'), spending(nested.script, { redeemScript: multisig.script })),
      'names this key in a script',
    ],
    [
      'with a P2WSH multisig',
      () => draftOf(own('wpkh'), spending(wrapped.script, { witnessScript: multisig.script })),
      'names this key in a script',
    ],
    [
      'with a script path',
      () => draftOf(own('tr'), spending(leaf.script, { tapInternalKey: stranger.subarray(1), tapLeafScript: leaf.tapLeafScript ?? [] })),
      'input 1 of the PSBT names this key in a script that is not signed here',
      schnorr,
    ],
    [
      'with a derivation of the key, and no output',
      () => withInputPair(draftOf({ txid, index }), 6, new Uint8Array(4), publicKey),
      'names this key, but not',
    ],
    // What contradicts itself.
    [
      'with a redeem script of another',
      () => withInputPair(draftOf(own('wpkh')), 4, program),
      'its redeem script is not that of the output',
    ],
    ['with a witness script', () => withInputPair(draftOf(own('wpkh')), 5, multisig.script), 'it has a witness script'],
    [
      'with the internal key of another',
      () => draftOf(own('tr', { fields: { tapInternalKey: stranger.subarray(1) } })),
      'its internal key is not',
      schnorr,
    ],
    [
      'with a merkle root for a key without scripts',
      () => withInputPair(draftOf(own('tr')), 0x18, new Uint8Array(32)),
      'its merkle root is not',
      schnorr,
    ],
    [
      'that spends an output twice',
      () => changed(psbtOf({ inputs: many(2), outputs: [toStranger()], version: 2 }), sameOutput),
      'spend the same output',
    ],
    // What has been signed.
    ['with a signature of the key', () => withInputPair(draftOf(own('wpkh')), 2, new Uint8Array(71), publicKey), 'it is signed already'],
    ['with a taproot signature', () => withInputPair(draftOf(own('tr')), 0x13, new Uint8Array(64)), 'it is signed already', schnorr],
    ['with a final witness', () => withInputPair(draftOf(own('wpkh')), 8, Uint8Array.of(0)), 'it is signed already'],
    // What is too much.
    ['with 201 inputs of the key', () => draftOf(...many(201)), 'at most 200 inputs are signed at once'],
    ['with 1001 inputs', () => draftOf(...many(1001)), 'at most 1000 inputs'],
    [
      'of version 1',
      () => changed(draftOf(own('wpkh')), ({ global }) => ({ global: withPair(global, pairOf(0xfb, Uint8Array.of(1, 0, 0, 0))) })),
      'version 1 is not known',
    ],
    ['without inputs', () => psbtOf({ inputs: [], outputs: [toStranger()], version: 2 }), 'a transaction has inputs and outputs'],
    ['without outputs', () => psbtOf({ inputs: [own('wpkh')], outputs: [], version: 2 }), 'a transaction has inputs and outputs'],
  ])('%s', async (_, psbt, message, who = ecdsa) => {
    const [signer, network] = typeof who === 'string' ? [ecdsa, who] : [who, 'Bitcoin' as const];
    expect((await refusalOf(signer, requestOf(psbt(), network)))?.message).toContain(message);
  });

  test('that has been signed and comes back', async () => {
    const refusal = await refusalOf(ecdsa, requestOf(await signatureOf(draftOf(own('wpkh'), own('pkh')))));
    expect(refusal?.message).toBe('input 0 of the PSBT: it is signed already');
  });

  function sameOutput({ inputs }: Psbt): Partial<Psbt> {
    return {
      inputs: inputs.map((map) => map.map((pair) => (pair.type === inputTypes.outputIndex ? { ...pair, value: new Uint8Array(4) } : pair))),
    };
  }
});

describe('what a PSBT does', () => {
  const pays = (to: string, amount: bigint) => ({ kind: 'transfer', to, amount, asset: 'native' });

  test('is every output but the change', async () => {
    const change = (['wpkh', 'sh-wpkh', 'pkh'] as const).map((form) => ({ script: paymentOf(form, publicKey).script, amount: 1000n }));
    const outputs = [toStranger(50_000n), ...change, { script: paymentOf('tr', stranger).script, amount: 7n }];
    expect(await summaryOf({ inputs: [own('wpkh')], outputs })).toEqual({
      complete: true,
      effects: [pays(strangersAddress, 50_000n), pays(scure.p2tr(stranger.subarray(1)).address ?? '', 7n)],
      fee: 46_993n,
    });
  });

  test('counts as change what this key signs for, not other forms of its point', async () => {
    const taproot = paymentOf('tr', publicKey).script;
    const uncompressed = scure.p2pkh(secp256k1.getPublicKey(secret, false));
    const outputs = [taproot, uncompressed.script].map((script) => ({ script, amount: 5n }));
    const { effects } = await summaryOf({ inputs: [own('wpkh')], outputs });
    expect(effects).toEqual([
      pays('bc1pvassa06x00t884ln42k8rde4fujdu6wtlxk9ktqm0dh7vr3vc30q6jkutf', 5n),
      pays(uncompressed.address ?? '', 5n),
    ]);
  });

  test.each<[string, Uint8Array]>([
    ['data', hex('6a0568656c6c6f')],
    ['several keys', scure.p2ms(1, [stranger, publicKey]).script],
    ['a bare key', concat(Uint8Array.of(33), stranger, Uint8Array.of(0xac))],
    ['a witness version that means nothing yet', concat(Uint8Array.of(0x52, 32), new Uint8Array(32))],
    ['anybody', hex('51')],
    ['nothing', none],
    ['an address with something behind it', concat(paymentOf('wpkh', stranger).script, Uint8Array.of(0x75))],
  ])('is incomplete with an output for %s', async (_, script) => {
    const summary = await summaryOf({ inputs: [own('wpkh')], outputs: [{ script, amount: 10n }] });
    expect(summary).toEqual({ complete: false, effects: [pays(toHex(script), 10n)], fee: 99_990n });
  });

  test('is incomplete when only the family is named, since then nothing has an address', async () => {
    const request = { kind: 'Psbt', blockchainKind: 'Bitcoin', psbt: to0x(draftOf(own('wpkh'))) };
    expect((await signed(ecdsa, request)).unsigned.summary).toMatchObject({
      complete: false,
      effects: [pays(toHex(toStranger().script), 60_000n)],
    });
  });

  test('is shown with addresses of the network', async () => {
    const { unsigned } = await signed(ecdsa, requestOf(draftOf(own('pkh')), 'Dogecoin'));
    expect(unsigned.summary).toEqual({ complete: false, effects: [pays(toHex(toStranger().script), 60_000n)], fee: 40_000n });
    const { unsigned: litecoin } = await signed(ecdsa, requestOf(draftOf(own('pkh')), 'Litecoin'));
    expect(litecoin.summary.effects).toMatchObject([{ to: expect.stringMatching(/^ltc1q/) }]);
  });

  /** Sums of inputs less 60 000. */
  test.each<[string, () => Draft['inputs'], bigint | undefined, LocalSigner?]>([
    ['proven by previous transactions', () => [own('wpkh'), own('sh-wpkh'), own('pkh')], 240_000n],
    ['proven by the only signature there will be', () => [unproven(own('wpkh'))], 40_000n],
    ['proven by it, beside proven ones of others', () => [unproven(own('wpkh')), inputOf('wpkh', stranger)], 140_000n],
    ['proven by taproot, which signs them all', () => [unproven(own('tr')), unproven(inputOf('wpkh', stranger))], 140_000n, schnorr],
    ['not proven for two of witness 0', () => [unproven(own('wpkh')), unproven(own('sh-wpkh'))], undefined],
    ['not proven for one of two', () => [unproven(own('wpkh')), own('sh-wpkh')], undefined],
    ['not proven where another is proven, and signed', () => [own('pkh'), unproven(own('wpkh'))], undefined],
    ['not proven for one of others', () => [own('wpkh'), unproven(inputOf('wpkh', stranger))], undefined],
    ['not known for one of others', () => [own('wpkh'), { txid: new Uint8Array(32), index: 0 }], undefined],
  ])('costs what is %s', async (_, inputs, fee, signer = ecdsa) => {
    const summary = await summaryOf({ inputs: inputs(), outputs: [toStranger()] }, signer);
    expect(summary.fee).toBe(fee);
    expect(summary.complete).toBe(fee !== undefined);
  });

  test('names no fee in either of two requests that lie about one amount each, whose good signatures join to another fee', async () => {
    const [one, two] = [own('wpkh', { amount: 50_000_000n }), own('sh-wpkh', { amount: 50_000_000n })];
    const lie = (input: ReturnType<typeof own>) => ({
      ...unproven(input),
      witnessUtxo: { script: input.witnessUtxo?.script ?? none, amount: 20_000n },
    });
    const outputs = [toStranger()];
    // The lie about the other input leaves each one's signature good: what this test is for.
    const [first, second] = await Promise.all([
      signed(ecdsa, requestOf(psbtOf({ inputs: [unproven(one), lie(two)], outputs }))),
      signed(ecdsa, requestOf(psbtOf({ inputs: [lie(one), unproven(two)], outputs }))),
    ]);
    const signatureIn = (psbt: Uint8Array | undefined, index: number) =>
      readPsbt(psbt ?? none).inputs[index]?.find(({ type }) => type === inputTypes.partialSignature) ?? pairOf(0, none);
    const joined = changed(psbtOf({ inputs: [one, two], outputs }), ({ inputs }) => ({
      inputs: inputs.map((map, i) => withPair(map, signatureIn([first, second][i]?.signed.signedData, i))),
    }));
    requireSigned(joined, [0, 1], publicKey);
    for (const { unsigned } of [first, second])
      expect(unsigned.summary).toMatchObject({ complete: false, effects: [pays(strangersAddress, 60_000n)] });
    for (const { unsigned } of [first, second]) expect(unsigned.summary).not.toHaveProperty('fee');
    // With a previous transaction for the one that is told truly, the other's signature is as good: still no fee.
    const half = await signed(ecdsa, requestOf(psbtOf({ inputs: [one, lie(two)], outputs })));
    expect(half.unsigned.summary).not.toHaveProperty('fee');
  });
});
