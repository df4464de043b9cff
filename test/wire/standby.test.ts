/**
 * docs/standby.md, followed on loopback addresses for hosts: a signer with a standby that keeps up, its host lost, the standby in its place
 * under the same keys; and the host that comes back. Linux: elsewhere only 127.0.0.1 is there.
 */

import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { parseEnv, promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { assert } from '../../src/base/errors.ts';
import { createClient } from '../../src/clients/client.ts';
import { freePort } from '../support/instance.ts';
import { exampleOf, expectSigned } from './examples.ts';
import { answersAt, type Host, killHosts, program, startOn, until } from './hosts.ts';

const run = promisify(execFile);
const example = exampleOf('ECDSA', 'secp256k1'); // it takes all three signers

describe.skipIf(process.platform !== 'linux')('a signer with a standby', () => {
  const base = mkdtempSync(join(tmpdir(), 'countersign-standby-'));
  const at = (host: string) => join(base, host);
  let addresses: string[] = [];
  let standbyAddress = '';
  let origin = '';
  let service: Host;
  let first: Host;
  let follower: Host;
  const others: Host[] = [];
  const keys: { id: string; publicKey: string }[] = [];

  const countersign = async (...args: readonly string[]) => (await run(process.execPath, [program, ...args], { cwd: base })).stdout;

  async function signerOn(directory: string, address: string): Promise<Host> {
    const host = startOn(at(directory), ['signer', '--data-dir', '.', '--listen', address]);
    await until(`${directory} listens`, () => host.output().includes('the signer listens'), host.output);
    return host;
  }

  async function startService(): Promise<void> {
    const env = parseEnv(readFileSync(join(at('service'), 'service.env'), 'utf8')) as Record<string, string>;
    const settings = { ...env, SIGNERS: addresses.join(','), HOST: '127.0.0.1', PORT: new URL(origin).port };
    const started = startOn(at('service'), ['serve'], settings);
    service = started;
    await until('the service answers', () => answersAt(origin), started.output);
  }

  async function call(method: 'GET' | 'POST', path: string, body?: unknown): Promise<unknown> {
    const env = parseEnv(readFileSync(join(at('service'), 'admin.env'), 'utf8')) as Record<string, string>;
    const { DFNS_ORG_ID: organisationId, DFNS_AUTH_TOKEN: authToken, DFNS_CRED_ID: credId, DFNS_PRIVATE_KEY: privateKey } = env;
    assert(organisationId && authToken && credId && privateKey, 'admin.env is complete');
    return createClient({ apiUrl: origin, organisationId, authToken, credId, privateKey }).call(method, path, body);
  }

  async function newKey(): Promise<void> {
    keys.push((await call('POST', '/keys', example.key)) as { id: string; publicKey: string });
  }

  /** Every key, as soon as the signers sign again. */
  async function expectAllSign(): Promise<void> {
    for (const key of keys) {
      const sign = () => call('POST', `/keys/${key.id}/signatures`, example.body('0x'));
      for (let tries = 1; ; tries++) {
        const answer = await sign().catch((error: unknown) => {
          if (tries > 120) throw error;
        });
        if (answer !== undefined) {
          expectSigned(answer as Parameters<typeof expectSigned>[0], example, key);
          break;
        }
        await pause(500);
      }
    }
  }

  beforeAll(async () => {
    addresses = await Promise.all(['127.0.0.2', '127.0.0.3', '127.0.0.4'].map(async (host) => `tls://${host}:${await freePort()}`));
    standbyAddress = `tls://127.0.0.5:${await freePort()}`;
    origin = `http://127.0.0.1:${await freePort()}`;
    await countersign('cluster', 'init', '--signers', '3', '--threshold', '1', '--out', 'made', '--hosts', addresses.join(','));
    for (const host of ['signer-1', 'signer-2', 'signer-3', 'service']) renameSync(join(at('made'), host), at(host));
    const [one = '', two = '', three = ''] = addresses;
    first = await signerOn('signer-1', one);
    others.push(await signerOn('signer-2', two), await signerOn('signer-3', three));
    await startService();
    await newKey();
  });
  afterAll(async () => {
    await service?.stop();
    killHosts();
    rmSync(base, { recursive: true, force: true });
  });

  test('is made of a backup, and keeps up with the keys that are made', async () => {
    writeFileSync(at('recovery.pem'), await countersign('recover', 'key', '--out', 'recovery.key'));
    await countersign('signer', 'backup', '--data-dir', 'signer-1', '--to', '1.backup', '--recipient', 'recovery.pem');
    const restore = ['signer', 'restore', '--data-dir', 'standby', '--from', '1.backup', '--recovery-key', 'recovery.key', '--standby'];
    expect(await countersign(...restore)).toMatch(/It is a standby, and does not act/);
    follower = startOn(base, ['signer', 'follow', '--data-dir', 'standby', '--from', addresses[0] ?? '']);
    await until('it follows', () => follower.output().includes('the standby follows'), follower.output);
    await newKey();
    await pause(2_000); // four times as long as it takes to ask again
    expect(await follower.stop()).toBe(0);
    const acts = startOn(at('standby'), ['signer', '--data-dir', '.', '--listen', standbyAddress]);
    await until('it is refused', () => acts.output().includes('this directory is a standby’s'), acts.output);
  });

  test('whose host is lost is replaced: the operator promotes, the administrator has it written, and every key signs', async () => {
    await first.stop('SIGKILL');
    const said = await countersign('signer', 'promote', '--data-dir', 'standby');
    const [, body = ''] = /^POST \/signers\/takeovers (\{.*\})$/m.exec(said) ?? [];
    const takeover = JSON.parse(body);
    await signerOn('standby', standbyAddress);
    await service.stop();
    addresses[0] = standbyAddress;
    await startService();
    expect(await call('POST', '/signers/takeovers', takeover)).toEqual(takeover);
    await expectAllSign();
    await newKey();
    await expectAllSign();
  });

  test('whose old host comes back is turned away by its own log', async () => {
    const [old] = [parseEnv(readFileSync(join(at('service'), 'service.env'), 'utf8')).SIGNERS?.split(',')[0]];
    const back = await signerOn('signer-1', old ?? '');
    await service.stop();
    addresses[0] = old ?? '';
    await startService();
    await call('POST', `/keys/${keys[0]?.id}/signatures`, example.body('0x')).then(
      () => expect.unreachable('it signed'),
      (error: Error) => expect(error.message).toMatch(/^503: /),
    );
    await until('it ends', () => back.output().includes('of this signer has taken over: this one never acts again'), back.output);
    const again = startOn(at('signer-1'), ['signer', '--data-dir', '.', '--listen', old ?? '']);
    await until('it does not start', () => again.output().includes('this one never acts again'), again.output);
    await service.stop();
    addresses[0] = standbyAddress;
    await startService();
    await expectAllSign();
  });
});
