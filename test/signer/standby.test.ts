/**
 * A standby in its signer's place. Whatever the one that was replaced still does, nothing that was authorised is served by both, and the log
 * has one history.
 */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { encodeEntry, entryAfter, headOf } from '../../src/authority/entry.ts';
import { assert } from '../../src/base/errors.ts';
import { readKeyEncryption } from '../../src/config.ts';
import { newRecoveryKey } from '../../src/crypto/recoveryKey.ts';
import { restoreSigner } from '../../src/signer/backup/restore.ts';
import { backUpSigner } from '../../src/signer/backup/write.ts';
import { readIdentity } from '../../src/signer/identity.ts';
import { openKeyEncryptionKey } from '../../src/signer/keyEncryption/open.ts';
import { promoteStandby } from '../../src/signer/promote.ts';
import { replicaOf, replicationAnswer, takeShares } from '../../src/signer/replication.ts';
import { openSignerStore } from '../../src/signer/store.ts';
import { createCluster, type TestCluster, type TestKey, type TestSigner, testSigner } from './cluster.ts';
import { frostShares, outcomeOf } from './shares.ts';

const settings = readKeyEncryption({});
const recovery = newRecoveryKey();

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'countersign-standby-'));
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

let cluster: TestCluster;
let key: TestKey;
let old: TestSigner;
let two: TestSigner;
let three: TestSigner;
/** Of the standby of the first signer. */
let standbyDir: string;
let made = 0;
let standby: TestSigner | undefined;

beforeEach(async () => {
  cluster = await createCluster();
  key = await cluster.addKey('EdDSA/ed25519');
  const [first, second, third] = cluster.signers;
  assert(first && second && third, 'there are three');
  [old, two, three] = [first, second, third];
  const file = join(directory, `${++made}.backup`);
  standbyDir = join(directory, `standby-${made}`);
  await backUpSigner({
    dataDir: old.dataDir,
    settings,
    to: file,
    recipients: { publicKeys: [recovery.publicKey], passphrase: undefined },
    clock: cluster.now,
  });
  const openers = { recoveryKeys: [recovery.privateKey], passphrases: [] };
  await restoreSigner({ dataDir: standbyDir, settings, from: file, openers, isWitnessed: true, isStandby: true, clock: cluster.now });
  standby = undefined;
  return () => {
    standby?.stop();
    cluster.close();
  };
});

async function started(dataDir = standbyDir): Promise<TestSigner> {
  const keyEncryptionKey = await openKeyEncryptionKey(dataDir, settings);
  standby = testSigner({ dataDir, keyEncryptionKey, clock: cluster.now, signerId: old.signerId });
  return standby;
}

/** @returns the instance's number */
async function promoted(): Promise<{ signer: TestSigner; instance: number }> {
  const { signerId, instance } = await promoteStandby({ dataDir: standbyDir, settings, clock: cluster.now });
  expect(signerId).toBe(old.signerId);
  return { signer: await started(), instance };
}

const takeover = (instance: number, signerId = old.signerId) =>
  ({ method: 'POST', path: '/signers/takeovers', body: { signerId, instance } }) as const;
const headsOf = (...some: readonly TestSigner[]) => Promise.all(some.map(async (one) => (await one.ask('signHead', {})).head));
const witnessed = async (signer: TestSigner) => outcomeOf(signer.ask('witness', { heads: await headsOf(two, three) }));

/** The standby acts: it has taken over in the log, and the others have witnessed it. */
async function acting(): Promise<TestSigner> {
  const { signer, instance } = await promoted();
  cluster.wait(1);
  await cluster.perform(cluster.admin, takeover(instance), [two, three]);
  await cluster.catchUp(signer);
  expect(await witnessed(signer)).toBe('a share');
  return signer;
}

const payload = { bytes: Uint8Array.of(1) };
const signedAt = (at = cluster.registry.head) =>
  cluster.sign(cluster.admin, { method: 'POST', path: `/keys/${key.id}/signatures`, body: { kind: 'Message', message: '0x01' } }, { at });
/** What this one answers, in a session with the other two. */
async function shareOf(signer: TestSigner, authorisation = signedAt()): Promise<string> {
  const [outcome] = await frostShares({ signers: [signer, two, three] }, { key, payload, authorisation }, [signer]);
  return outcome ?? '';
}

