/** Cosmos against cosmjs, and the sample of the public documentation. */

import { createHash } from 'node:crypto';
import { DirectSecp256k1Wallet, encodePubkey } from '@cosmjs/proto-signing';
import { secp256k1 } from '@noble/curves/secp256k1.js';
import { bech32 } from '@scure/base';
import { MsgGrant } from 'cosmjs-types/cosmos/authz/v1beta1/tx';
import { MsgMultiSend, MsgSend } from 'cosmjs-types/cosmos/bank/v1beta1/tx';
import { SignMode } from 'cosmjs-types/cosmos/tx/signing/v1beta1/signing';
import { AuthInfo, SignDoc, TxBody, TxRaw } from 'cosmjs-types/cosmos/tx/v1beta1/tx';
import { MsgTransfer } from 'cosmjs-types/ibc/applications/transfer/v1/tx';
import { describe, expect, test } from 'vitest';
import { concat, fromHex, to0x, toBase64, toHex } from '../../src/base/bytes.ts';
import type { Effect } from '../../src/chains/chain.ts';
import { bytesField } from '../../src/chains/encodings/protobuf.ts';
import { addressOf } from '../../src/chains/index.ts';
import { networkTable } from '../../src/chains/networks.ts';
import { chainConforms, refusalOf, signed } from '../conformance/chain.ts';
import { type Random, randomOf } from '../support/random.ts';
import { type LocalSigner, localSigner } from '../support/wholeKey.ts';

const keyType = 'ECDSA/secp256k1';
const alice = localSigner(keyType, fromHex('ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80') ?? new Uint8Array());
const bob = localSigner(keyType, new Uint8Array(32).fill(7));

const addressIn = (prefix: string, { key }: LocalSigner) => {
  const account = createHash('ripemd160').update(createHash('sha256').update(key.publicKey).digest()).digest();
  return bech32.encode(prefix, bech32.toWords(account));
};

interface Draft {
  readonly messages: readonly { typeUrl: string; value: Uint8Array }[];
  readonly chainId?: string;
  readonly memo?: string;
  readonly signers?: readonly LocalSigner[];
  readonly mode?: SignMode;
  readonly fee?: { payer?: string; granter?: string; amount?: { denom: string; amount: string }[] };
  readonly options?: boolean;
  readonly accountNumber?: bigint;
}

function docOf(draft: Draft, by: LocalSigner): SignDoc {
  const { messages, chainId = 'cosmoshub-4', memo = '', signers = [by], mode = SignMode.SIGN_MODE_DIRECT, fee = {} } = draft;
  const bodyBytes = TxBody.encode(
    TxBody.fromPartial({
      messages: [...messages],
      memo,
      extensionOptions: draft.options ? [{ typeUrl: '/x', value: new Uint8Array() }] : [],
    }),
  ).finish();
  const signerInfos = signers.map(({ key }) => ({
    publicKey: encodePubkey({ type: 'tendermint/PubKeySecp256k1', value: toBase64(key.publicKey) }),
    modeInfo: { single: { mode } },
    sequence: 3n,
  }));
  const { amount = [{ denom: 'uatom', amount: '500' }], payer = '', granter = '' } = fee;
  const authInfoBytes = AuthInfo.encode(
    AuthInfo.fromPartial({ signerInfos, fee: { amount, gasLimit: 200_000n, payer, granter } }),
  ).finish();
  return SignDoc.fromPartial({ bodyBytes, authInfoBytes, chainId, accountNumber: draft.accountNumber ?? 9n });
}

const requestOf = (doc: SignDoc, network: string | undefined = 'CosmosHub4') => ({
  kind: 'SignDocDirect',
  signDoc: to0x(SignDoc.encode(doc).finish()),
  ...(network === undefined ? { blockchainKind: 'Cosmos' } : { network }),
});

const send = (from: string, to: string, amount = '7', denom = 'uatom') => ({
  typeUrl: '/cosmos.bank.v1beta1.MsgSend',
  value: MsgSend.encode({ fromAddress: from, toAddress: to, amount: [{ denom, amount }] }).finish(),
});
const [from, to] = [addressIn('cosmos', alice), addressIn('cosmos', bob)];
const summaryOf = async (draft: Draft, network?: string) => (await signed(alice, requestOf(docOf(draft, alice), network))).unsigned.summary;

