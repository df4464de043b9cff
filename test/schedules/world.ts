/**
 * A cluster of real signers and the service's coordinators over lines that somebody disturbs: messages are lost, late, twice and out of order;
 * signers are killed at any message and started again from what is on their disk; coordinators are closed and made anew.
 */

import { cpSync, renameSync, rmSync } from 'node:fs';
import { pino } from 'pino';
import { type Entry, entryAfter } from '../../src/authority/entry.ts';
import { apply } from '../../src/authority/log.ts';
import { toHex } from '../../src/base/bytes.ts';
import { messageOf, Refusal } from '../../src/base/errors.ts';
import { type KeyType, keyTypes } from '../../src/base/keyTypes.ts';
import type { Coordinator, KeyReference } from '../../src/coordinator/coordinator.ts';
import { createCoordinator } from '../../src/coordinator/create.ts';
import { idOf } from '../authority/world.ts';
import { createCluster, type TestCluster, type TestSigner } from '../signer/cluster.ts';
import type { Random } from '../support/random.ts';
import { type Direction, type Line, lineTo } from './lines.ts';
import { type OnceOnly, onceOnly } from './once.ts';
import type { VirtualTime } from './virtualTime.ts';

/** Chances of a message, out of a thousand, and how late it may be. */
export interface Climate {
  readonly lost: number;
  readonly late: number;
  readonly twice: number;
  readonly maxLateMs: number;
}

export const calm: Climate = { lost: 0, late: 0, twice: 0, maxLateMs: 0 };

/** Signers give up by then what nobody continues, even if they were not told. */
const sessionsGivenUpMs = 16_000;

/** A signer is killed at a message: before it gets it, while it works on it, or when it has answered, before anybody hears it. */
export interface Kill {
  /** The first question of this step to any signer, or the how manieth question to one. */
  readonly at: { readonly step: string } | { readonly signer: number; readonly question: number };
  readonly moment: Moment;
  /** Turns of the event loop after the question has come: how far it gets. */
  readonly turns: number;
  readonly downMs: number;
}

export const moments = ['before', 'during', 'after'] as const;
export type Moment = (typeof moments)[number];

export interface StormyWorld {
  readonly cluster: TestCluster;
  readonly once: OnceOnly;
  readonly keys: KeyReference[];
  /** What must not be, and was. */
  readonly wrongs: string[];
  /** What signers were killed at. */
  readonly killedAt: Set<string>;
  isChild(keyId: string): boolean;
  coordinator(number: number): Coordinator;
  restartCoordinator(number: number): Promise<void>;
  setClimate(climate: Climate, kills: readonly Kill[]): void;
  /** All signers run again. */
  allUp(): Promise<void>;
  sign(coordinator: Coordinator, key: KeyReference): Promise<void>;
  /** Asks for a key in the authority log, and has it made. */
  newKey(coordinator: Coordinator, keyType: KeyType): Promise<void>;
  /** What was asked for and did not come to its end: it does now, or never. */
  finish(coordinator: Coordinator): Promise<void>;
  close(): Promise<void>;
}

interface Place {
  readonly signer: TestSigner;
  readonly line: Line;
  /** Questions that came since the climate was set. */
  asked: number;
  /** Counts its starts: what an earlier one still works on is heard by nobody. */
  start: number;
}

