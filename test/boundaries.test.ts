/** The floors of ARCHITECTURE.md, read from the imports: downwards only, never in a circle, each floor with its own npm packages. */

import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { describe, expect, test } from 'vitest';

const src = new URL('../src', import.meta.url).pathname;

/** What a floor may import of ours. A path with a slash is one file. */
const floors: Readonly<Record<string, readonly string[]>> = {
  base: [],
  crypto: ['base'],
  mpc: ['base', 'crypto'],
  chains: ['base', 'crypto'],
  authority: ['base', 'crypto', 'chains/networks.ts'],
  store: ['base', 'lock.ts'],
  transport: ['base', 'crypto'],
  signer: ['base', 'crypto', 'mpc', 'chains', 'authority', 'transport', 'files.ts', 'lock.ts', 'log.ts'],
  coordinator: ['base', 'crypto', 'mpc', 'authority', 'transport', 'signer/contract.ts', 'signer/quick.ts', 'log.ts'],
  networks: ['base', 'chains'],
  features: ['base', 'crypto', 'chains', 'authority', 'store', 'coordinator', 'networks'],
  server: [
    'base',
    'authority',
    'features',
    'networks',
    'store',
    'transport',
    'coordinator',
    'signer/contract.ts',
    'config.ts',
    'files.ts',
    'log.ts',
  ],
  clients: [
    'base',
    'crypto',
    'features/endpoint.ts',
    'features/keys/contract.ts',
    'features/signatures/contract.ts',
    'features/wallets/contract.ts',
  ],
  cli: [
    'base',
    'crypto',
    'authority',
    'signer/contract.ts',
    'signer/follow.ts',
    'signer/operator.ts',
    'signer/process.ts',
    'signer/promote.ts',
    'signer/recoverKeys.ts',
    'signer/signRecovery.ts',
    'signer/backup/format.ts',
    'signer/backup/read.ts',
    'signer/backup/restore.ts',
    'signer/backup/write.ts',
    'signer/keyEncryption/rewrap.ts',
    'signer/keyEncryption/settings.ts',
    'server',
    'clients',
    'config.ts',
    'files.ts',
    'lock.ts',
    'log.ts',
  ],
  'config.ts': ['base', 'chains/networks.ts', 'signer/contract.ts', 'signer/keyEncryption/settings.ts'],
  'files.ts': [],
  'lock.ts': [],
  'log.ts': [],
  'main.ts': ['base', 'cli'],
};

/** The npm packages of a floor. A signer loads no web framework and no database server. */
const packages: Readonly<Record<string, readonly string[]>> = {
  base: ['zod', '@noble/hashes'],
  crypto: ['@noble/curves', '@noble/hashes', '@scure/starknet', 'secp256k1', 'sodium-native'],
  mpc: [],
  chains: ['zod', '@noble/curves', '@noble/hashes', '@scure/base', '@scure/starknet', 'ripple-binary-codec'],
  authority: ['zod'],
  store: ['@electric-sql/pglite', 'pg'],
  transport: [],
  signer: ['zod', '@aws-sdk/client-kms'], // the latter optional, loaded when it is asked for
  coordinator: ['zod'],
  networks: [],
  features: ['zod', 'fast-jwt'],
  server: ['zod', 'fastify', '@fastify/cors', 'prom-client'],
  clients: ['zod', 'viem', 'ethers', '@solana/kit'],
  cli: ['zod', '@scure/base'],
  'config.ts': ['zod'],
  'files.ts': [],
  'lock.ts': [],
  'log.ts': ['pino'],
  'main.ts': [],
};

/** Files that a browser loads: the client is typed by them. */
const browserSafe = (file: string) => file.startsWith('base/') || file.endsWith('/contract.ts') || file === 'chains/requests.ts';

interface Import {
  readonly from: string;
  /** A file of ours, relative to src, or an npm package, or `node:…`. */
  readonly to: string;
  readonly typeOnly: boolean;
}

const files = readdirSync(src, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'));
const imports = files.flatMap(importsOf);
const ours = imports.filter(({ to }) => files.includes(to));

describe('floors', () => {
  test('every file stands on a floor', () => {
    expect(files.filter((file) => floors[floorOf(file)] === undefined)).toEqual([]);
  });

  test('imports go downwards', () => {
    const allowed = ({ from, to }: Import) => {
      const below = floors[floorOf(from)] ?? [];
      return floorOf(from) === floorOf(to) || below.includes(floorOf(to)) || below.includes(to);
    };
    expect(ours.filter((one) => !allowed(one)).map(({ from, to }) => `${from} -> ${to}`)).toEqual([]);
  });

  test('imports name files that exist', () => {
    const missing = imports.filter(({ to }) => to.endsWith('.ts') && !to.startsWith('node:') && !files.includes(to));
    expect(missing.map(({ from, to }) => `${from} -> ${to}`)).toEqual([]);
  });

  test('imports never go in a circle', () => {
    expect(findCircle(ours.filter(({ typeOnly }) => !typeOnly))).toBeUndefined();
  });

  test('each floor uses its own npm packages only', () => {
    const foreign = imports.filter(
      ({ from, to }) => !to.endsWith('.ts') && !to.startsWith('node:') && !packages[floorOf(from)]?.includes(packageOf(to)),
    );
    expect(foreign.map(({ from, to }) => `${from} -> ${to}`)).toEqual([]);
  });

  test('what a browser loads imports nothing of Node', () => {
    const reached = new Set(files.filter(browserSafe));
    for (const file of reached) for (const { from, to, typeOnly } of ours) if (from === file && !typeOnly) reached.add(to);
    const node = imports.filter(({ from, to }) => reached.has(from) && to.startsWith('node:'));
    expect(node.map(({ from, to }) => `${from} -> ${to}`)).toEqual([]);
  });

  test('only config.ts reads the environment', () => {
    const readers = files.filter((file) =>
      /process\.env/.test(readFileSync(join(src, file), 'utf8').replace(/\/\*[\s\S]*?\*\/|\/\/.*/g, '')),
    );
    expect(readers).toEqual(['cli/run.ts']); // which hands it to config.ts
  });
});

function floorOf(file: string): string {
  return file.includes('/') ? (file.split('/')[0] ?? '') : file;
}

function packageOf(name: string): string {
  return name
    .split('/')
    .slice(0, name.startsWith('@') ? 2 : 1)
    .join('/');
}

function importsOf(from: string): Import[] {
  const text = readFileSync(join(src, from), 'utf8');
  const statements = text.matchAll(/^(?:import|export)\s+(type\s)?[^;]*?from\s+'([^']+)'|\bimport\('([^']+)'\)|^import '([^']+)'/gm);
  return [...statements].map(([, type, named, dynamic, bare]) => {
    const to = named ?? dynamic ?? bare ?? '';
    const typeOnly = type !== undefined || dynamic !== undefined;
    return { from, to: to.startsWith('.') ? relative(src, join(src, dirname(from), to)) : to, typeOnly };
  });
}

function findCircle(edges: readonly Import[]): string | undefined {
  const done = new Set<string>();
  const visit = (file: string, path: readonly string[]): string | undefined => {
    if (path.includes(file)) return [...path.slice(path.indexOf(file)), file].join(' -> ');
    if (done.has(file)) return undefined;
    for (const { from, to } of edges) {
      const circle = from === file ? visit(to, [...path, file]) : undefined;
      if (circle !== undefined) return circle;
    }
    done.add(file);
    return undefined;
  };
  return files.map((file) => visit(file, [])).find((circle) => circle !== undefined);
}
