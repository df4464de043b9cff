/**
 * A cluster of real signers in this process, each on a directory of its own, under a clock that tests turn; an organisation of people who
 * sign; and the service's copy of the log. What is asked of a signer goes through its contract, as JSON, as if over the wire.
 */

import { createHash, generateKeyPairSync, type KeyObject, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { z } from 'zod';
import { actionLifetimeSeconds } from '../../src/authority/authorise.ts';
import { type Entry, encodeEntry, entryAfter } from '../../src/authority/entry.ts';
import { type Head, nonceAt } from '../../src/authority/head.ts';
import { apply, areVouchedFor } from '../../src/authority/log.ts';
import type { Change, MutableRegistry } from '../../src/authority/registry.ts';
import { initialRegistry, type Root, rootIds } from '../../src/authority/root.ts';
import type { SignedHead } from '../../src/authority/signedHead.ts';
import { utf8 } from '../../src/base/bytes.ts';
import { type KeyType, keyTypes } from '../../src/base/keyTypes.ts';
import { readKeyEncryption } from '../../src/config.ts';
import type { EntrySource, KeyReference } from '../../src/coordinator/coordinator.ts';
import { findKey } from '../../src/coordinator/findKey.ts';
import { type Link, SignerFailure } from '../../src/coordinator/link.ts';
import { runSession } from '../../src/coordinator/session.ts';
import { type ActionBinding, type Authorisation, challengeOf, payloadHashOf } from '../../src/crypto/authorisation.ts';
import {
  answer,
  type ClusterFile,
  clusterFile,
  type Method,
  methods,
  type Params,
  type Result,
  rootOf,
} from '../../src/signer/contract.ts';
import { readIdentity, signatureBy } from '../../src/signer/identity.ts';
import { openKeyEncryptionKey } from '../../src/signer/keyEncryption/open.ts';
import { openSigner, type Signer } from '../../src/signer/open.ts';
import { initialiseSigner } from '../../src/signer/process.ts';
import { readSignerStore } from '../../src/signer/store.ts';
import { type Actor, assertionBy, credIdOf, idOf, type Wanted } from '../authority/world.ts';

export type { Actor, Wanted } from '../authority/world.ts';

/** A signer that can be started again. */
export interface TestSigner {
  readonly index: number;
  readonly signerId: string;
  readonly dataDir: string;
  readonly link: Link;
  readonly answer: Signer['answer'];
  /** What it has logged, parsed. */
  readonly logged: readonly Record<string, unknown>[];
  ask<M extends Method>(method: M, params: Params<M>): Promise<Result<M>>;
  /** With its identity key, outside of it: what its operator may do, or who is in its place. */
  sign(message: Uint8Array): Uint8Array;
  /** Of the signer as it runs now. */
  readonly failed: Promise<Error>;
  readonly reviewed: Promise<void>;
  restart(): void;
  stop(): void;
  /** @param keyEncryptionKey when it is another than before */
  start(keyEncryptionKey?: Uint8Array): void;
}

export interface TestKey extends KeyReference {
  readonly chainCode: Uint8Array;
}

export interface TestCluster {
  readonly file: ClusterFile;
  readonly root: Root;
  readonly signers: readonly TestSigner[];
  readonly admin: Actor;
  /** The service's registry, log and vouchers. */
  readonly registry: MutableRegistry;
  readonly entries: Entry[];
  readonly vouchers: Map<number, readonly SignedHead[]>;
  readonly history: EntrySource;
  /** Milliseconds. */
  now(): number;
  wait(seconds: number): void;
  sign(actor: Actor, wanted: Wanted, circumstances?: { binding?: Partial<ActionBinding>; at?: Head }): Authorisation;
  /** Into the logs of these signers, all of them by default, and of the service. */
  perform(actor: Actor, wanted: Wanted, among?: readonly TestSigner[]): Promise<readonly Change[]>;
  submit(authorisation: Authorisation, among?: readonly TestSigner[]): Promise<readonly Change[]>;
  catchUp(signer: TestSigner, from?: number): Promise<SignedHead>;
  addAccount(
    operations: readonly string[],
    options?: { daysValid?: number },
  ): Promise<Actor & { permissionId: string; assignmentId: string }>;
  /** In the log only. */
  requestKey(keyType: KeyType, more?: object): Promise<string>;
  addKey(keyType: KeyType, more?: object): Promise<TestKey>;
  /** A child of a master key, as the signers say it. */
  addChild(master: TestKey, path: string): Promise<TestKey>;
  close(): void;
}

const dawn = 1_750_000_000;
const directories = new Set<string>();
process.once('exit', () => [...directories].forEach(remove));

function remove(directory: string): void {
  directories.delete(directory);
  rmSync(directory, { recursive: true, force: true });
}

export async function createCluster({ signers: count = 3, threshold = 1 } = {}): Promise<TestCluster> {
  const directory = mkdtempSync(join(tmpdir(), 'countersign-signers-'));
  directories.add(directory);
  let seconds = dawn + 100;
  const clock = () => seconds * 1000;

  const pair = newPair();
  const dirs = Array.from({ length: count }, (_, i) => join(directory, `signer-${i + 1}`));
  const settings = readKeyEncryption({});
  const made = await Promise.all(dirs.map((dir) => initialiseSigner(dir, settings)));
  const file = clusterFile.parse({
    clusterId: `cl-00000-00000-${randomBytes(8).toString('hex')}`,
    threshold,
    root: { publicKey: pair.publicKey, createdAt: dawn },
    signers: made.map((signer, i) => ({ index: i + 1, ...signer })),
  });
  for (const dir of dirs) writeFileSync(join(dir, 'cluster.json'), JSON.stringify(file));
  const keys = await Promise.all(dirs.map((dir) => openKeyEncryptionKey(dir, settings)));
  const signers = dirs.map((dataDir, i) =>
    testSigner({ dataDir, keyEncryptionKey: keys[i] ?? new Uint8Array(), clock, signerId: file.signers[i]?.signerId ?? '' }),
  );
  const root = rootOf(file);
  const ids = rootIds(root);
  const admin: Actor = { ...pair, userId: ids.userId, credId: ids.credId };
  const registry = initialRegistry(root);
  const entries: Entry[] = [];
  const vouchers = new Map<number, readonly SignedHead[]>();

  function sign(
    actor: Actor,
    { method, path, body }: Wanted,
    { binding: forged, at = registry.head }: { binding?: Partial<ActionBinding>; at?: Head } = {},
  ) {
    const bytes = body === undefined ? new Uint8Array(0) : body instanceof Uint8Array ? body : utf8(JSON.stringify(body));
    const binding = {
      method,
      path,
      payloadHash: payloadHashOf(bytes),
      organisationId: ids.organisationId,
      callerId: actor.userId,
      nonce: nonceAt(at, new Uint8Array(randomBytes(16))),
      expiresAt: seconds + actionLifetimeSeconds,
      ...forged,
    };
    return { binding, body: bytes, assertion: assertionBy(actor, challengeOf(binding)) };
  }

  async function submit(authorisation: Authorisation, among: readonly TestSigner[] = signers): Promise<readonly Change[]> {
    const entry = entryAfter(registry.head, { authorisation });
    const before = [...(vouchers.get(entry.sequence - 1) ?? [])];
    const heads: SignedHead[] = [];
    for (const signer of among) heads.push((await signer.ask('append', { entry: encodeEntry(entry), vouchers: before })).head);
    const { changes } = apply(registry, entry, { now: clock() });
    entries.push(entry);
    vouchers.set(entry.sequence, heads);
    return changes;
  }
  const perform = (actor: Actor, wanted: Wanted, among?: readonly TestSigner[]) => submit(sign(actor, wanted), among);

  const cluster: TestCluster = {
    file,
    root,
    signers,
    admin,
    registry,
    entries,
    vouchers,
    history: {
      entries: async (from, most) => entries.slice(from - 1, from - 1 + most),
      vouchers: async (sequence) => vouchers.get(sequence) ?? [],
      areVouchedFor: (those, by) => areVouchedFor(registry, those, by),
    },
    now: clock,
    wait(longer) {
      seconds += longer;
    },
    sign,
    perform,
    submit,
    async catchUp(signer, from = 1) {
      const { head } = await signer.ask('catchUp', {
        entries: entries.slice(from - 1).map(encodeEntry),
        vouchers: [...(vouchers.get(entries.length) ?? [])],
      });
      return head;
    },
    async addAccount(operations, { daysValid = 30 } = {}) {
      const own = newPair();
      const made = await perform(admin, {
        method: 'POST',
        path: '/auth/service-accounts',
        body: { name: 'a', publicKey: own.publicKey, daysValid },
      });
      const actor = { ...own, userId: idOf(made, 'account'), credId: credIdOf(made) };
      const name = `p${entries.length}`;
      const permissionId = idOf(await perform(admin, { method: 'POST', path: '/permissions', body: { name, operations } }), 'permission');
      const body = { identityId: actor.userId };
      const assignmentId = idOf(
        await perform(admin, { method: 'POST', path: `/permissions/${permissionId}/assignments`, body }),
        'assignment',
      );
      return { ...actor, permissionId, assignmentId };
    },
    requestKey: async (keyType, more) =>
      idOf(await perform(admin, { method: 'POST', path: '/keys', body: { ...keyTypes[keyType], ...more } }), 'key'),
    async addKey(keyType, more) {
      const keyId = await cluster.requestKey(keyType, more);
      const outcomes = await runSession(
        signers.map(({ link }) => link),
        { kind: 'keygen', keyId, keyType },
      );
      const [outcome] = outcomes.values();
      if (outcome?.kind !== 'keygen') throw new Error('no key was made');
      const { epoch, threshold, publicKey, verificationShares, chainCode } = outcome;
      return {
        id: keyId,
        keyType,
        epoch,
        threshold,
        publicKey,
        chainCode,
        verificationShares: new Map(Object.entries(verificationShares).map(([i, share]) => [Number(i), share])),
      };
    },
    async addChild({ id, keyType }, path) {
      const keyId = await cluster.requestKey(keyType, { deriveFrom: { keyId: id, path } });
      const child = await findKey(
        signers.map(({ link }) => link),
        file,
        keyId,
      );
      if (child === undefined) throw new Error('the signers do not have the child');
      return { id: keyId, ...child };
    },
    close() {
      for (const signer of signers) signer.stop();
      remove(directory);
    },
  };
  return cluster;
}

/** One that runs. */
export function testSigner({
  dataDir,
  keyEncryptionKey,
  clock,
  signerId,
}: {
  dataDir: string;
  keyEncryptionKey: Uint8Array;
  clock: () => number;
  signerId: string;
}): TestSigner {
  const logged: Record<string, unknown>[] = [];
  const log = pino({ level: 'info' }, { write: (line: string) => void logged.push(JSON.parse(line)) });
  let held = keyEncryptionKey;
  let running: Signer | undefined = openSigner({ dataDir, keyEncryptionKey, clock, log });
  const { index } = running;
  let number = 0;

  async function ask<M extends Method>(method: M, params: Params<M>): Promise<Result<M>> {
    if (running === undefined) throw new SignerFailure(index, 'Down', 'does not answer');
    const question = { number: ++number, method, params: z.encode(methods[method].params as z.ZodType, params) };
    const said = answer.parse(throughWire(await running.answer(throughWire(question))));
    if ('refusal' in said) {
      const { code, message, culprits, ...judgement } = said.refusal;
      throw new SignerFailure(index, code, message, culprits, judgement);
    }
    return methods[method].result.parse(said.result) as Result<M>;
  }

  const signer: TestSigner = {
    index,
    signerId,
    dataDir,
    logged,
    ask,
    get failed() {
      return running?.failed ?? Promise.reject(new Error('down'));
    },
    get reviewed() {
      return running?.reviewed ?? Promise.reject(new Error('down'));
    },
    answer: (question) => running?.answer(question) ?? Promise.reject(new Error('down')),
    link: {
      index,
      get likelyUp() {
        return running !== undefined;
      },
      ask,
      awake: async () => void (await ask('hello', {})),
      onLost: () => undefined,
      close: () => undefined,
    },
    sign(message) {
      const store = readSignerStore(dataDir);
      try {
        return signatureBy(readIdentity(store, held))(message);
      } finally {
        store.close();
      }
    },
    restart() {
      signer.stop();
      signer.start();
    },
    stop() {
      running?.close();
      running = undefined;
    },
    start(key = held) {
      held = key;
      running = openSigner({ dataDir, keyEncryptionKey: key, clock, log });
    },
  };
  return signer;
}

const throughWire = (message: unknown): unknown => JSON.parse(JSON.stringify(message));

export function newPair(): { privateKey: KeyObject; publicKey: string } {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  return { privateKey, publicKey: publicKey.export({ type: 'spki', format: 'pem' }).toString() };
}

/** 32 bytes that are below 2^251, so that any curve signs them. */
export function digestOf(text: string): Uint8Array {
  const digest = new Uint8Array(createHash('sha256').update(text).digest());
  digest[0] = 1;
  return digest;
}
