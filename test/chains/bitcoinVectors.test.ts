/** The published vectors of PSBTs (BIP-174, 370, 371) and of taproot (BIP-341). */

import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { to0x, toHex } from '../../src/base/bytes.ts';
import { encodePsbt, type Psbt, readPsbt } from '../../src/chains/bitcoin/psbt.ts';
import { globalTypes, inputTypes, outputTypes, type PsbtMap } from '../../src/chains/bitcoin/psbtFields.ts';
import { encodeOutput } from '../../src/chains/bitcoin/transaction.ts';
import { addressOf, parseRequest } from '../../src/chains/index.ts';
import { signatureRequestBody } from '../../src/chains/requests.ts';
import { schemeOf } from '../../src/crypto/schemes/index.ts';
import { refusalOf } from '../conformance/chain.ts';
import { inputOf, paymentOf, psbtOf } from '../support/psbts.ts';
import { localSigner } from '../support/wholeKey.ts';
import { hex, sharedVectors } from '../vectors/shared.ts';

type Cases = Readonly<Record<string, string>>;
interface PsbtVectors {
  readonly bip174: { readonly invalid: Cases; readonly valid: Cases; readonly unsignable: Cases };
  readonly bip371: { readonly invalid: Cases; readonly valid: Cases };
}

const vectors: PsbtVectors = JSON.parse(readFileSync(new URL('../vectors/bitcoin/psbt.json', import.meta.url), 'utf8'));
const bytesOf = (base64: string) => Uint8Array.from(Buffer.from(base64, 'base64'));
const signer = localSigner('ECDSA/secp256k1', new Uint8Array(32).fill(3));
const none = new Uint8Array(0);

describe('BIP-174 and BIP-371', () => {
  const { bip174, bip371 } = vectors;

  test.each([...Object.entries(bip174.invalid), ...Object.entries(bip371.invalid)])('refuse: %s', async (_, base64) => {
    expect(() => readPsbt(bytesOf(base64))).toThrow();
    const refusal = await refusalOf(signer, { kind: 'Psbt', network: 'Bitcoin', psbt: to0x(bytesOf(base64)) });
    expect(refusal?.message).toMatch(/^expected a PSBT: /);
  });

  test.each([...Object.entries(bip174.valid), ...Object.entries(bip371.valid)])('read, to the byte: %s', (_, base64) => {
    expect(encodePsbt(readPsbt(bytesOf(base64)))).toEqual(bytesOf(base64));
  });

  test.each(Object.entries(bip174.unsignable))('leave unsigned: %s', async (_, base64) => {
    const psbt = bytesOf(base64);
    // The keys that the case names, of its derivations: none of them is to sign it.
    const keys = readPsbt(psbt).inputs.flatMap((map) =>
      map.filter(({ type }) => type === inputTypes.derivation).map(({ keyData }) => keyData),
    );
    for (const publicKey of [...keys, signer.key.publicKey]) {
      const other = { ...signer, key: { ...signer.key, publicKey } };
      expect((await refusalOf(other, { kind: 'Psbt', network: 'BitcoinTestnet3', psbt: to0x(psbt) }))?.message).toContain('PSBT');
    }
  });
});

