/** A signer lost and got back from its backup: what it may do again, what it must not, and what of a backup nobody can change or read. */

import { randomBytes } from 'node:crypto';
import {
  closeSync,
  cpSync,
  existsSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { encodeEntry, entryAfter, headOf } from '../../src/authority/entry.ts';
import { headMessage } from '../../src/authority/signedHead.ts';
import { toBase64Url } from '../../src/base/bytes.ts';
import { assert, reasonsOf } from '../../src/base/errors.ts';
import { type KeyType, keyTypes } from '../../src/base/keyTypes.ts';
import { readKeyEncryption } from '../../src/config.ts';
import { groupOf } from '../../src/crypto/groups/index.ts';
import { newRecoveryKey } from '../../src/crypto/recoveryKey.ts';
import { seal, unseal } from '../../src/crypto/seal.ts';
import { bindingOf, type Header, type Openers, recipientsFor, textOf } from '../../src/signer/backup/format.ts';
import { openBackup } from '../../src/signer/backup/read.ts';
import { restoreSigner } from '../../src/signer/backup/restore.ts';
import { writeSealedLines } from '../../src/signer/backup/sealedLines.ts';
import { backUpSigner } from '../../src/signer/backup/write.ts';
import { openKeyEncryptionKey } from '../../src/signer/keyEncryption/open.ts';
import { recoverKeys } from '../../src/signer/recoverKeys.ts';
import { shareBinding } from '../../src/signer/shares.ts';
import type { NamedShare } from '../../src/signer/store.ts';
import { createCluster, type TestCluster, type TestKey, type TestSigner } from './cluster.ts';
import { coordinate } from './coordinated.ts';
import { outcomeOf, setUpSeeds, sharesOf } from './shares.ts';

const settings = readKeyEncryption({});
const recovery = newRecoveryKey();
const byKey: Openers = { recoveryKeys: [recovery.privateKey], passphrases: [] };
const recipients = { publicKeys: [recovery.publicKey], passphrase: undefined };

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'countersign-backup-'));
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

let files = 0;
const newFile = () => join(directory, `${++files}.backup`);

async function backedUp({ dataDir }: TestSigner, clock: () => number, to = newFile()): Promise<string> {
  await backUpSigner({ dataDir, settings, to, recipients, clock });
  return to;
}

/** What it says when it refuses. */
const refusal = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => Promise.reject(new Error('it did not refuse')),
    (error) => reasonsOf(error).join(': '),
  );

/** The directory is gone, and comes back from the backup; the signer runs on it. */
async function lostAndRestored(signer: TestSigner, from: string, clock: () => number, isWitnessed = true): Promise<Header> {
  signer.stop();
  rmSync(signer.dataDir, { recursive: true });
  const header = await restoreSigner({ dataDir: signer.dataDir, settings, from, openers: byKey, isWitnessed, clock });
  signer.start(await openKeyEncryptionKey(signer.dataDir, settings));
  return header;
}

