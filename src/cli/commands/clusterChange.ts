/**
 * `countersign cluster change …`: other signers for a cluster that is there, or another threshold (docs/cluster.md). `propose` writes what is
 * to be, `sign` is the part of each of t + 1 operators, offline, `apply` adds what they signed to the service's cluster file; the next start
 * of the service does the rest. `local` does all of it for a cluster whose signers are on this machine.
 * @module
 */

import { existsSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { z } from 'zod';
import { type ClusterChange, type ClusterTerms, clusterMessage } from '../../authority/cluster.ts';
import type { OperatorSignature } from '../../authority/operators.ts';
import { clusterTermsSchema } from '../../authority/wire.ts';
import { type Environment, readConfig, readKeyEncryption } from '../../config.ts';
import { writeDurably } from '../../files.ts';
import { holdLock, Locked } from '../../lock.ts';
import { checkSize, clusterText, localSigners, makeSigner, readCluster } from '../../server/cluster.ts';
import { type ClusterFile, clusterFile, currentOf, type PublicSigner, publicSigner } from '../../signer/contract.ts';
import type { OperatorPlace } from '../../signer/operator.ts';
import { readAs } from '../files.ts';
import { required, wholeNumber } from '../options.ts';

type Member = ClusterFile['signers'][number];

const termsFile = clusterTermsSchema.extend({ signers: z.array(clusterFile.shape.signers.element) });
type TermsFile = z.output<typeof termsFile>;
const partFile = z.object({ signerId: z.string(), signature: z.string() });

export async function clusterChange(args: readonly string[], env: Environment): Promise<void> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      cluster: { type: 'string' },
      threshold: { type: 'string' },
      signer: { type: 'string', multiple: true, default: [] },
      remove: { type: 'string', multiple: true, default: [] },
      'data-dir': { type: 'string' },
      change: { type: 'string' },
      signers: { type: 'string' },
      replace: { type: 'string', multiple: true, default: [] },
    },
  });
  const [command, ...files] = positionals;
  switch (command) {
    case 'propose': {
      const file = readCluster(required(values.cluster, '--cluster'));
      const members = values.signer.map(memberOf);
      const removed = values.remove.map((text) => wholeNumber(text, '--remove', 1));
      console.log(JSON.stringify(proposal(file, { members, removed, threshold: thresholdOf(values.threshold, file) }), null, 2));
      return;
    }
    case 'sign': {
      const terms = readAs(termsFile, required(values.change, '--change'), 'what `cluster change propose` printed');
      const place = { dataDir: required(values['data-dir'], '--data-dir'), settings: readKeyEncryption(env) };
      console.log(JSON.stringify(await signChange(place, terms), null, 2));
      return;
    }
    case 'apply': {
      const file = required(values.cluster, '--cluster');
      const terms = readAs(termsFile, required(values.change, '--change'), 'what `cluster change propose` printed');
      apply(
        file,
        terms,
        files.map((part) => readAs(partFile, part, 'what `cluster change sign` printed')),
      );
      console.log(`${file} has the change. Give it to each new signer as its cluster.json, start them, name all of them in SIGNERS in the
order of their numbers, and restart the service: it puts the change into the log, and deals all keys to the new signers.`);
      return;
    }
    case 'local':
      return local({
        env,
        signers: values.signers === undefined ? undefined : wholeNumber(values.signers, '--signers', 3),
        threshold: values.threshold,
        replaced: values.replace.map((text) => wholeNumber(text, '--replace', 1)),
      });
    default:
      throw new Error(`unknown command: cluster change ${positionals.join(' ')}`);
  }
}

/** `4=signer-4.json` */
function memberOf(text: string): Member {
  const [number = '', file] = text.split(/=(.*)/s);
  return {
    index: wholeNumber(number, '--signer', 1),
    ...readAs(publicSigner, required(file, '--signer NUMBER=FILE'), 'what `signer init` printed'),
  };
}

function thresholdOf(text: string | undefined, file: ClusterFile): number {
  return text === undefined ? currentOf(file).threshold : wholeNumber(text, '--threshold', 1);
}

interface Wanted {
  /** New ones; of a number that is taken, in place of who has it. */
  readonly members: readonly Member[];
  readonly removed: readonly number[];
  readonly threshold: number;
}

