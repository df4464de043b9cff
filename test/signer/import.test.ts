/** Keys that come in, at the signers: whoever split them, they are dealt anew; what does not fit is refused, and nobody holds a share. */

import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { toHex } from '../../src/base/bytes.ts';
import { type KeyType, keyTypes, shareProtocols } from '../../src/base/keyTypes.ts';
import { SignerFailures } from '../../src/coordinator/quorum.ts';
import { runSession } from '../../src/coordinator/session.ts';
import { combine as combineEcdsa } from '../../src/mpc/ecdsa/combine.ts';
import { idOf } from '../authority/world.ts';
import { handedIn, newOwner, newTravelPair, type Owner, type ShareText, sealTo } from '../support/travellingKeys.ts';
import { createCluster, digestOf, type TestCluster } from './cluster.ts';
import { outcomeOf, presigned, setUpSeeds } from './shares.ts';

let cluster: TestCluster;
beforeAll(async () => {
  cluster = await createCluster();
  await setUpSeeds(cluster.signers);
});
afterAll(() => cluster.close());

type Bundle = ReturnType<typeof handedIn>;
type Shares = Bundle['encryptedKeyShares'];
type Change = (share: ShareText, number: number) => unknown;
const three = <T>(said: T): T[] => [said, said, said];

const split = (owner: Owner, minSigners = 2, change?: Change) => handedIn(owner, cluster.file.signers, minSigners, change);

async function asked(bundle: Bundle, keyType: KeyType, more: object = {}): Promise<string> {
  const body = { protocol: shareProtocols[keyType][0], ...bundle, ...more };
  return idOf(await cluster.perform(cluster.admin, { method: 'POST', path: '/keys/import', body }), 'key');
}

/** Hex of the public key that all signers hold then. */
async function dealt(keyId: string, shares: Shares): Promise<string> {
  const outcomes = await runSession(
    cluster.signers.map(({ link }) => link),
    { kind: 'import', keyId, shares },
  );
  const keys = new Set([...outcomes.values()].map((outcome) => (outcome.kind === 'keygen' ? toHex(outcome.publicKey) : '')));
  expect(keys.size).toBe(1);
  return [...keys].join();
}

/** What each signer that fails says, by its number among those sorted by id. */
async function refusals(keyId: string, shares: Shares): Promise<string[]> {
  const failed: unknown = await dealt(keyId, shares).catch((error: unknown) => error);
  if (!(failed instanceof SignerFailures)) throw failed;
  expect(await held(keyId)).toEqual(three(`UnknownKey: this signer holds no share of key ${keyId}`));
  return failed.failures.map(({ code, refusal, reason }) => `${code}${refusal === undefined ? '' : ` ${refusal}`}: ${reason}`);
}

const held = (keyId: string) => Promise.all(cluster.signers.map((signer) => outcomeOf(signer.ask('describeKey', { keyId }))));

describe('an imported key', () => {
  const types = Object.keys(keyTypes) as KeyType[];
  test.each(types.flatMap((keyType) => [2, 3].map((minSigners) => ({ keyType, minSigners }))))(
    'of type $keyType, split for any $minSigners, is its owner’s',
    async ({ keyType, minSigners }) => {
      const owner = newOwner(keyTypes[keyType].curve);
      const bundle = split(owner, minSigners);
      const keyId = await asked(bundle, keyType);
      expect(await dealt(keyId, bundle.encryptedKeyShares)).toBe(owner.publicKey);
      for (const signer of cluster.signers) signer.restart();
      await setUpSeeds(cluster.signers);
      expect(await held(keyId)).toEqual(three('a share'));
    },
  );

  test('may come with its public shares compressed', async () => {
    const owner = newOwner('secp256k1');
    const compressed = (point: string) => `${/[02468ace]$/.test(point) ? '02' : '03'}${point.slice(2, 66)}`;
    const bundle = split(owner, 2, (share) => ({
      ...share,
      public_shares: share.public_shares.map(({ curve, point }) => ({ curve, point: compressed(point) })),
    }));
    expect(await dealt(await asked(bundle, 'Schnorr/secp256k1'), bundle.encryptedKeyShares)).toBe(owner.publicKey);
  });

  test('signs, and has children if it was asked for as a master', async () => {
    const owner = newOwner('secp256k1');
    const bundle = split(owner, 3);
    const keyId = await asked(bundle, 'ECDSA/secp256k1', { masterKey: true });
    await dealt(keyId, bundle.encryptedKeyShares);
    const master = { id: keyId, keyType: 'ECDSA/secp256k1' as const };
    const child = await cluster.addChild(
      { ...master, epoch: 0, publicKey: new Uint8Array(), verificationShares: new Map(), chainCode: new Uint8Array() },
      'm/1',
    );
    for (const { id, publicKey } of [{ id: keyId, publicKey: Buffer.from(owner.publicKey, 'hex') }, child]) {
      const digest = digestOf(id);
      const body = { kind: 'Hash', hash: toHex(digest) };
      const authorisation = cluster.sign(cluster.admin, { method: 'POST', path: `/keys/${id}/signatures`, body });
      const { batch, number, R } = await presigned(cluster.signers);
      const shares = new Map<number, Uint8Array>();
      for (const signer of cluster.signers) {
        const question = { keyId: id, batch, number, payload: { bytes: digest }, payloadIndex: 0, authorisation };
        shares.set(signer.index, (await signer.ask('signEcdsa', question)).share);
      }
      const use = { curve: 'secp256k1' as const, threshold: 1, digest, batch, number, participants: [1, 2, 3], R, shares };
      expect(combineEcdsa({ ...use, publicKey: new Uint8Array(publicKey) })).toBeDefined();
    }
  });
});

