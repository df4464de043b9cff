/**
 * Random schedules: whatever is lost, late, twice, out of order or killed in between, every key signs again once all are back, and nothing
 * that serves once has served twice. `SEED=… SCHEDULES=… npx vitest run test/schedules` repeats a failure, or runs more.
 */

import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { Refusal, reasonsOf } from '../../src/base/errors.ts';
import type { KeyType } from '../../src/base/keyTypes.ts';
import { type Random, randomOf, runSeed } from '../support/random.ts';
import { startVirtualTime, type VirtualTime } from './virtualTime.ts';
import { type Climate, calm, createStormyWorld, type Kill, type Moment, moments, type StormyWorld } from './world.ts';

/** Of all clusters together: half of them are of three signers, half of four. */
const runs = Number(process.env.SCHEDULES ?? 1000);
const runsPerWorld = 50;
/** How often somebody asks for a signature anew before the key counts as broken. */
const maxTries = 3;

/** What a signer can be killed at, and what is asked so that it comes to it. */
const steps = {
  hello: 'signature',
  'openSession presign': 'presignatures',
  'continueSession presign/nonce': 'presignatures',
  'continueSession presign/R': 'presignatures',
  commit: 'nonces',
  signEcdsa: 'signature',
  signFrost: 'signature',
  derive: 'derivation',
  append: 'key',
  'openSession keygen': 'key',
  'continueSession dkg/package': 'key',
  'continueSession dkg/share': 'key',
  'continueSession dkg/confirm': 'key',
  describeShares: 'refresh',
  'openSession redeal': 'refresh',
  'continueSession reshare/deal': 'refresh',
  'continueSession reshare/confirm': 'refresh',
} as const;
type Work = (typeof steps)[keyof typeof steps];
interface Focus {
  readonly step: keyof typeof steps;
  readonly moment: Moment;
}
const foci = (Object.keys(steps) as Focus['step'][]).flatMap((step) => moments.map((moment): Focus => ({ step, moment })));

export function testSchedules(cluster: { signers: number; threshold: number }): void {
  const seed = runSeed();
  const tally = { killedAt: new Set<string>(), ends: new Map<string, number>() };
  const worlds = Array.from({ length: Math.ceil(runs / 2 / runsPerWorld) }, (_, at) => at);
  let time: VirtualTime;
  beforeAll(() => {
    time = startVirtualTime();
  });
  afterAll(() => {
    vi.useRealTimers();
  });

  test.each(worlds)(`seed ${seed}, cluster %i: nothing serves twice, and every key signs again`, { timeout: 600_000 }, async (at) => {
    const random = randomOf(`${seed}/${cluster.signers}/${at}`);
    const world = await createStormyWorld(random, time, { ...cluster, coordinators: at % 3 === 2 ? 2 : 1 });
    try {
      await born(world, random, time);
      const first = at * runsPerWorld;
      for (let run = first; run < Math.min(first + runsPerWorld, runs / 2); run++) {
        const focus = foci[run % foci.length];
        const said = await stormyRun(world, random, { time, focus, tally });
        const where = `SEED=${seed}, run ${run}: ${said.join('; ')}`;
        expect(world.wrongs, where).toEqual([]);
        await calmRun(world, random, { time, where });
      }
      for (const { id } of world.keys) await signsAgain(world, id, { time, where: `SEED=${seed}, cluster ${at}, at its end` });
      for (const step of world.killedAt) tally.killedAt.add(step);
    } finally {
      await world.close();
    }
  });

  // Some kills come to nothing, since what they are to come at is lost before: with few runs, all kills of a kind may.
  test.runIf(runs / 2 >= 6 * foci.length)('signers were killed before, during and after every step', () => {
    expect(foci.map(({ moment, step }) => `${moment} ${step}`).filter((step) => !tally.killedAt.has(step))).toEqual([]);
  });

  test('what was not done ended with a reason that its caller can go by', () => {
    const { done = 0, ...failed } = Object.fromEntries(tally.ends);
    expect(Object.keys(failed).filter((code) => !cleanEnds.has(code))).toEqual([]);
    // With one of three gone, an ECDSA request cannot be served: but the storm is no standstill.
    expect(done).toBeGreaterThan(Object.values(failed).reduce((sum, count) => sum + count, 0) / 4);
  });
}

interface Tally {
  readonly killedAt: Set<string>;
  /** By code, or `done`. */
  readonly ends: Map<string, number>;
}

/** How a request may end that was not done: its signers were not there, or had spent its authorisation when it was tried again. */
const cleanEnds = new Set<string>(['Unavailable', 'UserActionUsed']);

/** Keys of every type, children of two, and seeds, with all signers up. */
async function born(world: StormyWorld, random: Random, time: VirtualTime): Promise<void> {
  await time.until(world.coordinator(0).prepare());
  const { cluster, keys } = world;
  for (const keyType of ['ECDSA/secp256k1', 'EdDSA/ed25519'] as const) {
    const master = await cluster.addKey(keyType, { masterKey: true });
    keys.push(master, await cluster.addChild(master, `m/${random.int(1000)}`));
  }
  for (const keyType of ['Schnorr/secp256k1', 'DH/secp256k1'] as const) keys.push(await cluster.addKey(keyType));
  if (random.int(4) === 0) keys.push(await cluster.addKey('ECDSA/stark'));
}