function proposal(file: ClusterFile, { members, removed, threshold }: Wanted): TermsFile {
  const staying = currentOf(file).signers.filter(
    ({ index }) => !removed.includes(index) && members.every((member) => member.index !== index),
  );
  const signers = [...staying, ...members].sort((a, b) => a.index - b.index);
  checkSize({ signers: signers.length, threshold });
  return { threshold, signers, at: Math.floor(Date.now() / 1000) };
}

async function signChange(place: OperatorPlace, terms: ClusterTerms): Promise<OperatorSignature> {
  const { signAsOperator } = await import('../../signer/operator.ts');
  const { signerId, signature } = await signAsOperator(place, ({ cluster }) => ({
    message: clusterMessage(cluster.clusterId, cluster.since, terms),
  }));
  return { signerId, signature };
}

/** @throws {Error} unless so many have signed as it takes; whether they have signed this, every signer will see */
function apply(path: string, terms: TermsFile, parts: readonly OperatorSignature[]): void {
  const file = readCluster(path);
  const needed = currentOf(file).threshold + 1;
  if (parts.length !== needed || new Set(parts.map(({ signerId }) => signerId)).size !== needed)
    throw new Error(`a change takes the parts of ${needed} signers, one each`);
  const signatures = [...parts].sort((a, b) => (a.signerId < b.signerId ? -1 : 1));
  const change = { ...terms, signatures } satisfies ClusterChange;
  writeDurably(path, clusterText(clusterFile.parse({ ...file, changes: [...(file.changes ?? []), change] })), 0o644);
}

/** While the service and its signers are stopped. What is interrupted is begun again. */
async function local({
  env,
  signers: count,
  threshold: wantedThreshold,
  replaced,
}: {
  env: Environment;
  signers: number | undefined;
  threshold: string | undefined;
  replaced: readonly number[];
}): Promise<void> {
  const config = readConfig(env);
  const { dataDir } = config;
  using _ = exclusively(dataDir);
  const file = readCluster(config.clusterFile);
  const { threshold: before, signers } = currentOf(file);
  const present = signers.map(({ index }) => index);
  const wanted = count === undefined ? present : Array.from({ length: count }, (_unused, i) => i + 1);
  const threshold = thresholdOf(wantedThreshold, file);
  checkSize({ signers: wanted.length, threshold });
  const unknown = replaced.find((index) => !present.includes(index));
  if (unknown !== undefined) throw new Error(`--replace: there is no signer ${unknown}`);

  const coming = wanted.filter((index) => !present.includes(index) || replaced.includes(index));
  const members = await Promise.all(localSigners(dataDir, coming).map((place) => newMember(place, replaced.includes(place.index))));
  const removed = present.filter((index) => !wanted.includes(index));
  const terms = proposal(file, { members, removed, threshold });
  const operators = localSigners(
    dataDir,
    present.filter((index) => !replaced.includes(index)),
  ).slice(0, before + 1);
  const parts: OperatorSignature[] = [];
  for (const operator of operators) parts.push(await signChange({ dataDir: operator.dataDir, settings: readKeyEncryption(env) }, terms));
  for (const place of localSigners(dataDir, replaced)) install(place.dataDir);
  apply(config.clusterFile, terms, parts);
  console.log(`The cluster has ${terms.signers.length} signers from the next start on, of which ${threshold} may be corrupt.
The start puts the change into the log, and deals all keys to them: GET /cluster/refresh says how many are to go.`);
}

/** In place of one that is there, made beside it first. */
async function newMember({ index, dataDir }: { index: number; dataDir: string }, isReplacement: boolean): Promise<Member> {
  const made: PublicSigner = await makeSigner(isReplacement ? besides(dataDir) : dataDir);
  return { index, ...made };
}

const besides = (dataDir: string) => `${dataDir}.new`;

/** What was lost is kept, under another name. */
function install(dataDir: string): void {
  if (existsSync(dataDir)) renameSync(dataDir, `${dataDir}.replaced-${Date.now()}`);
  renameSync(besides(dataDir), dataDir);
}

function exclusively(dataDir: string): Disposable {
  if (!existsSync(join(dataDir, 'cluster.json'))) throw new Error(`there is no cluster in ${dataDir}`);
  try {
    const lock = holdLock(join(dataDir, 'lock'), 0);
    return { [Symbol.dispose]: () => lock.release() };
  } catch (cause) {
    throw cause instanceof Locked ? new Error(`${dataDir} is in use: stop the service first`, { cause }) : cause;
  }
}
