/** What a signer does for those who may, and what it writes down when it does not. */

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { toHex, utf8 } from '../../src/base/bytes.ts';
import type { KeyType } from '../../src/base/keyTypes.ts';
import { createCluster, digestOf, type TestCluster } from './cluster.ts';
import { setUpSeeds, sharesOf } from './shares.ts';

let cluster: TestCluster;
beforeAll(async () => {
  cluster = await createCluster();
  await setUpSeeds(cluster.signers);
});
afterAll(() => cluster.close());

describe('an authorised request gets a share of each signer', () => {
  const digest = digestOf('hello');
  test.each<readonly [KeyType, object, { bytes: Uint8Array; taprootMerkleRoot?: Uint8Array }]>([
    ['EdDSA/ed25519', { kind: 'Message', message: toHex(utf8('hello')) }, { bytes: utf8('hello') }],
    ['EdDSA/ed25519', { kind: 'Message', message: '0x' }, { bytes: new Uint8Array() }],
    ['ECDSA/secp256k1', { kind: 'Hash', hash: toHex(digest) }, { bytes: digest }],
    ['ECDSA/stark', { kind: 'Hash', hash: toHex(digest) }, { bytes: digest }],
    [
      'Schnorr/secp256k1',
      { kind: 'Hash', hash: toHex(digest), taprootMerkleRoot: '' },
      { bytes: digest, taprootMerkleRoot: new Uint8Array() },
    ],
    [
      'Schnorr/secp256k1',
      { kind: 'Hash', hash: toHex(digest), taprootMerkleRoot: toHex(digest) },
      { bytes: digest, taprootMerkleRoot: digest },
    ],
  ])('%s, %o', async (keyType, body, payload) => {
    const key = await cluster.addKey(keyType);
    const authorisation = cluster.sign(cluster.admin, { method: 'POST', path: `/keys/${key.id}/signatures`, body });
    expect(await sharesOf(cluster, { key, payload, authorisation })).toEqual(['a share', 'a share', 'a share']);
  });
});

test('what a signer refuses, its log says with the reason', async () => {
  const key = await cluster.addKey('EdDSA/ed25519');
  const authorisation = cluster.sign(cluster.admin, {
    method: 'POST',
    path: `/keys/${key.id}/signatures`,
    body: { kind: 'Message', message: '00' },
  });
  await sharesOf(cluster, { key, payload: { bytes: utf8('other') }, authorisation });
  for (const { logged } of cluster.signers) {
    expect(logged.filter(({ method }) => method === 'signFrost')).toEqual([
      expect.objectContaining({
        level: 40,
        code: 'Refused',
        reason: 'the session signs something else than the request asks for',
        leftOut: 0,
      }),
    ]);
  }
});

test('a signer that was started again has its keys, its log, and its head', async () => {
  const key = await cluster.addKey('EdDSA/ed25519');
  for (const signer of cluster.signers) signer.restart();
  for (const signer of cluster.signers) expect((await signer.ask('hello', {})).head).toEqual(cluster.registry.head);
  const authorisation = cluster.sign(cluster.admin, {
    method: 'POST',
    path: `/keys/${key.id}/signatures`,
    body: { kind: 'Message', message: '00' },
  });
  expect(await sharesOf(cluster, { key, payload: { bytes: Uint8Array.of(0) }, authorisation })).toEqual(['a share', 'a share', 'a share']);
});
