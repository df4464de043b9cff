/**
 * Signers that hang or die under a running service: what can go on goes on, what cannot is refused in seconds, and all of it works again
 * once the signer is back, without anybody restarting anything. Linux: signers are found by their command lines.
 */

import { setTimeout as pause } from 'node:timers/promises';
import type { DfnsApiClient } from '@dfns/sdk';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { type Instance, officialClient, signerPids, startInstance } from '../support/instance.ts';
import { newDataDir } from '../support/pglite.ts';
import { type Example, exampleOf, examples, expectSigned, type KeyTypeNames } from './examples.ts';

/** No request of these tests may take longer: a hang, not a slow machine. */
const withinMs = 15_000;
vi.setConfig({ testTimeout: 10 * withinMs });

const onLinux = describe.skipIf(process.platform !== 'linux');
const dh: KeyTypeNames = { scheme: 'DH', curve: 'secp256k1' };
/** These need 2t + 1 signers, all others t + 1. */
const ecdsa = [exampleOf('ECDSA', 'secp256k1'), exampleOf('ECDSA', 'stark')] as const;
const eddsa = exampleOf('EdDSA', 'ed25519');
const others = examples.filter(({ key }) => key.scheme !== 'ECDSA');
const typeOf = ({ scheme, curve }: KeyTypeNames) => `${scheme}/${curve}`;
const keyTypes = [...new Map([...examples.map(({ key }) => key), dh].map((type) => [typeOf(type), type])).values()];

onLinux('of three signers, two of which hold a key', () => {
  const { client, send, sign, derives, keyOf, expectSigns, readiness, up, ready, allAreBack, output } = cluster({
    signers: 3,
    threshold: 1,
  });

  describe('one that hangs', () => {
    test('is named by /readyz', async () => {
      await send('SIGSTOP', 2);
      const details = { database: 'up', signers: up(2) };
      expect(await readiness()).toEqual({
        status: 503,
        body: { error: { id: expect.any(String), status: 503, message: 'not ready', details } },
      });
    });

    test('is done without by EdDSA, Schnorr and DH', async () => {
      await send('SIGSTOP', 2);
      for (const example of others) await expectSigns(example);
      await derives();
    });

    test('stops ECDSA and new keys, with a clear refusal, the request Failed, until it goes on', async () => {
      await send('SIGSTOP', 2);
      const refused = ecdsa.map(async (example) => {
        const message = `signing with ${typeOf(example.key)} needs 3 of 3 signers; failing: signer 2`;
        const { id: keyId } = keyOf(example.key);
        await expect(sign(example)).rejects.toMatchObject({
          httpStatus: 503,
          message,
          context: { body: { error: { details: { keyId, signatureId: expect.stringMatching(/^sig-/) } } } },
        });
        const { items } = await client().keys.listSignatures({ keyId, query: { limit: 1 } });
        expect(items).toMatchObject([{ status: 'Failed', reason: message, requestBody: example.body('0x') }]);
        expect(items[0]).not.toHaveProperty('signature');
      });
      await Promise.all(refused);
      await expect(client().keys.createKey({ body: eddsa.key })).rejects.toMatchObject({
        httpStatus: 503,
        message: 'key creation needs 3 of 3 signers; 2 answer',
      });

      await send('SIGCONT', 2);
      await allAreBack();
      for (const example of examples) await expectSigns(example);
      expect(await client().keys.createKey({ body: eddsa.key })).toMatchObject({ status: 'Active' });
    });

    test('does not hold up those who do not need it', async () => {
      await send('SIGSTOP', 3);
      const refused = Promise.allSettled(Array.from({ length: 20 }, () => sign(ecdsa[0])));
      await Promise.all(Array.from({ length: 20 }, () => expectSigns(eddsa)));
      expect((await refused).map(({ status }) => status)).toEqual(Array.from({ length: 20 }, () => 'rejected'));
      await send('SIGCONT', 3);
      await allAreBack();
      await expectSigns(ecdsa[0]);
    });
  });

  describe('one that is killed', () => {
    test('is started again, after a pause that grows, and used again', async () => {
      for (const _ of ['once', 'twice']) {
        await send('SIGKILL', 1);
        for (const example of others) await expectSigns(example);
        await allAreBack();
        for (const example of examples) await expectSigns(example);
        await derives();
      }
      const deaths = output().matchAll(/"child":"signer-1".*"pauseMs":(\d+)/g);
      expect([...deaths].map(([, pauseMs]) => Number(pauseMs))).toEqual([250, 500]);
    });

    test('in the middle of requests costs only such as it had begun to sign: a signer gives one share for a request, ever', async () => {
      let isDead = false;
      const requests = Array.from({ length: 100 }, async (_, i) => {
        await pause(5 * i);
        const begunAfter = isDead;
        return expectSigns(eddsa).then(
          () => 'signed',
          (error: { httpStatus?: number }) => (begunAfter ? error : error.httpStatus),
        );
      });
      await pause(200);
      await send('SIGKILL', 3);
      isDead = true;
      const outcomes = await Promise.all(requests);
      expect(new Set(outcomes).difference(new Set(['signed', 503]))).toEqual(new Set());
      expect(outcomes.filter((outcome) => outcome === 'signed').length).toBeGreaterThan(50);
      await allAreBack();
    });
  });

  test('all of them back, the service is ready', async () => {
    expect(await readiness()).toEqual(ready());
  });
});

