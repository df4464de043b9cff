/** Keys that leave: who holds the encryption key puts them together, by code of its own; and nobody else gets anything. */

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { toHex } from '../../src/base/bytes.ts';
import { type KeyType, keyTypes, shareProtocols } from '../../src/base/keyTypes.ts';
import { encodeExportedShare } from '../../src/signer/exportedShare.ts';
import { interpolated, newTravelPair, publicKeyOfScalar, readShare } from '../support/travellingKeys.ts';
import { createCluster, digestOf, type TestCluster, type TestKey } from './cluster.ts';
import { outcomeOf, setUpSeeds, sharesOf } from './shares.ts';

const types = Object.keys(keyTypes) as KeyType[];
const three = <T>(said: T): T[] => [said, said, said];
const pair = newTravelPair();
const { encryptionKey } = pair;

let cluster: TestCluster;
beforeAll(async () => {
  cluster = await createCluster();
  await setUpSeeds(cluster.signers);
});
afterAll(() => cluster.close());

function exportKey({ id, keyType }: Pick<TestKey, 'id' | 'keyType'>, more: object = {}) {
  const { curve } = keyTypes[keyType];
  const supportedSchemes = [{ protocol: shareProtocols[keyType][0], curve }];
  return cluster.perform(cluster.admin, {
    method: 'POST',
    path: `/keys/${id}/export`,
    body: { encryptionKey, supportedSchemes, ...more },
  });
}

const boxesOf = (keyId: string) => Promise.all(cluster.signers.map(async (signer) => (await signer.ask('exportShare', { keyId })).box));

describe('an exported key', () => {
  test.each(types)('%s is put together from any two of its shares, and from all of them', async (keyType) => {
    const key = await cluster.addKey(keyType);
    await exportKey(key);
    const { curve } = keyTypes[keyType];
    const shares = (await boxesOf(key.id)).map((box) => readShare(pair.open(box), curve));
    for (const some of [
      [0, 1],
      [1, 2],
      [0, 2],
      [0, 1, 2],
    ]) {
      const points = some.map((i) => shares[i]).filter((share) => share !== undefined);
      expect(publicKeyOfScalar(curve, interpolated(curve, points))).toBe(toHex(key.publicKey));
    }
  });

  test('that is a child is the child’s, with its own secret', async () => {
    const master = await cluster.addKey('ECDSA/secp256k1', { masterKey: true });
    const child = await cluster.addChild(master, 'm/1/2');
    await exportKey(child);
    const shares = (await boxesOf(child.id)).map((box) => readShare(pair.open(box), 'secp256k1'));
    expect(publicKeyOfScalar('secp256k1', interpolated('secp256k1', shares))).toBe(toHex(child.publicKey));
    expect(await Promise.all(cluster.signers.map((signer) => outcomeOf(signer.ask('exportShare', { keyId: master.id }))))).toEqual(
      three(`Refused Forbidden: the export of key ${master.id} was not asked for`),
    );
  });

  test('is given again, under a fresh ephemeral key each time', async () => {
    const key = await cluster.addKey('EdDSA/ed25519');
    await exportKey(key);
    const [first, second] = [await boxesOf(key.id), await boxesOf(key.id)];
    expect(first.map(pair.open)).toEqual(second.map(pair.open));
    expect(new Set([...first, ...second].map((box) => toHex(box.subarray(-33)))).size).toBe(6);
  });

  test('signs no more, whatever the service asks, and not after a restart', async () => {
    const digest = digestOf('gone');
    for (const keyType of ['ECDSA/secp256k1', 'EdDSA/ed25519'] as const) {
      const key = await cluster.addKey(keyType);
      const body = { kind: 'Hash', hash: toHex(digest) };
      const before = cluster.sign(cluster.admin, { method: 'POST', path: `/keys/${key.id}/signatures`, body });
      await exportKey(key);
      const after = cluster.sign(cluster.admin, { method: 'POST', path: `/keys/${key.id}/signatures`, body });
      for (const signer of cluster.signers) signer.restart();
      await setUpSeeds(cluster.signers);
      for (const authorisation of [before, after]) {
        expect(await sharesOf(cluster, { key, payload: { bytes: digest }, authorisation })).toEqual(
          three('Refused BadRequest: the key was exported: it is used here no more'),
        );
      }
    }
  });
});

