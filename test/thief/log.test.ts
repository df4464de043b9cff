/** The log itself: rolled back, cut, forked, reordered, withheld from one signer; vouchers forged, counted twice, or of strangers. */

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { beforeEach, describe, expect, test } from 'vitest';
import { decodeEntry, type Entry, encodeEntry, entryAfter, headOf } from '../../src/authority/entry.ts';
import { derivedId } from '../../src/authority/ids.ts';
import { headMessage, type SignedHead } from '../../src/authority/signedHead.ts';
import { toBase64Url, toHex, utf8 } from '../../src/base/bytes.ts';
import { newSigner, vouch } from '../authority/world.ts';
import { createCluster, type TestCluster, type TestKey, type TestSigner, type Wanted } from '../signer/cluster.ts';
import { outcomeOf, sharesOf } from '../signer/shares.ts';
import { caughtUp, proposed, takenBy } from './entries.ts';

let cluster: TestCluster;
let key: TestKey;
beforeEach(async () => {
  cluster = await createCluster();
  key = await cluster.addKey('EdDSA/ed25519');
  return () => cluster.close();
});

const payload = { bytes: utf8('gold') };
const signature = (): Wanted => ({
  method: 'POST',
  path: `/keys/${key.id}/signatures`,
  body: { kind: 'Message', message: toHex(payload.bytes) },
});
const newKey: Wanted = { method: 'POST', path: '/keys', body: { scheme: 'EdDSA', curve: 'ed25519' } };
const signers = () => cluster.signers as [TestSigner, TestSigner, TestSigner];
const headAt = async (signer: TestSigner) => (await signer.ask('hello', {})).head;
const next = (at = cluster.registry.head) => {
  const authorisation = cluster.sign(cluster.admin, newKey, { at });
  return { ...entryAfter(at, { authorisation }), authorisation };
};
const lastVouchers = () => cluster.vouchers.get(cluster.registry.head.sequence) ?? [];
const starts = (signer: TestSigner): string => {
  try {
    signer.start();
    return 'starts';
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
};

/** What a signer would say if it were corrupt: its identity key is used outside of it. */
function corruptly(signer: TestSigner, entry: Entry): SignedHead {
  const [head, at] = [headOf(entry), cluster.now() / 1000];
  return { ...head, at, signerId: signer.signerId, signature: toBase64Url(signer.sign(headMessage(cluster.root.clusterId, head, at))) };
}

describe('a signer’s own copy, on its disk', () => {
  async function tampered(change: (db: DatabaseSync) => void): Promise<TestSigner> {
    await cluster.addAccount(['Keys:Read']);
    await cluster.perform(cluster.admin, newKey);
    const [signer] = signers();
    signer.stop();
    const db = new DatabaseSync(join(signer.dataDir, 'signer.db'));
    change(db);
    db.close();
    return signer;
  }

  /** What is further back than a start looks is found beside the work: `test/signer/ledger.test.ts`. */
  test.each<readonly [string, (db: DatabaseSync) => void, RegExp]>([
    [
      'a body altered',
      (db) => db.exec(`update entries set text = replace(text, '"body":"ey', '"body":"eX') where sequence = 2`),
      /^the authority log of this signer is not what it was: entry 2 was altered/,
    ],
    [
      'an entry removed',
      (db) => db.exec('delete from entries where sequence = 2'),
      /^the authority log of this signer is not what it was: entry 2 was removed/,
    ],
    [
      'two entries reordered',
      (db) =>
        db.exec(
          'update entries set sequence = -sequence where sequence in (2, 3); update entries set sequence = 5 + sequence where sequence < 0',
        ),
      /^the authority log of this signer is not what it was: entry 2 was reordered/,
    ],
    [
      'an entry that is none',
      (db) => db.exec(`update entries set text = '{}' where sequence = 1`),
      /^the authority log of this signer is not what it was: entry 1 was /,
    ],
  ])('%s: it does not start, and says where', async (_, change, reason) => {
    const signer = await tampered(change);
    expect(starts(signer)).toMatch(reason);
  });

  test('cut off at its end: it does not start, and says where', async () => {
    const signer = await tampered((db) => db.exec('delete from entries where sequence > 2'));
    expect(starts(signer)).toMatch(/^the authority log of this signer is not what it was: entry 3 was removed/);
  });

  test.each([4, 5])('its last entry altered, or the one before (%i): it does not start, and says where', async (sequence) => {
    const altered = `update entries set text = replace(text, '"nonce":"', '"nonce":"A') where sequence =`;
    const signer = await tampered((db) => db.exec(`${altered} ${sequence}`));
    expect(starts(signer)).toMatch(new RegExp(`^the authority log of this signer is not what it was: entry ${sequence} was altered`));
  });

  test('all of it set back: it starts, refuses what was asked for since, and takes the missing entries again', async () => {
    const [signer] = signers();
    signer.stop();
    const kept = join(signer.dataDir, 'signer.db');
    const before = readFileSync(kept);
    signer.start();
    const actor = await cluster.addAccount(['Keys:Signatures:Create']);
    signer.stop();
    writeFileSync(kept, before);
    expect(starts(signer)).toBe('starts');
    const authorisation = cluster.sign(actor, signature());
    const [said] = await sharesOf(cluster, { key, payload, authorisation }, [signer]);
    expect(said).toBe('Refused Forbidden: account '.concat(actor.userId, ' is unknown'));
    const byAdmin = cluster.sign(cluster.admin, signature());
    expect(await sharesOf(cluster, { key, payload, authorisation: byAdmin }, [signer])).toEqual([
      'Behind Unavailable: the request was made at a head that the log up to entry 1 does not have: it is behind, or forked',
    ]);
    await cluster.catchUp(signer, 2);
    expect(await sharesOf(cluster, { key, payload, authorisation }, [signer])).toEqual(['a share']);
  });
});

describe('entries taken over from others', () => {
  /** Signer 3 was away while these were made. */
  async function missed(): Promise<{ late: TestSigner; entries: Entry[]; vouchers: readonly SignedHead[] }> {
    const [one, two, late] = signers();
    const from = cluster.entries.length;
    for (let i = 0; i < 3; i++) await cluster.perform(cluster.admin, newKey, [one, two]);
    return { late, entries: cluster.entries.slice(from), vouchers: lastVouchers() };
  }
  const changed = (entry: Entry, change: (text: string) => string): string => change(encodeEntry(entry));

  test('as they are', async () => {
    const { late, entries, vouchers } = await missed();
    expect(await caughtUp(late, entries, vouchers)).toBe('taken');
    expect(await headAt(late)).toEqual(cluster.registry.head);
  });

  const tooFew = /^Refused Forbidden: entries up to 4 are taken over when 2 signers vouch for the last one$/;
  type Case = readonly [
    string,
    (given: { entries: Entry[]; vouchers: readonly SignedHead[] }) => readonly [readonly (Entry | string)[], readonly SignedHead[]],
    RegExp,
  ];
  test.each<Case>([
    ['without vouchers', ({ entries }) => [entries, []], tooFew],
    ['with the voucher of one signer', ({ entries, vouchers }) => [entries, vouchers.slice(0, 1)], tooFew],
    ['with one signer’s voucher twice', ({ entries, vouchers: [one] }) => [entries, one ? [one, one] : []], tooFew],
    [
      'with one signer’s voucher at two times',
      ({ entries, vouchers: [one] }) => [entries, one ? [one, { ...one, at: one.at + 1 }] : []],
      tooFew,
    ],
    [
      'with vouchers of strangers',
      ({ entries }) => [
        entries,
        [1, 2, 3].map((n) => vouch(newSigner(new Uint8Array(32).fill(n)), cluster.root.clusterId, cluster.registry.head)),
      ],
      tooFew,
    ],
    [
      'with vouchers that strangers signed in the signers’ names',
      ({ entries, vouchers }) => [
        entries,
        vouchers.map((voucher, n) => ({
          ...vouch(newSigner(new Uint8Array(32).fill(n + 1)), cluster.root.clusterId, voucher, voucher.at),
          signerId: voucher.signerId,
        })),
      ],
      tooFew,
    ],
    [
      'with signatures exchanged',
      ({ entries, vouchers: [one, two] }) => [
        entries,
        one && two
          ? [
              { ...one, signature: two.signature },
              { ...two, signature: one.signature },
            ]
          : [],
      ],
      tooFew,
    ],
    [
      'with vouchers for the entry before',
      ({ entries }) => [entries, cluster.vouchers.get(cluster.registry.head.sequence - 1) ?? []],
      tooFew,
    ],
    [
      'with signatures of zeros',
      ({ entries, vouchers }) => [entries, vouchers.map((voucher) => ({ ...voucher, signature: toBase64Url(new Uint8Array(64)) }))],
      tooFew,
    ],
    [
      'the last one cut off',
      ({ entries, vouchers }) => [entries.slice(0, -1), vouchers],
      /^Refused Forbidden: entries up to 3 are taken over when 2 signers vouch/,
    ],
    [
      'the first one cut off',
      ({ entries, vouchers }) => [entries.slice(1), vouchers],
      /^Behind: this log ends with entry 1: entry 3 comes too early$/,
    ],
    [
      'one left out',
      ({ entries, vouchers }) => [entries.filter((_, i) => i !== 1), vouchers],
      /^Refused Conflict: entry 4 does not follow the one before it$/,
    ],
    ['two exchanged', ({ entries: [a, b, c], vouchers }) => [a && b && c ? [b, a, c] : [], vouchers], /^(Refused Conflict|Behind): /],
    [
      'one twice',
      ({ entries: [a, b, c], vouchers }) => [a && b && c ? [a, a, b, c] : [], vouchers],
      /^Refused Conflict: entry 2 does not follow the one before it$/,
    ],
    [
      'one altered',
      ({ entries: [a, b, c], vouchers }) => [
        a && b && c ? [a, changed(b, (text) => text.replace('"expiresAt":1', '"expiresAt":2')), c] : [],
        vouchers,
      ],
      /^Refused Conflict: entry 4 does not follow the one before it$/,
    ],
    ['one that is no entry', ({ entries: [a], vouchers }) => [a ? [a, '{"sequence":3}'] : [], vouchers], /^Refused BadRequest: entry/],
  ])('%s', async (_, make, reason) => {
    const { late, ...given } = await missed();
    const before = await headAt(late);
    expect(await caughtUp(late, ...make(given))).toMatch(reason);
    expect(await headAt(late)).toEqual(before);
    late.restart();
    expect(await headAt(late)).toEqual(before);
  });

  test('the last one put to it live, with the ones before it withheld', async () => {
    const { late, entries } = await missed();
    const last = entries.at(-1);
    expect(last && (await takenBy(late, last, cluster.vouchers.get(3) ?? []))).toBe(
      'Behind: this log ends with entry 1: entry 4 comes too early',
    );
  });
});

describe('an entry withheld from one signer', () => {
  test('a stale signer refuses whatever was made at a later head', async () => {
    const [one, two, late] = signers();
    await cluster.perform(cluster.admin, newKey, [one, two]);
    const authorisation = cluster.sign(cluster.admin, signature());
    expect(await sharesOf(cluster, { key, payload, authorisation })).toEqual([
      'a share',
      'a share',
      'Behind Unavailable: the request was made at a head that the log up to entry 1 does not have: it is behind, or forked',
    ]);
    expect(late.index).toBe(3);
  });

  test('a stale signer alone does not bring a revoked permission back: its share is one of two that it takes', async () => {
    const actor = await cluster.addAccount(['Keys:Signatures:Create']);
    const before = cluster.registry.head;
    const [one, two] = signers();
    await cluster.perform(
      cluster.admin,
      { method: 'DELETE', path: `/permissions/${actor.permissionId}/assignments/${actor.assignmentId}` },
      [one, two],
    );
    const authorisation = cluster.sign(actor, signature(), { at: before });
    const said = await sharesOf(cluster, { key, payload, authorisation });
    expect(said.filter((outcome) => outcome !== 'a share')).toEqual(
      Array(2).fill(expect.stringMatching(/is not authorized to perform operation/)),
    );
  });

  test('a key whose creation reached one signer only is not made', async () => {
    const [one, two, three] = signers();
    const entry = next();
    expect(await takenBy(one, entry, lastVouchers())).toBe('taken');
    const keyId = derivedId('key', entry.authorisation);
    const question = {
      sessionId: new Uint8Array(32).fill(9),
      participants: [1, 2, 3],
      task: { kind: 'keygen' as const, keyId, keyType: 'EdDSA/ed25519' as const },
    };
    for (const signer of [two, three]) expect(await outcomeOf(signer.ask('openSession', question))).toBe('Refused NotFound: Key not found');
  });
});

describe('an entry that fewer than two signers have', () => {
  test('nothing is put on top of it', async () => {
    const [one] = signers();
    const first = next();
    expect(await takenBy(one, first, lastVouchers())).toBe('taken');
    const second = next(headOf(first));
    const conflict = 'Refused Conflict: entry 3 comes when 2 signers vouch for entry 2';
    expect(await takenBy(one, second, [])).toBe(conflict);
    const { head } = await one.ask('signHead', {});
    expect(await takenBy(one, second, [head])).toBe(conflict);
    expect(await takenBy(one, second, [head, head])).toBe(conflict);
    one.restart();
    expect(await takenBy(one, second, [head])).toBe(conflict);
  });

  test('no other is put in its place', async () => {
    const [one] = signers();
    await takenBy(one, next(), lastVouchers());
    expect(await takenBy(one, next(), lastVouchers())).toBe(
      'Refused Conflict: this signer has another entry 2, which is not confirmed yet',
    );
    one.restart();
    expect(await takenBy(one, next(), lastVouchers())).toBe(
      'Refused Conflict: this signer has another entry 2, which is not confirmed yet',
    );
  });

  test('the same one again is harmless', async () => {
    const [one] = signers();
    const entry = next();
    expect(await takenBy(one, entry, lastVouchers())).toBe('taken');
    expect(await takenBy(one, entry, lastVouchers())).toBe('taken');
    expect(await headAt(one)).toEqual(headOf(entry));
  });

  test('it gives way to the one that two signers vouch for, and what it gave ends with it', async () => {
    const [one, two, three] = signers();
    const lost = next();
    await takenBy(one, lost, lastVouchers());
    const before = cluster.sign(cluster.admin, signature(), { at: headOf(lost) });
    await cluster.perform(cluster.admin, newKey, [two, three]);
    expect(await caughtUp(one, cluster.entries.slice(1), lastVouchers())).toBe('taken');
    expect(await headAt(one)).toEqual(cluster.registry.head);
    expect((await sharesOf(cluster, { key, payload, authorisation: before })).every((said) => said.startsWith('Behind Unavailable'))).toBe(
      true,
    );
    one.restart();
    expect(await headAt(one)).toEqual(cluster.registry.head);
  });

  test('it does not give way to one that one signer vouches for', async () => {
    const [one, two] = signers();
    const kept = next();
    await takenBy(one, kept, lastVouchers());
    const rival = next();
    await takenBy(two, rival, lastVouchers());
    const { head } = await two.ask('signHead', {});
    expect(await caughtUp(one, [rival], [head])).toMatch(/^Refused Forbidden: entries up to 2 are taken over when 2 signers vouch/);
    expect(await headAt(one)).toEqual(headOf(kept));
  });

  describe('is given up', () => {
    const heads = async (among: readonly TestSigner[]) => Promise.all(among.map(async (signer) => (await signer.ask('signHead', {})).head));
    const released = (signer: TestSigner, said: readonly SignedHead[]) => outcomeOf(signer.ask('release', { heads: [...said] }));
    const kept = 'Refused Conflict: entry 2 is given up when it has expired and 2 other signers show that they lack it';

    test('when it has expired and both others lack it', async () => {
      const [one, two, three] = signers();
      await takenBy(one, next(), lastVouchers());
      cluster.wait(301);
      expect(await released(one, await heads([two, three]))).toBe('a share');
      expect(await headAt(one)).toEqual(cluster.registry.head);
      expect(await proposed(cluster, cluster.sign(cluster.admin, newKey))).toEqual(['taken', 'taken', 'taken']);
    });

    test('not before it has expired', async () => {
      const [one, two, three] = signers();
      await takenBy(one, next(), lastVouchers());
      cluster.wait(299);
      expect(await released(one, await heads([two, three]))).toBe(kept);
    });

    test('not by what the others said before it had expired', async () => {
      const [one, two, three] = signers();
      const early = await heads([two, three]);
      await takenBy(one, next(), lastVouchers());
      cluster.wait(301);
      expect(await released(one, early)).toBe(kept);
    });

    test('not while another has it too, nor for one who speaks twice, nor for strangers', async () => {
      const [one, two, three] = signers();
      const entry = next();
      for (const signer of [one, two]) await takenBy(signer, entry, lastVouchers());
      cluster.wait(301);
      expect(await released(one, await heads([two, three]))).toBe(kept);
      expect(await released(one, await heads([three, three]))).toBe(kept);
      expect(await released(one, await heads([one, three]))).toBe(kept);
      const stranger = vouch(newSigner(new Uint8Array(32).fill(5)), cluster.root.clusterId, cluster.registry.head, cluster.now() / 1000);
      expect(await released(one, [...(await heads([three])), stranger])).toBe(kept);
      expect(await headAt(one)).toEqual(headOf(entry));
    });
  });
});

describe('a fork', () => {
  /** Two corrupt signers, one more than a cluster stands, vouch for another history than the one that signer 1 knows confirmed. */
  async function forked(): Promise<{ one: TestSigner; entries: Entry[]; vouchers: SignedHead[] }> {
    const [one, two, three] = signers();
    const at = cluster.registry.head;
    const rival = next();
    await cluster.perform(cluster.admin, newKey);
    await cluster.perform(cluster.admin, newKey);
    expect(rival.sequence).toBe(at.sequence + 1);
    return { one, entries: [rival], vouchers: [corruptly(two, rival), corruptly(three, rival)] };
  }
  const named = /^Forked: fork: others vouch for another entry 2 than the confirmed one of this log \([0-9a-f]{64}\)$/;

  test('is named, refused and logged, and the confirmed history stays', async () => {
    const { one, entries, vouchers } = await forked();
    expect(await caughtUp(one, entries, vouchers)).toMatch(named);
    expect(await headAt(one)).toEqual(cluster.registry.head);
    expect(one.logged).toContainEqual(
      expect.objectContaining({ level: 50, method: 'catchUp', code: 'Forked', reason: expect.stringMatching(/^fork: /) }),
    );
  });

  test('is named when its next entry is put to a signer', async () => {
    const [one, two, three] = signers();
    const at = cluster.registry.head;
    const rival = next();
    await cluster.perform(cluster.admin, newKey);
    expect(await caughtUp(one, [], lastVouchers())).toBe('taken');
    const after = entryAfter(headOf(rival), { authorisation: cluster.sign(cluster.admin, newKey, { at: headOf(rival) }) });
    expect(at.sequence).toBe(1);
    expect(await takenBy(one, after, [corruptly(two, rival), corruptly(three, rival)])).toMatch(named);
  });

  test('a request of one branch is good on no other', async () => {
    const rival = next();
    await cluster.perform(cluster.admin, newKey);
    const authorisation = cluster.sign(cluster.admin, signature(), { at: headOf(rival) });
    expect(await sharesOf(cluster, { key, payload, authorisation })).toEqual(
      Array(3).fill('Behind Unavailable: the request was made at a head that the log up to entry 2 does not have: it is behind, or forked'),
    );
  });

  test('an entry signed on one branch is good on no other', async () => {
    const rival = next();
    const onRival = cluster.sign(cluster.admin, newKey, { at: headOf(rival) });
    await cluster.perform(cluster.admin, newKey);
    expect(await proposed(cluster, onRival)).toEqual(
      Array(3).fill(expect.stringMatching(/^Behind Unavailable: the request was made at a head/)),
    );
  });

  test('different entries shown to different signers: none of them comes to be', async () => {
    const [one, two, three] = signers();
    const rivals = [next(), next(), next()] as const;
    for (const [i, signer] of [one, two, three].entries()) expect(await takenBy(signer, rivals[i] as Entry, lastVouchers())).toBe('taken');
    for (const [i, signer] of [one, two, three].entries()) {
      for (const rival of rivals.filter((_, j) => j !== i))
        expect(await takenBy(signer, rival, lastVouchers())).toMatch(/^Refused Conflict: /);
    }
  });
});

describe('what a signer shows of its log', () => {
  test('is signed, and good for its cluster alone', async () => {
    const [one] = signers();
    const { head } = await one.ask('signHead', {});
    expect(head).toMatchObject({ ...cluster.registry.head, signerId: one.signerId, at: cluster.now() / 1000 });
  });

  test('stands in its own log, once for each head', async () => {
    const [one] = signers();
    const said = one.logged.filter(({ msg }) => msg === 'the authority log has a new head');
    expect(said).toEqual([expect.objectContaining({ level: 30, sequence: 1, hash: toHex(cluster.registry.head.hash) })]);
  });

  test('entries come in pages that end where somebody vouched', async () => {
    const [one] = signers();
    await cluster.perform(cluster.admin, newKey);
    await cluster.perform(cluster.admin, newKey);
    const page = await one.ask('entries', { from: 1, count: 2 });
    expect(page.entries.map((text) => decodeEntry(text).sequence)).toEqual([1, 2]);
    expect(page.vouchers).toHaveLength(3);
    const end = await one.ask('entries', { from: 3, count: 10 });
    expect(end).toMatchObject({ entries: [encodeEntry(cluster.entries[2] as Entry)], vouchers: [] });
    expect(await one.ask('entries', { from: 4, count: 10 })).toEqual({ entries: [], vouchers: [] });
  });
});