export async function createStormyWorld(
  random: Random,
  time: VirtualTime,
  { signers: size, threshold, coordinators: count }: { signers: number; threshold: number; coordinators: number },
): Promise<StormyWorld> {
  const cluster = await createCluster({ signers: size, threshold });
  const once = onceOnly();
  const wrongs: string[] = [];
  const killedAt = new Set<string>();
  let climate = calm;
  let isClosed = false;
  let kills: readonly Kill[] = [];
  /** Counts climates. */
  let season = 0;

  const places = cluster.signers.map((signer): Place => {
    const place: Place = {
      signer,
      asked: 0,
      start: 0,
      line: lineTo((question) => answer(place, question), {
        fateOf: () => fate(),
        arrived: (direction, question) => arrived(place, direction, question),
      }),
    };
    return place;
  });

  function fate(): number[] {
    const { lost, late, twice, maxLateMs } = climate;
    if (random.int(1000) < lost) return [];
    const times = random.int(1000) < twice ? 2 : 1;
    return Array.from({ length: times }, () => (random.int(1000) < late ? 1 + random.int(maxLateMs) : 0));
  }

  function arrived(place: Place, direction: Direction, question: unknown): void {
    time.stir();
    if (direction === 'question') place.asked += 1;
    const step = stepOf(question);
    const isDue = ({ at }: Kill) => ('step' in at ? at.step === step : at.signer === place.signer.index && at.question === place.asked);
    const due = kills.find((one) => (one.moment === 'after') === (direction === 'answer') && isDue(one));
    if (due === undefined || !place.line.isUp) return;
    kills = kills.filter((one) => one !== due);
    const ordered = season;
    const killNow = () => {
      // Whoever has been promised calm meanwhile is not killed any more.
      if (place.line.isUp && season === ordered) kill(place, due, step);
    };
    if (due.moment === 'during') void inTurns(due.turns).then(killNow);
    else killNow();
  }

  function kill(place: Place, { moment, downMs }: Kill, step: string): void {
    killedAt.add(`${moment} ${step}`);
    place.line.down();
    place.start += 1;
    // What is on the disk at this moment is what a process leaves that is killed: nothing of what it would write when it is closed.
    const { signer } = place;
    const copy = `${signer.dataDir}.killed`;
    cpSync(signer.dataDir, copy, { recursive: true });
    signer.stop();
    rmSync(signer.dataDir, { recursive: true });
    renameSync(copy, signer.dataDir);
    setTimeout(() => void up(place), downMs);
  }

  async function up(place: Place): Promise<void> {
    if (place.line.isUp || isClosed) return;
    place.signer.start();
    await place.line.up();
  }

  async function answer(place: Place, question: unknown): Promise<unknown> {
    const { start } = place;
    const said = await place.signer.answer(question).catch((error: unknown) => wrong(`a signer rejects: ${messageOf(error)}`));
    time.stir();
    if (start !== place.start) return new Promise(() => undefined); // killed meanwhile: nothing leaves
    try {
      once.left(place.signer.index, question, said);
    } catch (error) {
      wrong(messageOf(error));
    }
    return said;
  }

  const wrong = (what: string): void => void wrongs.push(what);

  const coordinators: Coordinator[] = [];
  function makeCoordinator(): Coordinator {
    const transports = places.map(({ line }) => line.transport);
    const made = createCoordinator({ cluster: cluster.file, transports, log: pino({ level: 'silent' }) });
    made.setHistory(cluster.history);
    return made;
  }
  const coordinator = (number: number): Coordinator => {
    const found = coordinators[number % coordinators.length];
    if (found === undefined) throw new Error('there is a coordinator');
    return found;
  };

  /** One entry after the other, as the service has it; one that was not taken is put again before any other. */
  let pending: Entry | undefined;
  let appending: Promise<unknown> = Promise.resolve();
  function append(by: Coordinator, body?: object) {
    const put = async () => {
      const entry =
        pending ??
        (body &&
          entryAfter(cluster.registry.head, { authorisation: cluster.sign(cluster.admin, { method: 'POST', path: '/keys', body }) }));
      if (entry === undefined) return undefined;
      const isOwn = pending === undefined;
      pending = entry;
      const vouchers = await by.append(entry, cluster.history);
      const { changes } = apply(cluster.registry, entry, { now: cluster.now() });
      cluster.entries.push(entry);
      cluster.vouchers.set(entry.sequence, vouchers);
      pending = undefined;
      const keyId = idOf(changes, 'key');
      const { keyType } = cluster.registry.keys.get(keyId) ?? {};
      if (keyType === undefined) throw new Error('the key is in the registry');
      unmade.set(keyId, keyType);
      return isOwn ? keyId : undefined;
    };
    const done = appending.then(put, put);
    appending = done.catch(() => undefined);
    return done;
  }

  /** In the log, without shares that everybody has. */
  const unmade = new Map<string, KeyType>();
  async function make(by: Coordinator, keyId: string, keyType: KeyType): Promise<void> {
    // One that not all have come to hold is dealt anew by those who do, if they are enough.
    const isHeld = (await by.findKey(keyId)) !== undefined;
    const made = isHeld ? await by.redeal({ id: keyId, keyType }) : await by.createKey({ keyId, keyType });
    unmade.delete(keyId);
    world.keys.push({ id: keyId, keyType, ...made });
  }

  const world: StormyWorld = {
    cluster,
    once,
    keys: [],
    wrongs,
    killedAt,
    isChild: (keyId) => cluster.registry.keys.get(keyId)?.derivedFrom !== undefined,
    coordinator,
    async restartCoordinator(number) {
      const at = number % coordinators.length;
      await coordinators[at]?.close();
      coordinators[at] = makeCoordinator();
    },
    setClimate(next, planned) {
      climate = next;
      season += 1;
      kills = planned;
      for (const place of places) place.asked = 0;
    },
    allUp: async () => void (await Promise.all(places.map(up))),

    async sign(by, key) {
      const digest = random.bytes(32).fill(1, 0, 1);
      if (key.keyType === 'DH/secp256k1') {
        const body = { domain: '0xaa', seed: toHex(digest) };
        const authorisation = cluster.sign(cluster.admin, { method: 'POST', path: `/keys/${key.id}/derive`, body });
        await by.derive({ key, domain: Uint8Array.of(0xaa), seed: digest, authorisation });
        return;
      }
      const isSchnorr = key.keyType === 'Schnorr/secp256k1';
      const body = { kind: 'Hash', hash: toHex(digest), ...(isSchnorr && { taprootMerkleRoot: '' }) };
      const authorisation = cluster.sign(cluster.admin, { method: 'POST', path: `/keys/${key.id}/signatures`, body });
      const payload = { bytes: digest, ...(isSchnorr && { taprootMerkleRoot: new Uint8Array() }) };
      const { r } = await by.sign({ key, payload, payloadIndex: 0, authorisation });
      once.signed(toHex(r));
    },

    async newKey(by, keyType) {
      const keyId = await append(by, keyTypes[keyType]);
      if (keyId !== undefined) await make(by, keyId, keyType);
    },

    async finish(by) {
      await append(by);
      if (unmade.size > 0) await new Promise((resolve) => setTimeout(resolve, sessionsGivenUpMs));
      for (const [keyId, keyType] of [...unmade]) {
        await make(by, keyId, keyType).catch((error: unknown) => {
          // Fewer than it takes hold it, and those will not make another one: the key is lost before it was any.
          if (!(error instanceof Refusal && error.code === 'Unavailable' && error.message.includes('has a share already'))) throw error;
          unmade.delete(keyId);
        });
      }
      await by.settle(await by.unsettled());
    },

    async close() {
      isClosed = true;
      for (const one of coordinators) await one.close();
      for (const { line } of places) line.down();
      cluster.close();
    },
  };

  for (let i = 0; i < count; i++) coordinators.push(makeCoordinator());
  for (const place of places) await place.line.up();
  return world;
}

/** What a question is about: its method, and of a session the task or round. */
function stepOf(question: unknown): string {
  const { method, params } = question as { method: string; params: { task?: { kind: string }; round?: string } };
  return [method, params.task?.kind ?? params.round].filter((part) => part !== undefined).join(' ');
}

async function inTurns(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await new Promise((resolve) => setImmediate(resolve));
}