/** The cases of its list, made of one PSBT of each version. */
describe('BIP-370', () => {
  const draft = {
    inputs: [inputOf('wpkh', signer.key.publicKey)],
    outputs: [{ script: paymentOf('wpkh', signer.key.publicKey).script, amount: 5n }],
  };
  const [v0, v2] = [readPsbt(psbtOf(draft)), readPsbt(psbtOf({ ...draft, version: 2 }))];
  const number = (value: number) => Uint8Array.of(value & 0xff, (value >> 8) & 0xff, (value >> 16) & 0xff, (value >> 24) & 0xff);
  type Part = 'global' | 'inputs' | 'outputs';
  const inPart = (psbt: Psbt, part: Part, change: (map: PsbtMap) => PsbtMap): Psbt =>
    part === 'global' ? { ...psbt, global: change(psbt.global) } : { ...psbt, [part]: psbt[part].map(change) };
  const withField = (psbt: Psbt, part: Part, type: number, value: Uint8Array) =>
    inPart(psbt, part, (map) => [...map.filter((pair) => pair.type !== type), { type, keyData: none, value }]);
  const withoutField = (psbt: Psbt, part: Part, type: number) => inPart(psbt, part, (map) => map.filter((pair) => pair.type !== type));

  test.each<[string, Part, number, Uint8Array]>([
    ['version 2', 'global', globalTypes.version, number(2)],
    ['a transaction version', 'global', globalTypes.transactionVersion, number(2)],
    ['a fallback lock time', 'global', globalTypes.fallbackLockTime, number(2)],
    ['an input count', 'global', globalTypes.inputCount, Uint8Array.of(1)],
    ['an output count', 'global', globalTypes.outputCount, Uint8Array.of(1)],
    ['modifiable flags', 'global', globalTypes.modifiable, Uint8Array.of(0)],
    ['a previous id', 'inputs', inputTypes.previousId, new Uint8Array(32)],
    ['an output index', 'inputs', inputTypes.outputIndex, number(0)],
    ['a sequence', 'inputs', inputTypes.sequence, number(0)],
    ['a required time', 'inputs', inputTypes.timeLock, number(1_600_000_000)],
    ['a required height', 'inputs', inputTypes.heightLock, number(1)],
    ['an amount', 'outputs', outputTypes.amount, new Uint8Array(8)],
    ['a script', 'outputs', outputTypes.script, none],
  ])('refuses %s in version 0', (_, part, type, value) => {
    expect(() => readPsbt(encodePsbt(withField(v0, part, type, value)))).toThrow(/is not in version [02]/);
  });

  test.each<[string, Part, number]>([
    ['transaction version', 'global', globalTypes.transactionVersion],
    ['input count', 'global', globalTypes.inputCount],
    ['output count', 'global', globalTypes.outputCount],
    ['previous id', 'inputs', inputTypes.previousId],
    ['output index', 'inputs', inputTypes.outputIndex],
    ['amount', 'outputs', outputTypes.amount],
    ['script', 'outputs', outputTypes.script],
  ])('refuses version 2 without its %s', (_, part, type) => {
    expect(() => readPsbt(encodePsbt(withoutField(v2, part, type)))).toThrow('is missing in version 2');
  });

  test.each<[string, number, number, string]>([
    ['a time that is a height', inputTypes.timeLock, 499_999_999, 'the required time 499999999 is a height'],
    ['a height that is a time', inputTypes.heightLock, 500_000_000, 'the required height 500000000 is none'],
    ['the height zero', inputTypes.heightLock, 0, 'the required height 0 is none'],
  ])('refuses %s', (_, type, value, message) => {
    expect(() => readPsbt(encodePsbt(withField(v2, 'inputs', type, number(value))))).toThrow(message);
  });

  test('refuses inputs of which one waits for a height, another for a time', () => {
    const two = readPsbt(psbtOf({ ...draft, inputs: [...draft.inputs, inputOf('tr', signer.key.publicKey)], version: 2 }));
    const locks = [inputTypes.heightLock, inputTypes.timeLock];
    const inputs = two.inputs.map((map, i) => [...map, { type: locks[i] ?? 0, keyData: none, value: number(i === 0 ? 1 : 1_600_000_000) }]);
    expect(() => readPsbt(encodePsbt({ ...two, inputs }))).toThrow('cannot wait for both');
  });

  test('reads counts only in their one encoding', () => {
    expect(() => readPsbt(encodePsbt(withField(v2, 'global', globalTypes.inputCount, Uint8Array.of(0xfd, 1, 0))))).toThrow(
      'superfluous bytes',
    );
    expect(() => readPsbt(encodePsbt(withField(v2, 'global', globalTypes.inputCount, Uint8Array.of(1, 0))))).toThrow('left over');
  });
});

