/**
 * Data directories that hold an embedded database already, empty: making one takes seconds, copying one a moment. The original is kept
 * between runs, below node_modules.
 * @module
 */

import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openPglite } from '../../src/store/pglite/open.ts';

const nodeModules = fileURLToPath(new URL('../../node_modules/', import.meta.url));

/** In the temporary directory; whoever asked removes it. */
export async function newDataDir(): Promise<string> {
  const dataDir = mkdtempSync(join(tmpdir(), 'countersign-test-'));
  const files = join('database', 'postgres');
  cpSync(join(await original(), files), join(dataDir, files), { recursive: true });
  return dataDir;
}

/** Complete once it has its name, so that test files may ask for it at once: one of them wins. */
async function original(): Promise<string> {
  const { version } = JSON.parse(readFileSync(join(nodeModules, '@electric-sql', 'pglite', 'package.json'), 'utf8'));
  const cache = join(nodeModules, '.cache', 'countersign');
  const kept = join(cache, `pglite-${version}`);
  if (existsSync(kept)) return kept;
  mkdirSync(cache, { recursive: true });
  const made = mkdtempSync(`${kept}-`);
  await (await openPglite(join(made, 'database'))).close();
  try {
    renameSync(made, kept);
  } catch (error) {
    rmSync(made, { recursive: true, force: true });
    if (!existsSync(kept)) throw error;
  }
  return kept;
}
