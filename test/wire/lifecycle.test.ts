/**
 * A whole instance from its first start to its end: what it writes, what it says, whom it refuses, how it stops. Linux: signers are found
 * by their command lines.
 */

import { type ChildProcess, spawn } from 'node:child_process';
import { createHash, createPrivateKey } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { join, relative } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { limits } from '../../src/server/limits.ts';
import type { Answer } from '../support/client.ts';
import {
  exited,
  failingStart,
  freePort,
  freshDirectory,
  type Instance,
  signerPids,
  signersGone,
  startInstance,
} from '../support/instance.ts';
import { newDataDir } from '../support/pglite.ts';
import { administrator } from './accounts.ts';
import { exampleOf } from './examples.ts';
import { type Recorder, record } from './recorder.ts';
import { expectSigns, type Key, newKeys, prepared, recorded } from './requests.ts';

const onLinux = describe.skipIf(process.platform !== 'linux');
const eddsa = exampleOf('EdDSA', 'ed25519');
const ecdsa = exampleOf('ECDSA', 'secp256k1');

onLinux('one instance, from its first start to its end', () => {
  let instance: Instance;
  let recorder: Recorder;
  let keys: Key[];
  /** While it was told to stop. */
  let lastAnswers: readonly Answer[] = [];

  beforeAll(async () => {
    instance = await startInstance({ dataDir: await newDataDir(), env: { LOG_LEVEL: 'trace' } });
    recorder = await record(instance.origin);
    keys = await newKeys({ ...instance, origin: recorder.origin }, [eddsa, ecdsa]);
    for (const key of keys) await expectSigns({ ...instance, origin: recorder.origin }, key);
  });
  afterAll(async () => {
    await recorder?.close();
    await instance?.remove();
  });

  test('writes admin.env for its owner alone, with six variables', () => {
    const file = join(instance.dataDir, 'admin.env');
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const text = readFileSync(file, 'utf8');
    expect(text.split('\n').map((line) => line.split('=')[0])).toEqual([
      'DFNS_API_URL',
      'DFNS_ORG_ID',
      'DFNS_APP_ID',
      'DFNS_AUTH_TOKEN',
      'DFNS_CRED_ID',
      'DFNS_PRIVATE_KEY',
      '',
    ]);
    expect(instance.admin).toMatchObject({
      DFNS_API_URL: instance.origin,
      DFNS_ORG_ID: expect.stringMatching(/^or-/),
      DFNS_APP_ID: expect.stringMatching(/^ap-/),
      DFNS_PRIVATE_KEY: expect.stringMatching(/^-----BEGIN PRIVATE KEY-----\n[\w+/=\n]+\n-----END PRIVATE KEY-----$/),
    });
  });

  test('keeps the key of the administrator nowhere else, in no form, and no other private key in PEM but that of its tokens', () => {
    const key = createPrivateKey(instance.admin.DFNS_PRIVATE_KEY ?? '');
    const der = key.export({ type: 'pkcs8', format: 'der' });
    const secret = der.subarray(-32); // RFC 8410 §7
    const forms = [der.toString('base64'), secret, secret.toString('hex'), secret.toString('base64url')].map((form) => Buffer.from(form));
    const holding = (wanted: readonly Buffer[]) =>
      filesOf(instance.dataDir).filter((file) => {
        const content = readFileSync(join(instance.dataDir, file));
        return wanted.some((form) => content.includes(form));
      });
    expect(holding(forms)).toEqual(['admin.env']);
    expect(holding([Buffer.from('PRIVATE KEY')]).sort()).toEqual(['admin.env', 'token.key']);
    for (const file of ['token.key', 'replica.id']) expect(statSync(join(instance.dataDir, file)).mode & 0o777, file).toBe(0o600);
  });

  test('logs every request, and no token, key, body or signature, even at trace', async () => {
    const marker = 'never to be seen in a log';
    const refused = await Promise.all([
      fetch(`${instance.origin}/keys`, { headers: { authorization: `Bearer ${marker}` } }),
      fetch(`${instance.origin}/keys?paginationToken=${marker}`, {
        headers: { authorization: `Bearer ${instance.admin.DFNS_AUTH_TOKEN}` },
      }),
      fetch(`${instance.origin}/auth/action/init`, {
        method: 'POST',
        headers: { authorization: `Bearer ${instance.admin.DFNS_AUTH_TOKEN}`, 'content-type': 'application/json' },
        body: `{"userActionPayload":"${marker}`,
      }),
    ]);
    expect(refused.map(({ status }) => status)).toEqual([401, 400, 400]);
    const ids = [
      ...recorder.exchanges.map(({ answerHeaders }) => String(answerHeaders['x-request-id'])),
      ...refused.map(({ headers }) => String(headers.get('x-request-id'))),
    ];
    await vi.waitFor(() => expect(ids.filter((id) => !instance.output().includes(id))).toEqual([]), { timeout: 10_000 });

    const passed = recorder.exchanges.flatMap(({ headers, body, answer }) => [
      ...[headers.authorization?.slice('Bearer '.length), headers['x-dfns-useraction']].map(String).flatMap((token) => token.split('.')),
      ...strings(parsed(body)),
      ...strings(parsed(answer)),
    ]);
    const keyLines = instance.admin.DFNS_PRIVATE_KEY?.split('\n').slice(1, -1) ?? [];
    // Ids and names may stand in a log; what is longer than an id is a secret or a payload.
    const unloggable = [...new Set(passed)].filter((text) => text.length > 40).map((text) => text.replace(/^0x/, ''));
    expect(unloggable.length).toBeGreaterThan(20);
    const output = instance.output().replaceAll('%20', ' ');
    expect([...unloggable, ...keyLines, marker, 'PRIVATE KEY'].filter((text) => output.includes(text))).toEqual([]);
  });

  test('refuses a second start in its directory, and is not harmed by it', async () => {
    const second = await failingStart({ dataDir: instance.dataDir, env: { PORT: String(await freePort()) } });
    expect(second).toEqual({
      code: 1,
      output: `countersign: ${instance.dataDir} is in use by another process (pid ${instance.process.pid}): stop that one first, or choose another directory\n`,
    });
    for (const key of keys) await expectSigns(instance, key);
  });

  test('told to stop, answers what is under way, takes nothing new, and ends with all its signers', async () => {
    const root = administrator(instance);
    const requests = await prepared(
      root,
      keys.filter(({ example }) => example === ecdsa),
      20,
    );
    const [held] = signerPids(instance.dataDir, 1);
    if (held === undefined) throw new Error('signer 1 runs');
    process.kill(held, 'SIGSTOP'); // so that the requests are under way until it goes on
    const answers = Promise.all(requests.map(({ path, ...request }) => root.send('POST', path, request)));
    await vi.waitFor(
      async () => {
        const statuses = [...(await recorded(root, keys)).values()].map(({ status }) => status);
        expect(statuses.filter((status) => status === 'Executing')).toHaveLength(20);
      },
      { timeout: 10_000, interval: 20 },
    );

    // As Ctrl-C does it: everybody in the process group hears it.
    for (const pid of [instance.process.pid, ...signerPids(instance.dataDir)]) if (pid !== undefined) process.kill(pid, 'SIGINT');
    await vi.waitFor(async () => expect(await fetch(instance.origin).catch(() => 'refused')).toBe('refused'), { timeout: 10_000 });
    process.kill(held, 'SIGCONT');
    lastAnswers = await answers;
    expect(lastAnswers.map(({ status, body }) => [status, body.status])).toEqual(requests.map(() => [200, 'Signed']));
    // It waits for nothing else: not for connections that clients would keep.
    expect(await Promise.race([exited(instance.process), pause(limits.drainMs / 2, 'still running')])).toBe(0);
    expect(signerPids(instance.dataDir)).toEqual([]);
  });

  test('started again, has its keys, its administrator and its answers', async () => {
    const { admin, dataDir } = instance;
    instance = await startInstance({ dataDir });
    expect(instance.admin).toEqual({ ...admin, DFNS_API_URL: instance.origin });
    const found = await recorded(administrator(instance), keys);
    for (const { body } of lastAnswers) expect(found.get(body.externalId)).toEqual(body);
    for (const key of keys) await expectSigns(instance, key);
  });

  test('killed and started again at once, waits for a signer that is slow to end', async () => {
    const { dataDir } = instance;
    const [slow] = signerPids(dataDir, 2);
    if (slow === undefined) throw new Error('signer 2 runs');
    process.kill(slow, 'SIGSTOP');
    await instance.kill();
    const next = startInstance({ dataDir });
    await vi.waitFor(() => expect(signerPids(dataDir, 2)).toHaveLength(2), { timeout: 30_000, interval: 20 });
    await pause(1_500); // it finds its store taken
    process.kill(slow, 'SIGCONT');
    instance = await next;
    for (const key of keys) await expectSigns(instance, key);
  });

  test('killed alone, takes its signers with it', async () => {
    expect(signerPids(instance.dataDir)).toHaveLength(3);
    await instance.kill();
    await signersGone(instance.dataDir);
    expect(signerPids(instance.dataDir)).toEqual([]);
  });
});