describe('a standby', () => {
  test('does not act, and is made of a backup alone', async () => {
    await expect(started()).rejects.toThrow(/this directory is a standby’s/);
    await expect(promoteStandby({ dataDir: old.dataDir, settings, clock: cluster.now })).rejects.toThrow(/cannot be opened/);
    old.stop();
    await expect(promoteStandby({ dataDir: old.dataDir, settings, clock: cluster.now })).rejects.toThrow(/is not a standby's/);
    old.start();
  });

  test('takes its place once the log says so and the others have witnessed it', async () => {
    const { signer, instance } = await promoted();
    expect((await promoteStandbyAgain(signer)).instance).toBe(instance);
    cluster.wait(1);
    expect(await shareOf(await started())).toMatch(/^Unwitnessed/);
    expect(await witnessed(standbyOf())).toBe('Unwitnessed: this instance waits for its takeover: an entry of the authority log');
    await cluster.perform(cluster.admin, takeover(instance), [two, three]);
    expect(await witnessed(standbyOf())).toMatch(/^Behind/);
    await cluster.catchUp(standbyOf());
    expect(await outcomeOf(standbyOf().ask('witness', { heads: await headsOf(two) }))).toMatch(/^Unwitnessed: 1 others/);
    expect(await witnessed(standbyOf())).toBe('a share');
    expect(await shareOf(standbyOf())).toMatch(/^Refused Forbidden: the authorisation may have been made before/);
    cluster.wait(31);
    expect(await shareOf(standbyOf())).toBe('a share');
    standbyOf().restart();
    expect(await shareOf(standbyOf())).toBe('a share');
  });

  test('is not witnessed by what the others said before the takeover', async () => {
    const { signer, instance } = await promoted();
    cluster.wait(1);
    const before = await headsOf(two, three);
    await cluster.perform(cluster.admin, takeover(instance), [two, three]);
    await cluster.catchUp(signer);
    expect(await outcomeOf(signer.ask('witness', { heads: before }))).toMatch(/^Unwitnessed: 0 others/);
  });

  test('of another signer, or of an instance that is not there, takes nobody’s place', async () => {
    const stranger = await cluster.addAccount(['Keys:Signatures:Create']);
    const among = [old, three];
    for (const [actor, wanted] of [
      [stranger, takeover(8)],
      [cluster.admin, takeover(8, `${'A'.repeat(43)}=`)],
      [cluster.admin, takeover(0)],
      [cluster.admin, takeover(8, 'two')],
    ] as const)
      await expect(cluster.perform(actor, wanted, among)).rejects.toMatchObject({ code: 'Refused' });
    await cluster.perform(cluster.admin, takeover(7, two.signerId), among);
    expect(await shareOf(old)).toBe('a share');
  });
});

describe('the one that was replaced, when it comes back', () => {
  test('learns it from its log, says no more, and does not start again', async () => {
    await acting();
    await expect(cluster.catchUp(old)).rejects.toThrow(/instance \d+ of this signer has taken over: this one never acts again/);
    for (const question of [old.ask('hello', {}), old.ask('signHead', {})])
      expect(await outcomeOf(question)).toMatch(/^Refused: instance \d+/);
    old.stop();
    expect(() => old.start()).toThrow(/has taken over: this one never acts again/);
  });

  test('learns it too when it was killed before it could note it', async () => {
    await acting();
    await cluster.catchUp(old).catch(() => undefined);
    old.stop();
    const db = new DatabaseSync(join(old.dataDir, 'signer.db'));
    expect(db.prepare("delete from secrets where name = 'instance'").run().changes).toBe(1);
    db.close();
    expect(() => old.start()).toThrow(/has taken over: this one never acts again/);
  });

  test('and is kept from the takeover by a thief, serves nothing that the new one serves', async () => {
    const before = cluster.registry.head;
    const early = signedAt(before);
    const signer = await acting();
    // Authorised before the takeover: the old one may still serve it, the new one never does.
    const late = signedAt(before);
    expect([await shareOf(old, early), await shareOf(old, late)]).toEqual(['a share', 'a share']);
    cluster.wait(31);
    const blind = /^Refused Forbidden: the authorisation may have been made before/;
    expect([await shareOf(signer, early), await shareOf(signer, late)]).toEqual([
      expect.stringMatching(blind),
      expect.stringMatching(blind),
    ]);
    // Authorised after it: the new one alone.
    const after = signedAt();
    expect(await shareOf(old, after)).toMatch(/^Behind/);
    expect(await shareOf(signer, after)).toBe('a share');
    // As long as what was authorised at the old head is good anywhere, the new one does not take it.
    for (let seconds = 31; seconds < 400; seconds += 60) {
      expect([await shareOf(signer, early), await shareOf(signer, late)]).not.toContain('a share');
      cluster.wait(60);
    }
    expect([await shareOf(old, early), await shareOf(old, late)]).not.toContain('a share');
  });

  test('cannot make another history count in the takeover’s place', async () => {
    const before = cluster.registry.head;
    const [asked] = cluster.entries;
    assert(asked, 'the key was asked for');
    const rival = cluster.sign(
      cluster.admin,
      { method: 'POST', path: '/permissions', body: { name: 'rival', operations: ['Keys:Read'] } },
      { at: before },
    );
    const signer = await acting();
    const entry = encodeEntry(entryAfter(headOf(asked), { authorisation: rival }));
    const vouchers = [...(cluster.vouchers.get(1) ?? [])];
    expect(await outcomeOf(old.ask('append', { entry, vouchers }))).toBe('a share');
    for (const other of [two, three, signer]) expect(await outcomeOf(other.ask('append', { entry, vouchers }))).not.toBe('a share');
  });
});

describe('a backup', () => {
  const recipients = { publicKeys: [recovery.publicKey], passphrase: undefined };
  const openers = { recoveryKeys: [recovery.privateKey], passphrases: [] };
  const backUp = (dataDir: string, to: string) => backUpSigner({ dataDir, settings, to, recipients, clock: cluster.now });

  test('of the instance that took over makes that one again, one from before makes one that was replaced', async () => {
    const early = join(directory, `${++made}.backup`);
    await backUp(old.dataDir, early);
    const signer = await acting();
    const late = join(directory, `${++made}.backup`);
    await backUp(signer.dataDir, late);
    signer.stop();
    const restored = async (from: string) => {
      const dataDir = join(directory, `restored-${++made}`);
      await restoreSigner({ dataDir, settings, from, openers, isWitnessed: true, clock: cluster.now });
      return started(dataDir);
    };
    const again = await restored(late);
    cluster.wait(1);
    expect(await witnessed(again)).toBe('a share');
    cluster.wait(31);
    expect(await shareOf(again)).toBe('a share');
    again.stop();
    const stale = await restored(early);
    await expect(cluster.catchUp(stale)).rejects.toThrow(/this one never acts again/);
  });

  test('is not made of a standby', async () => {
    await expect(backUp(standbyDir, join(directory, `${++made}.backup`))).rejects.toThrow(/is not of a signer that acts/);
  });
});

describe('what a standby is given', () => {
  test('are all shares, then those that are new or changed, sealed to the signer itself', async () => {
    const [keyOfOld, keyOfStandby] = [await openKeyEncryptionKey(old.dataDir, settings), await openKeyEncryptionKey(standbyDir, settings)];
    const later = await cluster.addKey('EdDSA/ed25519');
    old.stop();
    const [from, to] = [openSignerStore(old.dataDir), openSignerStore(standbyDir)];
    try {
      const identity = readIdentity(from, keyOfOld);
      const ask = replicaOf({ store: from, keyEncryptionKey: keyOfOld, signerId: old.signerId, identity });
      const holder = { store: to, keyEncryptionKey: keyOfStandby, signerId: old.signerId, identity };
      const all = replicationAnswer.parse(await ask({ number: 1, after: 0 }));
      expect(all.shares.map(({ keyId }) => keyId)).toEqual([key.id, later.id]);
      expect(to.sharesOf(later.id)).toEqual([]);
      takeShares(holder, all);
      takeShares(holder, all);
      expect(to.sharesOf(later.id)).toMatchObject([{ epoch: 0, keyType: 'EdDSA/ed25519' }]);
      expect(replicationAnswer.parse(await ask({ number: 2, after: all.next }))).toEqual({ number: 2, next: all.next, shares: [] });
      // One that changes comes again.
      const [share] = from.sharesOf(key.id);
      assert(share, 'it has one');
      from.putShare(key.id, share);
      expect(replicationAnswer.parse(await ask({ number: 3, after: all.next })).shares.map(({ keyId }) => keyId)).toEqual([key.id]);
      // Altered on the way, or given for another key, it is not taken.
      const [one, other] = all.shares;
      assert(one && other, 'there are two');
      for (const false_ of [
        { ...one, keyId: other.keyId },
        { ...one, epoch: 1 },
        { ...one, box: other.box },
      ])
        expect(() => takeShares(holder, { ...all, shares: [false_] })).toThrow();
      expect(await ask({ number: 'x' })).toMatchObject({ refusal: { code: 'BadQuestion' } });
    } finally {
      from.close();
      to.close();
    }
    old.start();
  });
});

function standbyOf(): TestSigner {
  assert(standby, 'it was started');
  return standby;
}

/** A second `promote` on the same directory changes nothing. */
async function promoteStandbyAgain(signer: TestSigner): Promise<{ instance: number }> {
  signer.stop();
  cluster.wait(5);
  return promoteStandby({ dataDir: standbyDir, settings, clock: cluster.now });
}
