/** Child keys at the signers: derived from what each holds itself, recomputed here by second libraries; and what a thief tries with them. */

import { randomBytes } from 'node:crypto';
import { HDKey } from '@scure/bip32';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { toHex, utf8 } from '../../src/base/bytes.ts';
import { type KeyType, keyTypes } from '../../src/base/keyTypes.ts';
import type { Authorisation } from '../../src/crypto/authorisation.ts';
import { groupOf } from '../../src/crypto/groups/index.ts';
import { deriveChild } from '../../src/crypto/hd.ts';
import { schemeOf } from '../../src/crypto/schemes/index.ts';
import type { Payload, Signature } from '../../src/crypto/schemes/scheme.ts';
import { combine as combineDh } from '../../src/mpc/dh/combine.ts';
import { combine as combineEcdsa } from '../../src/mpc/ecdsa/combine.ts';
import { aggregate } from '../../src/mpc/frost/aggregate.ts';
import { protocols } from '../../src/mpc/protocols.ts';
import { createCluster, digestOf, type TestCluster, type TestKey } from './cluster.ts';
import { committed, outcomeOf, presigned, setUpSeeds, sharesOf } from './shares.ts';

const digest = digestOf('for the children');
const types = Object.keys(keyTypes) as KeyType[];
const signingTypes = types.filter((keyType) => keyType !== 'DH/secp256k1');
const three = <T>(said: T): T[] => [said, said, said];

let cluster: TestCluster;
const masters = new Map<KeyType, TestKey>();
beforeAll(async () => {
  cluster = await createCluster();
  await setUpSeeds(cluster.signers);
  for (const keyType of types) masters.set(keyType, await cluster.addKey(keyType, { masterKey: true }));
});
afterAll(() => cluster.close());

function masterOf(keyType: KeyType): TestKey {
  const master = masters.get(keyType);
  if (master === undefined) throw new Error(`no master key of type ${keyType}`);
  return master;
}

const payloadOf = (keyType: KeyType): Payload => ({
  bytes: digest,
  ...(keyType === 'Schnorr/secp256k1' && { taprootMerkleRoot: new Uint8Array() }),
});

function request(keyId: string, keyType: KeyType): Authorisation {
  const body = { kind: 'Hash', hash: toHex(digest), ...(keyType === 'Schnorr/secp256k1' && { taprootMerkleRoot: '' }) };
  return cluster.sign(cluster.admin, { method: 'POST', path: `/keys/${keyId}/signatures`, body });
}

describe('a child key', () => {
  test.each(['ECDSA/secp256k1', 'Schnorr/secp256k1', 'DH/secp256k1'] as const)(
    'of type %s is the one that BIP-32 derives',
    async (keyType) => {
      const master = masterOf(keyType);
      const child = await cluster.addChild(master, 'm/44/0/5');
      const { publicKey, chainCode } = new HDKey({ publicKey: master.publicKey, chainCode: master.chainCode }).derive('m/44/0/5');
      expect({ publicKey: toHex(child.publicKey), chainCode: toHex(child.chainCode) }).toEqual({
        publicKey: toHex(publicKey ?? new Uint8Array()),
        chainCode: toHex(chainCode ?? new Uint8Array()),
      });
    },
  );

  test.each(types)('of type %s has verification shares that lie on one polynomial with it', async (keyType) => {
    const child = await cluster.addChild(masterOf(keyType), 'm/1/2');
    const group = groupOf(keyTypes[keyType].curve);
    const [one, two, three] = [1, 2, 3].map((i) => group.decodePoint(child.verificationShares.get(i) ?? new Uint8Array()));
    if (!one || !two || !three) throw new Error('there are three');
    expect(group.encodePoint(group.linearCombination([2n, group.order - 1n], [one, two]))).toEqual(child.publicKey);
    expect(group.encodePoint(group.linearCombination([2n, group.order - 1n], [two, one]))).toEqual(group.encodePoint(three));
  });

  test.each(signingTypes)('of type %s signs, and its master does not sign for it', async (keyType) => {
    const master = masterOf(keyType);
    const child = await cluster.addChild(master, 'm/0');
    const signature = await signed(child);
    const scheme = schemeOf(keyType as Exclude<KeyType, 'DH/secp256k1'>);
    expect(scheme.verify(child.publicKey, payloadOf(keyType), signature)).toBe(true);
    expect(scheme.verify(master.publicKey, payloadOf(keyType), signature)).toBe(false);
  });

  test('of a DH key derives, provably, what its own secret would', async () => {
    const child = await cluster.addChild(masterOf('DH/secp256k1'), 'm/0');
    const point = { domain: utf8('vetkey'), seed: utf8('alice') };
    const outputs = await Promise.all(
      [
        [0, 1],
        [1, 2],
      ].map(async (set) => {
        const authorisation = cluster.sign(cluster.admin, {
          method: 'POST',
          path: `/keys/${child.id}/derive`,
          body: { domain: toHex(point.domain), seed: toHex(point.seed) },
        });
        const partials = new Map<number, Uint8Array>();
        for (const i of set) {
          const signer = signerAt(i);
          partials.set(signer.index, (await signer.ask('derive', { keyId: child.id, ...point, authorisation })).partial);
        }
        return combineDh({ threshold: 1, publicKey: child.publicKey, verificationShares: child.verificationShares, ...point, partials });
      }),
    );
    expect(outputs[0]).toEqual(outputs[1]);
  });

  test('signs after a restart, and when its master is archived', async () => {
    const master = await cluster.addKey('EdDSA/ed25519', { masterKey: true });
    const child = await cluster.addChild(master, 'm/9');
    await cluster.perform(cluster.admin, { method: 'DELETE', path: `/keys/${master.id}` });
    for (const signer of cluster.signers) signer.restart();
    await setUpSeeds(cluster.signers);
    expect(schemeOf('EdDSA/ed25519').verify(child.publicKey, payloadOf('EdDSA/ed25519'), await signed(child))).toBe(true);
    expect(await attempt(master, request(master.id, 'EdDSA/ed25519'))).toEqual(three('Refused BadRequest: the key is archived'));
  });

  test('is not given before it is asked for, whatever can be computed', async () => {
    const asked = cluster.signers.map((signer) => outcomeOf(signer.ask('describeKey', { keyId: 'key-none' })));
    expect(await Promise.all(asked)).toEqual(three('UnknownKey: this signer holds no share of key key-none'));
  });
});

