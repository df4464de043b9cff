/** Kaspa against its own library (rusty-kaspa as WebAssembly). */

import { PrivateKey, signTransaction, Transaction } from '@dfns/kaspa-wasm';
import { schnorr, secp256k1 } from '@noble/curves/secp256k1.js';
import { describe, expect, test } from 'vitest';
import { fromHex, to0x, toHex, utf8 } from '../../src/base/bytes.ts';
import { addressOf } from '../../src/chains/index.ts';
import { chainConforms, type Outcome, refusalOf, signed } from '../conformance/chain.ts';
import type { Random } from '../support/random.ts';
import { type LocalSigner, localSigner } from '../support/wholeKey.ts';

const secret = fromHex('ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80') ?? new Uint8Array();
const alice = localSigner('Schnorr/secp256k1', secret);
const aliceEcdsa = localSigner('ECDSA/secp256k1', secret);
const bob = localSigner('Schnorr/secp256k1', new Uint8Array(32).fill(7));

const scriptOf = ({ key }: LocalSigner) =>
  key.keyType === 'Schnorr/secp256k1' ? `000020${toHex(key.publicKey.subarray(1))}ac` : `000021${toHex(key.publicKey)}ab`;

interface Draft {
  readonly inputs: readonly {
    script: string;
    amount?: bigint;
    index?: number;
    sequence?: bigint;
    signatureScript?: string;
    transactionId?: string;
  }[];
  readonly outputs: readonly { script: string; amount: bigint }[];
  readonly lockTime?: bigint;
  readonly more?: string;
}

/** As the library writes it. */
function jsonOf({ inputs, outputs, lockTime = 0n, more }: Draft): string {
  const json = `{"id":"${'00'.repeat(32)}","version":0,"inputs":[${inputs
    .map(
      ({ script, amount = 100_000_000n, index = 0, sequence = 0n, signatureScript = '', transactionId = '11'.repeat(32) }) =>
        `{"transactionId":"${transactionId}","index":${index},"sequence":${sequence},"sigOpCount":1,"signatureScript":"${signatureScript}","utxo":{"address":null,"amount":${amount},"scriptPublicKey":"${script}","blockDaaScore":5,"isCoinbase":false}}`,
    )
    .join()}],"outputs":[${outputs.map(({ script, amount }) => `{"value":${amount},"scriptPublicKey":"${script}"}`).join()}],"lockTime":${lockTime},"gas":0,"subnetworkId":"${'00'.repeat(20)}","payload":""}`;
  return more === undefined ? json : more;
}
const requestOf = (json: string, network = 'Kaspa') => ({ kind: 'Psbt', network, psbt: to0x(utf8(json)) });
const usual: Draft = {
  inputs: [{ script: scriptOf(alice) }, { script: scriptOf(alice), index: 1 }],
  outputs: [
    { script: scriptOf(bob), amount: 150_000_000n },
    { script: scriptOf(alice), amount: 49_000_000n },
  ],
};

function randomJson(random: Random, signer: LocalSigner): string {
  const other = () =>
    random.pick([`000020${toHex(random.bytes(32))}ac`, `0000aa20${toHex(random.bytes(32))}87`, `0001${toHex(random.bytes(9))}`]);
  const input = (script: string) => ({
    script,
    amount: 1_000_000n + random.bigint(52),
    index: random.int(1000),
    sequence: random.bigint(53),
    transactionId: toHex(random.bytes(32)),
  });
  const inputs = [input(scriptOf(signer)), ...random.list(3, () => input(random.bool() ? scriptOf(signer) : other()))];
  const outputs = random.list(4, () => ({ script: random.bool() ? scriptOf(signer) : other(), amount: random.bigint(15) }));
  return Transaction.deserializeFromJSON(jsonOf({ inputs, outputs, lockTime: random.bigint(50) })).serializeToJSON();
}

