/** Keys made, derived from and signed with otherwise than they may be; nonces and presignatures used for what they are not. */

import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { toBase64, toHex, utf8 } from '../../src/base/bytes.ts';
import type { KeyType } from '../../src/base/keyTypes.ts';
import type { Params } from '../../src/signer/contract.ts';
import { createCluster, digestOf, type TestCluster, type TestKey } from '../signer/cluster.ts';
import { outcomeOf, presigned, setUpSeeds } from '../signer/shares.ts';

let cluster: TestCluster;
let eddsa: TestKey;
let ecdsa: TestKey;
let stark: TestKey;
let dh: TestKey;
beforeAll(async () => {
  cluster = await createCluster();
  await setUpSeeds(cluster.signers);
  eddsa = await cluster.addKey('EdDSA/ed25519');
  ecdsa = await cluster.addKey('ECDSA/secp256k1');
  stark = await cluster.addKey('ECDSA/stark');
  dh = await cluster.addKey('DH/secp256k1');
});
afterAll(() => cluster.close());

const ofAll = (ask: (signer: TestCluster['signers'][number]) => Promise<unknown>) =>
  Promise.all(cluster.signers.map((signer) => outcomeOf(ask(signer))));
const three = <T>(said: T): T[] => [said, said, said];

describe('the description of a key', () => {
  test('is public: no share is in it, nor anything that only one signer has', async () => {
    for (const key of [eddsa, ecdsa, stark, dh]) {
      const answers = await Promise.all(
        cluster.signers.map((signer) => signer.answer({ number: 1, method: 'describeKey', params: { keyId: key.id } })),
      );
      const inText = (shares: ReadonlyMap<number, Uint8Array>) => Object.fromEntries([...shares].map(([i, share]) => [i, toBase64(share)]));
      const all = {
        keyType: key.keyType,
        publicKey: toBase64(key.publicKey),
        verificationShares: inText(key.verificationShares),
        chainCode: toBase64(key.chainCode),
      };
      expect(answers).toEqual(three({ number: 1, result: all }));
    }
  });

  test('of a key that was only asked for, or never was, is not given', async () => {
    for (const keyId of [await cluster.requestKey('EdDSA/ed25519'), 'key-none']) {
      const described = cluster.signers.map((signer) => outcomeOf(signer.ask('describeKey', { keyId })));
      expect(await Promise.all(described)).toEqual(three(`UnknownKey: this signer holds no share of key ${keyId}`));
    }
  });
});

describe('key generation', () => {
  const opened = (keyId: string, keyType: KeyType = 'EdDSA/ed25519', participants = [1, 2, 3]) => {
    const question = { sessionId: new Uint8Array(randomBytes(32)), participants, task: { kind: 'keygen' as const, keyId, keyType } };
    return ofAll((signer) => signer.ask('openSession', question));
  };

  test('without an entry', async () => {
    expect(await opened('key-aaaaa-aaaaa-aaaaaaaaaaaaaaaa')).toEqual(three('Refused NotFound: Key not found'));
  });

  test('of another type than was asked for', async () => {
    const keyId = await cluster.requestKey('EdDSA/ed25519');
    expect(await opened(keyId, 'ECDSA/secp256k1')).toEqual(
      three(`Refused Forbidden: key ${keyId} was asked for as EdDSA/ed25519, the session makes ECDSA/secp256k1`),
    );
  });

  test('twice', async () => {
    expect(await opened(eddsa.id)).toEqual(three(`Refused: key ${eddsa.id} has a share already`));
  });

  test('twice, the second before the first has ended', async () => {
    const keyId = await cluster.requestKey('EdDSA/ed25519');
    expect(await opened(keyId)).toEqual(three('a share'));
    expect(await opened(keyId)).toEqual(three(`Refused: key ${keyId} is being generated already`));
  });

  test('of a key that was archived before it was made', async () => {
    const keyId = await cluster.requestKey('EdDSA/ed25519');
    await cluster.perform(cluster.admin, { method: 'DELETE', path: `/keys/${keyId}` });
    expect(await opened(keyId)).toEqual(three('Refused BadRequest: the key is archived'));
  });

  test('over again after a restart', async () => {
    for (const signer of cluster.signers) signer.restart();
    await setUpSeeds(cluster.signers);
    expect(await opened(dh.id, 'DH/secp256k1')).toEqual(three(`Refused: key ${dh.id} has a share already`));
  });

  test('among strangers', async () => {
    const keyId = await cluster.requestKey('EdDSA/ed25519');
    expect(await opened(keyId, 'EdDSA/ed25519', [1, 2, 3, 4])).toEqual(
      three('BadQuestion: participants must be signers of this cluster, ascending, this one included'),
    );
  });
});

