/** One request, one share of each signer for each of its payloads: however often, whenever and to whomever the thief sends it. */

import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { toHex, utf8 } from '../../src/base/bytes.ts';
import type { Authorisation } from '../../src/crypto/authorisation.ts';
import { createCluster, digestOf, type TestCluster, type TestKey } from '../signer/cluster.ts';
import { ecdsaShares, frostShares, outcomeOf, setUpSeeds, sharesOf } from '../signer/shares.ts';
import { proposed } from './entries.ts';

let cluster: TestCluster;
let eddsa: TestKey;
let ecdsa: TestKey;
let dh: TestKey;
beforeAll(async () => {
  cluster = await createCluster();
  await setUpSeeds(cluster.signers);
  eddsa = await cluster.addKey('EdDSA/ed25519');
  ecdsa = await cluster.addKey('ECDSA/secp256k1');
  dh = await cluster.addKey('DH/secp256k1');
});
afterAll(() => cluster.close());

const payload = { bytes: utf8('once') };
const digest = digestOf('once');
const used = 'Refused UserActionUsed: user action has already been used';
const allOf = (said: string): string[] => cluster.signers.map(() => said);
const eddsaRequest = (binding = {}): Authorisation =>
  cluster.sign(
    cluster.admin,
    { method: 'POST', path: `/keys/${eddsa.id}/signatures`, body: { kind: 'Message', message: toHex(payload.bytes) } },
    { binding },
  );
const ecdsaRequest = (): Authorisation =>
  cluster.sign(cluster.admin, { method: 'POST', path: `/keys/${ecdsa.id}/signatures`, body: { kind: 'Hash', hash: toHex(digest) } });
const byFrost = (authorisation: Authorisation, among = cluster.signers) =>
  frostShares(cluster, { key: eddsa, payload, authorisation }, among);
const byEcdsa = (authorisation: Authorisation) => ecdsaShares(cluster, { key: ecdsa, payload: { bytes: digest }, authorisation });
const derivation = (authorisation: Authorisation) =>
  Promise.all(
    cluster.signers.map((signer) =>
      outcomeOf(signer.ask('derive', { keyId: dh.id, domain: Uint8Array.of(0xaa), seed: Uint8Array.of(0xbb), authorisation })),
    ),
  );