/** What the library signs of its own with the same key verifies under the digests that we would have signed. */
function verify({ body, signer, unsigned, signed: { encoded, signedData, txHash } }: Outcome): void {
  const json = Buffer.from(fromHex('psbt' in body ? body.psbt : '') ?? []).toString();
  const before = Transaction.deserializeFromJSON(json);
  const theirs = JSON.parse(signTransaction(before, [new PrivateKey(toHex(signer.secret))], false).serializeToJSON());
  const ours = JSON.parse(Buffer.from(signedData ?? []).toString());
  const publicKey = signer.key.publicKey.subarray(1);
  const own = ours.inputs.flatMap(({ signatureScript }: { signatureScript: string }, i: number) => (signatureScript === '' ? [] : [i]));
  expect(own).toHaveLength(encoded.length);
  for (const [at, index] of own.entries()) {
    const digest = unsigned.payloads[at]?.bytes ?? new Uint8Array();
    expect(schnorr.verify(fromHex(theirs.inputs[index].signatureScript.slice(2, 130)) ?? new Uint8Array(), digest, publicKey)).toBe(true);
    expect(schnorr.verify(encoded[at] ?? new Uint8Array(), digest, publicKey)).toBe(true);
    expect(ours.inputs[index].signatureScript).toBe(`41${toHex(encoded[at] ?? new Uint8Array())}01`);
  }
  expect(txHash).toBe(
    Transaction.deserializeFromJSON(Buffer.from(signedData ?? []).toString())
      .finalize()
      .toString(),
  );
  // Nothing else has changed.
  expect({ ...ours, inputs: ours.inputs.map((input: object) => ({ ...input, signatureScript: '' })) }).toEqual(JSON.parse(json));
}

chainConforms('Kaspa', [
  {
    name: 'Psbt, Schnorr',
    keyType: 'Schnorr/secp256k1',
    request: (random, signer) => requestOf(randomJson(random, signer)),
    verify,
    encodedIn: 'psbt',
  },
]);