describe('what the owner got wrong is refused, naming what', () => {
  const keyType = 'EdDSA/ed25519';
  const curve = 'ed25519';
  const refused = async (change: Change, owner = newOwner(curve)) => {
    const bundle = split(owner, 2, change);
    return refusals(await asked(bundle, keyType), bundle.encryptedKeyShares);
  };
  const other =
    (change: (share: ShareText) => unknown): Change =>
    (share, number) =>
      number === 2 ? change(share) : share;

  test.each<readonly [string, (share: ShareText) => unknown, string]>([
    ['no JSON', () => 'secret', 'Refused BadRequest: its share is not of the form for keys on ed25519: '],
    [
      'another version',
      (share) => ({ ...share, version: 2 }),
      'Refused BadRequest: its share is not of the form for keys on ed25519: version',
    ],
    [
      'a share on another curve',
      (share) => ({ ...share, secret_share: { ...share.secret_share, curve: 'secp256k1' } }),
      'Refused BadRequest: its share is not of the form for keys on ed25519: secret_share.curve',
    ],
    [
      'a scalar beyond the order',
      (share) => ({ ...share, secret_share: { ...share.secret_share, scalar: 'f'.repeat(64) } }),
      'Refused BadRequest: a share is a scalar below the order of its curve',
    ],
    [
      'a share that is not the one of the public share',
      (share) => ({ ...share, secret_share: { ...share.secret_share, scalar: '1'.padStart(64, '0') } }),
      'Refused BadRequest: the share of signer number 2 does not belong to its public share',
    ],
    [
      'a public share missing',
      (share) => ({ ...share, public_shares: share.public_shares.slice(0, 2) }),
      'Refused BadRequest: there are 2 public shares for 3 signers',
    ],
    [
      'a public share that is no point',
      (share) => ({ ...share, public_shares: [...share.public_shares.slice(0, 2), { curve, point: 'ff'.repeat(32) }] }),
      'Refused BadRequest: public share number 3 is no point of ed25519',
    ],
  ])('%s', async (_, change, reason) => {
    expect(await refused(other(change))).toEqual([reason]);
  });

  test('shares that were swapped between signers', async () => {
    const bundle = split(newOwner(curve));
    const [one, two, last] = bundle.encryptedKeyShares;
    if (!one || !two || !last) throw new Error('there are three');
    const swapped = [{ ...one, encryptedKeyShare: two.encryptedKeyShare }, { ...two, encryptedKeyShare: one.encryptedKeyShare }, last];
    const keyId = await asked({ ...bundle, encryptedKeyShares: swapped }, keyType);
    expect(await refusals(keyId, swapped)).toEqual(Array(2).fill('Refused BadRequest: its share is not encrypted to it'));
  });

  test('a share encrypted to nobody here', async () => {
    const bundle = split(newOwner(curve));
    const stranger = newTravelPair().encryptionKey;
    const shares = bundle.encryptedKeyShares.map((share, at) =>
      at === 0 ? { ...share, encryptedKeyShare: sealTo(stranger, 'a share') } : share,
    );
    expect(await refusals(await asked({ ...bundle, encryptedKeyShares: shares }, keyType), shares)).toEqual([
      'Refused BadRequest: its share is not encrypted to it',
    ]);
  });

  test('public shares that differ from signer to signer, each fitting its own share', async () => {
    const owner = newOwner(curve);
    const [mine, theirs] = [split(owner), split(owner)];
    const shares = mine.encryptedKeyShares.map((share, at) => (at === 1 ? (theirs.encryptedKeyShares[at] ?? share) : share));
    const said = await refusals(await asked({ ...mine, encryptedKeyShares: shares }, keyType), shares);
    expect(said).toEqual(
      three(expect.stringMatching(/^Refused BadRequest: the public shares that went to participant \d are others than/)),
    );
  });

  test('another degree than minSigners says', async () => {
    const bundle = { ...split(newOwner(curve), 3), minSigners: 2 };
    expect(await refusals(await asked(bundle, keyType), bundle.encryptedKeyShares)).toEqual(
      three('Refused BadRequest: not any 2 of the public shares make the same key'),
    );
  });
});

