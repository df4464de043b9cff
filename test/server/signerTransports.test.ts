import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { parseAddress } from '../../src/base/address.ts';
import { toBase64 } from '../../src/base/bytes.ts';
import { readConfig } from '../../src/config.ts';
import { createKeyFile } from '../../src/server/keyFile.ts';
import { signerTransports } from '../../src/server/signerTransports.ts';
import { type ClusterFile, clusterFile } from '../../src/signer/contract.ts';

const directory = mkdtempSync(join(tmpdir(), 'countersign-transports-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));
const tlsKeyFile = join(directory, 'tls.key');

const text = (byte: number): string => toBase64(new Uint8Array(32).fill(byte));
const cluster: ClusterFile = clusterFile.parse({
  clusterId: 'cl',
  threshold: 1,
  root: { publicKey: 'of the first administrator', createdAt: 0 },
  signers: [1, 2, 3].map((index) => ({
    index,
    signerId: text(index),
    encryptionKey: text(index),
    ...(index < 3 && { tlsPin: text(index) }),
  })),
});
const to = (...addresses: readonly string[]) => signerTransports(addresses.map(parseAddress), { cluster, tlsKeyFile });

test('unix sockets need neither pins nor a key', () => {
  expect(to('/a', 'unix:/b', '/c').length).toBe(3);
});

test('there are as many addresses as signers', () => {
  expect(() => to('/a', '/b')).toThrow('SIGNERS: names 2 signers, the cluster has 3');
});

test('TLS needs a key of our own, readable by nobody else, and the pin of each signer that is reached by it', () => {
  expect(() => to('tls://a:1', '/b', '/c')).toThrow(/TLS_KEY_FILE: there is no key at .*tls\.key; `countersign service init` makes one/);
  createKeyFile(tlsKeyFile);
  expect(to('tls://a:1', 'tls://b:1', '/c').length).toBe(3);
  expect(() => to('tls://a:1', '/b', 'tls://c:1')).toThrow('CLUSTER_FILE: signer 3 has no tlsPin, needed for tls://c:1');
  chmodSync(tlsKeyFile, 0o640);
  expect(() => to('tls://a:1', '/b', '/c')).toThrow(/readable by others; make it mode 0600/);
  expect(() => createKeyFile(tlsKeyFile)).toThrow(/is there already/);
});

test('a pin in the cluster file is a SHA-256', () => {
  const [first, ...rest] = cluster.signers;
  expect(() => clusterFile.parse({ ...cluster, signers: [{ ...first, tlsPin: 'AAAA' }, ...rest] })).toThrow();
});

test('SIGNERS is read in both forms, and names what it cannot read', () => {
  expect(readConfig({ SIGNERS: 'tls://h:7001, run/a.sock,unix:/b.sock' }).signers).toEqual([
    { kind: 'tls', host: 'h', port: 7001 },
    { kind: 'unix', path: join(process.cwd(), 'run/a.sock') },
    { kind: 'unix', path: '/b.sock' },
  ]);
  expect(() => readConfig({ SIGNERS: 'tls://h' })).toThrow('SIGNERS: "tls://h" is not an address: write unix:/path, or tls://host:port');
});
