/** What a signer is asked to sign, worked out once for all payloads of a request, and anew for every other request. */

import { expect, test } from 'vitest';
import { to0x, utf8 } from '../../src/base/bytes.ts';
import { payloadsOf, rememberedPayloads } from '../../src/signer/payload.ts';
import { inputOf, psbtOf } from '../support/psbts.ts';
import { localSigner } from '../support/wholeKey.ts';

const [{ key }, { key: other }] = [7, 8].map((byte) => localSigner('ECDSA/secp256k1', new Uint8Array(32).fill(byte))) as [
  ReturnType<typeof localSigner>,
  ReturnType<typeof localSigner>,
];

function bodyOf(amount: bigint, network = 'Bitcoin'): Uint8Array {
  const inputs = [key, other, key, other].map(({ publicKey }, i) => inputOf(i < 2 ? 'wpkh' : 'pkh', publicKey));
  return utf8(JSON.stringify({ kind: 'Psbt', network, psbt: to0x(psbtOf({ inputs, outputs: [{ script: new Uint8Array(0), amount }] })) }));
}

test('a request that is asked for again gives the payloads it gave', async () => {
  const remembered = rememberedPayloads();
  const [first, second] = await Promise.all([remembered(bodyOf(1n), key), remembered(bodyOf(1n), key)]);
  expect(first).toEqual(await payloadsOf(bodyOf(1n), key));
  expect(first).toHaveLength(2);
  expect(second).toBe(first);
});

test('another body, key or place gives its own', async () => {
  const remembered = rememberedPayloads();
  const first = await remembered(bodyOf(1n), key);
  expect(await remembered(bodyOf(2n), key)).not.toEqual(first);
  expect(await remembered(bodyOf(1n), other)).not.toEqual(first);
  await expect(remembered(bodyOf(1n), key, { walletNetwork: 'Litecoin' })).rejects.toThrow('the wallet is of Litecoin');
  expect(await remembered(bodyOf(1n), key)).toBe(first);
});

test('what is refused is refused each time', async () => {
  const remembered = rememberedPayloads();
  const malformed = utf8('{"kind":"Psbt","network":"Bitcoin","psbt":"00"}');
  for (let i = 0; i < 2; i++) await expect(remembered(malformed, key)).rejects.toThrow('expected a PSBT');
});

test('of very many requests the last are remembered', async () => {
  const remembered = rememberedPayloads();
  const first = await remembered(bodyOf(1n), key);
  for (let i = 2n; i < 40n; i++) await remembered(bodyOf(i), key);
  const again = await remembered(bodyOf(1n), key);
  expect(again).toEqual(first);
  expect(again).not.toBe(first);
});
