/** Bitcoin and its descendants against bitcoinjs-lib, scure and bip322-js, and the vectors of the improvement proposals. */

import * as scure from '@scure/btc-signer';
import { Verifier } from 'bip322-js';
import * as bitcoin from 'bitcoinjs-lib';
import { describe, expect, test } from 'vitest';
import { concat, fromHex, to0x, toBase64, toHex, utf8 } from '../../src/base/bytes.ts';
import { addressOf } from '../../src/chains/index.ts';
import { type Network, networkTable } from '../../src/chains/networks.ts';
import { chainConforms, type Outcome, refusalOf, signed } from '../conformance/chain.ts';
import { extracted, type Form, forms, inputOf, paymentOf, psbtOf, requireSigned, unproven } from '../support/psbts.ts';
import { type Random, randomOf } from '../support/random.ts';
import { type LocalSigner, localSigner, type SigningKeyType } from '../support/wholeKey.ts';
import { hex } from '../vectors/shared.ts';

const secret = hex('ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80');
const ecdsa = localSigner('ECDSA/secp256k1', secret);
const schnorr = localSigner('Schnorr/secp256k1', secret);
const none = new Uint8Array(0);

const ecdsaForms = ['wpkh', 'sh-wpkh', 'pkh'] as const;
const strangers = [7, 8, 9].map((byte) => localSigner('ECDSA/secp256k1', new Uint8Array(32).fill(byte)).key.publicKey);

interface Mix {
  readonly network: Network;
  readonly version: 0 | 2;
  readonly ownForms: readonly Form[];
  readonly foreignForms: readonly Form[];
}

/** Which inputs of the last random request are the signer's. */
const ownInputs = new Map<string, readonly number[]>();

function randomRequest(random: Random, signer: LocalSigner, { network, version, ownForms, foreignForms }: Mix) {
  const foreignKey = () => random.pick(strangers);
  const inputs = Array.from({ length: 1 + random.int(3) }, (_, i) => {
    const isOwn = i === 0 || random.bool();
    const form = random.pick(isOwn ? ownForms : foreignForms);
    const sequence = random.pick([0xffff_ffff, 0xffff_fffd, random.int(2 ** 32)]);
    const proven = inputOf(form, isOwn ? signer.key.publicKey : foreignKey(), {
      amount: 100_000n + random.bigint(44),
      random,
      fields: {
        sequence,
        ...(isOwn && random.bool() ? { sighashType: form === 'tr' ? random.int(2) : 1 } : {}),
      },
    });
    return { isOwn, input: form === 'pkh' || random.bool() ? proven : unproven(proven) };
  });
  const shuffled = inputs.map((one) => ({ ...one, at: random.int(1000) })).sort((a, b) => a.at - b.at);
  const outputs = Array.from({ length: 1 + random.int(4) }, () => ({
    script: random.pick([
      () => paymentOf(random.pick(forms), foreignKey()).script,
      () => paymentOf(random.pick(forms), signer.key.publicKey).script,
      () => concat(Uint8Array.of(0x6a), random.bytes(random.int(40))),
    ])(),
    amount: BigInt(random.int(20_000)),
  }));
  const psbt = to0x(psbtOf({ inputs: shuffled.map(({ input }) => input), outputs, version, lockTime: random.int(2 ** 32) }));
  ownInputs.set(
    psbt,
    shuffled.flatMap(({ isOwn }, index) => (isOwn ? [index] : [])),
  );
  return { kind: 'Psbt', network, psbt };
}

function verify({ body, signer, unsigned, signed: { encoded, signedData, txHash } }: Outcome): void {
  if (body.kind !== 'Psbt' || signedData === undefined) throw new Error('a PSBT comes back as one');
  const own = ownInputs.get(body.psbt) ?? [];
  expect(unsigned.payloads).toHaveLength(own.length);
  expect(encoded).toHaveLength(own.length);
  requireSigned(signedData, own, signer.key.publicKey);
  const { inputsLength } = scure.Transaction.fromPSBT(signedData, { allowUnknownInputs: true, allowUnknownOutputs: true });
  if (own.length === inputsLength) expect(extracted(signedData).id).toBe(txHash);
}

