/** The coordinator over real signers on real sockets: entries put to all, signers brought up, what a single broken one costs. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Entry, encodeEntry, entryAfter, headOf } from '../../src/authority/entry.ts';
import { apply } from '../../src/authority/log.ts';
import { isConfirmed, type SignedHead } from '../../src/authority/signedHead.ts';
import { toHex, utf8 } from '../../src/base/bytes.ts';
import type { Coordinator } from '../../src/coordinator/coordinator.ts';
import { createCoordinator } from '../../src/coordinator/create.ts';
import type { Authorisation } from '../../src/crypto/authorisation.ts';
import { schemeOf } from '../../src/crypto/schemes/index.ts';
import { listen } from '../../src/signer/listen.ts';
import type { Listening } from '../../src/transport/transport.ts';
import { unixTransport } from '../../src/transport/unix.ts';
import { keyIdsOf } from '../authority/world.ts';
import { createCluster, digestOf, type TestCluster, type TestSigner, type Wanted } from '../signer/cluster.ts';

let directory: string;
let cluster: TestCluster;
let coordinator: Coordinator;
let listening: (Listening | undefined)[];
/** What a signer does instead of answering, by index. */
let broken: Map<number, () => Promise<unknown>>;
let logged: Record<string, unknown>[];

const pathOf = ({ index }: TestSigner) => join(directory, `${index}.sock`);

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'countersign-coordinator-'));
  cluster = await createCluster();
  broken = new Map();
  logged = [];
  listening = [];
  for (const signer of cluster.signers) await up(signer);
  const transports = cluster.signers.map((signer) => unixTransport(pathOf(signer)));
  coordinator = createCoordinator({
    cluster: cluster.file,
    transports,
    log: pino({}, { write: (line: string) => void logged.push(JSON.parse(line)) }),
  });
  coordinator.setHistory(cluster.history);
  await coordinator.prepare();
});
afterEach(async () => {
  await coordinator.close();
  await Promise.all(listening.map((one) => one?.close()));
  cluster.close();
  rmSync(directory, { recursive: true, force: true });
});

async function up(signer: TestSigner): Promise<void> {
  const answer = (question: unknown) => broken.get(signer.index)?.() ?? signer.answer(question);
  listening[signer.index - 1] = await listen(unixTransport(pathOf(signer)), answer, () => undefined);
}

async function down(signer: TestSigner): Promise<void> {
  await listening[signer.index - 1]?.close();
  listening[signer.index - 1] = undefined;
}

const signers = () => cluster.signers as [TestSigner, TestSigner, TestSigner];
const newKey: Wanted = { method: 'POST', path: '/keys', body: { scheme: 'EdDSA', curve: 'ed25519' } };
const headAt = async (signer: TestSigner) => (await signer.ask('hello', {})).head;
const entryOf = (authorisation: Authorisation): Entry => entryAfter(cluster.registry.head, { authorisation });

/** As the service does it: puts it to the signers, then into its own log. */
async function put(authorisation: Authorisation): Promise<readonly SignedHead[]> {
  const entry = entryOf(authorisation);
  const vouchers = await coordinator.append(entry, cluster.history);
  apply(cluster.registry, entry, { now: cluster.now() });
  cluster.entries.push(entry);
  cluster.vouchers.set(entry.sequence, vouchers);
  return vouchers;
}
const perform = (wanted: Wanted = newKey) => put(cluster.sign(cluster.admin, wanted));

