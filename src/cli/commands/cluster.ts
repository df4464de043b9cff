/**
 * `countersign cluster …`: the files of a cluster on several hosts. `init` makes all of them here, to be carried to their hosts;
 * `assemble` joins public halves that were made on the hosts, so that no machine sees all secrets even once. Nothing is overwritten.
 * @module
 */

import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { z } from 'zod';
import { type Address, addressText, parseAddress } from '../../base/address.ts';
import { messageOf } from '../../base/errors.ts';
import { importCredentialKey } from '../../crypto/assertions.ts';
import { writeDurably } from '../../files.ts';
import { adminFile, ensureAdminKey } from '../../server/adminEnv.ts';
import { checkSize, clusterText, makeSigner, newCluster, pin } from '../../server/cluster.ts';
import { type ClusterFile, publicService, publicSigner } from '../../signer/contract.ts';
import { readAs } from '../files.ts';
import { required, wholeNumber } from '../options.ts';
import { makeService } from './service.ts';

const defaultPort = 7001;

export async function cluster(args: readonly string[]): Promise<void> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      signers: { type: 'string' },
      threshold: { type: 'string' },
      out: { type: 'string' },
      hosts: { type: 'string' },
      'root-public-key': { type: 'string' },
    },
  });
  const [command, ...files] = positionals;
  const rootKeyFile = values['root-public-key'];
  const threshold = wholeNumber(values.threshold, '--threshold', 1);
  const out = resolve(required(values.out, '--out'));
  if (existsSync(out)) throw new Error(`${out} is there already`);
  if (command === 'init' && files.length === 0) {
    const signers = wholeNumber(values.signers, '--signers', 3);
    checkSize({ signers, threshold });
    const rootPublicKey = rootKeyFile === undefined ? undefined : readRootPublicKey(rootKeyFile);
    return init({ threshold, out, addresses: addressesOf(values.hosts, signers), rootPublicKey });
  }
  if (command === 'assemble') {
    const rootPublicKey = readRootPublicKey(required(rootKeyFile, '--root-public-key'));
    return assemble({ threshold, out, files, rootPublicKey });
  }
  throw new Error(`unknown command: cluster ${positionals.join(' ')}`);
}

interface Init {
  readonly threshold: number;
  readonly out: string;
  readonly addresses: readonly Address[];
  /** PEM; undefined to make the root's key here, in the service's `admin.env`. */
  readonly rootPublicKey: string | undefined;
}

/** Complete under its name or not there: made beside it first. */
async function init({ threshold, out, addresses, rootPublicKey }: Init): Promise<void> {
  mkdirSync(dirname(out), { recursive: true });
  const beside = mkdtempSync(`${out}.new-`);
  try {
    const directories = addresses.map((_, i) => join(beside, `signer-${i + 1}`));
    const signers = await Promise.all(directories.map(makeSigner));
    const services = [makeService(join(beside, 'service'), 'service')];
    const publicKey = rootPublicKey ?? ensureAdminKey(join(beside, 'service', adminFile));
    const made = newCluster({ threshold, rootPublicKey: publicKey, signers, services });
    for (const directory of directories) pin(directory, made);
    writeDurably(join(beside, 'service', 'cluster.json'), clusterText(made), 0o644);
    writeDurably(join(beside, 'service', 'service.env'), serviceEnv(addresses), 0o600);
    renameSync(beside, out);
    console.log(whatNow({ made, out, addresses, rootPublicKey }));
  } catch (error) {
    rmSync(beside, { recursive: true, force: true });
    throw error;
  }
}

/** The order of the signers' files is the order of the participants, and of SIGNERS. */
function assemble({
  threshold,
  out,
  files,
  rootPublicKey,
}: Omit<Init, 'addresses'> & { rootPublicKey: string; files: readonly string[] }): void {
  const halves = files.map(readPublicHalf);
  const signers = halves.flatMap((half) => ('signerId' in half ? [half] : []));
  const services = halves.flatMap((half) => ('signerId' in half ? [] : [half]));
  const made = newCluster({ threshold, rootPublicKey, signers, services });
  writeDurably(out, clusterText(made), 0o644);
  console.log(`Cluster ${made.clusterId}: ${signers.length} signers, ${threshold} of which may be corrupt; ${services.length} services may connect.
SHA-256 of ${out}: ${createHash('sha256').update(readFileSync(out)).digest('hex')}
Copy it to each signer's data directory and to the service's, as cluster.json; compare the hash on each host before the first start.`);
}

function readPublicHalf(file: string): z.output<typeof publicSigner> | z.output<typeof publicService> {
  return readAs(z.union([publicSigner, publicService]), file, 'what `signer init` or `service init` printed');
}

/** @returns the key in the one PEM form of its kind @throws {Error} naming what is accepted */
function readRootPublicKey(file: string): string {
  try {
    const { publicKey } = importCredentialKey(readFileSync(file, 'utf8'));
    return publicKey.export({ type: 'spki', format: 'pem' }).toString();
  } catch (error) {
    throw new Error(`--root-public-key ${file}: ${messageOf(error)}`);
  }
}

/** @throws {Error} when there are not as many hosts as signers */
function addressesOf(hosts: string | undefined, signers: number): readonly Address[] {
  const addresses = hosts?.split(',').map((host) => parseAddress(host.trim()));
  if (addresses !== undefined && addresses.length !== signers) throw new Error(`--hosts names ${addresses.length} of ${signers} signers`);
  return addresses ?? Array.from({ length: signers }, (_, i) => ({ kind: 'tls', host: `signer-${i + 1}`, port: defaultPort }) as const);
}

function serviceEnv(addresses: readonly Address[]): string {
  return `# For \`countersign serve\`, run in the directory of this file.
DATA_DIR=.
CLUSTER_FILE=cluster.json
TLS_KEY_FILE=tls.key
SIGNERS=${addresses.map(addressText).join(',')}
`;
}

function whatNow({ made, out, addresses, rootPublicKey }: Omit<Init, 'threshold'> & { made: ClusterFile }): string {
  const lines = addresses.map((address, i) => {
    const listen = addressText(address.kind === 'tls' ? { ...address, host: '0.0.0.0' } : address);
    return `  signer-${i + 1}/  to the host of ${addressText(address)}; there: countersign signer --data-dir signer-${i + 1} --listen ${listen}`;
  });
  return `Cluster ${made.clusterId} stands in ${out}: ${addresses.length} signers, ${made.threshold} of which may be corrupt.
Copy each directory to its own host, and to no other; then delete ${out}: whoever has it has every secret.

${lines.join('\n')}
  service/   to the host of the service; there, in it: set -a; . ./service.env; set +a; countersign serve

The first administrator signs with ${rootPublicKey === undefined ? 'the private key in service/admin.env' : 'the private key whose public half you gave'}: all authority comes from it.
The first start of the service writes to admin.env what else the administrator needs.

docs/cluster.md goes step by step.`;
}
