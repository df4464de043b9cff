/**
 * docs/cluster.md, followed to the letter, on four loopback addresses for four hosts: three signers behind TLS, the service on its own,
 * and the official client as its user. Linux: elsewhere only 127.0.0.1 is there.
 */

import { execFile } from 'node:child_process';
import { createPublicKey, verify } from 'node:crypto';
import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseEnv, promisify } from 'node:util';
import type { DfnsApiClient } from '@dfns/sdk';
import { secp256k1 } from '@noble/curves/secp256k1.js';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { freePort, officialClient } from '../support/instance.ts';
import { answersAt, type Host, killHosts, program, startOn, until } from './hosts.ts';

const run = promisify(execFile);

describe.skipIf(process.platform !== 'linux')('a service and three signers on four hosts', () => {
  const base = mkdtempSync(join(tmpdir(), 'countersign-hosts-'));
  /** The directory of a host: what `cluster init` made for it has been moved there. */
  const at = (host: string) => join(base, host);
  const signers: Host[] = [];
  let addresses: readonly string[] = [];
  let service: Host;
  let origin = '';

  async function startSigner(i: number): Promise<void> {
    const signer = startOn(at(`signer-${i}`), ['signer', '--data-dir', '.', '--listen', addresses[i - 1] ?? '']);
    signers[i - 1] = signer;
    await until(`signer ${i} listens`, () => signer.output().includes('the signer listens'), signer.output);
  }

  async function startService(): Promise<void> {
    const env = parseEnv(readFileSync(join(at('service'), 'service.env'), 'utf8')) as Record<string, string>;
    const started = startOn(at('service'), ['serve'], { ...env, HOST: '127.0.0.1', PORT: new URL(origin).port, LOG_LEVEL: 'info' });
    service = started;
    await until('the service answers', () => answersAt(origin), started.output);
  }

  function client(): DfnsApiClient {
    const admin = parseEnv(readFileSync(join(at('service'), 'admin.env'), 'utf8')) as Record<string, string>;
    return officialClient({ origin, admin });
  }

  beforeAll(async () => {
    const hosts = ['127.0.0.2', '127.0.0.3', '127.0.0.4'];
    addresses = await Promise.all(hosts.map(async (host) => `tls://${host}:${await freePort()}`));
    origin = `http://127.0.0.1:${await freePort()}`;
    const out = join(base, 'made');
    await run(process.execPath, [
      program,
      'cluster',
      'init',
      '--signers',
      '3',
      '--threshold',
      '1',
      '--out',
      out,
      '--hosts',
      addresses.join(','),
    ]);
    for (const host of ['signer-1', 'signer-2', 'signer-3', 'service']) renameSync(join(out, host), at(host));
    rmSync(out, { recursive: true });
    await Promise.all([1, 2, 3].map(startSigner));
    await startService();
  });

  afterAll(async () => {
    await service?.stop();
    await Promise.all(signers.map((signer) => signer.stop()));
    killHosts();
    rmSync(base, { recursive: true, force: true });
  });

  const digest = '031edd7d41651593c5fe5c006fa5752b37fddff7bc4e843aa6af0c950f4b9406';
  const bytes = Buffer.from(digest, 'hex');
  const keys = { ecdsa: { id: '', publicKey: '' }, eddsa: { id: '', publicKey: '' } };

  async function signEcdsa(): Promise<boolean> {
    const { signature } = await client().keys.generateSignature({ keyId: keys.ecdsa.id, body: { kind: 'Hash', hash: `0x${digest}` } });
    if (signature === undefined) return false;
    const rs = Buffer.from(`${signature.r}${signature.s}`.replaceAll('0x', ''), 'hex');
    return secp256k1.verify(rs, bytes, Buffer.from(keys.ecdsa.publicKey, 'hex'), { prehash: false });
  }

  async function signEddsa(): Promise<boolean> {
    const { signature } = await client().keys.generateSignature({
      keyId: keys.eddsa.id,
      body: { kind: 'Message', message: `0x${digest}` },
    });
    if (signature === undefined) return false;
    const spki = Buffer.concat([Buffer.from('302a300506032b6570032100', 'hex'), Buffer.from(keys.eddsa.publicKey, 'hex')]);
    const rs = Buffer.from(`${signature.r}${signature.s}`.replaceAll('0x', ''), 'hex');
    return verify(null, bytes, createPublicKey({ key: spki, format: 'der', type: 'spki' }), rs);
  }

  test('the official client makes an ECDSA and an EdDSA key, and signs with both', async () => {
    keys.ecdsa = await client().keys.createKey({ body: { scheme: 'ECDSA', curve: 'secp256k1' } });
    keys.eddsa = await client().keys.createKey({ body: { scheme: 'EdDSA', curve: 'ed25519' } });
    expect(await signEcdsa()).toBe(true);
    expect(await signEddsa()).toBe(true);
  });

  test('a signer’s host that dies is done without where two suffice, and used again once it is back', async () => {
    await signers[1]?.stop('SIGKILL');
    expect(await signEddsa()).toBe(true);
    await expect(signEcdsa()).rejects.toMatchObject({ httpStatus: 503 });
    await startSigner(2);
    expect(await signEcdsa()).toBe(true);
  });

  test('a signer with another TLS key is refused by name, until the service’s cluster file has its pin', async () => {
    await signers[2]?.stop();
    const { stdout } = await run(process.execPath, [program, 'signer', 'renew-tls', '--data-dir', at('signer-3')]);
    await startSigner(3);
    await expect(signEcdsa()).rejects.toMatchObject({ httpStatus: 503 });
    const named = /"signer":3,"reason":"shows another TLS key than the pinned one/;
    await until('the service names the signer', () => named.test(service.output()), service.output);
    expect(await signEddsa()).toBe(true);

    await service.stop();
    const file = join(at('service'), 'cluster.json');
    const cluster = JSON.parse(readFileSync(file, 'utf8'));
    cluster.signers[2].tlsPin = JSON.parse(stdout).tlsPin;
    writeFileSync(file, JSON.stringify(cluster));
    await startService();
    expect(await signEcdsa()).toBe(true);
  });

  test('a service whose key the signers have not pinned gets nothing', async () => {
    await service.stop();
    const thief = at('thief');
    await run('cp', ['-r', at('service'), thief]); // all that a service has, but its TLS key
    rmSync(join(thief, 'tls.key'));
    await run(process.execPath, [program, 'service', 'init', '--data-dir', thief]);
    const env = parseEnv(readFileSync(join(thief, 'service.env'), 'utf8')) as Record<string, string>;
    const started = startOn(thief, ['serve'], { ...env, PORT: String(await freePort()), LOG_LEVEL: 'info' });
    await until('a signer turns it away', () => /has a TLS key that is not pinned/.test(signers[0]?.output() ?? ''), started.output);
    await started.stop('SIGKILL');
    await startService();
    expect(await signEcdsa()).toBe(true);
  });

  test('everybody stops when told to', async () => {
    expect(await service.stop()).toBe(0);
    expect(await Promise.all(signers.map((signer) => signer.stop()))).toEqual([0, 0, 0]);
  });
});
