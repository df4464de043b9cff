/**
 * The environment, read once and checked: the only place that looks at `process.env`. `.env.example` lists the same variables.
 * @module
 */

import { resolve } from 'node:path';
import { z } from 'zod';
import { type Address, parseAddress } from './base/address.ts';
import { messageOf } from './base/errors.ts';
import { type Network, networks, networkTable } from './chains/networks.ts';
import { maxSigners } from './signer/contract.ts';
import { type KeyEncryptionSettings, providers, type SecretSource } from './signer/keyEncryption/settings.ts';

const port = z.coerce.number().int().min(0).max(65_535);

/** Separated by commas. */
const addresses = z.string().transform((text, context): Address[] => {
  try {
    return list(text).map(parseAddress);
  } catch (error) {
    context.addIssue(messageOf(error));
    return z.NEVER;
  }
});

const hourMs = 60 * 60 * 1000;
const dayMs = 24 * hourMs;

/** `12h`, `7d`, `off`. */
const interval = z
  .string()
  .regex(/^([1-9]\d{0,3}[hd]|off)$/, 'must be a number of hours or days, such as 12h or 7d, or off')
  .transform((text) => (text === 'off' ? undefined : Number(text.slice(0, -1)) * (text.endsWith('h') ? hourMs : dayMs)));

const environment = z
  .object({
    PORT: port.default(3000),
    HOST: z.string().min(1).default('127.0.0.1'),
    METRICS_PORT: port.optional(),
    METRICS_HOST: z.string().min(1).default('127.0.0.1'),
    DATA_DIR: z.string().min(1).default('./data'),
    PUBLIC_URL: z.url({ protocol: /^https?$/ }).optional(),
    DATABASE_URL: z.url({ protocol: /^postgres(ql)?$/ }).optional(),
    TOKEN_KEY_FILE: z.string().min(1).optional(),
    CORS_ORIGINS: z.string().default(''),
    LOG_LEVEL: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']).default('info'),
    CLUSTER_SIGNERS: z.coerce.number().int().min(3).max(maxSigners).default(3),
    CLUSTER_THRESHOLD: z.coerce.number().int().min(1).default(1),
    CLUSTER_FILE: z.string().min(1).optional(),
    SIGNERS: addresses.optional(),
    TLS_KEY_FILE: z.string().min(1).optional(),
    REFRESH_EVERY: interval.default(7 * dayMs),
  })
  .refine(({ CLUSTER_SIGNERS, CLUSTER_THRESHOLD }) => CLUSTER_SIGNERS >= 2 * CLUSTER_THRESHOLD + 1, {
    path: ['CLUSTER_SIGNERS'],
    message: 'must be at least 2 · CLUSTER_THRESHOLD + 1: ECDSA needs an honest majority',
  });

export interface Config {
  readonly port: number;
  readonly host: string;
  /** Where metrics are shown; undefined where they are not. */
  readonly metrics: { readonly host: string; readonly port: number } | undefined;
  /** Absolute. */
  readonly dataDir: string;
  /** Where clients reach the service; the origin alone. Absent: the address it listens on. */
  readonly publicUrl: string | undefined;
  readonly databaseUrl: string | undefined;
  /** PEM of the Ed25519 key that signs tokens; made at first start if missing. */
  readonly tokenKeyFile: string;
  readonly corsOrigins: readonly string[];
  readonly logLevel: string;
  /** For a new cluster; an existing one keeps what it was made with. */
  readonly cluster: { readonly signers: number; readonly threshold: number };
  readonly clusterFile: string;
  /** Milliseconds: all keys are dealt anew so often; undefined: when asked for. */
  readonly refreshEveryMs: number | undefined;
  /** In participant order, for `serve`; `start` runs signers of its own. Paths are absolute. */
  readonly signers: readonly Address[] | undefined;
  /** JSON-RPC of a network's node, which says what callers leave out. They may hold keys: no log shows them. */
  readonly rpcUrls: { readonly [N in Network]?: URL };
  /** PEM of the Ed25519 key by which signers on other machines know this service. */
  readonly tlsKeyFile: string;
}

/** Of a signer's process alone: the service has none of it in its configuration. */
const keyEncryptionEnvironment = z.object({
  KEY_ENCRYPTION: z.enum(providers).default('file'),
  KEY_ENCRYPTION_PASSPHRASE: z.string().optional(),
  KEY_ENCRYPTION_PASSPHRASE_FILE: z.string().optional(),
  KEY_ENCRYPTION_NEW_PASSPHRASE: z.string().optional(),
  KEY_ENCRYPTION_NEW_PASSPHRASE_FILE: z.string().optional(),
  PKCS11_MODULE: z.string().optional(),
  PKCS11_TOKEN: z.string().optional(),
  PKCS11_KEY: z.string().optional(),
  PKCS11_PIN: z.string().optional(),
  PKCS11_PIN_FILE: z.string().optional(),
  AWS_KMS_KEY: z.string().optional(),
  AWS_KMS_ENDPOINT: z.url({ protocol: /^https?$/ }).optional(),
  VAULT_ADDR: z.url({ protocol: /^https?$/ }).optional(),
  VAULT_NAMESPACE: z.string().optional(),
  VAULT_TOKEN: z.string().optional(),
  VAULT_TOKEN_FILE: z.string().optional(),
  VAULT_TRANSIT_MOUNT: z.string().default('transit'),
  VAULT_TRANSIT_KEY: z.string().optional(),
});