/** @returns what was done, and what came of it */
async function stormyRun(
  world: StormyWorld,
  random: Random,
  { time, focus, tally }: { time: VirtualTime; focus: Focus | undefined; tally: Tally },
): Promise<string[]> {
  const first = focus && steps[focus.step];
  // What was made ahead is forgotten by a coordinator that starts again.
  if (first === 'presignatures' || first === 'nonces') await time.until(world.restartCoordinator(0));
  world.setClimate(climateOf(random), killsOf(world, random, focus));
  const said: string[] = [];
  const count = (what: string) => tally.ends.set(what, (tally.ends.get(what) ?? 0) + 1);
  const works = [first, ...random.list(3, () => workOf(random))].map(async (kind, at) => {
    const [name, work] = workOn(world, random, kind ?? 'signature');
    await later(at === 0 ? 0 : random.int(300));
    try {
      await work();
      count('done');
      said.push(`${name}: done`);
    } catch (error) {
      const code = error instanceof Refusal ? error.code : 'no refusal';
      count(code);
      said.push(`${name}: ${reasonsOf(error).join(': ')}`);
      if (!cleanEnds.has(code)) world.wrongs.push(`${name}: ${code}, ${reasonsOf(error).join(': ')}`);
    }
  });
  const began = Date.now();
  await time.until(Promise.all(works));
  world.cluster.wait(Math.ceil((Date.now() - began) / 1000));
  return said;
}

function climateOf(random: Random): Climate {
  return {
    lost: random.pick([0, 0, 10, 50]),
    late: random.pick([0, 200, 500]),
    twice: random.pick([0, 0, 20, 100]),
    maxLateMs: random.pick([5, 100, 1000]),
  };
}

function killsOf({ cluster }: StormyWorld, random: Random, focus: Focus | undefined): Kill[] {
  const { length } = cluster.signers;
  const details = () => ({ turns: random.int(3), downMs: random.pick([1, 50, 2000]) });
  const anywhere = random.list(1, () => ({
    at: { signer: 1 + random.int(length), question: 1 + random.int(20) },
    moment: random.pick(moments),
    ...details(),
  }));
  return focus === undefined ? anywhere : [{ at: { step: focus.step }, moment: focus.moment, ...details() }, ...anywhere];
}

type Asked = Work | 'restart';

function workOf(random: Random): Asked {
  const rare = ['restart', 'key', 'refresh'] as const;
  return rare[random.int(24)] ?? random.pick(['signature', 'signature', 'signature', 'signature', 'derivation']);
}

/** One thing that somebody asks for. */
function workOn(world: StormyWorld, random: Random, kind: Asked): [name: string, work: () => Promise<unknown>] {
  const number = kind === 'presignatures' || kind === 'nonces' ? 0 : random.int(2);
  const one = (of: (keyType: KeyType) => boolean) => random.pick(world.keys.filter(({ keyType }) => of(keyType)));
  const signing = (of: (keyType: KeyType) => boolean): [string, () => Promise<unknown>] => {
    const key = one(of);
    return [`a ${kind} with ${key.keyType}`, () => world.sign(world.coordinator(number), key)];
  };
  switch (kind) {
    case 'restart':
      return ['a coordinator starts again', () => world.restartCoordinator(number)];
    case 'key': {
      const keyType = random.pick<KeyType>(['ECDSA/secp256k1', 'EdDSA/ed25519', 'Schnorr/secp256k1', 'DH/secp256k1']);
      return [`a new key of ${keyType}`, () => world.newKey(world.coordinator(number), keyType)];
    }
    case 'refresh': {
      const key = random.pick(world.keys.filter(({ id, keyType }) => keyType !== 'ECDSA/stark' && !world.isChild(id)));
      return [`${key.keyType} dealt anew`, () => world.coordinator(number).redeal(key)];
    }
    case 'presignatures':
      return signing((keyType) => keyType === 'ECDSA/secp256k1');
    case 'nonces':
      return signing((keyType) => keyType === 'EdDSA/ed25519');
    case 'derivation':
      return signing((keyType) => keyType === 'DH/secp256k1');
    case 'signature':
      return signing((keyType) => keyType !== 'DH/secp256k1');
  }
}

/** All are back, nothing is lost: what was interrupted is brought to its end, and keys sign. */
async function calmRun(world: StormyWorld, random: Random, { time, where }: { time: VirtualTime; where: string }): Promise<void> {
  world.setClimate(calm, []);
  await time.until(world.allUp());
  await time.until(world.finish(world.coordinator(0)));
  await signsAgain(world, random.pick(world.keys).id, { time, where });
  expect(world.wrongs, where).toEqual([]);
}

async function signsAgain(world: StormyWorld, keyId: string, { time, where }: { time: VirtualTime; where: string }): Promise<void> {
  const key = world.keys.find(({ id }) => id === keyId);
  if (key === undefined) throw new Error('there is such a key');
  for (let tries = 1; ; tries++) {
    try {
      return await time.until(world.sign(world.coordinator(tries), key));
    } catch (error) {
      if (tries < maxTries) continue;
      throw new Error(`${where}: then ${key.keyType} does not sign: ${reasonsOf(error).join(': ')}`, { cause: error });
    }
  }
}

const later = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