interface TaprootVectors {
  readonly scriptPubKey: readonly {
    readonly given: { readonly internalPubkey: string; readonly scriptTree: unknown };
    readonly expected: { readonly bip350Address: string };
  }[];
  readonly keyPathSpending: readonly {
    readonly given: {
      readonly rawUnsignedTx: string;
      readonly utxosSpent: readonly { readonly scriptPubKey: string; readonly amountSats: number }[];
    };
    readonly inputSpending: readonly {
      readonly given: {
        readonly txinIndex: number;
        readonly internalPrivkey: string;
        readonly merkleRoot: string | null;
        readonly hashType: number;
      };
      readonly intermediary: { readonly internalPubkey: string; readonly sigHash: string };
      readonly expected: { readonly witness: readonly string[] };
    }[];
  }[];
}

const taproot = sharedVectors<TaprootVectors>('bitcoin/bip341.json');

describe.skipIf(taproot === undefined)('BIP-341', () => {
  test('derives the addresses of keys without scripts', async () => {
    const alone = (taproot?.scriptPubKey ?? []).filter(({ given }) => given.scriptTree === null);
    expect(alone.length).toBeGreaterThan(0);
    for (const { given, expected } of alone) {
      const key = { keyType: 'Schnorr/secp256k1', publicKey: hex(`02${given.internalPubkey}`) } as const;
      expect(await addressOf(key, 'Bitcoin')).toBe(expected.bip350Address);
    }
  });

  const inputs = (taproot?.keyPathSpending ?? []).flatMap(({ given: transaction, inputSpending }) =>
    inputSpending.map((input) => ({ ...input, transaction, hashType: input.given.hashType, index: input.given.txinIndex })),
  );

  test.each(inputs)('signs input $index, of sighash type $hashType, or refuses it for that type', async (input) => {
    const { given, intermediary, expected, transaction, hashType, index } = input;
    const pair = (type: number, value: Uint8Array) => ({ type, keyData: none, value });
    const maps = transaction.utxosSpent.map(({ scriptPubKey, amountSats }, i): PsbtMap => {
      const spent = pair(inputTypes.previousOutput, encodeOutput({ amount: BigInt(amountSats), script: hex(scriptPubKey) }));
      if (i !== index) return [spent];
      const sighashType = pair(inputTypes.sighashType, Uint8Array.of(hashType, 0, 0, 0));
      const internalKey = pair(inputTypes.taprootInternalKey, hex(intermediary.internalPubkey));
      const root = given.merkleRoot === null ? [] : [pair(inputTypes.taprootMerkleRoot, hex(given.merkleRoot))];
      return [spent, sighashType, internalKey, ...root];
    });
    const unsignedTransaction = hex(transaction.rawUnsignedTx);
    const psbt = encodePsbt({ global: [pair(globalTypes.unsignedTransaction, unsignedTransaction)], inputs: maps, outputs: [[], []] });
    const { key } = localSigner('Schnorr/secp256k1', hex(given.internalPrivkey));
    const request = { kind: 'Psbt', network: 'Bitcoin', psbt: to0x(psbt) };
    if (hashType > 1) {
      expect((await refusalOf({ ...signer, key }, request))?.message).toContain(`input ${index} of the PSBT: its sighash type is 0x`);
      return;
    }
    const { payloads, assemble } = await parseRequest(signatureRequestBody.parse(request), key);
    const [payload] = payloads;
    expect(payloads.map(({ bytes }) => toHex(bytes))).toEqual([intermediary.sigHash]);
    const witness = hex(expected.witness[0] ?? '');
    const signature = { r: witness.slice(0, 32), s: witness.slice(32, 64) };
    expect(payload && schemeOf('Schnorr/secp256k1').verify(key.publicKey, payload, signature)).toBe(true);
    const answer = readPsbt(assemble([signature]).signedData ?? none);
    expect(answer.inputs[index]?.find(({ type }) => type === inputTypes.taprootSignature)?.value).toEqual(witness);
  });

  test('has inputs of both types that are signed', () => {
    expect(new Set(inputs.map(({ hashType }) => hashType)).isSupersetOf(new Set([0, 1]))).toBe(true);
  });
});
