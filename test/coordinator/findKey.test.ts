/** A key found again among real signers: what t + 1 say alike, whoever is away or lies. */

import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { findKey } from '../../src/coordinator/findKey.ts';
import { type Link, SignerFailure } from '../../src/coordinator/link.ts';
import type { Method, Params, Result } from '../../src/signer/contract.ts';
import { createCluster, type TestCluster, type TestKey } from '../signer/cluster.ts';

let cluster: TestCluster;
let key: TestKey;
let links: readonly Link[];
beforeAll(async () => {
  cluster = await createCluster();
  links = cluster.signers.map(({ link }) => link);
  key = await cluster.addKey('EdDSA/ed25519');
});
afterAll(() => cluster.close());
afterEach(() => {
  for (const signer of cluster.signers) if (!signer.link.likelyUp) signer.start();
});

const stop = (...indices: number[]) => {
  for (const signer of cluster.signers) if (indices.includes(signer.index)) signer.stop();
};
/** The first signer says something else of the key. */
const lying = (over: Partial<Result<'describeKey'>>): readonly Link[] =>
  links.map((link, i) => {
    const ask = async <M extends Method>(method: M, params: Params<M>) => ({ ...(await link.ask(method, params)), ...over });
    return i === 0 ? { ...link, ask } : link;
  });
const hanging = (index: number): readonly Link[] =>
  links.map((link) => (link.index === index ? { ...link, ask: () => new Promise<never>(() => undefined) } : link));
const find = (keyId = key.id, among = links) => findKey(among, cluster.file, keyId);
const found = () => {
  const { id: _, ...parts } = key;
  return parts;
};
const unavailable = { code: 'Unavailable' };

test.each(['EdDSA/ed25519', 'Schnorr/secp256k1', 'ECDSA/secp256k1', 'ECDSA/stark', 'DH/secp256k1'] as const)(
  'a key of type %s',
  async (keyType) => {
    const { id, ...parts } = await cluster.addKey(keyType);
    expect(await find(id)).toEqual(parts);
  },
);

test('with one signer away', async () => {
  stop(3);
  expect(await find()).toEqual(found());
});

test('with one signer that hangs: it is not waited for', async () => {
  expect(await find(key.id, hanging(1))).toEqual(found());
});

test('two signers away: nobody can tell', async () => {
  stop(1, 2);
  await expect(find()).rejects.toMatchObject(unavailable);
  await expect(find('key-none')).rejects.toMatchObject(unavailable);
});

test('never made', async () => {
  expect(await find(await cluster.requestKey('EdDSA/ed25519'))).toBeUndefined();
  expect(await find('key-none', hanging(2))).toBeUndefined();
  stop(2);
  expect(await find('key-none')).toBeUndefined();
});

test('one signer that lies is outvoted, and proves no key with one that is away', async () => {
  const publicKey = new Uint8Array(32);
  expect(await find(key.id, lying({ publicKey }))).toEqual(found());
  expect(await find(key.id, lying({ chainCode: publicKey }))).toEqual(found());
  expect(await find(key.id, lying({ keyType: 'ECDSA/stark' }))).toEqual(found());
  expect(await find(key.id, lying({ verificationShares: {} }))).toEqual(found());
  stop(3);
  await expect(find(key.id, lying({ publicKey }))).rejects.toMatchObject(unavailable);
});

test('one signer alone says that it has it: it is not there', async () => {
  const absent = async (): Promise<never> => {
    throw new SignerFailure(0, 'UnknownKey', 'none');
  };
  expect(
    await find(
      key.id,
      links.map((link, i) => (i === 0 ? link : { ...link, ask: absent })),
    ),
  ).toBeUndefined();
});