function randomDoc(random: Random, signer: LocalSigner): SignDoc {
  const sender = addressIn('cosmos', signer);
  // cosmjs-types writes some numbers of more than 31 bits wrongly (2³¹ as 00 00 00 00 00).
  const number = () => BigInt(random.int(2 ** 31));
  const coin = () => ({ denom: random.pick(['uatom', 'ibc/27394FB092D2ECCD', 'factory/a/b']), amount: random.bigint(120).toString() });
  const target = () => bech32.encode('cosmos', bech32.toWords(random.bytes(random.pick([20, 32]))));
  const message = () =>
    random.pick([
      () => ({
        typeUrl: '/cosmos.bank.v1beta1.MsgSend',
        value: MsgSend.encode({ fromAddress: sender, toAddress: target(), amount: random.list(3, coin) }).finish(),
      }),
      () => ({
        typeUrl: '/cosmos.bank.v1beta1.MsgMultiSend',
        value: MsgMultiSend.encode({
          inputs: [{ address: sender, coins: [coin()] }],
          outputs: random.list(4, () => ({ address: target(), coins: [coin()] })),
        }).finish(),
      }),
      () => ({
        typeUrl: '/ibc.applications.transfer.v1.MsgTransfer',
        value: MsgTransfer.encode(
          MsgTransfer.fromPartial({
            sourcePort: 'transfer',
            sourceChannel: `channel-${random.int(500)}`,
            token: coin(),
            sender,
            receiver: target(),
            timeoutTimestamp: number(),
            memo: random.bool() ? '' : '{"forward":{}}',
          }),
        ).finish(),
      }),
      () => ({ typeUrl: `/x.${random.int(9)}`, value: random.bytes(random.int(60)) }),
    ])();
  const draft = {
    messages: [message(), ...random.list(3, message)],
    memo: random.pick(['', 'thanks', 'ünïcode']),
    accountNumber: number(),
  };
  return docOf(draft, signer);
}

chainConforms('Cosmos', [
  {
    name: 'SignDocDirect',
    keyType,
    request: (random, signer) => requestOf(randomDoc(random, signer)),
    encodedIn: 'signDoc',
    // The account number stands last, and is left out when it is zero.
    mayEndAt: (length, encoded) => length === SignDoc.encode({ ...SignDoc.decode(encoded), accountNumber: 0n }).finish().length,
    async verify({ body, signer, signed: { encoded, txHash, signedData } }) {
      const doc = SignDoc.decode(fromHex('signDoc' in body ? body.signDoc : '') ?? new Uint8Array());
      const wallet = await DirectSecp256k1Wallet.fromKey(signer.secret, 'cosmos');
      const { signature } = await wallet.signDirect(addressIn('cosmos', signer), doc);
      expect(toBase64(encoded[0] ?? new Uint8Array())).toBe(signature.signature);
      const raw = TxRaw.encode({
        bodyBytes: doc.bodyBytes,
        authInfoBytes: doc.authInfoBytes,
        signatures: [encoded[0] ?? new Uint8Array()],
      });
      expect(txHash).toBe(createHash('sha256').update(raw.finish()).digest('hex').toUpperCase());
      expect(signedData).toBeUndefined();
    },
  },
]);