describe('a signer that comes back', () => {
  let cluster: TestCluster;
  let key: TestKey;
  let [first, second, third]: TestSigner[] = [];
  beforeEach(async () => {
    cluster = await createCluster();
    key = await cluster.addKey('EdDSA/ed25519');
    [first, second, third] = cluster.signers;
    return () => cluster.close();
  });

  const signed = (at = cluster.registry.head) =>
    cluster.sign(cluster.admin, { method: 'POST', path: `/keys/${key.id}/signatures`, body: { kind: 'Message', message: '0x01' } }, { at });
  const sign = (authorisation = signed(), of = key) => sharesOf(cluster, { key: of, payload: { bytes: Uint8Array.of(1) }, authorisation });
  const signers = () => {
    assert(first && second && third, 'there are three signers');
    return [first, second, third] as const;
  };
  const headsOf = async (...some: readonly TestSigner[]) => Promise.all(some.map(async (one) => (await one.ask('signHead', {})).head));
  const witnessed = async (by: readonly TestSigner[]) => outcomeOf(signers()[0].ask('witness', { heads: await headsOf(...by) }));

  test('signs with every key as before, once others have witnessed its log and its blindness is over', async () => {
    const [one, two, three] = signers();
    await setUpSeeds(cluster.signers);
    const ecdsa = await cluster.addKey('ECDSA/secp256k1');
    const backup = await backedUp(one, cluster.now);
    const before = signed();
    await lostAndRestored(one, backup, cluster.now);
    cluster.wait(1);
    const unwitnessed = /^Unwitnessed: this signer came back and waits for others to witness that its log is complete$/;
    expect(await sign()).toEqual([expect.stringMatching(unwitnessed), 'a share', 'a share']);
    expect(await witnessed([two, three])).toBe('a share');
    // What was authorised before it came back it may have signed.
    const blind = /^Refused Forbidden: the authorisation may have been made before this signer lost its memory of what it has signed$/;
    expect(await sign(before)).toEqual([expect.stringMatching(blind), 'a share', 'a share']);
    cluster.wait(31);
    expect(await sign()).toEqual(Array(3).fill('a share'));
    // It has no seeds: the cluster makes new ones, and ECDSA goes on.
    expect((await one.ask('hello', {})).seeds).toBe('');
    await setUpSeeds(cluster.signers);
    const digest = new Uint8Array(32).fill(1);
    const body = { kind: 'Hash', hash: Buffer.from(digest).toString('hex') };
    const authorisation = cluster.sign(cluster.admin, { method: 'POST', path: `/keys/${ecdsa.id}/signatures`, body });
    expect(await sharesOf(cluster, { key: ecdsa, payload: { bytes: digest }, authorisation })).toEqual(Array(3).fill('a share'));
    one.stop();
    one.start(await openKeyEncryptionKey(one.dataDir, settings));
    cluster.wait(1);
    expect(await sign()).toEqual(Array(3).fill('a share'));
  });

  test('from an old backup takes the log from the others, and has no share of what came later', async () => {
    const [one, two, three] = signers();
    const backup = await backedUp(one, cluster.now);
    const later = await cluster.addKey('EdDSA/ed25519');
    await lostAndRestored(one, backup, cluster.now);
    cluster.wait(31);
    expect(await witnessed([two, three])).toMatch(/^Behind: the log of another signer goes on after entry 1$/);
    await cluster.catchUp(one);
    expect(await witnessed([two, three])).toBe('a share');
    cluster.wait(31);
    expect(await sign()).toEqual(Array(3).fill('a share'));
    const body = { kind: 'Message', message: '0x01' };
    const authorisation = cluster.sign(cluster.admin, { method: 'POST', path: `/keys/${later.id}/signatures`, body });
    expect(await sharesOf(cluster, { key: later, payload: { bytes: Uint8Array.of(1) }, authorisation })).toEqual([
      `UnknownKey: this signer holds no share of key ${later.id}`,
      'a share',
      'a share',
    ]);
  });

  test('does not vouch for another entry than the one it has forgotten, and does not help another to forget it', async () => {
    const [one, two, three] = signers();
    const backup = await backedUp(one, cluster.now);
    const rival = cluster.sign(cluster.admin, { method: 'POST', path: '/permissions', body: { name: 'rival', operations: ['Keys:Read'] } });
    // The third signer is kept away from an entry that the first two make count.
    await cluster.perform(cluster.admin, { method: 'POST', path: '/permissions', body: { name: 'p', operations: ['Keys:Read'] } }, [
      one,
      two,
    ]);
    await lostAndRestored(one, backup, cluster.now);
    cluster.wait(1);
    const [made] = cluster.entries;
    assert(made, 'the key was asked for');
    const entry = encodeEntry(entryAfter(headOf(made), { authorisation: rival }));
    const vouchers = [...(cluster.vouchers.get(1) ?? [])];
    expect(await outcomeOf(one.ask('append', { entry, vouchers }))).toMatch(/^Unwitnessed/);
    expect(await outcomeOf(three.ask('append', { entry, vouchers }))).toBe('a share');
    // Its head vouches for what it has, and is no evidence of what it lacks: it has no date.
    const [head] = await headsOf(one);
    expect(head).toMatchObject({ sequence: 1, at: 0 });
    cluster.wait(600);
    expect(await outcomeOf(two.ask('release', { heads: await headsOf(one, three) }))).toMatch(/^Refused/);
    expect((await headsOf(two))[0]?.sequence).toBe(2);
  });

  test('is not witnessed by too few, by itself, by what was said before, or by who is not of the cluster', async () => {
    const [one, two, three] = signers();
    const backup = await backedUp(one, cluster.now);
    const early = await headsOf(one, two, three);
    await lostAndRestored(one, backup, cluster.now);
    expect(await outcomeOf(one.ask('witness', { heads: early }))).toBe(
      'Unwitnessed: 0 others have witnessed that the log is complete, it takes 2',
    );
    cluster.wait(1);
    const [ofTwo] = await headsOf(two);
    assert(ofTwo, 'it was said');
    const { head } = cluster.registry;
    const at = cluster.now() / 1000;
    const itself = { ...head, at, signerId: one.signerId, signature: toBase64Url(two.sign(headMessage(cluster.root.clusterId, head, at))) };
    const stranger = { ...ofTwo, signerId: third?.signerId ?? '' };
    for (const heads of [[ofTwo], [ofTwo, ofTwo], [ofTwo, itself], [ofTwo, stranger], [ofTwo, { ...ofTwo, at: at + 1 }]])
      expect(await outcomeOf(one.ask('witness', { heads }))).toMatch(/^Unwitnessed: 1 others have witnessed/);
    expect(await witnessed([two, three])).toBe('a share');
  });

  test('is not witnessed by others who came back as well, unless its operator answers for it', async () => {
    const [one, two, three] = signers();
    const [ofOne, ofTwo] = [await backedUp(one, cluster.now), await backedUp(two, cluster.now)];
    await lostAndRestored(one, ofOne, cluster.now);
    await lostAndRestored(two, ofTwo, cluster.now);
    cluster.wait(31);
    expect(await witnessed([two, three])).toMatch(/^Unwitnessed: 1 others/);
    await lostAndRestored(one, ofOne, cluster.now, false);
    cluster.wait(31);
    expect(await outcomeOf(two.ask('witness', { heads: await headsOf(one, three) }))).toBe('a share');
    cluster.wait(31);
    expect(await sign()).toEqual(Array(3).fill('a share'));
  });
});

