/** Files that must be whole or absent, whatever happens in between. @module */

import { closeSync, fsyncSync, mkdirSync, openSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

/** Writes beside, syncs, moves into place, syncs the directory. */
export function writeDurably(path: string, content: string | Uint8Array, mode: number): void {
  const directory = dirname(path);
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const beside = `${path}.${process.pid}.new`;
  const file = openSync(beside, 'w', mode);
  try {
    writeFileSync(file, content);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameDurably(beside, path);
}

/** In one directory. Replaces what was there. */
export function renameDurably(from: string, to: string): void {
  renameSync(from, to);
  syncDirectory(dirname(to));
}

/** Harmless where there is none. */
export function removeDurably(path: string): void {
  rmSync(path, { force: true });
  syncDirectory(dirname(path));
}

/** @throws {Error} if others than its user can read it; it may be a pipe or a socket */
export function requirePrivate(path: string): void {
  const stat = statSync(path);
  if (stat.isFile() && (stat.mode & 0o077) !== 0) throw new Error(`${path} is readable by others; make it mode 0600`);
}

export function syncDirectory(directory: string): void {
  const folder = openSync(directory, 'r');
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}
