import { cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { keyTypes } from '../../src/base/keyTypes.ts';
import { type Link, SignerFailure } from '../../src/coordinator/link.ts';
import { type Succession, succession } from '../../src/coordinator/succession.ts';
import type { Method, Params } from '../../src/signer/contract.ts';
import { createCluster, type TestCluster, type TestKey, type TestSigner } from './cluster.ts';
import { type Coordinated, coordinate } from './coordinated.ts';

let cluster: TestCluster;
let coordinator: Coordinated;

beforeAll(async () => {
  cluster = await createCluster();
  coordinator = await coordinate(cluster);
});

afterAll(async () => {
  await coordinator.close();
  cluster.close();
});

/** The service's part, over these links. */
const over = (links: readonly Link[]): Succession => succession(links, () => ({ links, largestThreshold: 1 }));
const direct = () => over(cluster.signers.map(({ link }) => link));
const epochsOf = (key: TestKey) =>
  Promise.all(
    cluster.signers.map(async (signer) => {
      const { counting, settled, successors } = await signer.ask('describeShares', { keyId: key.id });
      return { counting: counting?.epoch, settled, waiting: successors.length };
    }),
  );
const everywhere = <T>(value: T) => cluster.signers.map(() => value);

describe('A key that is dealt anew', () => {
  it.each(Object.keys(keyTypes) as (keyof typeof keyTypes)[])('%s stays the same key, under other shares', async (keyType) => {
    const key = await cluster.addKey(keyType);
    const moved = await coordinator.redeal(key);
    expect(moved).toMatchObject({ epoch: 1, publicKey: key.publicKey, chainCode: key.chainCode });
    expect(moved.verificationShares).not.toEqual(key.verificationShares);
    expect(await epochsOf(key)).toEqual(everywhere({ counting: 1, settled: 0, waiting: 1 }));
    expect(await coordinator.settle([key.id])).toEqual([key.id]);
    expect(await epochsOf(key)).toEqual(everywhere({ counting: 1, settled: 1, waiting: 0 }));
  });

  it('is used all the while: before, between and after, under whichever sharing is asked for', async () => {
    const key = await cluster.addKey('EdDSA/ed25519');
    await coordinator.signText(key, 'before');
    const moved = { ...key, ...(await direct().redeal(key)) };
    await coordinator.signText(key, 'by the shares before');
    await coordinator.signText(moved, 'by the shares after');
    await direct().settle([key.id]);
    await coordinator.signText(moved, 'settled');
    await coordinator.signText(key, 'asked for as it was, and found as it is');
  });

  it('has children that move with it', async () => {
    const master = await cluster.addKey('ECDSA/secp256k1', { masterKey: true });
    const child = await cluster.addChild(master, 'm/7');
    await direct().redeal(master);
    await direct().settle([master.id]);
    await coordinator.signText(child, 'a child');
    const found = await coordinator.findKey(child.id);
    expect(found).toMatchObject({ epoch: 1, publicKey: child.publicKey });
  });

  it('is refused a share of before, once that has ended, and told so', async () => {
    const key = await cluster.addKey('DH/secp256k1');
    await direct().redeal(key);
    await direct().settle([key.id]);
    const [signer] = cluster.signers;
    const body = { domain: '0xaa', seed: '0xbb' };
    const authorisation = cluster.sign(cluster.admin, { method: 'POST', path: `/keys/${key.id}/derive`, body });
    const question = { keyId: key.id, epoch: 0, domain: Uint8Array.of(0xaa), seed: Uint8Array.of(0xbb), authorisation };
    await expect(signer?.ask('derive', question)).rejects.toMatchObject({
      code: 'StaleShare',
      reason: expect.stringContaining('of epoch 1, not of epoch 0'),
    });
    await expect(signer?.ask('derive', { ...question, epoch: 1 })).resolves.toBeDefined(); // nothing was spent
  });

  it('needs all signers', async () => {
    const key = await cluster.addKey('EdDSA/ed25519');
    cluster.signers[2]?.stop();
    await expect(direct().redeal(key)).rejects.toThrow('signer 3 does not');
    cluster.signers[2]?.start();
    await coordinator.signText(key, 'as before');
  });
});

describe('What a service may not ask', () => {
  const open = (signer: TestSigner | undefined, task: Partial<Params<'openSession'>['task']>, participants = [1, 2, 3]) =>
    signer?.ask('openSession', {
      sessionId: crypto.getRandomValues(new Uint8Array(32)),
      participants,
      task: { kind: 'redeal', base: 0, epoch: 1, dealers: [1, 2], keyType: 'EdDSA/ed25519', keyId: '', ...task } as never,
    });

  it.each<[string, object, number[]?, RegExp?]>([
    ['to leave a signer out', {}, [1, 2]],
    ['to have one dealer', { dealers: [1] }],
    ['to deal to an epoch that was', { epoch: 0 }],
    ['to use the epochs up', { epoch: 2 ** 32 - 1 }],
    ['to deal what a dealer does not hold', { base: 1, epoch: 2 }],
    ['to deal a key of another type', { keyType: 'DH/secp256k1' }],
    ['to deal a key that nobody asked for', { keyId: 'key-00000-00000-0000000000000000' }],
  ])('%s', async (_, task, participants) => {
    const key = await cluster.addKey('EdDSA/ed25519');
    const before = await epochsOf(key);
    await expect(open(cluster.signers[0], { keyId: key.id, ...task }, participants)).rejects.toBeInstanceOf(SignerFailure);
    expect(await epochsOf(key)).toEqual(before);
  });

  it('to deal a child, which has no shares', async () => {
    const child = await cluster.addChild(await cluster.addKey('EdDSA/ed25519', { masterKey: true }), 'm/0');
    await expect(open(cluster.signers[0], { keyId: child.id })).rejects.toThrow('is derived from');
  });

  it('to go back behind what is settled', async () => {
    const key = await cluster.addKey('EdDSA/ed25519');
    await direct().redeal(key);
    await direct().settle([key.id]);
    await expect(open(cluster.signers[2], { keyId: key.id, base: 0, epoch: 2 })).rejects.toMatchObject({ code: 'StaleShare' });
  });

  it('to make count, or to end, what not everybody has signed for', async () => {
    const key = await cluster.addKey('EdDSA/ed25519');
    const links = cluster.signers.map(({ link }) => withFailing(link, 'continueSession', (params) => params.round === 'reshare/confirm'));
    await expect(over(links).redeal(key)).rejects.toThrow('could not be dealt anew');
    const [one, two] = cluster.signers;
    expect(await epochsOf(key)).toEqual(everywhere({ counting: 0, settled: 0, waiting: 1 }));
    await expect(one?.ask('confirmShare', { keyId: key.id, epoch: 1, confirmations: {} })).rejects.toThrow('not everybody has confirmed');
    const settlement = { keys: [{ keyId: key.id, epoch: 1, acknowledgements: {} }] };
    await expect(one?.ask('settleShares', settlement)).rejects.toThrow('is not confirmed here');

    const other = await cluster.addKey('EdDSA/ed25519');
    await direct().redeal(other);
    const { successors } = (await two?.ask('describeShares', { keyId: other.id })) ?? { successors: [] };
    const confirmations = successors[0]?.confirmations ?? {};
    await expect(one?.ask('confirmShare', { keyId: key.id, epoch: 1, confirmations })).rejects.toThrow('not everybody has confirmed');
    const acknowledgement = await two?.ask('confirmShare', { keyId: other.id, epoch: 1, confirmations });
    const acknowledgements = Object.fromEntries([1, 2, 3].map((i) => [i, acknowledgement?.acknowledgement ?? new Uint8Array()]));
    const forged = { keys: [{ keyId: other.id, epoch: 1, acknowledgements }] };
    await expect(one?.ask('settleShares', forged)).rejects.toThrow('has not acknowledged');
    await coordinator.signText(key, 'as before');
  });
});

describe('A signer that came back from a backup', () => {
  /** Its store is what it was before `meanwhile`. */
  async function restored(signer: TestSigner, meanwhile: () => Promise<void>): Promise<void> {
    const files = ['signer.db', 'spent.db'].map((name) => join(signer.dataDir, name));
    signer.stop();
    for (const file of files) cpSync(file, `${file}.backup`);
    signer.start();
    await meanwhile();
    signer.stop();
    for (const file of files) {
      for (const beside of ['-wal', '-shm']) rmSync(`${file}${beside}`, { force: true });
      cpSync(`${file}.backup`, file);
    }
    signer.start();
    await coordinator.restart(signer);
  }

  it('with a share of before is refused by the others, and told so; the key is used without it, until it is dealt anew', async () => {
    const key = await cluster.addKey('EdDSA/ed25519');
    const stale = cluster.signers[1] as TestSigner;
    await restored(stale, async () => {
      await direct().redeal(key);
      await direct().settle([key.id]);
    });
    const moved = await recorded(key);
    expect(moved.epoch).toBe(1);
    const asked = { sessionId: crypto.getRandomValues(new Uint8Array(32)), participants: [1, 2, 3] };
    const task = { keyId: key.id, keyType: key.keyType, base: 1, epoch: 2, dealers: [1, 2] };
    await expect(stale.ask('openSession', { ...asked, task: { kind: 'redeal', ...task } })).rejects.toMatchObject({
      code: 'StaleShare',
      reason: `this signer deals key ${key.id} from epoch 0, not from epoch 1`,
    });
    for (let i = 0; i < 3; i++) await coordinator.signText(moved, `found out ${i}`).catch(() => undefined);
    for (let i = 0; i < 3; i++) await coordinator.signText(moved, `without it ${i}`);
    await direct().redeal(key);
    await direct().settle([key.id]);
    expect(await epochsOf(key)).toEqual(everywhere({ counting: 2, settled: 2, waiting: 0 }));
    await coordinator.signText(await recorded(key), 'with it');
  });

  it('without its share has one again', async () => {
    const made: TestKey[] = [];
    const bereft = cluster.signers[2] as TestSigner;
    await restored(bereft, async () => void made.push(await cluster.addKey('ECDSA/secp256k1')));
    const [key] = made as [TestKey];
    await cluster.catchUp(bereft);
    await expect(coordinator.signText(key, 'it takes all three')).rejects.toThrow('needs 3 of 3 signers');
    await direct().redeal(key);
    await direct().settle([key.id]);
    await coordinator.signText(await recorded(key), 'it has all three');
  });

  it('in the middle: what was confirmed without it is dealt over by those who hold it', async () => {
    const key = await cluster.addKey('EdDSA/ed25519');
    const victim = cluster.signers[0] as TestSigner;
    await restored(victim, async () => void (await direct().redeal(key)));
    expect((await epochsOf(key)).map(({ counting }) => counting)).toEqual([0, 1, 1]);
    expect(await direct().settle([key.id])).toEqual([]);
    await coordinator.signText(key, 'by the shares before');
    expect(await direct().redeal(key)).toMatchObject({ epoch: 2, publicKey: key.publicKey });
    expect(await direct().settle([key.id])).toEqual([key.id]);
    await coordinator.signText(await recorded(key), 'by those after');
  });

  it('all but one of them: what one alone holds confirmed is given up', async () => {
    const key = await cluster.addKey('EdDSA/ed25519');
    const [one, two] = cluster.signers as [TestSigner, TestSigner];
    await restored(one, () => restored(two, async () => void (await direct().redeal(key))));
    expect((await epochsOf(key)).map(({ counting }) => counting)).toEqual([0, 0, 1]);
    await coordinator.signText(key, 'by the shares before');
    expect(await direct().redeal(key)).toMatchObject({ epoch: 2, publicKey: key.publicKey });
    expect(await direct().settle([key.id])).toEqual([key.id]);
    expect(await epochsOf(key)).toEqual(everywhere({ counting: 2, settled: 2, waiting: 0 }));
    await coordinator.signText(await recorded(key), 'by those after');
  });
});

/** A signer that stops at its n-th question, before it has done anything or when it has and cannot say so, and is started again. */
const moments = ['before', 'after'] as const;
/** More than one run asks of one signer. */
const maxQuestions = 24;

describe('A signer that is killed at any question of it, and started again', () => {
  it.each([1, 2, 3].flatMap((index) => moments.map((moment) => ({ index, moment }))))(
    'signer $index, $moment: every key goes on signing, and comes to be dealt anew',
    async ({ index, moment }) => {
      for (let at = 1, wasKilled = true; wasKilled; at++) {
        expect(at).toBeLessThan(maxQuestions);
        const keyType = at % 2 === 0 ? 'ECDSA/secp256k1' : 'EdDSA/ed25519';
        const key = await cluster.addKey(keyType);
        const victim = cluster.signers[index - 1] as TestSigner;
        const killer = killedAt(victim, at, moment);
        const killed = over(cluster.signers.map(({ link }) => (link.index === index ? killer.link : link)));
        const outcome = await killed.redeal(key).catch((error: unknown) => error);
        await coordinator.signText(key, `killed at ${at}`);
        const moved = await recorded(key);
        await killed.settle([key.id]).catch(() => undefined);
        wasKilled = killer.wasKilled();

        await coordinator.signText(moved, `killed at ${at}, or not yet`);
        const settled = await direct().settle(await direct().unsettled());
        await coordinator.signText(moved, `brought forward from ${at}`);
        if (outcome instanceof Error) {
          await direct().redeal(key);
          await direct().settle([key.id]);
        } else if (wasKilled) expect([[], [key.id]]).toContainEqual(settled);
        const epochs = await epochsOf(key);
        expect(epochs).toEqual(everywhere({ counting: epochs[0]?.counting, settled: epochs[0]?.counting, waiting: 0 }));
        expect(epochs[0]?.counting).toBeGreaterThan(0);
        await coordinator.signText(await recorded(key), `dealt anew after ${at}`);
      }
    },
    120_000,
  );
});

/** As the service writes it down before it has shares end. */
const recorded = async (key: TestKey) => ({ ...key, ...(await coordinator.findKey(key.id)) });

function killedAt(signer: TestSigner, at: number, moment: (typeof moments)[number]): { link: Link; wasKilled(): boolean } {
  let asked = 0;
  return {
    wasKilled: () => asked >= at,
    link: {
      ...signer.link,
      async ask(method, params) {
        asked += 1;
        if (asked !== at) return signer.ask(method, params);
        if (moment === 'after') await signer.ask(method, params).catch(() => undefined);
        await coordinator.restart(signer);
        throw new SignerFailure(signer.index, 'Down', 'was killed');
      },
    },
  };
}

function withFailing<M extends Method>(link: Link, failing: M, when: (params: Params<M>) => boolean): Link {
  return {
    ...link,
    async ask(method, params) {
      if ((method as string) === failing && when(params as unknown as Params<M>)) throw new SignerFailure(link.index, 'Down', 'is gone');
      return link.ask(method, params);
    },
  };
}