describe('an entry', () => {
  test('is taken by all, and vouched for by all', async () => {
    const vouchers = await perform();
    expect(new Set(vouchers.map(({ signerId }) => signerId)).size).toBe(3);
    expect(isConfirmed(cluster.root, cluster.registry.head, vouchers)).toBe(true);
    for (const signer of signers()) expect(await headAt(signer)).toEqual(cluster.registry.head);
  });

  test('comes to be with one signer away, which takes it when it is back', async () => {
    const [, , three] = signers();
    await down(three);
    expect(await perform()).toHaveLength(2);
    expect(await perform()).toHaveLength(2);
    await up(three);
    expect(await perform()).toHaveLength(3);
    expect(await headAt(three)).toEqual(cluster.registry.head);
  });

  test('is not held up by a signer that hangs', async () => {
    broken.set(2, () => new Promise(() => undefined));
    expect(await perform()).toHaveLength(2);
  });

  test('is not spoilt by a signer that babbles, or vouches for something else', async () => {
    const [one, two] = signers();
    const { head } = await one.ask('signHead', {});
    broken.set(2, async () => 'nonsense');
    expect(await perform()).toHaveLength(2);
    let number = 0;
    broken.set(2, async () => ({ number: ++number, result: { head: { ...head, hash: Buffer.from(head.hash).toString('base64') } } }));
    expect(await perform()).toHaveLength(2);
    expect(two.index).toBe(2);
  });

  test('needs two signers: else it is unavailable, and can be put again', async () => {
    const [, two, three] = signers();
    await Promise.all([down(two), down(three)]);
    const authorisation = cluster.sign(cluster.admin, newKey);
    await expect(put(authorisation)).rejects.toMatchObject({
      code: 'Unavailable',
      message: 'an entry of the authority log needs 2 of 3 signers; 1 took entry 1',
    });
    await Promise.all([up(two), up(three)]);
    expect(await put(authorisation)).toHaveLength(3);
  });

  test('that the signers refuse is refused in their words', async () => {
    const first = cluster.sign(cluster.admin, newKey);
    await put(first);
    const actor = await cluster.addAccount(['Keys:Read']);
    const entry = entryOf(cluster.sign(actor, newKey));
    await expect(coordinator.append(entry, cluster.history)).rejects.toMatchObject({
      code: 'Forbidden',
      message: `ServiceAccount ${actor.userId} is not authorized to perform operation (Keys:Create)`,
    });
    const used = entryOf(first);
    await expect(coordinator.append(used, cluster.history)).rejects.toMatchObject({
      code: 'UserActionUsed',
      message: 'user action has already been used',
    });
    const missing = entryOf(cluster.sign(cluster.admin, { method: 'DELETE', path: '/keys/key-x' }));
    await expect(coordinator.append(missing, cluster.history)).rejects.toMatchObject({ code: 'NotFound', message: 'Key not found' });
  });

  test('that reached one signer only is not the end of it: the next one takes its place', async () => {
    const [one] = signers();
    const lost = entryOf(cluster.sign(cluster.admin, newKey));
    await one.ask('append', { entry: encodeEntry(lost), vouchers: [] });
    expect(await perform()).toHaveLength(2);
    expect(await perform()).toHaveLength(3);
    expect(await headAt(one)).toEqual(cluster.registry.head);
  });

  test('comes to be though every signer holds another one that never did, once those have expired', async () => {
    for (const signer of signers())
      await signer.ask('append', { entry: encodeEntry(entryOf(cluster.sign(cluster.admin, newKey))), vouchers: [] });
    await expect(perform()).rejects.toMatchObject({ code: 'Conflict' });
    cluster.wait(301);
    expect(await perform()).toHaveLength(3);
  });
});