const rpcPrefix = 'RPC_URL_';
/** Of the families whose requests may leave something to the service, by their names in capitals. */
const askedNetworks: ReadonlyMap<string, Network> = new Map(
  networks
    .filter((name) => networkTable[name].kind === 'Evm' && 'chainId' in networkTable[name])
    .map((network) => [network.toUpperCase(), network]),
);

/** `RPC_URL_<NETWORK>`. What is wrong is said without the address, which may hold a key. */
const rpcEnvironment = z.record(z.string(), z.string()).transform((set, context) => {
  const rpcUrls: { [N in Network]?: URL } = {};
  for (const [name, text] of Object.entries(set).filter(([name]) => name.startsWith(rpcPrefix))) {
    const refuse = (message: string) => context.addIssue({ code: 'custom', path: [name], message });
    const network = askedNetworks.get(name.slice(rpcPrefix.length));
    const url = URL.parse(text);
    if (network === undefined) refuse('no such network is asked; RPC_URL_ETHEREUMSEPOLIA is for EthereumSepolia');
    else if (url === null || !/^https?:$/.test(url.protocol)) refuse('must be an address, https://… or http://…');
    else if (url.username !== '' || url.password !== '') refuse('must hold no user and no password');
    else rpcUrls[network] = url;
  }
  return { rpcUrls };
});

export type Environment = Readonly<Record<string, string | undefined>>;

/** @throws {ConfigError} naming every variable that is wrong, and what it should be */
export function readConfig(env: Environment): Config {
  const read = parse(environment.and(rpcEnvironment), env);
  const dataDir = resolve(read.DATA_DIR);
  return Object.freeze({
    port: read.PORT,
    host: read.HOST,
    metrics: read.METRICS_PORT === undefined ? undefined : { host: read.METRICS_HOST, port: read.METRICS_PORT },
    dataDir,
    publicUrl: read.PUBLIC_URL === undefined ? undefined : new URL(read.PUBLIC_URL).origin,
    databaseUrl: read.DATABASE_URL,
    tokenKeyFile: resolve(read.TOKEN_KEY_FILE ?? `${dataDir}/token.key`),
    corsOrigins: list(read.CORS_ORIGINS),
    logLevel: read.LOG_LEVEL,
    cluster: { signers: read.CLUSTER_SIGNERS, threshold: read.CLUSTER_THRESHOLD },
    clusterFile: resolve(read.CLUSTER_FILE ?? `${dataDir}/cluster.json`),
    signers: read.SIGNERS?.map((address) => (address.kind === 'unix' ? { ...address, path: resolve(address.path) } : address)),
    rpcUrls: read.rpcUrls,
    refreshEveryMs: read.REFRESH_EVERY,
    tlsKeyFile: resolve(read.TLS_KEY_FILE ?? `${dataDir}/tls.key`),
  });
}

/** How a signer's key-encryption key is kept. @throws {ConfigError} as `readConfig` */
export function readKeyEncryption(env: Environment): KeyEncryptionSettings {
  const read = parse(keyEncryptionEnvironment, env);
  return {
    provider: read.KEY_ENCRYPTION,
    passphrase: secret(read.KEY_ENCRYPTION_PASSPHRASE_FILE, read.KEY_ENCRYPTION_PASSPHRASE),
    newPassphrase: secret(read.KEY_ENCRYPTION_NEW_PASSPHRASE_FILE, read.KEY_ENCRYPTION_NEW_PASSPHRASE),
    pkcs11: {
      module: read.PKCS11_MODULE,
      token: read.PKCS11_TOKEN,
      key: read.PKCS11_KEY,
      pin: secret(read.PKCS11_PIN_FILE, read.PKCS11_PIN),
    },
    awsKms: { key: read.AWS_KMS_KEY, endpoint: read.AWS_KMS_ENDPOINT },
    vault: {
      address: read.VAULT_ADDR,
      namespace: read.VAULT_NAMESPACE,
      token: secret(read.VAULT_TOKEN_FILE, read.VAULT_TOKEN),
      mount: read.VAULT_TRANSIT_MOUNT,
      key: read.VAULT_TRANSIT_KEY,
    },
  };
}

function secret(file: string | undefined, value: string | undefined): SecretSource | undefined {
  if (file !== undefined) return { file };
  return value === undefined ? undefined : { value };
}

/** An empty variable is an absent one: `PORT= npm start`. */
function parse<S extends z.ZodType>(schema: S, env: Environment): z.output<S> {
  const set = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined && value !== ''));
  const parsed = schema.safeParse(set);
  if (!parsed.success) throw new ConfigError(parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`).join('\n'));
  return parsed.data;
}

export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

function list(text: string): string[] {
  return text
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '');
}