onLinux('of four signers, two of which hold a key, one that hangs', () => {
  const { send, derives, expectSigns, createKeys, readiness, ready, allAreBack } = cluster({ signers: 4, threshold: 1 });

  test('is done without by everything, new keys included, and by what uses those after it is back', async () => {
    for (const example of examples) await expectSigns(example);
    await send('SIGSTOP', 4);
    expect(await readiness()).toEqual(ready(4));
    for (const example of examples) await expectSigns(example);
    await derives();

    await createKeys();
    for (const example of examples) await expectSigns(example);
    await send('SIGCONT', 4);
    await allAreBack();
    for (const example of examples) await expectSigns(example);
    await derives();
  });
});

onLinux('of five signers, three of which hold a key', () => {
  const { send, derives, expectSigns, readiness, ready } = cluster({ signers: 5, threshold: 2 });

  test.each(examples)('$name', async (example) => {
    await expectSigns(example);
  });

  test('two that hang are done without by EdDSA, Schnorr and DH', async () => {
    expect(await readiness()).toEqual(ready());
    for (const index of [1, 4]) await send('SIGSTOP', index);
    for (const example of others) await expectSigns(example);
    await derives();
  });
});

/** A running instance of that size with a key of every type, for the tests of a suite. Who was stopped goes on after each test. */
function cluster({ signers, threshold }: { signers: number; threshold: number }) {
  let instance: Instance;
  let client: DfnsApiClient;
  let derived: string;
  const keys = new Map<string, { id: string; publicKey: string }>();
  const point = { domain: '0x01', seed: '0x02' };

  beforeAll(async () => {
    const env = { CLUSTER_SIGNERS: String(signers), CLUSTER_THRESHOLD: String(threshold) };
    instance = await startInstance({ dataDir: await newDataDir(), env });
    client = officialClient(instance);
    await createKeys();
  });
  afterEach(() => {
    for (const pid of signerPids(instance.dataDir)) process.kill(pid, 'SIGCONT');
  });
  afterAll(() => instance?.remove());

  const derive = async () => (await client.keys.deriveKey({ keyId: keyOf(dh).id, body: point })).output;

  async function createKeys(): Promise<void> {
    for (const type of keyTypes) keys.set(typeOf(type), await client.keys.createKey({ body: type }));
    derived = await derive();
  }

  function keyOf(type: KeyTypeNames): { id: string; publicKey: string } {
    const key = keys.get(typeOf(type));
    if (key === undefined) throw new Error(`no key of ${typeOf(type)}`);
    return key;
  }

  const sign = ({ key, body }: Example) => client.keys.generateSignature({ keyId: keyOf(key).id, body: body('0x') });

  async function readiness(): Promise<{ status: number; body: unknown }> {
    const answer = await fetch(`${instance.origin}/readyz`);
    return { status: answer.status, body: JSON.parse(await answer.text()) };
  }

  const up = (missing?: number) => Array.from({ length: signers }, (_, i) => ({ index: i + 1, up: i + 1 !== missing }));
  const ready = (missing?: number) => ({ status: 200, body: { status: 'ready', database: 'up', signers: up(missing) } });

  return {
    client: () => client,
    output: () => instance.output(),
    createKeys,
    keyOf,
    sign,
    readiness,
    /** What `/readyz` says of the signers, and all of it while one may be missing. */
    up,
    ready,

    async send(signal: NodeJS.Signals, index: number): Promise<void> {
      const [pid, ...more] = signerPids(instance.dataDir, index);
      if (pid === undefined || more.length > 0) throw new Error(`signer ${index} is not one process`);
      process.kill(pid, signal);
      // Who answered a moment ago is asked without a sign of life: one that hangs or dies costs the requests of that moment.
      if (signal !== 'SIGCONT') await pause(150);
    },

    async expectSigns(example: Example): Promise<void> {
      expectSigned(await sign(example), example, keyOf(example.key));
    },

    /** The DH key gives what it gave at first, whoever evaluates it. */
    async derives(): Promise<void> {
      expect(await derive()).toBe(derived);
    },

    async allAreBack(): Promise<void> {
      await vi.waitFor(async () => expect(await readiness()).toEqual(ready()), { timeout: withinMs, interval: 100 });
    },
  };
}