describe('Kaspa', () => {
  test('makes the known hash of a transaction', async () => {
    const { unsigned, signed: outcome } = await signed(
      alice,
      requestOf(jsonOf({ inputs: usual.inputs, outputs: [{ script: scriptOf(alice), amount: 150_000_000n }] })),
    );
    expect(unsigned.payloads).toHaveLength(2);
    expect(unsigned.payloads.every(({ taprootMerkleRoot }) => taprootMerkleRoot === 'untweaked')).toBe(true);
    expect(outcome.txHash).toBe('7838ff6fa93a41866e762cceb4f9e237125ac2e51a583f0b33ee1ab1566ac5cb');
  });

  test('addresses are those of its library, and the known ones', async () => {
    expect(await addressOf(alice.key, 'Kaspa')).toBe('kaspa:qzp3s56m2sg96jn64esvpr7yt7tgwxqmfl0uvfdarf6nlfee0lkh260yp67hy');
    expect(await addressOf(aliceEcdsa.key, 'Kaspa')).toBe('kaspa:qypcxxzntd2pqh2202hxpsy0c30edpccrd8al339h5d820a889l76agj2l2wuhh');
    const library = new PrivateKey(toHex(bob.secret));
    expect(await addressOf(bob.key, 'Kaspa')).toBe(library.toAddress('mainnet').toString());
    expect(await addressOf(bob.key, 'KaspaTestnet11')).toBe(library.toAddress('testnet-11').toString());
  });

  test('signs with an ECDSA key what its own script locks, and nothing else', async () => {
    const draft = { ...usual, inputs: [{ script: scriptOf(aliceEcdsa) }, { script: scriptOf(alice), index: 1 }] };
    const { unsigned, signed: outcome } = await signed(aliceEcdsa, requestOf(jsonOf(draft)));
    expect(unsigned.payloads).toHaveLength(1);
    const [{ bytes: digest } = { bytes: new Uint8Array() }] = unsigned.payloads;
    expect(secp256k1.verify(outcome.encoded[0] ?? new Uint8Array(), digest, aliceEcdsa.key.publicKey, { prehash: false })).toBe(true);
    const { inputs } = JSON.parse(Buffer.from(outcome.signedData ?? []).toString());
    expect(inputs.map(({ signatureScript }: { signatureScript: string }) => signatureScript.length)).toEqual([132, 0]);
  });

  test('says what a transaction does: what goes to others, and the fee', async () => {
    const to = new PrivateKey(toHex(bob.secret)).toAddress('mainnet').toString();
    expect((await signed(alice, requestOf(jsonOf(usual)))).unsigned.summary).toEqual({
      complete: true,
      effects: [{ kind: 'transfer', to, amount: 150_000_000n, asset: 'native' }],
      fee: 1_000_000n,
    });
    const unknown = { ...usual, outputs: [{ script: '000051', amount: 5n }] };
    expect((await signed(alice, requestOf(jsonOf(unknown)))).unsigned.summary).toMatchObject({
      complete: false,
      effects: [{ kind: 'transfer', to: 'script:000051', amount: 5n }],
    });
    const shared = { ...usual, inputs: [{ script: scriptOf(alice) }, { script: scriptOf(bob), index: 1 }] };
    const { summary } = (await signed(alice, requestOf(jsonOf(shared)))).unsigned;
    expect(summary.complete).toBe(false);
    expect(summary).not.toHaveProperty('fee');
  });

  test('keeps amounts that no JavaScript number holds', async () => {
    const amount = 18_446_744_073_709_551_615n;
    const draft = { inputs: [{ script: scriptOf(alice), amount }], outputs: [{ script: scriptOf(bob), amount: amount - 1n }] };
    const { unsigned, signed: outcome } = await signed(alice, requestOf(jsonOf(draft)));
    expect(unsigned.summary).toMatchObject({ effects: [{ amount: amount - 1n }], fee: 1n });
    expect(Buffer.from(outcome.signedData ?? []).toString()).toContain(`"amount":${amount},`);
  });

  const json = jsonOf(usual);
  test.each<[string, string, string]>([
    ['without an input of this key', jsonOf({ ...usual, inputs: [{ script: scriptOf(bob) }] }), 'no input is locked by this key'],
    [
      'with an input of it signed already',
      jsonOf({ ...usual, inputs: [{ script: scriptOf(alice), signatureScript: '41' }] }),
      'input 0 is signed already',
    ],
    ['with blanks', json.replace('"version":0', '"version": 0'), 'not as serializeToJSON() writes it'],
    ['with a member twice', json.replace('"version":0', '"version":1,"version":0'), 'not as serializeToJSON() writes it'],
    [
      'with its members in another order',
      json.replace('"gas":0,', '').replace('"payload"', '"gas":0,"payload"'),
      'not as serializeToJSON() writes it',
    ],
    ['with an unknown member', json.replace('"version":0', '"mass":0,"version":0'), 'mass'],
    ['with a fraction', json.replace('"lockTime":0', '"lockTime":0.5'), '0.5 is not a whole number'],
    ['with a number written otherwise', json.replace('"amount":100000000', '"amount":1e8'), '1e8 is not a whole number'],
    ['with a negative number', json.replace('"value":150000000', '"value":-1'), '-1 is not a whole number'],
    ['with an amount beyond 64 bits', json.replace('"amount":100000000', '"amount":18446744073709551616'), 'amount'],
    ['with a payload', json.replace('"payload":""', '"payload":"aa"'), 'native subnetwork only'],
    ['with gas', json.replace('"gas":0', '"gas":1'), 'native subnetwork only'],
    ['of another subnetwork', json.replace('"subnetworkId":"00', '"subnetworkId":"01'), 'native subnetwork only'],
    [
      'with the id of another',
      json.replace(`"id":"${'00'.repeat(32)}"`, `"id":"${'22'.repeat(32)}"`),
      'the id of the Kaspa transaction is another',
    ],
    [
      'that pays more than it has',
      jsonOf({ ...usual, outputs: [{ script: scriptOf(bob), amount: 300_000_000n }] }),
      'more than its inputs',
    ],
    ['that is a PSBT of Bitcoin', '\u{70}sbt\u{ff}', 'the JSON of a Kaspa transaction'],
    ['that is no object', '[]', 'the Kaspa transaction'],
  ])('refuses one %s', async (_, text, message) => {
    expect((await refusalOf(alice, requestOf(text)))?.message).toContain(message);
  });
});
