/**
 * `countersign audit …`: the authority log, offline. `export` copies it from the service, `verify` checks a copy against the root
 * credential that the cluster has pinned, and names the first entry that was altered, removed, inserted or reordered.
 * @module
 */

import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { z } from 'zod';
import { verifyCopy } from '../../authority/auditVerify.ts';
import type { Head } from '../../authority/head.ts';
import { fromHex, toHex } from '../../base/bytes.ts';
import { clusterFile, rootOf } from '../../signer/contract.ts';
import { clientOf } from '../environment.ts';
import { readAs } from '../files.ts';
import { required } from '../options.ts';

const page = z.object({ items: z.array(z.object({ sequence: z.int(), entry: z.string() })) });

export async function audit(args: readonly string[], env: Readonly<Record<string, string | undefined>>): Promise<void> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: { cluster: { type: 'string' }, head: { type: 'string' } },
  });
  const [command, file] = positionals;
  if (command === 'export' && file === undefined) return exportLog(env);
  if (command === 'verify') {
    return verify({
      file: required(file, 'the file to verify'),
      cluster: required(values.cluster, '--cluster'),
      head: headOf(values.head),
    });
  }
  throw new Error(`unknown command: audit ${positionals.join(' ')}`);
}

/** One entry a line, to standard output. */
async function exportLog(env: Readonly<Record<string, string | undefined>>): Promise<void> {
  const client = clientOf(env);
  for (let from = 1; ; ) {
    const { items } = page.parse(await client.call('GET', `/authority/entries?from=${from}`));
    for (const { entry } of items) process.stdout.write(`${entry}\n`);
    const last = items.at(-1);
    if (last === undefined) return;
    from = last.sequence + 1;
  }
}

/** @throws {Error} naming the first entry that is not what it was */
function verify({ file, cluster, head }: { file: string; cluster: string; head: Head | undefined }): void {
  const root = rootOf(readAs(clusterFile, cluster, 'a cluster file'));
  const verdict = verifyCopy(root, readFileSync(file, 'utf8'), head);
  if (!verdict.ok) throw new Error(`line ${verdict.line}: entry ${verdict.sequence} was ${verdict.fault}: ${verdict.reason}`);
  const { sequence, hash } = verdict.head;
  console.log(`${sequence} entries, every one asked for by a credential that was allowed to. Head ${sequence}:${toHex(hash)}`);
  if (head === undefined)
    console.log('Compare this head with what a signer shows (GET /signers, or its log): entries cut off at the end do not show otherwise.');
}

/** `sequence:hash`, as `GET /signers` and the signers' logs say it. */
function headOf(text: string | undefined): Head | undefined {
  if (text === undefined) return undefined;
  const [sequence, hex = ''] = text.split(':');
  const hash = fromHex(hex);
  if (hash?.length !== 32 || !/^\d+$/.test(sequence ?? '')) throw new Error('--head is written NUMBER:HASH, the hash in hex');
  return { sequence: Number(sequence), hash };
}