describe('a signer from a backup of before its key was dealt anew', () => {
  test('signs nothing with the share of then, is told so, and has its share again once the key is dealt anew', async () => {
    const cluster = await createCluster();
    const coordinator = await coordinate(cluster);
    onTestFinished(async () => {
      await coordinator.close();
      cluster.close();
    });
    const [one] = cluster.signers;
    assert(one, 'there is one');
    const key = await cluster.addKey('ECDSA/secp256k1'); // it takes all three
    const backup = await backedUp(one, cluster.now);
    const moved = { ...key, ...(await coordinator.redeal(key)) };
    expect(await coordinator.settle([key.id])).toEqual([key.id]);
    await coordinator.signText(moved, 'before');

    // Its directory keeps its socket.
    one.stop();
    const restored = join(directory, `restored-${++files}`);
    await restoreSigner({ dataDir: restored, settings, from: backup, openers: byKey, isWitnessed: true, clock: cluster.now });
    for (const file of readdirSync(one.dataDir)) if (file !== 's') rmSync(join(one.dataDir, file));
    cpSync(restored, one.dataDir, { recursive: true });
    one.start(await openKeyEncryptionKey(one.dataDir, settings));
    await coordinator.restart(one);
    cluster.wait(1);

    await coordinator.prepare(); // seeds
    const stale = /signer 1: (this signer )?holds key \S+ of epoch 0, not of epoch 1/;
    expect(await refusal(coordinator.signText(moved, 'stale'))).toMatch(stale);
    expect((await one.ask('hello', {})).awaitsWitness).toBeUndefined();
    cluster.wait(31);
    expect(await refusal(coordinator.signText(moved, 'stale still'))).toMatch(stale);

    const again = { ...moved, ...(await coordinator.redeal(moved)) };
    expect(again.publicKey).toEqual(key.publicKey);
    await coordinator.signText(again, 'whole again');
  });
});