describe('a key', () => {
  const made = async (keyType: 'EdDSA/ed25519' | 'ECDSA/secp256k1' | 'Schnorr/secp256k1' | 'DH/secp256k1', body: object) => {
    const authorisation = cluster.sign(cluster.admin, { method: 'POST', path: '/keys', body });
    await put(authorisation);
    const id = keyIdsOf(cluster.registry).at(-1) ?? '';
    return { id, keyType, ...(await coordinator.createKey({ keyId: id, keyType })) };
  };
  const eddsa = () => made('EdDSA/ed25519', { scheme: 'EdDSA', curve: 'ed25519' });
  const payload = { bytes: utf8('hello') };
  const signatureOf = (keyId: string): Wanted => ({
    method: 'POST',
    path: `/keys/${keyId}/signatures`,
    body: { kind: 'Message', message: toHex(payload.bytes) },
  });
  const request = (keyId: string) => cluster.sign(cluster.admin, signatureOf(keyId));

  test('is made and used by every scheme', async () => {
    const key = await eddsa();
    const signature = await coordinator.sign({ key, payload, payloadIndex: 0, authorisation: request(key.id) });
    expect(schemeOf('EdDSA/ed25519').verify(key.publicKey, payload, signature)).toBe(true);

    const digest = digestOf('hello');
    const hash = (keyId: string, extra = {}) =>
      cluster.sign(cluster.admin, {
        method: 'POST',
        path: `/keys/${keyId}/signatures`,
        body: { kind: 'Hash', hash: toHex(digest), ...extra },
      });
    const ecdsa = await made('ECDSA/secp256k1', { scheme: 'ECDSA', curve: 'secp256k1' });
    const second = await coordinator.sign({ key: ecdsa, payload: { bytes: digest }, payloadIndex: 0, authorisation: hash(ecdsa.id) });
    expect(schemeOf('ECDSA/secp256k1').verify(ecdsa.publicKey, { bytes: digest }, second)).toBe(true);

    const schnorr = await made('Schnorr/secp256k1', { scheme: 'Schnorr', curve: 'secp256k1' });
    const tweaked = { bytes: digest, taprootMerkleRoot: new Uint8Array() };
    const third = await coordinator.sign({
      key: schnorr,
      payload: tweaked,
      payloadIndex: 0,
      authorisation: hash(schnorr.id, { taprootMerkleRoot: '' }),
    });
    expect(schemeOf('Schnorr/secp256k1').verify(schnorr.publicKey, tweaked, third)).toBe(true);

    const dh = await made('DH/secp256k1', { scheme: 'DH', curve: 'secp256k1' });
    const derive = () => cluster.sign(cluster.admin, { method: 'POST', path: `/keys/${dh.id}/derive`, body: { domain: 'aa', seed: 'bb' } });
    const point = { key: dh, domain: Uint8Array.of(0xaa), seed: Uint8Array.of(0xbb) };
    expect(await coordinator.derive({ ...point, authorisation: derive() })).toEqual(
      await coordinator.derive({ ...point, authorisation: derive() }),
    );
  });

  test('is made by a signer that was away when it was asked for', async () => {
    const [, , three] = signers();
    await down(three);
    await perform();
    await put(cluster.sign(cluster.admin, newKey));
    const id = keyIdsOf(cluster.registry).at(-1) ?? '';
    await up(three);
    const { verificationShares } = await coordinator.createKey({ keyId: id, keyType: 'EdDSA/ed25519' });
    expect([...verificationShares.keys()]).toEqual([1, 2, 3]);
  });

  test('that nobody asked for is not made', async () => {
    await expect(coordinator.createKey({ keyId: 'key-x', keyType: 'EdDSA/ed25519' })).rejects.toMatchObject({
      code: 'Unavailable',
      message: expect.stringMatching(/Key not found/),
    });
  });

  test('is used through a signer that is behind: it is brought up and asked once more', async () => {
    const key = await eddsa();
    const [one, two, three] = signers();
    for (const away of [one, two, three]) {
      await down(away);
      await perform();
      await up(away);
      await new Promise((resolve) => setTimeout(resolve, 20));
      for (let i = 0; i < 3; i++) {
        const signature = await coordinator.sign({ key, payload, payloadIndex: 0, authorisation: request(key.id) });
        expect(schemeOf('EdDSA/ed25519').verify(key.publicKey, payload, signature)).toBe(true);
      }
    }
    await perform();
    for (const signer of signers()) expect(await headAt(signer)).toEqual(cluster.registry.head);
  });

  test('is used by somebody of whom one signer does not know yet that they may', async () => {
    const key = await eddsa();
    const [one, two] = signers();
    const actor = await cluster.addAccount(['Keys:Read']);
    const at = cluster.registry.head;
    const grant: Wanted = { method: 'PUT', path: `/permissions/${actor.permissionId}`, body: { operations: ['Keys:Signatures:Create'] } };
    await cluster.perform(cluster.admin, grant, [one, two]);
    for (let i = 0; i < 3; i++) {
      const authorisation = cluster.sign(actor, signatureOf(key.id), { at });
      await coordinator.sign({ key, payload, payloadIndex: 0, authorisation });
    }
    for (const signer of signers()) expect(await headAt(signer)).toEqual(cluster.registry.head);
  });

  test('refuses in the signers’ words what they refuse', async () => {
    const key = await eddsa();
    const authorisation = request(key.id);
    await expect(coordinator.sign({ key, payload: { bytes: utf8('other') }, payloadIndex: 0, authorisation })).rejects.toMatchObject({
      code: 'Forbidden',
      message: 'the session signs something else than the request asks for',
    });
    await coordinator.sign({ key, payload, payloadIndex: 0, authorisation });
    await expect(coordinator.sign({ key, payload, payloadIndex: 0, authorisation })).rejects.toMatchObject({ code: 'UserActionUsed' });
  });

  test('is used without a signer that hangs', async () => {
    const key = await eddsa();
    broken.set(1, () => new Promise(() => undefined));
    const signature = await coordinator.sign({ key, payload, payloadIndex: 0, authorisation: request(key.id) });
    expect(schemeOf('EdDSA/ed25519').verify(key.publicKey, payload, signature)).toBe(true);
  });
});