describe('a request is replayed', () => {
  test('at once, with fresh nonces', async () => {
    const authorisation = eddsaRequest();
    expect(await byFrost(authorisation)).toEqual(allOf('a share'));
    expect(await byFrost(authorisation)).toEqual(allOf(used));
  });

  test('at once, with a fresh presignature', async () => {
    const authorisation = ecdsaRequest();
    expect(await byEcdsa(authorisation)).toEqual(allOf('a share'));
    expect(await byEcdsa(authorisation)).toEqual(allOf(used));
  });

  test('as a derivation', async () => {
    const authorisation = cluster.sign(cluster.admin, {
      method: 'POST',
      path: `/keys/${dh.id}/derive`,
      body: { domain: '0xaa', seed: 'bb' },
    });
    expect(await derivation(authorisation)).toEqual(allOf('a share'));
    expect(await derivation(authorisation)).toEqual(allOf(used));
  });

  test('a minute later', async () => {
    const authorisation = eddsaRequest();
    await byFrost(authorisation);
    cluster.wait(60);
    expect(await byFrost(authorisation)).toEqual(allOf(used));
  });

  test('when it has expired', async () => {
    const authorisation = eddsaRequest();
    await byFrost(authorisation);
    cluster.wait(301);
    expect(await byFrost(authorisation)).toEqual(allOf('Refused Forbidden: the authorisation expired 1 seconds ago'));
  });

  test('after every signer was started again', async () => {
    const [frost, honest] = [eddsaRequest(), ecdsaRequest()];
    await byFrost(frost);
    await byEcdsa(honest);
    for (const signer of cluster.signers) signer.restart();
    expect(await byFrost(frost)).toEqual(allOf(used));
    expect(await byEcdsa(honest)).toEqual(allOf(used));
  });

  test('to one signer only, again and again', async () => {
    const authorisation = eddsaRequest();
    const one = cluster.signers.slice(0, 1);
    expect(await byFrost(authorisation, one)).toEqual(['a share']);
    for (let i = 0; i < 5; i++) expect(await byFrost(authorisation, one)).toEqual([used]);
    cluster.signers[0]?.restart();
    expect(await byFrost(authorisation, one)).toEqual([used]);
  });

  test('to one signer that alone was not asked the first time: the others give nothing to go with it', async () => {
    const authorisation = eddsaRequest();
    const [first, ...rest] = cluster.signers;
    await byFrost(authorisation, rest);
    expect(await byFrost(authorisation)).toEqual(['a share', used, used]);
    expect(first?.index).toBe(1);
  });

  test('a hundred times at once: one share', async () => {
    const authorisation = eddsaRequest();
    const one = cluster.signers.slice(0, 1);
    const said = (await Promise.all(Array.from({ length: 100 }, () => byFrost(authorisation, one)))).flat();
    expect(said.filter((outcome) => outcome === 'a share')).toHaveLength(1);
    expect(said.filter((outcome) => outcome === used)).toHaveLength(99);
  });

  test('after the signer forgot what it had signed', async () => {
    const authorisation = eddsaRequest();
    await byFrost(authorisation);
    for (const signer of cluster.signers) {
      signer.stop();
      for (const file of ['spent.db', 'spent.db-wal']) rmSync(join(signer.dataDir, file), { force: true });
      signer.start();
    }
    const blind = 'Refused Forbidden: the authorisation may have been made before this signer lost its memory of what it has signed';
    expect(await byFrost(authorisation)).toEqual(allOf(blind));
    expect(await byFrost(eddsaRequest())).toEqual(allOf(blind));
    cluster.wait(31);
    expect(await byFrost(eddsaRequest())).toEqual(allOf('a share'));
  });
});

describe('a nonce is used again', () => {
  test('for another request that the caller signed as well', async () => {
    const first = eddsaRequest();
    await byFrost(first);
    const second = cluster.sign(
      cluster.admin,
      { method: 'POST', path: `/keys/${ecdsa.id}/signatures`, body: { kind: 'Hash', hash: toHex(digest) } },
      { binding: { nonce: first.binding.nonce } },
    );
    expect(await byEcdsa(second)).toEqual(allOf(used));
  });

  test('that an entry of the log has', async () => {
    const made = cluster.sign(cluster.admin, { method: 'POST', path: '/keys', body: { scheme: 'EdDSA', curve: 'ed25519' } });
    await cluster.submit(made);
    expect(await byFrost(eddsaRequest({ nonce: made.binding.nonce }))).toEqual(allOf(used));
  });

  test('with a later expiry that the caller signed as well', async () => {
    const first = eddsaRequest();
    await byFrost(first);
    cluster.wait(10);
    expect(await byFrost(eddsaRequest({ nonce: first.binding.nonce }))).toEqual(allOf(used));
  });
});

test('an entry is put to the signers again', async () => {
  const authorisation = cluster.sign(cluster.admin, { method: 'POST', path: '/keys', body: { scheme: 'EdDSA', curve: 'ed25519' } });
  await cluster.submit(authorisation);
  expect(await proposed(cluster, authorisation)).toEqual(allOf(used));
});

test('a question that fails for the signer’s own reasons spends nothing', async () => {
  const authorisation = ecdsaRequest();
  const question = { keyId: ecdsa.id, batch: new Uint8Array(32), number: 0, payload: { bytes: digest }, payloadIndex: 0, authorisation };
  for (const signer of cluster.signers) {
    expect(await outcomeOf(signer.ask('signEcdsa', question))).toBe(
      'UnknownPresignature: no such presignature: never made, used, or too old',
    );
  }
  expect(await sharesOf(cluster, { key: ecdsa, payload: { bytes: digest }, authorisation })).toEqual(allOf('a share'));
});