onLinux('a port that is taken', () => {
  test('is named in the error; nothing keeps running', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const { port } = taken.address() as AddressInfo; // a port, not a pipe
    const dataDir = await newDataDir();
    expect(await failingStart({ dataDir, env: { PORT: String(port) } })).toEqual({
      code: 1,
      output: `countersign: listen EADDRINUSE: address already in use 127.0.0.1:${port}\n`,
    });
    expect(signerPids(dataDir)).toEqual([]);
    taken.close();
    rmSync(dataDir, { recursive: true });
  });
});

/** Only where `npm start` would not install anything: the tests stand on the same node_modules. */
const root = fileURLToPath(new URL('../../', import.meta.url));
const stamp = join(root, 'node_modules/.countersign-setup');
const locked = createHash('sha256')
  .update(readFileSync(join(root, 'package-lock.json')))
  .digest('hex');
const isSetUp = existsSync(stamp) && readFileSync(stamp, 'utf8') === locked;

onLinux('npm start', () => {
  let npm: ChildProcess | undefined;
  afterAll(() => {
    if (npm?.pid !== undefined && npm.exitCode === null && npm.signalCode === null) process.kill(-npm.pid, 'SIGKILL');
  });

  test.runIf(isSetUp)('says what a newcomer needs, and SIGTERM to npm stops everything', async () => {
    const dataDir = freshDirectory();
    const port = await freePort();
    const started = spawn('npm', ['start'], {
      cwd: root,
      env: { PATH: process.env.PATH, HOME: process.env.HOME, DATA_DIR: dataDir, PORT: String(port), LOG_LEVEL: 'warn' },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true, // a process group, so that nothing is left should this test fail
    });
    npm = started;
    let output = '';
    started.stdout.on('data', (chunk) => (output += String(chunk)));
    await vi.waitFor(() => expect(output).toContain('npm run example'), { timeout: 60_000, interval: 50 });
    expect((await fetch(`http://127.0.0.1:${port}/healthz`)).status).toBe(200);
    expect(output).toContain(`Countersign listens at http://127.0.0.1:${port}`);
    expect(output).toContain(dataDir);
    expect(output).toContain('admin.env');

    started.kill('SIGTERM');
    expect(await exited(started)).toBe(0);
    expect(signerPids(dataDir)).toEqual([]);
    await expect(fetch(`http://127.0.0.1:${port}/healthz`)).rejects.toThrow();
    rmSync(dataDir, { recursive: true });
  });
});

/** Below a directory, without sockets. */
function filesOf(directory: string): string[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(directory, join(entry.parentPath, entry.name)));
}

function parsed(body: string): unknown {
  return body === '' ? undefined : JSON.parse(body);
}

/** Every text in a JSON value. */
function strings(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(strings) : [];
}