describe('a thief in the place of the service', () => {
  const refused = (keyId: string, among = cluster.signers) =>
    Promise.all(among.map((signer) => outcomeOf(signer.ask('exportShare', { keyId }))));

  test('asks for the shares of a key that nobody exports, or that there is not: refused', async () => {
    const { id } = await cluster.addKey('EdDSA/ed25519');
    expect(await refused(id)).toEqual(three(`Refused Forbidden: the export of key ${id} was not asked for`));
    expect(await refused('key-none')).toEqual(three('Refused NotFound: Key not found'));
  });

  test('puts its own encryption key into the request: the entry is refused', async () => {
    const key = await cluster.addKey('EdDSA/ed25519');
    const body = { encryptionKey, supportedSchemes: [{ protocol: 'FROST', curve: 'ed25519' }] };
    const authorisation = cluster.sign(cluster.admin, { method: 'POST', path: `/keys/${key.id}/export`, body });
    const thiefs = newTravelPair().encryptionKey;
    const altered = new TextEncoder().encode(JSON.stringify({ ...body, encryptionKey: thiefs }));
    await expect(cluster.submit({ ...authorisation, body: altered })).rejects.toThrow('the body is not the one that was signed');
    expect(await refused(key.id)).toEqual(three(`Refused Forbidden: the export of key ${key.id} was not asked for`));
  });

  test('has the export of one key serve another: refused', async () => {
    const [one, other] = [await cluster.addKey('EdDSA/ed25519'), await cluster.addKey('EdDSA/ed25519')];
    await exportKey(one);
    expect(await refused(other.id)).toEqual(three(`Refused Forbidden: the export of key ${other.id} was not asked for`));
  });

  test('keeps the entry from a signer: that one gives nothing', async () => {
    const key = await cluster.addKey('EdDSA/ed25519');
    const [one, two, three] = cluster.signers;
    if (!one || !two || !three) throw new Error('there are three');
    const body = { encryptionKey, supportedSchemes: [{ protocol: 'FROST', curve: 'ed25519' }] };
    await cluster.perform(cluster.admin, { method: 'POST', path: `/keys/${key.id}/export`, body }, [one, two]);
    expect(await refused(key.id, [three])).toEqual([`Refused Forbidden: the export of key ${key.id} was not asked for`]);
    await cluster.catchUp(three);
    expect(await refused(key.id, [three])).toEqual(['a share']);
  });

  test('reads nothing out of what passes through its hands', async () => {
    const key = await cluster.addKey('ECDSA/secp256k1');
    await exportKey(key);
    for (const box of await boxesOf(key.id)) {
      expect(box).toHaveLength(281);
      expect(Buffer.from(box).includes('secret_share')).toBe(false);
    }
  });
});

test('the text of a share is that of the contract, in 232 bytes, scalars big-endian', () => {
  const share = (keyType: KeyType, five: Uint8Array) => new TextDecoder().decode(encodeExportedShare({ keyType, index: 1, secret: five }));
  const five = new Uint8Array(32).with(31, 5);
  const scalar = (value: string, curve: string) => `{"curve":"${curve}","scalar":"${value.padStart(64, '0')}"}`;
  for (const [keyType, secretBytes] of [
    ['ECDSA/secp256k1', five],
    ['EdDSA/ed25519', five.toReversed()],
  ] as const) {
    const { curve } = keyTypes[keyType];
    expect(share(keyType, secretBytes)).toBe(`{"version":1,"index":${scalar('1', curve)},"secret_share":${scalar('5', curve)}}`);
  }
  expect(share('ECDSA/secp256k1', five)).toHaveLength(232);
});