const mixes: readonly [string, SigningKeyType, Mix][] = [
  ['version 0', 'ECDSA/secp256k1', { network: 'Bitcoin', version: 0, ownForms: ecdsaForms, foreignForms: forms }],
  ['version 2', 'ECDSA/secp256k1', { network: 'LitecoinTestnet', version: 2, ownForms: ecdsaForms, foreignForms: forms }],
  ['version 0, taproot', 'Schnorr/secp256k1', { network: 'BitcoinSignet', version: 0, ownForms: ['tr'], foreignForms: forms }],
  ['version 2, taproot', 'Schnorr/secp256k1', { network: 'BitcoinTestnet4', version: 2, ownForms: ['tr'], foreignForms: forms }],
  ['version 0, Dogecoin', 'ECDSA/secp256k1', { network: 'Dogecoin', version: 0, ownForms: ['pkh'], foreignForms: ['pkh'] }],
];

chainConforms(
  'Bitcoin',
  mixes.map(([name, keyType, mix]) => ({
    name: `Psbt ${name}`,
    keyType,
    request: (random, signer) => randomRequest(random, signer, mix),
    verify,
    encodedIn: 'psbt',
  })),
);

chainConforms(
  'BIP-322',
  (['ECDSA/secp256k1', 'Schnorr/secp256k1'] as const).map((keyType) => ({
    name: keyType,
    keyType,
    request: (random) => ({ kind: 'Bip322', network: 'Bitcoin', message: to0x(utf8(random.bytes(random.int(60)).toString())) }),
    async verify({ body, signer, signed: { encoded, signedData = none } }) {
      if (body.kind !== 'Bip322') throw new Error('what is asked is a message');
      const message = new TextDecoder().decode(fromHex(body.message));
      expect(Verifier.verifySignature((await addressOf(signer.key, 'Bitcoin')) ?? '', message, toBase64(signedData))).toBe(true);
      expect(encoded).toHaveLength(1);
    },
  })),
);

