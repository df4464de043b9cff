/**
 * How far this signer has verified its log, and the registry that came of it: the head, and the root of the tree over each kind of record,
 * signed with the identity key. Whoever writes the disk cannot make one; an earlier one of this signer is good for the records of then, and
 * the log goes on from there.
 * @module
 */

import { z } from 'zod';
import type { Head } from '../authority/head.ts';
import { kinds, recordsVersion } from '../authority/records.ts';
import type { Root } from '../authority/root.ts';
import { signedBy } from '../authority/signers.ts';
import { fromHex, lengthPrefixed, toBase64Url, toHex, utf8 } from '../base/bytes.ts';
import { assert } from '../base/errors.ts';
import type { Roots } from './keptRecords.ts';
import type { StoredCheckpoint } from './registryRows.ts';

export interface Checkpoint {
  readonly head: Head;
  /** Of the registry: unix seconds. */
  readonly time: number;
  readonly roots: Roots;
}

const digest = z.string().regex(/^[0-9a-f]{64}$/);
const schema = z.strictObject({
  version: z.int(),
  sequence: z.int().min(0),
  hash: digest,
  time: z.int().min(0),
  roots: z.record(z.string(), digest),
});

export function writeCheckpoint(
  { head, time, roots }: Checkpoint,
  clusterId: string,
  sign: (message: Uint8Array) => Uint8Array,
): StoredCheckpoint {
  const text = JSON.stringify({
    version: recordsVersion,
    sequence: head.sequence,
    hash: toHex(head.hash),
    time,
    roots: Object.fromEntries(kinds.map((kind) => [kind, toHex(roots[kind])])),
  } satisfies z.input<typeof schema>);
  return { text, signature: toBase64Url(sign(messageOf(clusterId, text))) };
}

/** @returns or why it is not one to go on from */
export function readCheckpoint(
  { text, signature }: StoredCheckpoint,
  root: Root,
  signerId: string,
): Checkpoint | { readonly distrusted: string } {
  if (!signedBy({ signers: [{ signerId }] }, { signerId, signature, message: messageOf(root.clusterId, text) }))
    return { distrusted: 'it is not one that this signer has made' };
  const { version, sequence, hash, time, roots } = schema.parse(JSON.parse(text));
  const isCurrent =
    version === recordsVersion && kinds.length === Object.keys(roots).length && kinds.every((kind) => roots[kind] !== undefined);
  if (!isCurrent) return { distrusted: 'another version of this program has made it' };
  return {
    head: { sequence, hash: bytesOf(hash) },
    time,
    roots: Object.fromEntries(kinds.map((kind) => [kind, bytesOf(roots[kind])])) as Roots,
  }; // one for each
}

function messageOf(clusterId: string, text: string): Uint8Array {
  return lengthPrefixed(utf8('countersign/authority/checkpoint/v1'), utf8(clusterId), utf8(text));
}

function bytesOf(hex = ''): Uint8Array {
  const bytes = fromHex(hex);
  assert(bytes, 'what this signer has signed is well-formed');
  return bytes;
}
