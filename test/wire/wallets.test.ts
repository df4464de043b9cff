/** Wallets through the official clients, unmodified, against a whole running instance. */

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { walletsContract } from '../../src/features/wallets/contract.ts';
import { type Instance, startInstance } from '../support/instance.ts';
import { administratorOf, type Client, clientOf } from './clients.ts';
import { hash } from './examples.ts';
import { expectContract, type Recorder, record } from './recorder.ts';
import { aDate, anId, hex0xOf, hexOf } from './shapes.ts';

let instance: Instance;
beforeAll(async () => {
  instance = await startInstance();
});
afterAll(() => instance?.remove());

describe.each(['direct', 'delegated'] as const)('wallets by the %s client', (kind) => {
  let recorder: Recorder;
  let client: Client;
  beforeAll(async () => {
    recorder = await record(instance.origin);
    client = clientOf(kind, recorder.origin, administratorOf(instance));
  });
  afterAll(() => recorder?.close());

  test('are made, read, listed, changed and tagged', async () => {
    const wallet = await client.wallets.createWallet({ body: { network: 'KeyEdDSA', name: 'till', tags: ['shop'] } });
    expect(wallet).toEqual({
      id: anId('wa'),
      network: 'KeyEdDSA',
      signingKey: { id: anId('key'), scheme: 'EdDSA', curve: 'ed25519', publicKey: hexOf(32) },
      status: 'Active',
      dateCreated: aDate,
      name: 'till',
      custodial: true,
      tags: ['shop'],
    });
    const walletId = wallet.id;
    expect(await client.wallets.getWallet({ walletId })).toEqual(wallet);
    expect((await client.wallets.listWallets({ query: { limit: 1 } })).items).toEqual([wallet]);
    expect(await client.wallets.tagWallet({ walletId, body: { tags: ['cold'] } })).toEqual({});
    expect(await client.wallets.untagWallet({ walletId, body: { tags: ['shop'] } })).toEqual({});
    const changed = await client.wallets.updateWallet({ walletId, body: { name: null, externalId: `${kind}-1` } });
    expect(changed).toMatchObject({ externalId: `${kind}-1`, tags: ['cold'] });
    expect(changed).not.toHaveProperty('name');
  });

  test('sign: by their own route, and to be seen through the key', async () => {
    const { id: walletId, signingKey } = await client.wallets.createWallet({ body: { network: 'EthereumSepolia' } });
    const signature = await client.wallets.generateSignature({ walletId, body: { kind: 'Hash', hash } });
    expect(signature).toMatchObject({
      id: anId('sig'),
      walletId,
      keyId: signingKey.id,
      network: 'EthereumSepolia',
      status: 'Signed',
      signature: { r: hex0xOf(32), s: hex0xOf(32), encoded: hex0xOf(65) },
    });
    expect(await client.wallets.getSignature({ walletId, signatureId: signature.id })).toEqual(signature);
    expect(await client.wallets.listSignatures({ walletId })).toEqual({ items: [signature], keyId: signingKey.id });
    const { walletId: _, ...ofKey } = signature;
    expect(await client.keys.getSignature({ keyId: signingKey.id, signatureId: signature.id })).toEqual(ofKey);
  });

  test('answer what each endpoint promises, on every route that is not for travelling keys', () => {
    for (const exchange of recorder.exchanges) expectContract(exchange);
    const isCalled = ({ method, path }: { method: string; path: string }) => {
      const target = new RegExp(`^${path.replaceAll(/:\w+/g, '[^/?]+')}([?]|$)`);
      return recorder.exchanges.some((exchange) => exchange.method === method && target.test(exchange.target));
    };
    // The others are called in travellingKeys.test.ts.
    const { importWallet: _, exportWallet: __, delegateWallet: ___, ...called } = walletsContract;
    const missing = Object.values(called).filter((endpoint) => !isCalled(endpoint));
    expect(missing.map(({ path }) => path)).toEqual([]);
  });
});
