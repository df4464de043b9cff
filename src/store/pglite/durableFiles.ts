/**
 * The host's directory as the file system of PGlite, with the sync call that PGlite's own lacks. It reaches into Emscripten's internals:
 * the version is pinned, and whether a commit does reach the disk is tried at every start (`syncs` counts).
 * @module
 */

import { closeSync, fdatasyncSync, fsyncSync, openSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { NodeFS } from '@electric-sql/pglite/nodefs';

export class DurableFiles extends NodeFS {
  /** How often PostgreSQL had a file synced. */
  syncs = 0;

  override async init(...[database, options]: Parameters<NodeFS['init']>): ReturnType<NodeFS['init']> {
    const { emscriptenOpts } = await super.init(database, options);
    const addSync = ({ NODEFS: files }: { readonly NODEFS: NodeFiles }) => {
      files.stream_ops.fsync = ({ nfd, node }) => {
        // fdatasync also writes the size of a file that grew.
        if (nfd === undefined) syncPath(files.realPath(node));
        else fdatasyncSync(nfd);
        this.syncs += 1;
        return 0;
      };
    };
    return { emscriptenOpts: { ...emscriptenOpts, preRun: [addSync, ...(emscriptenOpts.preRun ?? [])] } };
  }
}

/** The part of Emscripten's NODEFS that is touched here. */
interface NodeFiles {
  readonly stream_ops: { fsync?: (file: OpenFile) => number };
  realPath(node: unknown): string;
}

interface OpenFile {
  /** The host's file descriptor; a directory has none. */
  readonly nfd?: number;
  readonly node: unknown;
}

/** Syncs a directory with all that is in it. */
export function syncTree(path: string): void {
  for (const entry of readdirSync(path, { withFileTypes: true, recursive: true })) syncPath(join(entry.parentPath, entry.name));
  syncPath(path);
}

export function syncPath(path: string): void {
  const file = openSync(path, 'r');
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}