describe('derivation', () => {
  const point = { domain: utf8('vetkey'), seed: utf8('alice') };
  const request = (key = dh, path = `/keys/${key.id}/derive`) =>
    cluster.sign(cluster.admin, { method: 'POST', path, body: { domain: toHex(point.domain), seed: toHex(point.seed) } });
  const derived = (over: Partial<Params<'derive'>> = {}) => {
    const question = { keyId: dh.id, ...point, authorisation: request(), ...over };
    return ofAll((signer) => signer.ask('derive', question));
  };

  test('that was asked for is done', async () => expect(await derived()).toEqual(three('a share')));

  const elsewhere = 'Refused Forbidden: the request is for another domain and seed than the session';
  test.each<readonly [string, () => Partial<Params<'derive'>>, string | RegExp]>([
    ['in another domain', () => ({ domain: utf8('other') }), elsewhere],
    ['of another seed', () => ({ seed: utf8('bob') }), elsewhere],
    ['with domain and seed cut elsewhere', () => ({ domain: utf8('vetkeya'), seed: utf8('lice') }), elsewhere],
    [
      'with a key that signs',
      () => ({ keyId: ecdsa.id, authorisation: request(ecdsa) }),
      'Refused BadRequest: derive is for DH keys; this key is ECDSA',
    ],
    ['with another key than the request’s', () => ({ keyId: ecdsa.id }), /^Refused Forbidden: the request is for key key-/],
    [
      'by a request to sign',
      () => ({ authorisation: request(dh, `/keys/${dh.id}/signatures`) }),
      /^Refused Forbidden: the request is POST \/keys\/key-\S+\/signatures, not POST \/keys\/:keyId\/derive$/,
    ],
    [
      'by a request to make a key',
      () => ({ authorisation: request(dh, '/keys') }),
      'Refused Forbidden: the request is POST /keys, not POST /keys/:keyId/derive',
    ],
  ])('%s', async (_, over, reason) => {
    expect(await derived(over())).toEqual(three(typeof reason === 'string' ? reason : expect.stringMatching(reason)));
  });

  test('by one who may only sign', async () => {
    const actor = await cluster.addAccount(['Keys:Signatures:Create']);
    const authorisation = cluster.sign(actor, {
      method: 'POST',
      path: `/keys/${dh.id}/derive`,
      body: { domain: toHex(point.domain), seed: '' },
    });
    expect(await derived({ authorisation, seed: new Uint8Array() })).toEqual(
      three(expect.stringMatching(/is not authorized to perform operation \(Keys:Derive\)$/)),
    );
  });
});

describe('presignatures', () => {
  const digest = digestOf('gold');
  const request = (key: TestKey) =>
    cluster.sign(cluster.admin, { method: 'POST', path: `/keys/${key.id}/signatures`, body: { kind: 'Hash', hash: toHex(digest) } });
  const signed = (key: TestKey, presignature: { batch: Uint8Array; number: number }, authorisation = request(key)) =>
    ofAll((signer) =>
      signer.ask('signEcdsa', { keyId: key.id, ...presignature, payload: { bytes: digest }, payloadIndex: 0, authorisation }),
    );
  const unknown = 'UnknownPresignature: no such presignature: never made, used, or too old';

  test('serve once, also for another authorised request', async () => {
    const presignature = await presigned(cluster.signers);
    expect(await signed(ecdsa, presignature)).toEqual(three('a share'));
    expect(await signed(ecdsa, presignature)).toEqual(three(unknown));
  });

  test('of one curve serve no key of another', async () => {
    expect(await signed(stark, await presigned(cluster.signers, 'secp256k1'))).toEqual(three(unknown));
    expect(await signed(ecdsa, await presigned(cluster.signers, 'stark'))).toEqual(three(unknown));
  });

  test('that were never made serve nobody', async () => {
    const { batch, number } = await presigned(cluster.signers);
    expect(await signed(ecdsa, { batch: new Uint8Array(32), number })).toEqual(three(unknown));
    expect(await signed(ecdsa, { batch, number: 1 })).toEqual(three(unknown));
  });

  test('are gone after a restart', async () => {
    const presignature = await presigned(cluster.signers);
    for (const signer of cluster.signers) signer.restart();
    expect(await signed(ecdsa, presignature)).toEqual(three(unknown));
  });

  test('are not used up by a request that is refused', async () => {
    const presignature = await presigned(cluster.signers);
    const refused = cluster.sign(cluster.admin, {
      method: 'POST',
      path: `/keys/${eddsa.id}/signatures`,
      body: { kind: 'Hash', hash: toHex(digest) },
    });
    expect(await signed(ecdsa, presignature, refused)).toEqual(three(expect.stringMatching(/^Refused Forbidden: the request is for key /)));
    expect(await signed(ecdsa, presignature)).toEqual(three('a share'));
  });

  test('sign for no EdDSA key', async () => {
    expect(await signed(eddsa, await presigned(cluster.signers))).toEqual(three('Refused: a EdDSA/ed25519 key does not sign ECDSA'));
  });
});

