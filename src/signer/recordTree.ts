/**
 * Records of one kind on a disk that is not trusted: a tree of SHA-256 digests over their rows (Merkle 1987), whose root is known. Nothing is
 * read that the root does not vouch for, so that a row which was altered, added, taken away, exchanged or set back is noticed when it is
 * asked for, and not believed.
 *
 * A row stands in the bucket that the first 16 bits of its id's hash name; four levels of nodes with 16 digests each stand over the buckets.
 * What is empty has the digest of zeros and no node. To read a row costs its bucket and what of the path is not remembered.
 * @module
 */

import { hash } from 'node:crypto';
import { boundedMap } from '../base/boundedMap.ts';
import { concat, equal, lengthPrefixed, utf8 } from '../base/bytes.ts';
import type { RegistryRows, Row } from './registryRows.ts';

export interface RecordTree {
  /** Moves with `write`. 32 bytes. */
  readonly root: Uint8Array;
  /** @throws {Tampered} */
  get(id: string): string | undefined;
  /** Every row, verified as a whole before the first is given. @throws {Tampered} */
  all(): readonly Row[];
  /** Texts by id, undefined for what ends. Within a transaction; a tree whose transaction failed is not used on. @throws {Tampered} */
  write(changes: ReadonlyMap<string, string | undefined>): void;
}

/** What is kept is not what was kept. */
export class Tampered extends Error {
  override readonly name = 'Tampered';
}

const digestBytes = 32;
const levels = 4;
const childBits = 4;
const children = 1 << childBits;
/** Of one kind; 512 bytes each: the whole upper part of the tree, and some of its last level. */
const maxNodes = 2048;

export const emptyRoot = new Uint8Array(digestBytes);
const bucketDomain = utf8('countersign/registry/bucket/v1');
const nodeDomain = utf8('countersign/registry/node/v1');

export function createRecordTree({ rows, kind, root }: { rows: RegistryRows; kind: string; root: Uint8Array }): RecordTree {
  const known = boundedMap<number, Uint8Array>(maxNodes);
  let current = root;

  /** The digests below a node. */
  function nodeAt(level: number, number: number): Uint8Array {
    const remembered = known.get(nameOf(level, number));
    if (remembered !== undefined) return remembered;
    const expected = level === 0 ? current : digestIn(nodeAt(level - 1, number >> childBits), number);
    const digests = equal(expected, emptyRoot) ? new Uint8Array(children * digestBytes) : rows.node(kind, level, number);
    if (digests === undefined || !equal(nodeDigest(digests), expected))
      throw new Tampered(`a node of the ${kind} records is not what it was`);
    known.set(nameOf(level, number), digests);
    return digests;
  }

  function bucketAt(bucket: number): readonly Row[] {
    const found = rows.bucket(kind, bucket);
    if (equal(bucketDigest(kind, found), digestIn(nodeAt(levels - 1, bucket >> childBits), bucket))) return found;
    throw new Tampered(`one of the ${kind} records ${found.map(({ id }) => id).join(', ') || '(it is missing)'} is not what it was`);
  }

  /** @param moved the new digests of the children of this level's nodes, by number */
  function raise(level: number, moved: ReadonlyMap<number, Uint8Array>): Map<number, Uint8Array> {
    const changed = new Map<number, Uint8Array>();
    for (const [child, digest] of moved) {
      const number = child >> childBits;
      const digests = changed.get(number) ?? nodeAt(level, number).slice();
      digests.set(digest, (child % children) * digestBytes);
      changed.set(number, digests);
    }
    const raised = new Map<number, Uint8Array>();
    for (const [number, digests] of changed) {
      rows.putNode(kind, level, number, digests);
      known.set(nameOf(level, number), digests);
      raised.set(number, nodeDigest(digests));
    }
    return raised;
  }

  return {
    get root() {
      return current;
    },
    get: (id) => bucketAt(bucketOf(id)).find((row) => row.id === id)?.text,
    all() {
      const found = [...rows.all(kind)];
      if (equal(rootOf(kind, found), current)) return found;
      throw new Tampered(`the ${kind} records are not what they were`);
    },
    write(changes) {
      let moved = new Map<number, Uint8Array>();
      for (const [bucket, changed] of Map.groupBy(changes, ([id]) => bucketOf(id))) {
        const kept = new Map(bucketAt(bucket).map(({ id, text }) => [id, text]));
        for (const [id, text] of changed) {
          if (text === undefined) {
            kept.delete(id);
            rows.drop(kind, bucket, id);
          } else {
            kept.set(id, text);
            rows.put(kind, bucket, { id, text });
          }
        }
        moved.set(bucket, bucketDigest(kind, inOrder(kept)));
      }
      for (let level = levels - 1; level >= 0; level--) moved = raise(level, moved);
      current = moved.get(0) ?? current;
    },
  };
}

/** The root of a tree over these rows, made from nothing. @param ordered by bucket, then by id */
export function rootOf(kind: string, ordered: readonly (Row & { readonly bucket: number })[]): Uint8Array {
  let digests = new Map<number, Uint8Array>();
  for (const [bucket, found] of Map.groupBy(ordered, ({ bucket }) => bucket)) {
    if (found.some(({ id }) => bucketOf(id) !== bucket)) throw new Tampered(`one of the ${kind} records is not where it was`);
    digests.set(bucket, bucketDigest(kind, found));
  }
  for (let level = levels - 1; level >= 0; level--) {
    const above = new Map<number, Uint8Array>();
    for (const [number, below] of Map.groupBy(digests, ([child]) => child >> childBits)) {
      const node = new Uint8Array(children * digestBytes);
      for (const [child, digest] of below) node.set(digest, (child % children) * digestBytes);
      above.set(number, nodeDigest(node));
    }
    digests = above;
  }
  return digests.get(0) ?? emptyRoot;
}

export function bucketOf(id: string): number {
  return sha256(utf8(id)).readUInt16BE();
}

/** As SQLite orders text: by its bytes. */
function inOrder(texts: ReadonlyMap<string, string>): Row[] {
  return Array.from(texts, ([id, text]) => ({ id, text })).sort((a, b) => Buffer.compare(Buffer.from(a.id), Buffer.from(b.id)));
}

function bucketDigest(kind: string, found: readonly Row[]): Uint8Array {
  if (found.length === 0) return emptyRoot;
  return sha256(lengthPrefixed(bucketDomain, utf8(kind), ...found.flatMap(({ id, text }) => [utf8(id), utf8(text)])));
}

function nodeDigest(digests: Uint8Array): Uint8Array {
  return digests.every((byte) => byte === 0) ? emptyRoot : sha256(concat(nodeDomain, digests));
}

function digestIn(digests: Uint8Array, child: number): Uint8Array {
  const at = (child % children) * digestBytes;
  return digests.subarray(at, at + digestBytes);
}

/** Levels have 1, 16, 256 and 4096 nodes. */
function nameOf(level: number, number: number): number {
  return (level << (childBits * levels)) | number;
}

function sha256(bytes: Uint8Array): Buffer {
  return hash('sha256', bytes, 'buffer');
}