describe('a backup', () => {
  let cluster: TestCluster;
  const masters = new Map<KeyType, TestKey>();
  const types: readonly KeyType[] = ['ECDSA/secp256k1', 'ECDSA/stark', 'EdDSA/ed25519', 'Schnorr/secp256k1', 'DH/secp256k1'];
  let backups: string[] = [];
  beforeAll(async () => {
    cluster = await createCluster();
    await setUpSeeds(cluster.signers);
    for (const keyType of types) masters.set(keyType, await cluster.addKey(keyType, keyType.startsWith('DH') ? {} : { masterKey: true }));
    backups = await Promise.all(cluster.signers.map((signer) => backedUp(signer, cluster.now)));
  });
  afterAll(() => cluster.close());

  const fileOf = (i: number): string => {
    const file = backups[i];
    assert(file, 'every signer was backed up');
    return file;
  };
  const opened = (...which: readonly string[]) => Promise.all(which.map((file) => openBackup(file, byKey)));
  /** All that it says, in the clear. */
  async function linesOf(file: string, openers = byKey) {
    return [...(await openBackup(file, openers)).lines()];
  }

  test('holds identity, TLS key, shares and log, and nothing that serves once or is the cluster’s alone', async () => {
    const lines = await linesOf(fileOf(0));
    expect([...new Set(lines.map(({ kind }) => kind))]).toEqual(['cluster', 'secret', 'share', 'entry']);
    expect(lines.flatMap((line) => (line.kind === 'secret' ? [line.name] : []))).toEqual(['identity', 'tls-key']);
    expect(lines.filter(({ kind }) => kind === 'share')).toHaveLength(types.length);
    expect(lines.filter(({ kind }) => kind === 'entry')).toHaveLength(cluster.entries.length);
    expect(statSync(fileOf(0)).mode & 0o777).toBe(0o600);
  });

  test('opens for each of its recipients and for nobody else, and shows none of its secrets', async () => {
    const [signer] = cluster.signers;
    assert(signer, 'there is one');
    const other = newRecoveryKey();
    const passphrase = new TextEncoder().encode('a passphrase on paper');
    const to = newFile();
    const both = { publicKeys: [recovery.publicKey, other.publicKey], passphrase };
    await backUpSigner({ dataDir: signer.dataDir, settings, to, recipients: both, clock: cluster.now });
    const lines = await linesOf(to);
    expect(await linesOf(to, { recoveryKeys: [other.privateKey], passphrases: [] })).toEqual(lines);
    expect(await linesOf(to, { recoveryKeys: [], passphrases: [new Uint8Array(20), passphrase] })).toEqual(lines);
    expect(await refusal(openBackup(to, { recoveryKeys: [newRecoveryKey().privateKey], passphrases: [new Uint8Array(20)] }))).toMatch(
      /none of the keys and passphrases given opens it; it is for recovery key 0[23][0-9a-f]{64}, recovery key 0[23][0-9a-f]{64}, a passphrase/,
    );
    const bytes = readFileSync(to);
    for (const line of lines)
      if (line.kind === 'share' || line.kind === 'secret')
        for (const text of [Buffer.from(line.plain), Buffer.from(line.plain).toString('base64')]) expect(bytes.includes(text)).toBe(false);
  });

  test('needs a recipient, overwrites nothing, and is not made of a signer that is none', async () => {
    const [signer] = cluster.signers;
    assert(signer, 'there is one');
    const make = (change: object) =>
      refusal(backUpSigner({ dataDir: signer.dataDir, settings, to: newFile(), recipients, clock: cluster.now, ...change }));
    expect(await make({ to: fileOf(0) })).toMatch(/is there already/);
    expect(await make({ recipients: { publicKeys: [], passphrase: undefined } })).toMatch(/is for a recovery key .* or a passphrase/);
    expect(await make({ dataDir: join(directory, 'none') })).toMatch(/is missing: there is no signer/);
    const p256 =
      '-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEMKBCTNIcKUSDii11ySs3526iDZ8A\niTo7Tu6KPAqv7D7gS2XpJFbZiItSs3m9+9Ue6GnvHw/GW2ZZaVtszggXIw==\n-----END PUBLIC KEY-----\n';
    expect(await make({ recipients: { publicKeys: [p256], passphrase: undefined } })).toMatch(/a recovery key is an EC key on secp256k1/);
    expect(await make({ recipients: { publicKeys: [], passphrase: new Uint8Array(4) } })).toMatch(/12 characters or more/);
  });

  test('that was altered anywhere, cut off, prolonged or put together anew is refused', async () => {
    const whole = readFileSync(fileOf(0));
    const headerEnd = whole.indexOf(0x0a);
    const altered: Record<string, Buffer> = {
      empty: Buffer.alloc(0),
      'cut by a byte': whole.subarray(0, -1),
      'cut in half': whole.subarray(0, whole.length / 2),
      'without its lines': whole.subarray(0, headerEnd + 1),
      prolonged: Buffer.concat([whole, Buffer.from([0, 0, 0, 0])]),
      'another’s lines': Buffer.concat([
        whole.subarray(0, headerEnd + 1),
        readFileSync(fileOf(1)).subarray(readFileSync(fileOf(1)).indexOf(0x0a) + 1),
      ]),
      'another signer’s name': Buffer.from(
        whole.toString('latin1').replace(cluster.signers[0]?.signerId ?? '', cluster.signers[1]?.signerId ?? ''),
        'latin1',
      ),
    };
    for (const at of [1, 40, headerEnd - 10, headerEnd + 2, headerEnd + 100, whole.length - 1]) {
      const flipped = Buffer.from(whole);
      flipped[at] = (flipped[at] ?? 0) ^ 1;
      altered[`a bit of byte ${at}`] = flipped;
    }
    for (const [name, bytes] of Object.entries(altered)) {
      const file = newFile();
      writeFileSync(file, bytes, { mode: 0o600 });
      expect(await refusal(linesOf(file)), name).toMatch(/\.backup: /);
      const dataDir = join(directory, `restored-${files}`);
      await refusal(restoreSigner({ dataDir, settings, from: file, openers: byKey, isWitnessed: true, clock: cluster.now }));
      expect(existsSync(dataDir), name).toBe(false);
    }
  });

  test('made by somebody else for the same recipient is not taken for the signer’s', async () => {
    const { recipients: _, ...about } = (await openBackup(fileOf(0), byKey)).header;
    const dataKey = new Uint8Array(randomBytes(32));
    const text = textOf({ ...about, recipients: await recipientsFor(dataKey, recipients, about) });
    const to = newFile();
    const file = openSync(to, 'w');
    writeSync(file, `${text}\n`);
    const lines = [...(await linesOf(fileOf(0))).map(textOf), textOf({ kind: 'end', signature: new Uint8Array(randomBytes(64)) })];
    writeSealedLines(file, lines, { key: dataKey, aad: bindingOf(text) });
    closeSync(file);
    expect(await refusal(linesOf(to))).toMatch(/signer \S+ has not signed it/);
  });

  test('is not restored over a signer that is there', async () => {
    const { dataDir } = cluster.signers[0] as TestSigner;
    expect(
      await refusal(restoreSigner({ dataDir, settings, from: fileOf(0), openers: byKey, isWitnessed: true, clock: cluster.now })),
    ).toMatch(/is there already, and not empty/);
  });

  test('with t others gives every key back whole, masters and children', async () => {
    const [master] = [masters.get('EdDSA/ed25519')];
    assert(master, 'it was made');
    const child = await cluster.addChild(master, 'm/7/1');
    const again = await Promise.all(cluster.signers.map((signer) => backedUp(signer, cluster.now)));
    for (const pair of [
      [0, 1],
      [2, 0],
      [1, 2],
      [0, 1, 2],
    ]) {
      const { clusterId, keys } = recoverKeys(await opened(...pair.map((i) => again[i] ?? '')));
      expect(clusterId).toBe(cluster.file.clusterId);
      const wanted = [...masters.values(), child];
      expect(keys.map(({ keyId }) => keyId)).toEqual(wanted.map(({ id }) => id).sort());
      for (const { id, keyType, publicKey } of wanted) {
        const found = keys.find(({ keyId }) => keyId === id);
        assert(found, 'it is among them');
        const group = groupOf(keyTypes[keyType].curve);
        expect(group.encodePoint(group.multiplyBase(group.decodeScalar(found.secret)))).toEqual(new Uint8Array(publicKey));
      }
    }
  });

  test('alone, twice, with one of another cluster or for a key that is not there gives nothing', async () => {
    const said = async (which: readonly string[], wanted?: readonly string[]) =>
      refusal(opened(...which).then((some) => recoverKeys(some, wanted)));
    expect(await said([fileOf(0)])).toMatch(/^2 of the cluster's 3 signers hold a key: 1 backups are too few$/);
    expect(await said([fileOf(0), fileOf(0)])).toMatch(/two of the backups are of one signer/);
    expect(await said([])).toMatch(/there are no backups/);
    expect(await said([fileOf(0), fileOf(1)], ['key-none'])).toMatch(/none of the backups has a share of key key-none/);
    const other = await createCluster();
    onTestFinished(() => other.close());
    const [stranger] = other.signers;
    assert(stranger, 'there is one');
    expect(await said([fileOf(0), await backedUp(stranger, other.now)])).toMatch(/is of another cluster than/);
  });

  /** Of the second signer, whose directory somebody with its key-encryption key has written in. */
  async function doctored(change: (share: { epoch: number; plain: Uint8Array }) => number): Promise<string> {
    const [, two] = cluster.signers;
    assert(two, 'there are two');
    const copy = join(directory, `doctored-${++files}`);
    cpSync(two.dataDir, copy, { recursive: true });
    const keyEncryptionKey = await openKeyEncryptionKey(copy, settings);
    const db = new DatabaseSync(join(copy, 'signer.db'));
    const rows = db.prepare('select key_id as keyId, epoch, key_type as keyType, public_key as publicKey, sealed from shares').all();
    for (const row of rows as unknown as NamedShare[]) {
      const plain = unseal(keyEncryptionKey, row.sealed, shareBinding(two.signerId, row));
      const epoch = change({ epoch: row.epoch, plain });
      const sealed = seal(keyEncryptionKey, plain, shareBinding(two.signerId, { ...row, epoch }));
      db.prepare('update shares set sealed = ?, epoch = ? where key_id = ?').run(sealed, epoch, row.keyId);
    }
    db.close();
    const to = newFile();
    await backUpSigner({ dataDir: copy, settings, to, recipients, clock: cluster.now });
    return to;
  }

  test('of another epoch than the others’ is not combined with them', async () => {
    const key = masters.get('EdDSA/ed25519');
    assert(key, 'it was made');
    const older = await doctored(({ epoch }) => epoch + 1);
    const said = await refusal(opened(fileOf(0), older).then((some) => recoverKeys(some, [key.id])));
    expect(said).toMatch(
      /^too few shares of key \S+ belong together: \S+ \(epoch 0, of which it takes 2\), \S+ \(epoch 1, of which it takes 2\)$/,
    );
    const { keys } = recoverKeys(await opened(fileOf(0), older, fileOf(2)), [key.id]);
    expect(keys).toHaveLength(1);
  });

  test('with a false share in it gives no key', async () => {
    const key = masters.get('EdDSA/ed25519');
    assert(key, 'it was made');
    const secretAt = 8;
    const corrupt = await doctored(({ epoch, plain }) => {
      plain[secretAt] = (plain[secretAt] ?? 0) ^ 1;
      return epoch;
    });
    const said = await refusal(opened(fileOf(0), corrupt).then((some) => recoverKeys(some, [key.id])));
    expect(said).toMatch(/do not make the key of its public key: one of the backups is false/);
  });
});
