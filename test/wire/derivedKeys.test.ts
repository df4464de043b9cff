/** Master keys and their children through the official client: every type signs by its children, as independent verifiers see it. */

import { DfnsError } from '@dfns/sdk';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Instance, officialClient, startInstance } from '../support/instance.ts';
import { newDataDir } from '../support/pglite.ts';
import { exampleOf, examples, expectSigned, hash } from './examples.ts';
import { anId } from './shapes.ts';

let instance: Instance;
let client: ReturnType<typeof officialClient>;
beforeAll(async () => {
  instance = await startInstance({ dataDir: await newDataDir() });
  client = officialClient(instance);
});
afterAll(() => instance?.remove());

const newMaster = (key: (typeof examples)[number]['key']) => client.keys.createKey({ body: { ...key, masterKey: true } });

describe('a child key', () => {
  test.each(examples)('signs: $name', async (example) => {
    const master = await newMaster(example.key);
    expect(master).toMatchObject({ masterKey: true });
    const named = await client.keys.createKey({ body: { ...example.key, deriveFrom: { keyId: master.id, path: 'm/44/0/7' } } });
    const next = await client.keys.createKey({ body: { ...example.key, deriveFrom: { keyId: master.id } } });
    expect([named.derivedFrom, next.derivedFrom]).toEqual([
      { keyId: master.id, path: 'm/44/0/7' },
      { keyId: master.id, path: 'm/0' },
    ]);
    expect(new Set([master, named, next].map(({ publicKey }) => publicKey)).size).toBe(3);
    for (const key of [named, next, master]) {
      expectSigned(await client.keys.generateSignature({ keyId: key.id, body: example.body('0x') }), example, key);
    }
    expect((await client.keys.getKey({ keyId: named.id })).store).toEqual({
      id: anId('store'),
      kind: 'Mpc',
      keyId: master.id,
      derivationPath: 'm/44/0/7',
    });
  });

  test('of a DH key derives, and otherwise than its master', async () => {
    const key = { scheme: 'DH', curve: 'secp256k1' } as const;
    const master = await newMaster(key);
    const child = await client.keys.createKey({ body: { ...key, deriveFrom: { keyId: master.id } } });
    const derive = (keyId: string) => client.keys.deriveKey({ keyId, body: { domain: '0x01', seed: '0x02' } });
    const { output } = await derive(child.id);
    expect(await derive(child.id)).toEqual({ output });
    expect(await derive(master.id)).not.toEqual({ output });
  });

  test('is made for a wallet, and signs for its network', async () => {
    const example = exampleOf('ECDSA', 'secp256k1');
    const master = await newMaster(example.key);
    const body = { network: 'KeyECDSA' as const, signingKey: { deriveFrom: { keyId: master.id, path: 'm/1' } } };
    const { id: walletId, signingKey } = await client.wallets.createWallet({ body });
    expect((await client.keys.getKey({ keyId: signingKey.id })).derivedFrom).toEqual({ keyId: master.id, path: 'm/1' });
    const made = await client.wallets.generateSignature({ walletId, body: { kind: 'Hash', hash } });
    expectSigned(made, example, signingKey);
  });

  test('twice at one path is a conflict', async () => {
    const { key } = exampleOf('EdDSA', 'ed25519');
    const master = await newMaster(key);
    const derive = () => client.keys.createKey({ body: { ...key, deriveFrom: { keyId: master.id, path: 'm/3' } } });
    await derive();
    const error: unknown = await derive().catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(DfnsError);
    expect(error).toMatchObject({ httpStatus: 409, message: `key ${master.id} has a child at m/3 already` });
  });

  test('outlives its master, and a restart', async () => {
    const example = exampleOf('ECDSA', 'secp256k1');
    const master = await newMaster(example.key);
    const child = await client.keys.createKey({ body: { ...example.key, deriveFrom: { keyId: master.id } } });
    await client.keys.deleteKey({ keyId: master.id });
    await instance.stop();
    instance = await startInstance({ dataDir: instance.dataDir });
    client = officialClient(instance);
    expectSigned(await client.keys.generateSignature({ keyId: child.id, body: example.body('0x') }), example, child);
  });
});