describe('nonces', () => {
  const payload = { bytes: utf8('gold') };
  const body = { kind: 'Message', message: toHex(payload.bytes) };
  const request = (key: TestKey) => cluster.sign(cluster.admin, { method: 'POST', path: `/keys/${key.id}/signatures`, body });

  async function committed(key = eddsa) {
    const sessionId = new Uint8Array(randomBytes(32));
    const commitments = Object.fromEntries(
      await Promise.all(
        cluster.signers.map(async (signer) => [signer.index, await signer.ask('commit', { sessionId, keyId: key.id })] as const),
      ),
    );
    return { sessionId, keyId: key.id, payload, payloadIndex: 0, commitments };
  }

  test('of another session serve nobody', async () => {
    const question = { ...(await committed()), sessionId: new Uint8Array(32), authorisation: request(eddsa) };
    expect(await ofAll((signer) => signer.ask('signFrost', question))).toEqual(
      three('UnknownSession: no nonces of this session: never made, used, or too old'),
    );
  });

  test('of one key serve no other', async () => {
    const another = await cluster.addKey('EdDSA/ed25519');
    const question = { ...(await committed()), keyId: another.id, authorisation: request(another) };
    expect(await ofAll((signer) => signer.ask('signFrost', question))).toEqual(
      three('UnknownSession: no nonces of this session: never made, used, or too old'),
    );
  });

  test('serve once, also for another authorised request', async () => {
    const question = await committed();
    expect(await ofAll((signer) => signer.ask('signFrost', { ...question, authorisation: request(eddsa) }))).toEqual(three('a share'));
    expect(await ofAll((signer) => signer.ask('signFrost', { ...question, authorisation: request(eddsa) }))).toEqual(
      three('UnknownSession: no nonces of this session: never made, used, or too old'),
    );
  });

  test('of one session are made once', async () => {
    const { sessionId, keyId } = await committed();
    expect(await ofAll((signer) => signer.ask('commit', { sessionId, keyId }))).toEqual(
      three('Refused: this session has its nonces already'),
    );
  });

  test('are not given for keys that do not sign so', async () => {
    for (const [key, reason] of [
      [ecdsa, 'Refused: a ECDSA/secp256k1 key does not sign by FROST'],
      [dh, 'Refused: a DH/secp256k1 key does not sign by FROST'],
    ] as const) {
      expect(await ofAll((signer) => signer.ask('commit', { sessionId: new Uint8Array(randomBytes(32)), keyId: key.id }))).toEqual(
        three(reason),
      );
    }
  });

  test('in a list without one’s own commitment, or with another in its place, make no share', async () => {
    const question = await committed();
    const [first] = cluster.signers;
    const { 1: _, ...without } = question.commitments;
    const [, , other] = [question.commitments[1], question.commitments[2], question.commitments[3]];
    expect(
      first && (await outcomeOf(first.ask('signFrost', { ...question, commitments: without, authorisation: request(eddsa) }))),
    ).toMatch(/^Aborted: /);
    const again = await committed();
    const exchanged = { ...again.commitments, ...(other && { 1: other }) };
    expect(first && (await outcomeOf(first.ask('signFrost', { ...again, commitments: exchanged, authorisation: request(eddsa) })))).toMatch(
      /^Aborted: /,
    );
  });
});

test('seeds are made by all signers or by none', async () => {
  const question = { sessionId: new Uint8Array(randomBytes(32)), participants: [1, 2], task: { kind: 'seeds' as const } };
  expect(await Promise.all(cluster.signers.slice(0, 2).map((signer) => outcomeOf(signer.ask('openSession', question))))).toEqual(
    Array(2).fill('Refused: seeds are set up by all 3 signers of the cluster'),
  );
});
