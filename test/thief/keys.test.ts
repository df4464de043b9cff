/** Keys made, derived from and signed with otherwise than they may be; nonces and presignatures used for what they are not. */

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { toBase64, toHex, utf8 } from '../../src/base/bytes.ts';
import type { KeyType } from '../../src/base/keyTypes.ts';
import type { Params } from '../../src/signer/contract.ts';
import { createCluster, digestOf, type TestCluster, type TestKey } from '../signer/cluster.ts';
import { committed, outcomeOf, presigned, setUpSeeds } from '../signer/shares.ts';

type Commitment = Params<'signFrost'>['commitments'][string];

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
        epoch: 0,
        threshold: 1,
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
    expect(await opened(keyId)).toEqual(three(`Refused: shares of key ${keyId} are being made already`));
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

  const unknown = 'UnknownNonces: no such nonces: never made, used, or too old';
  const question = async (key = eddsa) => ({ keyId: key.id, payload, payloadIndex: 0, commitments: await committed(cluster.signers) });
  const shares = (asked: Omit<Params<'signFrost'>, 'authorisation'>, key = eddsa) =>
    ofAll((signer) => signer.ask('signFrost', { ...asked, authorisation: request(key) }));
  /** The question with each signer's own commitment changed. */
  const changed = (
    asked: Awaited<ReturnType<typeof question>>,
    change: (own: Commitment, all: Record<string, Commitment>, index: number) => Partial<Commitment>,
  ) =>
    ofAll((signer) => {
      const own = asked.commitments[signer.index];
      const commitments = {
        ...asked.commitments,
        ...(own && { [signer.index]: { ...own, ...change(own, asked.commitments, signer.index) } }),
      };
      return signer.ask('signFrost', { ...asked, commitments, authorisation: request(eddsa) });
    });

  test('that were never made serve nobody', async () => {
    const asked = await question();
    expect(await changed(asked, () => ({ batch: new Uint8Array(32) }))).toEqual(three(unknown));
    expect(await changed(asked, () => ({ number: 1 }))).toEqual(three(unknown));
    expect(await shares(asked)).toEqual(three('a share'));
  });

  test('serve once, also for another authorised request', async () => {
    const asked = await question();
    expect(await shares(asked)).toEqual(three('a share'));
    expect(await shares(asked)).toEqual(three(unknown));
  });

  test('serve one key, whichever comes first', async () => {
    const another = await cluster.addKey('EdDSA/ed25519');
    const asked = await question();
    expect(await shares({ ...asked, keyId: another.id }, another)).toEqual(three('a share'));
    expect(await shares(asked)).toEqual(three(unknown));
  });

  test('serve one of many that race for them', async () => {
    const asked = await question();
    const [signer] = cluster.signers;
    const race = Array.from(
      { length: 20 },
      () => signer && outcomeOf(signer.ask('signFrost', { ...asked, authorisation: request(eddsa) })),
    );
    const outcomes = await Promise.all(race);
    expect(outcomes.filter((outcome) => outcome === 'a share')).toHaveLength(1);
    expect(outcomes.filter((outcome) => outcome === unknown)).toHaveLength(19);
  });

  test('of one suite serve no key of another', async () => {
    const schnorr = await cluster.addKey('Schnorr/secp256k1');
    const digest = digestOf('nonces of another suite');
    const body = { kind: 'Hash', hash: toHex(digest), taprootMerkleRoot: '' };
    const authorisation = () => cluster.sign(cluster.admin, { method: 'POST', path: `/keys/${schnorr.id}/signatures`, body });
    const asked = { keyId: schnorr.id, payload: { bytes: digest, taprootMerkleRoot: new Uint8Array() }, payloadIndex: 0 };
    const sharesWith = (commitments: Params<'signFrost'>['commitments']) =>
      ofAll((signer) => signer.ask('signFrost', { ...asked, commitments, authorisation: authorisation() }));
    expect(await sharesWith(await committed(cluster.signers, 'EdDSA/ed25519'))).toEqual(three(unknown));
    expect(await sharesWith(await committed(cluster.signers, 'Schnorr/secp256k1'))).toEqual(three('a share'));
  });

  test('do not outlive a restart, nor their time', async () => {
    const before = await question();
    for (const signer of cluster.signers) signer.restart();
    expect(await shares(before)).toEqual(three(unknown));
    const old = await question();
    cluster.wait(10 * 60 + 1);
    expect(await shares(old)).toEqual(three(unknown));
  });

  test('give way to newer ones when there are too many, and never come back', async () => {
    const first = await question();
    const [signer] = cluster.signers;
    assert(signer, 'there is a signer');
    for (let made = 0; made < 16_384; made += 256) await signer.ask('commit', { keyType: 'EdDSA/ed25519', count: 256 });
    expect(await outcomeOf(signer.ask('signFrost', { ...first, authorisation: request(eddsa) }))).toBe(unknown);
  });

  test('in a list without one’s own commitment make no share', async () => {
    const asked = await question();
    const without = await ofAll((signer) => {
      const { [signer.index]: _, ...commitments } = asked.commitments;
      return signer.ask('signFrost', { ...asked, commitments, authorisation: request(eddsa) });
    });
    expect(without).toEqual(three('Refused: the commitments are without this signer’s own'));
  });

  test('with another commitment than theirs make no share, and are gone', async () => {
    const notOurs = three(expect.stringMatching(/^Aborted: /));
    const swaps: readonly ((own: Commitment, all: Record<string, Commitment>, index: number) => Partial<Commitment>)[] = [
      ({ hiding, binding }) => ({ hiding: binding, binding: hiding }),
      ({ hiding }) => ({ binding: hiding }),
      ({ hiding }) => ({ hiding: hiding.map((byte, at) => (at === 0 ? byte ^ 1 : byte)) }),
      (_, all, index) => {
        const { hiding, binding } = all[(index % 3) + 1] ?? assert.fail('there is another signer');
        return { hiding, binding };
      },
    ];
    for (const swap of swaps) {
      const asked = await question();
      expect(await changed(asked, swap)).toEqual(notOurs);
      expect(await shares(asked)).toEqual(three(unknown));
    }
  });

  test('of another signer serve nobody else', async () => {
    const asked = await question();
    expect(await changed(asked, (_, all, index) => all[(index % 3) + 1] ?? assert.fail('there is another signer'))).toEqual(three(unknown));
  });

  test('with a commitment of somebody else that is no point make no share', async () => {
    const asked = await question();
    const outcomes = await ofAll((signer) => {
      const other = (signer.index % 3) + 1;
      const theirs = asked.commitments[other] ?? assert.fail('there is another signer');
      const commitments = { ...asked.commitments, [other]: { ...theirs, hiding: new Uint8Array(32).fill(0xff) } };
      return signer.ask('signFrost', { ...asked, commitments, authorisation: request(eddsa) });
    });
    expect(outcomes).toEqual(three(expect.stringMatching(/^Aborted: .*the message of participant \d is not good/)));
  });
});

test('seeds are made by all signers or by none', async () => {
  const question = { sessionId: new Uint8Array(randomBytes(32)), participants: [1, 2], task: { kind: 'seeds' as const } };
  expect(await Promise.all(cluster.signers.slice(0, 2).map((signer) => outcomeOf(signer.ask('openSession', question))))).toEqual(
    Array(2).fill('Refused: seeds are set up by all 3 signers of the cluster'),
  );
});
