/** The commands that make a cluster of several hosts, run as their user runs them. */

import { execFile } from 'node:child_process';
import { createHash, createPublicKey, generateKeyPairSync } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseEnv, promisify } from 'node:util';
import { afterAll, describe, expect, test } from 'vitest';
import { clusterFile, publicService, publicSigner } from '../../src/signer/contract.ts';

const program = new URL('../../src/main.ts', import.meta.url).pathname;
const directory = mkdtempSync(join(tmpdir(), 'countersign-cli-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const run = promisify(execFile);

async function countersign(...args: readonly string[]): Promise<string> {
  const { stdout } = await run(process.execPath, [program, ...args], { cwd: directory });
  return stdout;
}

/** What it says when it refuses. */
async function refusal(...args: readonly string[]): Promise<string> {
  return countersign(...args).then(
    (said) => Promise.reject(new Error(`it did not refuse, it said: ${said}`)),
    ({ code, stderr }: { code: number; stderr: string }) => {
      expect(code).toBe(1);
      return stderr;
    },
  );
}

const read = (...path: readonly string[]) => readFileSync(join(directory, ...path), 'utf8');
const clusterIn = (...path: readonly string[]) => clusterFile.parse(JSON.parse(read(...path)));
const modeOf = (...path: readonly string[]) => statSync(join(directory, ...path)).mode & 0o777;
const publicPem = (key: string) => createPublicKey(key).export({ type: 'spki', format: 'pem' }).toString();
const rootPem = generateKeyPairSync('ed25519').publicKey.export({ type: 'spki', format: 'pem' }).toString();
const three = ['--signers', '3', '--threshold', '1'];

describe('cluster init', () => {
  test('makes each host’s directory, complete, and says where it belongs', async () => {
    const hosts = 'tls://10.0.0.1:7001,tls://signer.example:7002,tls://[fd00::3]:7003';
    const said = await countersign('cluster', 'init', ...three, '--out', 'made', '--hosts', hosts);
    expect(readdirSync(join(directory, 'made')).sort()).toEqual(['service', 'signer-1', 'signer-2', 'signer-3']);
    const cluster = clusterIn('made', 'service', 'cluster.json');
    expect(cluster).toMatchObject({ threshold: 1, services: [{ name: 'service' }] });
    const pins = [...cluster.signers, ...(cluster.services ?? [])].map(({ tlsPin }) => tlsPin);
    expect(new Set(pins).size).toBe(4);
    for (const { index } of cluster.signers) {
      expect(clusterIn('made', `signer-${index}`, 'cluster.json')).toEqual(cluster);
      expect(modeOf('made', `signer-${index}`)).toBe(0o700);
      for (const file of ['key-encryption.key', 'signer.db', 'cluster.json']) expect(modeOf('made', `signer-${index}`, file)).toBe(0o600);
      // Asked again on its host, the signer finds what it has.
      expect({ index, ...JSON.parse(await countersign('signer', 'init', '--data-dir', `made/signer-${index}`)) }).toEqual(
        cluster.signers[index - 1],
      );
    }
    expect(modeOf('made', 'service')).toBe(0o700);
    for (const file of ['tls.key', 'admin.env']) expect(modeOf('made', 'service', file)).toBe(0o600);
    // The first administrator's private key, for the first start to complete; the cluster has pinned its public half.
    const admin = parseEnv(read('made', 'service', 'admin.env'));
    expect(Object.keys(admin)).toEqual(['DFNS_PRIVATE_KEY']);
    expect(cluster.root).toEqual({ publicKey: publicPem(`${admin.DFNS_PRIVATE_KEY}`), createdAt: expect.any(Number) });
    expect(Math.abs(cluster.root.createdAt - Date.now() / 1000)).toBeLessThan(60);
    expect(parseEnv(read('made', 'service', 'service.env'))).toEqual({
      DATA_DIR: '.',
      CLUSTER_FILE: 'cluster.json',
      TLS_KEY_FILE: 'tls.key',
      SIGNERS: hosts,
    });
    for (const text of [cluster.clusterId, 'tls://signer.example:7002', '--listen tls://0.0.0.0:7003', 'then delete'])
      expect(said).toContain(text);
  });

  test('takes the public half of a root key that is kept elsewhere, in any form it is accepted in', async () => {
    const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const pem = publicKey.export({ type: 'spki', format: 'pem' }).toString();
    writeFileSync(join(directory, 'root.pem'), pem.trim().replaceAll('\n', '\\n'));
    const said = await countersign('cluster', 'init', ...three, '--out', 'rooted', '--root-public-key', 'root.pem');
    expect(clusterIn('rooted', 'signer-1', 'cluster.json').root.publicKey).toBe(pem);
    expect(existsSync(join(directory, 'rooted', 'service', 'admin.env'))).toBe(false);
    expect(said).toContain('the private key whose public half you gave');
    rmSync(join(directory, 'rooted'), { recursive: true });

    writeFileSync(join(directory, 'root.pem'), 'ssh-ed25519 AAAA');
    const refused = await refusal('cluster', 'init', ...three, '--out', 'rooted', '--root-public-key', 'root.pem');
    expect(refused).toMatch(/--root-public-key root.pem: Accepted public keys: /);
    expect(existsSync(join(directory, 'rooted'))).toBe(false);
  });

  test('overwrites nothing', async () => {
    mkdirSync(join(directory, 'empty'));
    for (const out of ['made', 'empty']) expect(await refusal('cluster', 'init', ...three, '--out', out)).toMatch(/is there already/);
    expect(readdirSync(join(directory, 'empty'))).toEqual([]);
  });

  test('what cannot be a cluster is refused, and nothing is left behind', async () => {
    const before = readdirSync(directory).sort();
    const init = (...args: readonly string[]) => refusal('cluster', 'init', '--out', 'wrong', ...args);
    expect(await init('--signers', '3', '--threshold', '2')).toMatch(/threshold 2 needs 5 signers or more/);
    expect(await init('--signers', '2', '--threshold', '1')).toMatch(/--signers must be a whole number, 3 or more/);
    expect(await init('--signers', '16', '--threshold', '1')).toMatch(/at most 15 signers/);
    expect(await init('--signers', '3', '--threshold', '0')).toMatch(/--threshold must be a whole number, 1 or more/);
    expect(await init(...three, '--hosts', 'tls://a:1,tls://b:1')).toMatch(/--hosts names 2 of 3 signers/);
    expect(await init(...three, '--hosts', 'tls://a:1,tls://b:1,http://c')).toMatch(/"http:\/\/c" is not an address/);
    expect(await init(...three, '--host', 'tls://a:1')).toMatch(/--host/);
    expect(await refusal('cluster', 'init', ...three)).toMatch(/--out is missing/);
    expect(await refusal('cluster', 'unmake', ...three, '--out', 'wrong')).toMatch(/unknown command: cluster unmake/);
    expect(readdirSync(directory).sort()).toEqual(before);
  });
});

describe('cluster assemble', () => {
  test('joins what each host printed, in the order given', async () => {
    for (const i of [1, 2, 3])
      writeFileSync(join(directory, `${i}.json`), await countersign('signer', 'init', '--data-dir', `host-${i}/signer`));
    writeFileSync(
      join(directory, 'service.json'),
      await countersign('service', 'init', '--data-dir', 'host-4/service', '--name', 'replica-a'),
    );
    writeFileSync(join(directory, 'root.pem'), rootPem);
    const said = await countersign(
      'cluster',
      'assemble',
      '--threshold',
      '1',
      '--root-public-key',
      'root.pem',
      '--out',
      'cluster.json',
      'service.json',
      '3.json',
      '1.json',
      '2.json',
    );
    const cluster = clusterIn('cluster.json');
    const half = (file: string) => JSON.parse(read(file));
    expect(cluster.signers).toEqual([3, 1, 2].map((i, at) => ({ index: at + 1, ...publicSigner.parse(half(`${i}.json`)) })));
    expect(cluster.services).toEqual([publicService.parse(half('service.json'))]);
    expect(cluster.root.publicKey).toBe(rootPem);
    expect(said).toContain(createHash('sha256').update(read('cluster.json')).digest('hex'));
    expect(existsSync(join(directory, 'host-4/service/tls.key'))).toBe(true);
  });

  test('overwrites nothing, and refuses what is no public half, comes twice, or is too little', async () => {
    const assemble = (out: string, ...files: readonly string[]) =>
      refusal('cluster', 'assemble', '--threshold', '1', '--root-public-key', 'root.pem', '--out', out, ...files);
    expect(await assemble('cluster.json', '1.json', '2.json', '3.json')).toMatch(/cluster.json is there already/);
    expect(await assemble('other.json', '1.json', '2.json', '2.json')).toMatch(/have the same key/);
    expect(await assemble('other.json', '1.json', '2.json')).toMatch(/threshold 1 needs 3 signers or more/);
    expect(await assemble('other.json', '1.json', '2.json', 'cluster.json')).toMatch(
      /cluster.json is not what `signer init` or `service init` printed/,
    );
    expect(await assemble('other.json', '1.json', '2.json', 'missing.json')).toMatch(/missing.json is not what/);
    expect(await refusal('cluster', 'assemble', '--threshold', '1', '--out', 'other.json', '1.json')).toMatch(
      /--root-public-key is missing/,
    );
    expect(existsSync(join(directory, 'other.json'))).toBe(false);
  });
});

describe('a signer', () => {
  test('is given another TLS key, and keeps its identity', async () => {
    const before = JSON.parse(read('1.json'));
    const after = JSON.parse(await countersign('signer', 'renew-tls', '--data-dir', 'host-1/signer'));
    expect(after).toEqual({ ...before, tlsPin: expect.any(String) });
    expect(after.tlsPin).not.toBe(before.tlsPin);
    expect(JSON.parse(await countersign('signer', 'init', '--data-dir', 'host-1/signer'))).toEqual(after);
  });

  test('refuses to listen over TLS when nobody could connect, or its cluster is another', async () => {
    const listen = (dataDir: string) => refusal('signer', '--data-dir', dataDir, '--listen', 'tls://127.0.0.1:0');
    const { services: _, ...alone } = clusterIn('cluster.json');
    writeFileSync(join(directory, 'host-2/signer/cluster.json'), JSON.stringify(alone));
    expect(await listen('host-2/signer')).toMatch(/has no `services`: nobody could connect over TLS/);
    writeFileSync(join(directory, 'host-2/signer/cluster.json'), read('made', 'service', 'cluster.json'));
    expect(await listen('host-2/signer')).toMatch(/does not name this signer/);
  });

  test('needs one address', async () => {
    expect(await refusal('signer', '--data-dir', 'host-3/signer')).toMatch(/--socket or --listen is missing/);
    expect(await refusal('signer', '--data-dir', 'host-3/signer', '--socket', 'a.sock', '--listen', 'b.sock')).toMatch(/not both/);
    expect(await refusal('signer', '--data-dir', 'host-3/signer', '--listen', 'tcp://host:1')).toMatch(/is not an address/);
  });
});