describe('a thief in the place of the service', () => {
  let master: TestKey;
  let child: TestKey;
  beforeAll(async () => {
    master = await cluster.addKey('ECDSA/secp256k1', { masterKey: true });
    child = await cluster.addChild(master, 'm/0');
  });

  test('has a child signed for by a request to the master, or the master by one to a child: refused', async () => {
    const forMaster = `Refused Forbidden: the request is for key ${master.id}, the session for ${child.id}`;
    expect(await attempt(child, request(master.id, 'ECDSA/secp256k1'))).toEqual(three(forMaster));
    const forChild = `Refused Forbidden: the request is for key ${child.id}, the session for ${master.id}`;
    expect(await attempt(master, request(child.id, 'ECDSA/secp256k1'))).toEqual(three(forChild));
  });

  test('combines a child’s shares as those of another path, or under another chain code: no signature', async () => {
    const { shares, presignature } = await ecdsaSharesOf(child);
    const lies = [
      deriveChild('secp256k1', master, [1]),
      deriveChild('secp256k1', master, [0, 0]),
      deriveChild('secp256k1', { ...master, chainCode: new Uint8Array(32) }, [0]),
      master,
    ];
    for (const { publicKey } of lies) {
      expect(() => combineEcdsa({ ...presignature, curve: 'secp256k1', threshold: 1, publicKey, digest, shares })).toThrow(
        'the signature does not verify',
      );
    }
    const { publicKey } = child;
    expect(combineEcdsa({ ...presignature, curve: 'secp256k1', threshold: 1, publicKey, digest, shares })).toBeDefined();
  });

  test('has shares generated under a child’s id: refused', async () => {
    const task = { kind: 'keygen' as const, keyId: child.id, keyType: child.keyType };
    const question = { sessionId: new Uint8Array(randomBytes(32)), participants: [1, 2, 3], task };
    const opened = cluster.signers.map((signer) => outcomeOf(signer.ask('openSession', question)));
    expect(await Promise.all(opened)).toEqual(three(`Refused Forbidden: key ${child.id} is derived from key ${master.id}, not made`));
  });

  test('uses the same nonces for the master and for its child: the second use is refused', async () => {
    const parent = masterOf('EdDSA/ed25519');
    const own = await cluster.addChild(parent, 'm/77');
    const commitments = await committed(cluster.signers);
    const sharesFor = (key: TestKey) => {
      const asked = { keyId: key.id, payload: payloadOf(key.keyType), payloadIndex: 0, commitments };
      const question = { ...asked, authorisation: request(key.id, key.keyType) };
      return Promise.all(cluster.signers.map((signer) => outcomeOf(signer.ask('signFrost', question))));
    };
    expect(await sharesFor(parent)).toEqual(three('a share'));
    expect(await sharesFor(own)).toEqual(three('UnknownNonces: no such nonces: never made, used, or too old'));
  });
});

function attempt(key: TestKey, authorisation: Authorisation): Promise<string[]> {
  return sharesOf(cluster, { key, payload: payloadOf(key.keyType), authorisation });
}

function signerAt(i: number) {
  const signer = cluster.signers[i];
  if (signer === undefined) throw new Error('there are three');
  return signer;
}

async function signed(key: TestKey): Promise<Signature> {
  const protocol = protocols[key.keyType];
  if (protocol.family === 'ecdsa') {
    const { shares, presignature } = await ecdsaSharesOf(key);
    return combineEcdsa({ ...presignature, curve: protocol.curve, threshold: 1, publicKey: key.publicKey, digest, shares });
  }
  if (protocol.family !== 'frost') throw new Error('it does not sign');
  const [one, two] = [signerAt(0), signerAt(2)];
  const commitments = await committed([one, two], protocol.suite.keyType);
  const payload = payloadOf(key.keyType);
  const question = { keyId: key.id, payload, payloadIndex: 0, commitments, authorisation: request(key.id, key.keyType) };
  const shares = new Map<number, Uint8Array>();
  for (const signer of [one, two]) shares.set(signer.index, (await signer.ask('signFrost', question)).share);
  const { publicKey, verificationShares } = key;
  return aggregate({ suite: protocol.suite, publicKey, verificationShares, commitments: byNumber(commitments), shares, payload });
}

function byNumber<V>(record: Readonly<Record<string, V>>): Map<number, V> {
  return new Map(Object.entries(record).map(([index, value]) => [Number(index), value]));
}

async function ecdsaSharesOf(key: TestKey) {
  const curve = key.keyType === 'ECDSA/stark' ? 'stark' : 'secp256k1';
  const { batch, number, R } = await presigned(cluster.signers, curve);
  const question = {
    keyId: key.id,
    batch,
    number,
    payload: payloadOf(key.keyType),
    payloadIndex: 0,
    authorisation: request(key.id, key.keyType),
  };
  const shares = new Map<number, Uint8Array>();
  for (const signer of cluster.signers) shares.set(signer.index, (await signer.ask('signEcdsa', question)).share);
  return { shares, presignature: { batch, number, R, participants: [1, 2, 3] } };
}