describe('Cosmos', () => {
  test('asks for the digest of the documented sample, whose signature is by the key in it', async () => {
    const signDoc =
      '0x0a89010a86010a1c2f636f736d6f732e62616e6b2e763162657461312e4d736753656e6412660a2b6f736d6f313366796d6d61797430727a72366d6130716439686a6d71747433706b37787737736871666b70122b6f736d6f313378396b70343573366e6539686a6738356b333867346d7a687067337435766a666c30356b6c1a0a0a05756f736d6f12013112640a4e0a460a1f2f636f736d6f732e63727970746f2e736563703235366b312e5075624b657912230a210286a1b7ce6ae2b5b33c47d0b6c91bb28e4cdb786d15f4497adcdaa69640ca0db512040a02080112120a0c0a05756f736d6f120337353010e0a7121a0b6f736d6f2d746573742d3520e39f06';
    const encoded =
      '96cfe730ef5edc727c29ace118aac11cf70f031d05be4b9a7cb24ebe7caa7cf53646b908c79eb310b4d56c2e23daf64ee14ceed8155779b83aebd3aef7c8fb4a';
    const publicKey = fromHex('0286a1b7ce6ae2b5b33c47d0b6c91bb28e4cdb786d15f4497adcdaa69640ca0db5') ?? new Uint8Array();
    const { parseRequest } = await import('../../src/chains/index.ts');
    const unsigned = await parseRequest({ kind: 'SignDocDirect', signDoc, blockchainKind: 'Cosmos' }, { keyType, publicKey });
    expect(unsigned.payloads.map(({ bytes }) => toHex(bytes))).toEqual([
      '4a3a157dcc794c0be9035eaa098b415c16a11b6c583f8d36c653f8a93b263b9d',
    ]);
    const digest = unsigned.payloads[0]?.bytes ?? new Uint8Array();
    expect(secp256k1.verify(fromHex(encoded) ?? new Uint8Array(), digest, publicKey, { prehash: false })).toBe(true);
    expect(unsigned.summary).toMatchObject({ complete: true, fee: 750n, effects: [{ kind: 'transfer', amount: 1n, asset: 'uosmo' }] });
  });

  test('addresses are those of cosmjs, on every network', async () => {
    for (const [name, facts] of Object.entries(networkTable)) {
      if (facts.kind !== 'Cosmos') continue;
      const [account] = await (await DirectSecp256k1Wallet.fromKey(alice.secret, facts.prefix)).getAccounts();
      expect(await addressOf(alice.key, name as keyof typeof networkTable)).toBe(account?.address);
    }
    expect(await addressOf(alice.key, 'CosmosHub4')).toBe('cosmos15428vq2uzwhm3taey9sr9x5vm6tk78ewe54lwe');
  });

  describe('says what a transaction does', () => {
    const transfer = (amount: bigint, asset = 'uatom'): Effect => ({ kind: 'transfer', to, amount, asset });

    test('when it sends, to one or to many, on this chain or another', async () => {
      expect(await summaryOf({ messages: [send(from, to), send(from, to, '8', 'ibc/AB')] })).toEqual({
        complete: true,
        effects: [transfer(7n), transfer(8n, 'ibc/AB')],
        fee: 500n,
      });
      const coins = [{ denom: 'uatom', amount: '9' }];
      const many = MsgMultiSend.encode({
        inputs: [{ address: from, coins }],
        outputs: [
          { address: to, coins },
          { address: to, coins },
        ],
      }).finish();
      expect(await summaryOf({ messages: [{ typeUrl: '/cosmos.bank.v1beta1.MsgMultiSend', value: many }] })).toMatchObject({
        complete: true,
        effects: [transfer(9n), transfer(9n)],
      });
      const ibc = (memo: string) =>
        MsgTransfer.encode(MsgTransfer.fromPartial({ token: { denom: 'uatom', amount: '5' }, sender: from, receiver: to, memo })).finish();
      const typeUrl = '/ibc.applications.transfer.v1.MsgTransfer';
      expect(await summaryOf({ messages: [{ typeUrl, value: ibc('') }] })).toMatchObject({ complete: true, effects: [transfer(5n)] });
      expect(await summaryOf({ messages: [{ typeUrl, value: ibc('{"forward":{"receiver":"x"}}') }] })).toMatchObject({ complete: false });
    });

    test.each<[string, Draft]>([
      [
        'a message of another type',
        { messages: [send(from, to), { typeUrl: '/cosmos.staking.v1beta1.MsgUndelegate', value: new Uint8Array() }] },
      ],
      [
        'an authorisation of somebody else',
        {
          messages: [
            {
              typeUrl: '/cosmos.authz.v1beta1.MsgGrant',
              value: MsgGrant.encode(MsgGrant.fromPartial({ granter: from, grantee: to })).finish(),
            },
          ],
        },
      ],
      ['a second signer, whose messages are among them', { messages: [send(to, from)], signers: [alice, bob] }],
      ['options that extend it', { messages: [send(from, to)], options: true }],
      [
        'a field of a message that is new',
        { messages: [{ typeUrl: '/cosmos.bank.v1beta1.MsgSend', value: concat(send(from, to).value, bytesField(9, new Uint8Array(1))) }] },
      ],
    ])('as incomplete with %s', async (_, draft) => {
      expect((await summaryOf(draft)).complete).toBe(false);
    });

    test('and a fee only where this key pays it, in one denomination', async () => {
      const messages = [send(from, to)];
      expect((await summaryOf({ messages, fee: { granter: to } })).fee).toBeUndefined();
      expect((await summaryOf({ messages, fee: { payer: to } })).fee).toBeUndefined();
      expect((await summaryOf({ messages, fee: { payer: from } })).fee).toBe(500n);
      expect((await summaryOf({ messages, fee: { amount: ['a', 'b'].map((denom) => ({ denom, amount: '1' })) } })).fee).toBeUndefined();
    });
  });

  test.each<[string, object, string]>([
    [
      'for another chain',
      requestOf(docOf({ messages: [send(from, to)], chainId: 'osmosis-1' }, alice)),
      'the SignDoc is for chain "osmosis-1", CosmosHub4 is cosmoshub-4',
    ],
    ['without a chain', requestOf(docOf({ messages: [send(from, to)], chainId: '' }, alice), undefined), 'the SignDoc names no chain id'],
    [
      'by another signer',
      requestOf(docOf({ messages: [send(from, to)] }, bob)),
      `does not name this key (${toHex(alice.key.publicKey)}) among its signers`,
    ],
    [
      'in another sign mode',
      requestOf(docOf({ messages: [send(from, to)], mode: SignMode.SIGN_MODE_LEGACY_AMINO_JSON }, alice)),
      'another sign mode',
    ],
    ['from another account', requestOf(docOf({ messages: [send(to, from)] }, alice)), `the sender of a message is ${to}`],
    [
      'with inputs of another account',
      requestOf(
        docOf(
          {
            messages: [
              {
                typeUrl: '/cosmos.bank.v1beta1.MsgMultiSend',
                value: MsgMultiSend.encode({ inputs: [{ address: to, coins: [] }], outputs: [] }).finish(),
              },
            ],
          },
          alice,
        ),
      ),
      'the sender of a message is',
    ],
    ['without messages', requestOf(docOf({ messages: [] }, alice)), 'it has no body'],
    [
      'of too many messages',
      requestOf(docOf({ messages: Array.from({ length: 257 }, () => send(from, to)) }, alice)),
      'more than 256 messages',
    ],
    ['of an amount that is none', requestOf(docOf({ messages: [send(from, to, '-1')] }, alice)), '"-1" is not an amount'],
    [
      'with an unknown field',
      {
        kind: 'SignDocDirect',
        blockchainKind: 'Cosmos',
        signDoc: to0x(concat(SignDoc.encode(docOf({ messages: [send(from, to)] }, alice)).finish(), bytesField(9, new Uint8Array()))),
      },
      'unknown field 9',
    ],
    [
      'with its body twice',
      {
        kind: 'SignDocDirect',
        blockchainKind: 'Cosmos',
        signDoc: to0x(concat(SignDoc.encode(docOf({ messages: [send(from, to)] }, alice)).finish(), bytesField(1, new Uint8Array()))),
      },
      'field 1 is there more than once',
    ],
    [
      'as another kind',
      { kind: 'Transaction', transaction: '0x00', network: 'CosmosHub4' },
      'kind Transaction is not signed for CosmosHub4: SignDocDirect and Hash are',
    ],
  ])('refuses one %s', async (_, request, message) => {
    expect((await refusalOf(alice, request))?.message).toContain(message);
  });

  test('refuses a key of another type', async () => {
    const other = localSigner('EdDSA/ed25519', randomOf('ed').bytes(32));
    expect((await refusalOf(other, requestOf(docOf({ messages: [send(from, to)] }, alice))))?.message).toBe(
      'a EdDSA key on ed25519 does not sign here',
    );
  });
});