describe('a thief in the place of the service', () => {
  const keyType: KeyType = 'EdDSA/ed25519';
  const opened = (keyId: string, shares: Shares, participants = [1, 2, 3]) => {
    const question = { sessionId: new Uint8Array(randomBytes(32)), participants, task: { kind: 'import' as const, keyId, shares } };
    return Promise.all(
      cluster.signers.filter(({ index }) => participants.includes(index)).map((signer) => outcomeOf(signer.ask('openSession', question))),
    );
  };

  test('brings other shares than the request: refused', async () => {
    const [owners, thiefs] = [split(newOwner('ed25519')), split(newOwner('ed25519'))];
    const keyId = await asked(owners, keyType);
    const reason = `Refused Forbidden: these are not the shares that came with the request for key ${keyId}`;
    expect(await opened(keyId, thiefs.encryptedKeyShares)).toEqual(three(reason));
    const mixed = owners.encryptedKeyShares.map((share, at) => (at === 0 ? (thiefs.encryptedKeyShares[0] ?? share) : share));
    expect(await opened(keyId, mixed)).toEqual(three(reason));
    expect(await opened(keyId, owners.encryptedKeyShares.toReversed())).toEqual(three(reason));
  });

  test('imports into a key that was to be made, or makes one that was to be imported: refused', async () => {
    const bundle = split(newOwner('ed25519'));
    const made = await cluster.requestKey(keyType);
    expect(await opened(made, bundle.encryptedKeyShares)).toEqual(
      three(`Refused Forbidden: key ${made} was not asked for as one that is imported`),
    );
    const keyId = await asked(bundle, keyType);
    const question = {
      sessionId: new Uint8Array(randomBytes(32)),
      participants: [1, 2, 3],
      task: { kind: 'keygen' as const, keyId, keyType },
    };
    expect(await Promise.all(cluster.signers.map((signer) => outcomeOf(signer.ask('openSession', question))))).toEqual(
      three(`Refused Forbidden: key ${keyId} is imported, not made`),
    );
  });

  test('imports the same twice, or without an entry: refused', async () => {
    const bundle = split(newOwner('ed25519'));
    expect(await opened('key-none', bundle.encryptedKeyShares)).toEqual(three('Refused NotFound: Key not found'));
    const keyId = await asked(bundle, keyType);
    await dealt(keyId, bundle.encryptedKeyShares);
    expect(await opened(keyId, bundle.encryptedKeyShares)).toEqual(three(`Refused: key ${keyId} has a share already`));
  });

  test('leaves a signer out: refused', async () => {
    const bundle = split(newOwner('ed25519'));
    const keyId = await asked(bundle, keyType);
    expect(await opened(keyId, bundle.encryptedKeyShares, [1, 2])).toEqual(
      Array(2).fill('Refused: keys are imported by all 3 signers of the cluster'),
    );
  });

  test('finds nothing of a share in what signers say or log', async () => {
    const owner = newOwner('ed25519');
    const scalars: string[] = [];
    const bundle = split(owner, 2, (share, number) => {
      scalars.push(share.secret_share.scalar);
      return number === 3 ? { ...share, version: 7 } : share;
    });
    const said = await refusals(await asked(bundle, keyType), bundle.encryptedKeyShares);
    const logged = JSON.stringify(cluster.signers.map((signer) => signer.logged)) + said.join();
    for (const scalar of scalars) expect(logged.includes(scalar)).toBe(false);
    expect(logged).toContain('its share is not of the form');
  });
});
