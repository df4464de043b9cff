/** Signers whose key-encryption keys are wrapped, as their operator runs them: processes, and the commands at their side. */

import { execFile, spawn } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { assert } from '../../src/base/errors.ts';
import { exited, failingStart, type Instance, signerPids, startInstance } from '../support/instance.ts';
import { newDataDir } from '../support/pglite.ts';
import { randomOf, runSeed } from '../support/random.ts';
import { startVault } from '../support/vault.ts';
import { exampleOf } from '../wire/examples.ts';
import { expectSigns, type Key, newKeys } from '../wire/requests.ts';

const program = new URL('../../src/main.ts', import.meta.url).pathname;
const run = promisify(execFile);
const passphrase = 'a passphrase that nobody should ever see';
const directory = mkdtempSync(join(tmpdir(), 'countersign-kek-'));
const passphraseFile = join(directory, 'passphrase');
const env = { KEY_ENCRYPTION: 'passphrase', KEY_ENCRYPTION_PASSPHRASE_FILE: passphraseFile, LOG_LEVEL: 'trace' };

let instance: Instance;
let key: Key;
beforeAll(async () => {
  writeFileSync(passphraseFile, `${passphrase}\n`, { mode: 0o600 });
  instance = await startInstance({ dataDir: await newDataDir(), env });
  const [made] = await newKeys(instance, [exampleOf('ECDSA', 'secp256k1')]);
  assert(made, 'one was asked for');
  key = made;
});
afterAll(async () => {
  await instance?.remove();
  rmSync(directory, { recursive: true, force: true });
});

const signerDir = (i: number) => join(instance.dataDir, `signer-${i}`);
const providerOf = (i: number): string => JSON.parse(readFileSync(join(signerDir(i), 'key-encryption.key'), 'utf8')).provider;

async function countersign(args: readonly string[], variables: Record<string, string> = env): Promise<string> {
  const { stdout } = await run(process.execPath, [program, ...args], { env: { PATH: process.env.PATH, ...variables } });
  return stdout;
}

test('a cluster is made and runs with its signers’ keys wrapped, and the passphrase is nowhere to be seen', async () => {
  for (const i of [1, 2, 3]) expect(providerOf(i)).toBe('passphrase');
  await expectSigns(instance, key);
  const lines = signerPids(instance.dataDir).map((pid) => readFileSync(`/proc/${pid}/cmdline`, 'utf8'));
  expect(lines).toHaveLength(3);
  expect([instance.output(), ...lines].join('\n')).not.toContain(passphrase);
});

test('a signer is rewrapped while it runs, and starts again by the other provider', async () => {
  const vault = await startVault();
  try {
    const settings = { ...env, VAULT_ADDR: vault.address, VAULT_TOKEN: vault.token, VAULT_TRANSIT_KEY: 'signer-1' };
    const [before] = signerPids(instance.dataDir, 1);
    expect(await countersign(['signer', 'rewrap', '--data-dir', signerDir(1), '--to', 'vault'], settings)).toMatch(
      /was kept by passphrase, and is by vault now/,
    );
    expect(signerPids(instance.dataDir, 1)).toEqual([before]);
    await expectSigns(instance, key);
    expect(providerOf(1)).toBe('vault');
    await instance.stop();
    const { code, output } = await failingStart({ dataDir: instance.dataDir, env });
    expect(code).toBe(1);
    expect(output).toMatch(/was not unwrapped by vault\n {2}because: VAULT_ADDR is not set/);
    instance = await startInstance({ dataDir: instance.dataDir, env: settings });
    await expectSigns(instance, key);
    await countersign(['signer', 'rewrap', '--data-dir', signerDir(1), '--to', 'passphrase'], settings);
  } finally {
    await vault.close();
  }
});

test('a passphrase comes by a pipe as well', async () => {
  const piped = 'cat "$PASSPHRASE" | "$0" "$@"';
  const variables = { PATH: process.env.PATH, PASSPHRASE: passphraseFile, KEY_ENCRYPTION_PASSPHRASE_FILE: '/dev/stdin' };
  const before = readFileSync(join(signerDir(2), 'key-encryption.key'), 'utf8');
  await run('sh', ['-c', piped, process.execPath, program, 'signer', 'rewrap', '--data-dir', signerDir(2)], { env: variables });
  expect(readFileSync(join(signerDir(2), 'key-encryption.key'), 'utf8')).not.toBe(before);
});

test('a wrong passphrase, or one on the command line, is refused', async () => {
  const other = { KEY_ENCRYPTION_PASSPHRASE: 'another passphrase altogether' };
  await expect(countersign(['signer', 'rewrap', '--data-dir', signerDir(3), '--to', 'file'], other)).rejects.toThrow(
    /the passphrase is another/,
  );
  await expect(countersign(['signer', 'rewrap', '--data-dir', signerDir(3), '--passphrase', passphrase])).rejects.toThrow(/Unknown option/);
  await expect(countersign(['signer', 'rewrap', '--data-dir', signerDir(3), '--to', 'paper'])).rejects.toThrow(
    /--to is one of file, passphrase/,
  );
});

test('a change of the key that is killed anywhere leaves a signer that starts', async () => {
  await instance.stop();
  const random = randomOf(runSeed());
  const copy = join(directory, 'signer');
  const file = { KEY_ENCRYPTION_PASSPHRASE_FILE: passphraseFile };
  await countersign(['signer', 'rewrap', '--data-dir', signerDir(3), '--to', 'file'], file);
  const shown = await countersign(['signer', 'init', '--data-dir', signerDir(3)], {});
  for (let round = 0; round < 8; round++) {
    cpSync(signerDir(3), copy, { recursive: true });
    const child = spawn(process.execPath, [program, 'signer', 'rewrap', '--rotate', '--data-dir', copy], { stdio: 'ignore', env: {} });
    // The start of the process takes most of the time: the kill follows the first trace of its work.
    while (!existsSync(join(copy, 'key-encryption.lock')) && child.exitCode === null) await pause(1);
    await pause(random.int(40));
    child.kill('SIGKILL');
    await exited(child);
    expect(await countersign(['signer', 'init', '--data-dir', copy], {}), `seed ${random.seed}, round ${round}`).toBe(shown);
    expect(existsSync(join(copy, 'key-encryption.key.next'))).toBe(false);
    rmSync(copy, { recursive: true });
  }
});
