/**
 * A cluster whose signers change, as docs/cluster.md has it for one machine: it grows, a signer that was lost is replaced, the threshold is
 * raised, and it shrinks again. In order: each test goes on from the one before.
 */

import { execFile } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { DfnsApiClient } from '@dfns/sdk';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { freePort, type Instance, officialClient, startInstance } from '../support/instance.ts';
import { newDataDir } from '../support/pglite.ts';

const program = new URL('../../src/main.ts', import.meta.url).pathname;
const run = promisify(execFile);
const keyTypes = [
  { scheme: 'ECDSA', curve: 'secp256k1' },
  { scheme: 'EdDSA', curve: 'ed25519' },
  { scheme: 'Schnorr', curve: 'secp256k1' },
] as const;
type Key = Awaited<ReturnType<DfnsApiClient['keys']['createKey']>>;

let dataDir: string;
let env: { readonly PORT: string };
let instance: Instance;
let keys: readonly Key[];

beforeAll(async () => {
  dataDir = await newDataDir();
  env = { PORT: String(await freePort()) };
  instance = await startInstance({ dataDir, env });
  keys = await Promise.all(keyTypes.map((body) => officialClient(instance).keys.createKey({ body })));
}, 120_000);
afterAll(() => instance?.remove());

const change = (...args: readonly string[]) =>
  run(process.execPath, [program, 'cluster', 'change', 'local', ...args], { env: { PATH: process.env.PATH, DATA_DIR: dataDir } });

/** Stopped, changed, started, and all keys dealt to the signers of now. */
async function changed(args: readonly string[], meanwhile: () => void = () => undefined): Promise<void> {
  expect(await instance.stop()).toBe(0);
  meanwhile();
  await change(...args);
  instance = await startInstance({ dataDir, env });
  await vi.waitFor(async () => expect(await due()).toBe(0), { timeout: 60_000, interval: 250 });
}

async function due(): Promise<number> {
  const response = await fetch(`${instance.origin}/cluster/refresh`, {
    headers: { authorization: `Bearer ${instance.admin.DFNS_AUTH_TOKEN}` },
  });
  return ((await response.json()) as { due: number }).due;
}

async function expectAllSign(): Promise<void> {
  const client = officialClient(instance);
  for (const { id, publicKey, scheme } of keys) {
    expect(await client.keys.getKey({ keyId: id })).toMatchObject({ publicKey });
    const hash = `0x${Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString('hex')}`;
    const body =
      scheme === 'EdDSA'
        ? ({ kind: 'Message', message: hash } as const)
        : ({ kind: 'Hash', hash, ...(scheme === 'Schnorr' && { taprootMerkleRoot: '' }) } as const);
    expect(await client.keys.generateSignature({ keyId: id, body })).toMatchObject({ status: 'Signed' });
  }
}

const signersThatAre = async () =>
  (await officialClient(instance).signers.listSigners()).clusters[0]?.signers.map(({ signerId }) => signerId);
const readyDetails = async () => (await fetch(`${instance.origin}/readyz`)).json();

describe('A cluster on this machine', () => {
  test('grows from 3/1 to 4/1: the same keys, one more signer', async () => {
    const before = await signersThatAre();
    await changed(['--signers', '4']);
    await expectAllSign();
    const after = await signersThatAre();
    expect(after).toHaveLength(4);
    expect(after).toEqual(expect.arrayContaining(before ?? []));
  }, 120_000);

  test('has a lost signer replaced', async () => {
    const before = await signersThatAre();
    await changed(['--replace', '2'], () => rmSync(join(dataDir, 'signer-2'), { recursive: true }));
    await expectAllSign();
    const after = await signersThatAre();
    expect(after).toHaveLength(4);
    expect(after?.filter((signerId) => before?.includes(signerId))).toHaveLength(3);
  }, 120_000);

  test('grows to 5/2', async () => {
    await changed(['--signers', '5', '--threshold', '2']);
    await expectAllSign();
    expect(await readyDetails()).toMatchObject({ signers: expect.objectContaining({ length: 5 }) });
    const made = await officialClient(instance).keys.createKey({ body: { scheme: 'ECDSA', curve: 'secp256k1' } });
    keys = [...keys, made];
    await expectAllSign();
  }, 120_000);

  test('shrinks to 3/1 again, and the whole log verifies against the root that was pinned first', async () => {
    await changed(['--signers', '3', '--threshold', '1']);
    await expectAllSign();
    expect(await signersThatAre()).toHaveLength(3);
    const asAdmin = { PATH: process.env.PATH, ...instance.admin };
    const { stdout: log } = await run(process.execPath, [program, 'audit', 'export'], { env: asAdmin });
    expect(
      log
        .trim()
        .split('\n')
        .filter((line) => line.includes('"cluster":{')),
    ).toHaveLength(4);
    const file = join(dataDir, 'log.jsonl');
    writeFileSync(file, log);
    const verify = await run(process.execPath, [program, 'audit', 'verify', file, '--cluster', join(dataDir, 'cluster.json')]);
    expect(verify.stdout).toContain('every one asked for by a credential that was allowed to');
  }, 120_000);

  test('refuses what makes no cluster, and leaves everything as it was', async () => {
    const before = readFileSync(join(dataDir, 'cluster.json'), 'utf8');
    await expect(change('--signers', '4')).rejects.toThrow('is in use'); // it runs
    await instance.stop();
    await expect(change('--signers', '4', '--threshold', '2')).rejects.toThrow('threshold 2 needs 5 signers');
    await expect(change('--replace', '9')).rejects.toThrow('there is no signer 9');
    expect(readFileSync(join(dataDir, 'cluster.json'), 'utf8')).toBe(before);
    instance = await startInstance({ dataDir, env });
    await expectAllSign();
  }, 120_000);
});