describe('the signers’ log, read back', () => {
  test('as far as two signers vouch for it', async () => {
    await perform();
    await perform();
    expect((await coordinator.heads()).map(({ sequence }) => sequence)).toEqual([2, 2, 2]);
    const found = await coordinator.entriesFrom(1);
    expect(found?.entries).toEqual(cluster.entries);
    expect(isConfirmed(cluster.root, cluster.registry.head, found?.vouchers ?? [])).toBe(true);
    expect((await coordinator.entriesFrom(2))?.entries).toEqual(cluster.entries.slice(1));
    expect(await coordinator.entriesFrom(3)).toBeUndefined();
  });

  test('without an end that one signer alone has', async () => {
    await perform();
    await perform();
    const lost = entryOf(cluster.sign(cluster.admin, newKey));
    const [one, two] = signers();
    await one.ask('append', { entry: encodeEntry(lost), vouchers: [...(cluster.vouchers.get(2) ?? [])] });
    expect((await coordinator.entriesFrom(1))?.entries).toEqual(cluster.entries);
    await two.ask('append', { entry: encodeEntry(lost), vouchers: [...(cluster.vouchers.get(2) ?? [])] });
    const found = await coordinator.entriesFrom(1);
    expect(found?.entries).toEqual([...cluster.entries, lost]);
    expect(isConfirmed(cluster.root, headOf(lost), found?.vouchers ?? [])).toBe(true);
  });

  test('in pages where there is more than one message holds', async () => {
    for (let i = 0; i < 300; i++) await cluster.perform(cluster.admin, newKey);
    const first = await coordinator.entriesFrom(1);
    expect(first?.entries).toHaveLength(256);
    const second = await coordinator.entriesFrom(257);
    expect([...(first?.entries ?? []), ...(second?.entries ?? [])]).toEqual(cluster.entries);
  });

  test('of a signer that was rolled back: it is named, and brought up again', async () => {
    const [, , three] = signers();
    await perform();
    await perform();
    three.stop();
    const db = new DatabaseSync(join(three.dataDir, 'signer.db'));
    db.exec('delete from entries where sequence > 1');
    db.close();
    three.start();
    cluster.wait(1);
    expect((await coordinator.heads()).map(({ sequence }) => sequence)).toEqual([2, 2, 1]);
    expect(logged).toContainEqual(
      expect.objectContaining({
        level: 50,
        signer: 3,
        shown: [expect.objectContaining({ sequence: 2 }), expect.objectContaining({ sequence: 1 })],
        msg: 'the authority log of a signer is not the one it showed before',
      }),
    );
    expect(await perform()).toHaveLength(3);
  });

  test('from nobody when nobody answers', async () => {
    for (const signer of signers()) await down(signer);
    expect(await coordinator.heads()).toEqual([]);
    expect(await coordinator.entriesFrom(1)).toBeUndefined();
  });
});