describe('Bitcoin', () => {
  test('signs the sample of the public documentation to the byte', async () => {
    const psbt =
      '70736274ff0100710200000001cd290edbff81f3762b1c9a6f6532f5f2d3d1e48a850d4285b8606bbceb96ee790000000000ffffffff020100000000000000160014a40a65b46ff36c53f1afb8e35e25a4c0bcfc99794d25000000000000160014237ad8ba2ffd992f6ebc7ab388e77f00fc87d1c9000000000001011fe425000000000000160014237ad8ba2ffd992f6ebc7ab388e77f00fc87d1c9000000';
    const key = {
      keyType: 'ECDSA/secp256k1',
      publicKey: hex('03e6be69fe373e07962698243fb3d41b5b24e16a461866bd1813afcf9b53e1da6e'),
    } as const;
    const r = hex('e10a3e24bb0b0a5feae39997d05b5d1ce0e123f78c979914ea3394962f7995f6');
    const s = hex('727190270d14e58acbcfa98a765fd4c50b51afb7d1ef8152cd79d562f28a1bbc');
    const der =
      '3045022100e10a3e24bb0b0a5feae39997d05b5d1ce0e123f78c979914ea3394962f7995f60220727190270d14e58acbcfa98a765fd4c50b51afb7d1ef8152cd79d562f28a1bbc';
    const published = { key, secret, sign: () => ({ r, s, recid: 0 }) };
    const { unsigned, signed: answer } = await signed(published, { kind: 'Psbt', network: 'BitcoinTestnet3', psbt });
    expect(unsigned.payloads.map(({ bytes }) => toHex(bytes))).toEqual([
      '13ae4e1b1baae56fb564b3809d41096a16d536bd5f585a7ac3655decccd04b6a',
    ]);
    expect(unsigned.summary).toEqual({
      complete: true,
      effects: [{ kind: 'transfer', to: 'tb1q5s9xtdr07dk98ud0hr34ufdycz70exte2kehm2', amount: 1n, asset: 'native' }],
      fee: 150n,
    });
    expect(answer.encoded.map(toHex)).toEqual([der]);
    expect(toHex(answer.signedData ?? none)).toBe(
      `${psbt.slice(0, -6)}220203e6be69fe373e07962698243fb3d41b5b24e16a461866bd1813afcf9b53e1da6e48${der}01000000`,
    );
    expect(answer.txHash).toBe('a7c0bd04683befc56fb0936cb23e59fcb997c036b84b5b6a2f9c06034aac307b');
  });

  test.each<[string, 'ECDSA' | 'Schnorr', Network, string]>([
    ['P2WPKH', 'ECDSA', 'Bitcoin', 'bc1q5428vq2uzwhm3taey9sr9x5vm6tk78ew0wt525'],
    ['P2TR', 'Schnorr', 'Bitcoin', 'bc1pvassa06x00t884ln42k8rde4fujdu6wtlxk9ktqm0dh7vr3vc30q6jkutf'],
    ['P2WPKH', 'ECDSA', 'Litecoin', 'ltc1q5428vq2uzwhm3taey9sr9x5vm6tk78ewtj3sjy'],
    ['P2PKH', 'ECDSA', 'Dogecoin', 'DLDHDMsiBGqRd5Xc32Y1o93pZCPqAqmaNg'],
  ])('has the address of a %s output for a key of %s on %s', async (_, scheme, network, address) => {
    expect(await addressOf(scheme === 'ECDSA' ? ecdsa.key : schnorr.key, network)).toBe(address);
  });

  test('has the addresses that bitcoinjs-lib derives, on every network', async () => {
    const random = randomOf('addresses');
    for (const [name, facts] of Object.entries(networkTable)) {
      if (facts.kind !== 'Bitcoin') continue;
      const hasWitness = 'bech32' in facts;
      const network = {
        ...bitcoin.networks.bitcoin,
        bech32: hasWitness ? facts.bech32 : '',
        pubKeyHash: facts.p2pkh,
        scriptHash: facts.p2sh,
      };
      for (let i = 0; i < 5; i++) {
        const { key } = localSigner('ECDSA/secp256k1', concat(Uint8Array.of(1), random.bytes(31)));
        const payment = hasWitness ? bitcoin.payments.p2wpkh : bitcoin.payments.p2pkh;
        expect(await addressOf(key, name as Network)).toBe(payment({ pubkey: key.publicKey, network }).address);
        if (!hasWitness) continue;
        const taproot = bitcoin.payments.p2tr({ internalPubkey: key.publicKey.subarray(1), network });
        expect(await addressOf({ ...key, keyType: 'Schnorr/secp256k1' }, name as Network)).toBe(taproot.address);
      }
    }
  });

  test('signs the message of the public documentation to the byte', async () => {
    const key = {
      keyType: 'ECDSA/secp256k1',
      publicKey: hex('03e6be69fe373e07962698243fb3d41b5b24e16a461866bd1813afcf9b53e1da6e'),
    } as const;
    const r = hex('883613c2f19e4ab70f82c533950fb9060ac366a3a64d77950c89866dfe07c926');
    const s = hex('3fb815f34db5ebc9e97dee46500b75494717cb69adec5f01e17b4a58c50f9bfa');
    const request = { kind: 'Bip322', network: 'BitcoinTestnet3', message: '0x49206c6f76652044666e73' };
    const { signed: answer } = await signed({ key, secret, sign: () => ({ r, s, recid: 1 }) }, request);
    expect(toHex(answer.signedData ?? none)).toBe(
      '02483045022100883613c2f19e4ab70f82c533950fb9060ac366a3a64d77950c89866dfe07c92602203fb815f34db5ebc9e97dee46500b75494717cb69adec5f01e17b4a58c50f9bfa012103e6be69fe373e07962698243fb3d41b5b24e16a461866bd1813afcf9b53e1da6e',
    );
    expect(answer.encoded.map((encoded) => encoded.length)).toEqual([71]);
  });

  test.each([
    [
      '',
      'c5680aa69bb8d860bf82d4e9cd3504b55dde018de765a91bb566283c545a99a7',
      '1e9654e951a5ba44c8604c4de6c67fd78a27e81dcadcfe1edf638ba3aaebaed6',
    ],
    [
      'Hello World',
      'b79d196740ad5217771c1098fc4a4b51e0535c32236c71f1ea4d61a2d603352b',
      '88737ae86f2077145f93cc4b153ae9a1cb8d56afa511988c149c5c8c9d93bddf',
    ],
  ])('signs the message "%s" with the transactions of BIP-322, in full', async (message, toSpend, toSign) => {
    const signer = localSigner('ECDSA/secp256k1', scure.WIF().decode('L3VFeEujGtevx9w18HD1fhRbCH67Az2dpCymeRE1SoPK6XQtaN2k'));
    expect(await addressOf(signer.key, 'Bitcoin')).toBe('bc1q9vza2e8x573nczrlzms0wvx3gsqjx7vavgkx0l');
    const request = { kind: 'Bip322', network: 'Bitcoin', message: to0x(utf8(message)) };
    const { signed: full } = await signed(signer, { ...request, format: 'Full' });
    const transaction = bitcoin.Transaction.fromBuffer(full.signedData ?? none);
    expect(transaction.getId()).toBe(toSign);
    expect(toHex(transaction.ins[0]?.hash.toReversed() ?? none)).toBe(toSpend);
    const { signed: simple } = await signed(signer, { ...request, format: 'Simple' });
    const [witness = []] = transaction.ins.map((input) => input.witness);
    expect(toHex(simple.signedData ?? none)).toBe(
      toHex(concat(Uint8Array.of(2, 72), witness[0] ?? none, Uint8Array.of(33), witness[1] ?? none)),
    );
  });

  test('signs the empty message as BIP-322 does', async () => {
    const signer = localSigner('ECDSA/secp256k1', scure.WIF().decode('L3VFeEujGtevx9w18HD1fhRbCH67Az2dpCymeRE1SoPK6XQtaN2k'));
    const { signed: answer } = await signed(signer, { kind: 'Bip322', network: 'Bitcoin', message: '' });
    expect(toBase64(answer.signedData ?? none)).toBe(
      'AkgwRQIhAPkJ1Q4oYS0htvyuSFHLxRQpFAY56b70UvE7Dxazen0ZAiAtZfFz1S6T6I23MWI2lK/pcNTWncuyL8UL+oMdydVgzAEhAsfxIAMZZEKUPYWI4BruhAQjzFT8FSFSajuFwrDL1Yhy',
    );
  });

  test.each<[string, object, string, LocalSigner?]>([
    ['message for a family', { kind: 'Bip322', blockchainKind: 'Bitcoin', message: '' }, 'network is required here'],
    ['message on Dogecoin', { kind: 'Bip322', network: 'Dogecoin', message: '' }, 'which Dogecoin has not'],
    [
      'Message',
      { kind: 'Message', network: 'Bitcoin', message: '00' },
      'kind Message is not signed for Bitcoin: Psbt, Bip322 and Hash are',
    ],
    ['Transaction', { kind: 'Transaction', network: 'Litecoin', transaction: '00' }, 'Psbt, Bip322 and Hash are'],
    ['PSBT of a Schnorr key on Dogecoin', { kind: 'Psbt', network: 'Dogecoin', psbt: '00' }, 'a Schnorr key has no address', schnorr],
    ['PSBT that is none', { kind: 'Psbt', network: 'Bitcoin', psbt: '00' }, 'expected a PSBT: it is cut off'],
  ])('refuses a %s', async (_, request, message, signer = ecdsa) => {
    expect((await refusalOf(signer, request))?.message).toContain(message);
  });
});
