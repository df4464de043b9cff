/**
 * A request of each chain through the whole stack: the official client, the service, three signers that derive the payload themselves, and
 * the answer as the chain's own library reads it. What chains accept and refuse is tested in test/chains.
 */

import { encodePubkey } from '@cosmjs/proto-signing';
import { ed25519 } from '@noble/curves/ed25519.js';
import { secp256k1 } from '@noble/curves/secp256k1.js';
import { sha256 } from '@noble/hashes/sha2.js';
import * as starkCurve from '@scure/starknet';
import * as solana from '@solana/kit';
import { Account, Asset, Keypair, Networks, Operation, StrKey, TransactionBuilder } from '@stellar/stellar-sdk';
import { localForger } from '@taquito/local-forging';
import { b58Encode, getPkhfromPk, PrefixV2, verifySignature } from '@taquito/utils';
import { Verifier as bip322 } from 'bip322-js';
import { SignMode } from 'cosmjs-types/cosmos/tx/signing/v1beta1/signing';
import { AuthInfo, SignDoc, TxBody } from 'cosmjs-types/cosmos/tx/v1beta1/tx';
import { computeAddress, Transaction } from 'ethers';
import { type TypedData, typedData } from 'starknet';
import { utils as tron } from 'tronweb';
import { afterAll, beforeAll, expect, test } from 'vitest';
import * as xrpl from 'xrpl';
import { fromHex, to0x, toBase64, toHex, utf8 } from '../../src/base/bytes.ts';
import { addressOf } from '../../src/chains/index.ts';
import { type Instance, officialClient, startInstance } from '../support/instance.ts';
import { inputOf, paymentOf, psbtOf, requireSigned } from '../support/psbts.ts';
import { randomOf } from '../support/random.ts';
import type { KeyTypeNames } from './examples.ts';

type Forged = Parameters<typeof localForger.forge>[0];
type Client = ReturnType<typeof officialClient>;
type SignatureBody = Parameters<Client['keys']['generateSignature']>[0]['body'];
type Answer = Awaited<ReturnType<Client['keys']['generateSignature']>>;

interface Sample {
  readonly key: KeyTypeNames;
  request(publicKey: Uint8Array): SignatureBody | Promise<SignatureBody>;
  verify(answer: Answer, publicKey: Uint8Array, body: SignatureBody): void | Promise<void>;
}

const samples: Readonly<Record<string, Sample>> = {
  Bitcoin: {
    key: { scheme: 'ECDSA', curve: 'secp256k1' },
    request(publicKey) {
      const inputs = (['wpkh', 'sh-wpkh', 'pkh'] as const).map((form) => inputOf(form, publicKey));
      const psbt = psbtOf({ inputs, outputs: [{ script: paymentOf('wpkh', publicKey).script, amount: 1000n }] });
      return { kind: 'Psbt', network: 'LitecoinTestnet', psbt: to0x(psbt) };
    },
    verify({ signature, signatures, signedData }, publicKey) {
      expect(signature).toBeUndefined();
      expect(signatures).toHaveLength(3);
      requireSigned(bytesOf(signedData), [0, 1, 2], publicKey);
    },
  },

  'Bitcoin, as many inputs as are signed at once': {
    key: { scheme: 'ECDSA', curve: 'secp256k1' },
    request(publicKey) {
      const random = randomOf('inputs');
      const inputs = Array.from({ length: 200 }, () => inputOf('pkh', publicKey, { random }));
      return { kind: 'Psbt', network: 'Dogecoin', psbt: to0x(psbtOf({ inputs, outputs: [{ script: new Uint8Array(0), amount: 1000n }] })) };
    },
    verify({ signatures = [], signedData }, publicKey) {
      expect(signatures).toHaveLength(200);
      requireSigned(bytesOf(signedData), [...signatures.keys()], publicKey);
    },
  },

  'Bitcoin, taproot': {
    key: { scheme: 'Schnorr', curve: 'secp256k1' },
    request(publicKey) {
      const outputs = [{ script: paymentOf('tr', publicKey).script, amount: 1000n }];
      return { kind: 'Psbt', blockchainKind: 'Bitcoin', psbt: to0x(psbtOf({ inputs: [inputOf('tr', publicKey)], outputs, version: 2 })) };
    },
    verify({ signatures, signedData }, publicKey) {
      expect(signatures?.map(({ encoded = '' }) => encoded.length)).toEqual([2 + 2 * 64]);
      requireSigned(bytesOf(signedData), [0], publicKey);
    },
  },

  'Bitcoin, BIP-322': {
    key: { scheme: 'Schnorr', curve: 'secp256k1' },
    request: () => ({ kind: 'Bip322', network: 'BitcoinSignet', message: to0x(utf8('Hello World')) }),
    async verify({ signature, signedData }, publicKey) {
      const address = (await addressOf({ keyType: 'Schnorr/secp256k1', publicKey }, 'BitcoinSignet')) ?? '';
      expect(bip322.verifySignature(address, 'Hello World', toBase64(bytesOf(signedData)))).toBe(true);
      expect(signedData).toBe(`0x0140${signature?.encoded?.slice(2)}`);
    },
  },

  BitcoinCash: {
    key: { scheme: 'ECDSA', curve: 'secp256k1' },
    request(publicKey) {
      const outputs = [{ script: paymentOf('pkh', publicKey).script, amount: 1000n }];
      return { kind: 'Psbt', network: 'BitcoinCash', psbt: to0x(psbtOf({ inputs: [inputOf('pkh', publicKey)], outputs })) };
    },
    verify({ signatures, signedData = '' }) {
      expect(signedData).toContain(`${signatures?.[0]?.encoded?.slice(2)}41`);
    },
  },

  Cosmos: {
    key: { scheme: 'ECDSA', curve: 'secp256k1' },
    request(publicKey) {
      const publicKeyAny = encodePubkey({ type: 'tendermint/PubKeySecp256k1', value: toBase64(publicKey) });
      const signerInfos = [{ publicKey: publicKeyAny, modeInfo: { single: { mode: SignMode.SIGN_MODE_DIRECT } }, sequence: 1n }];
      const doc = SignDoc.fromPartial({
        bodyBytes: TxBody.encode(
          TxBody.fromPartial({ messages: [{ typeUrl: '/cosmos.gov.v1.MsgVote', value: new Uint8Array() }] }),
        ).finish(),
        authInfoBytes: AuthInfo.encode(AuthInfo.fromPartial({ signerInfos, fee: { gasLimit: 1n } })).finish(),
        chainId: 'cosmoshub-4',
      });
      return { kind: 'SignDocDirect', network: 'CosmosHub4', signDoc: to0x(SignDoc.encode(doc).finish()) };
    },
    verify({ signature }, publicKey, body) {
      const digest = sha256(bytesOf('signDoc' in body ? body.signDoc : ''));
      expect(secp256k1.verify(bytesOf(signature?.encoded), digest, publicKey, { prehash: false })).toBe(true);
    },
  },

  Kaspa: {
    key: { scheme: 'Schnorr', curve: 'secp256k1' },
    request(publicKey) {
      const scriptPublicKey = `000020${toHex(publicKey.subarray(1))}ac`;
      const utxo = { address: null, amount: 5000, scriptPublicKey, blockDaaScore: 1, isCoinbase: false };
      const input = { transactionId: '11'.repeat(32), index: 0, sequence: 0, sigOpCount: 1, signatureScript: '', utxo };
      const outputs = [{ value: 4000, scriptPublicKey }];
      const rest = { lockTime: 0, gas: 0, subnetworkId: '00'.repeat(20), payload: '' };
      const json = JSON.stringify({ id: '00'.repeat(32), version: 0, inputs: [input], outputs, ...rest });
      return { kind: 'Psbt', network: 'Kaspa', psbt: to0x(utf8(json)) };
    },
    verify({ signature, signatures, signedData }) {
      expect(signature).toBeUndefined();
      const { inputs } = JSON.parse(Buffer.from(bytesOf(signedData)).toString());
      expect(inputs[0].signatureScript).toBe(`41${signatures?.[0]?.encoded?.slice(2)}01`);
    },
  },

  Solana: {
    key: { scheme: 'EdDSA', curve: 'ed25519' },
    request(publicKey) {
      const payer = solana.getAddressDecoder().decode(publicKey);
      const empty = solana.setTransactionMessageFeePayer(payer, solana.createTransactionMessage({ version: 0 }));
      const lifetime = { blockhash: payer as string as solana.Blockhash, lastValidBlockHeight: 1n };
      const transaction = solana.compileTransaction(solana.setTransactionMessageLifetimeUsingBlockhash(lifetime, empty));
      const bytes = new Uint8Array(solana.getTransactionEncoder().encode(transaction));
      return { kind: 'Transaction', network: 'SolanaDevnet', transaction: to0x(bytes) };
    },
    verify({ signature, signedData }, publicKey) {
      const { signatures, messageBytes } = solana.getTransactionDecoder().decode(bytesOf(signedData));
      const encoded = bytesOf(signature?.encoded);
      expect(Object.values(signatures)).toEqual([encoded]);
      expect(ed25519.verify(encoded, new Uint8Array(messageBytes), publicKey)).toBe(true);
    },
  },

  Starknet: {
    key: { scheme: 'ECDSA', curve: 'stark' },
    request: () => ({
      kind: 'Snip12',
      network: 'StarknetSepolia',
      types: {
        StarknetDomain: ['name', 'chainId', 'revision'].map((name) => ({ name, type: 'shortstring' })),
        Vote: [{ name: 'choice', type: 'u128' }],
      },
      primaryType: 'Vote',
      domain: { name: 'assembly', chainId: 'SN_SEPOLIA', revision: '1' },
      message: { choice: 2 },
    }),
    async verify({ signature }, publicKey, body) {
      const account = (await addressOf({ keyType: 'ECDSA/stark', publicKey }, 'StarknetSepolia')) ?? '';
      const digest = typedData.getMessageHash(body as unknown as TypedData, account);
      const { r = '', s = '' } = signature ?? {};
      const made = new starkCurve.Signature(BigInt(r), BigInt(s));
      expect(starkCurve.verify(made, digest.slice(2).padStart(64, '0'), toHex(publicKey))).toBe(true);
      expect(signature?.encoded).toBe(`${r}${s.slice(2)}`);
    },
  },

  Stellar: {
    key: { scheme: 'EdDSA', curve: 'ed25519' },
    request(publicKey) {
      const source = StrKey.encodeEd25519PublicKey(Buffer.from(publicKey));
      const builder = new TransactionBuilder(new Account(source, '1'), { fee: '100', networkPassphrase: Networks.TESTNET });
      const payment = Operation.payment({ destination: source, asset: Asset.native(), amount: '1' });
      const envelope = builder.addOperation(payment).setTimeout(300).build().toEnvelope();
      return { kind: 'Transaction', network: 'StellarTestnet', transaction: `0x${envelope.toXDR('hex')}` };
    },
    verify({ signature, signedData = '' }, publicKey) {
      const signed = TransactionBuilder.fromXDR(Buffer.from(bytesOf(signedData)).toString('base64'), Networks.TESTNET);
      const pair = Keypair.fromPublicKey(StrKey.encodeEd25519PublicKey(Buffer.from(publicKey)));
      expect(signed.signatures).toHaveLength(1);
      expect(pair.verify(signed.hash(), Buffer.from(bytesOf(signature?.encoded)))).toBe(true);
    },
  },

  Evm: {
    key: { scheme: 'ECDSA', curve: 'secp256k1' },
    request() {
      const transaction = Transaction.from({
        type: 2,
        chainId: 11_155_111,
        to: `0x${'11'.repeat(20)}`,
        value: 1n,
        gasLimit: 21_000n,
        maxFeePerGas: 2n,
      });
      return { kind: 'Transaction', network: 'EthereumSepolia', transaction: transaction.unsignedSerialized };
    },
    verify({ signedData }, publicKey) {
      expect(Transaction.from(signedData ?? '').from).toBe(computeAddress(to0x(publicKey)));
    },
  },
  Tezos: {
    key: { scheme: 'EdDSA', curve: 'ed25519' },
    async request(publicKey) {
      const source = getPkhfromPk(b58Encode(publicKey, PrefixV2.Ed25519PublicKey));
      const manager = { source, fee: '400', counter: '1', gas_limit: '1000', storage_limit: '0' };
      const contents = [{ kind: 'transaction', ...manager, amount: '1', destination: source }] as Forged['contents'];
      const transaction = await localForger.forge({ branch: 'BLzyjjHKEKMULtvkpSHxuZxx6ei6fpntH2BTkYZiLgs8zLVstvX', contents });
      return { kind: 'Transaction', network: 'TezosGhostnet', transaction };
    },
    verify({ signature, signedData }, publicKey, body) {
      const [transaction, encoded] = ['transaction' in body ? String(body.transaction) : '', bytesOf(signature?.encoded)];
      const key = b58Encode(publicKey, PrefixV2.Ed25519PublicKey);
      expect(verifySignature(transaction, key, b58Encode(encoded, PrefixV2.Ed25519Signature), Uint8Array.of(3))).toBe(true);
      expect(signedData).toBe(`0x${transaction}${toHex(encoded)}`);
    },
  },

  Tron: {
    key: { scheme: 'ECDSA', curve: 'secp256k1' },
    request(publicKey) {
      const owner_address = toHex(Uint8Array.from(tron.crypto.computeAddress([...secp256k1.Point.fromBytes(publicKey).toBytes(false)])));
      const contract = [{ type: 'WithdrawBalanceContract', parameter: { value: { owner_address } } }];
      const unsigned = tron.transaction.txJsonToPb({ raw_data: { contract, ref_block_bytes: '2722', ref_block_hash: 'b142ad939b228d78' } });
      return { kind: 'Transaction', network: 'TronNile', transaction: to0x(unsigned.serializeBinary()) };
    },
    verify({ signature, signedData }, publicKey, body) {
      const transaction = 'transaction' in body ? String(body.transaction) : '';
      // Behind a byte of its tag and one of its length stands the raw data, whose hash is what is signed.
      const digest = toHex(sha256(bytesOf(transaction).subarray(2)));
      const owner = tron.crypto.computeAddress([...secp256k1.Point.fromBytes(publicKey).toBytes(false)]);
      expect(tron.crypto.ecRecover(digest, signature?.encoded ?? '').toLowerCase()).toBe(toHex(Uint8Array.from(owner)));
      expect(signedData).toBe(`${transaction}1241${signature?.encoded?.slice(2)}`);
    },
  },

  Xrpl: {
    key: { scheme: 'ECDSA', curve: 'secp256k1' },
    request(publicKey) {
      const Account = xrpl.deriveAddress(toHex(publicKey));
      const payment = {
        TransactionType: 'Payment',
        Account,
        Destination: 'rrrrrrrrrrrrrrrrrrrrrhoLvTp',
        Amount: '1',
        Fee: '12',
        Sequence: 1,
      };
      return { kind: 'Transaction', network: 'XrpLedgerTestnet', transaction: xrpl.encode(payment as xrpl.Payment) };
    },
    verify({ signature, signedData = '' }) {
      const blob = signedData.slice(2).toUpperCase();
      expect(xrpl.verifySignature(blob)).toBe(true);
      expect(xrpl.decode(blob).TxnSignature).toBe(signature?.encoded?.slice(2).toUpperCase());
    },
  },
};

let instance: Instance;
let client: Client;
beforeAll(async () => {
  instance = await startInstance();
  client = officialClient(instance);
});
afterAll(() => instance?.remove());

test.each(Object.entries(samples))(
  '%s',
  async (_, { key, request, verify }) => {
    const { id: keyId, publicKey } = await client.keys.createKey({ body: key });
    const body = await request(bytesOf(publicKey));
    const answer = await client.keys.generateSignature({ keyId, body });
    expect(answer).toMatchObject({ status: 'Signed', requestBody: body });
    expect(answer).not.toHaveProperty('txHash');
    await verify(answer, bytesOf(publicKey), body);
  },
  60_000,
);

function bytesOf(hex = ''): Uint8Array {
  const bytes = fromHex(hex);
  if (bytes === undefined) throw new Error(`not hex: ${hex}`);
  return bytes;
}
