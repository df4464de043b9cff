#!/usr/bin/env node
/**
 * The executable. Compiled code is kept beside the packages, where only who installed them writes: it halves the start of every process.
 * @module
 */

import { enableCompileCache } from 'node:module';
import { fileURLToPath } from 'node:url';

enableCompileCache(fileURLToPath(new URL('../node_modules/.cache/countersign/', import.meta.url)));
const { run } = await import('./cli/run.ts');
const { reasonsOf } = await import('./base/errors.ts');

try {
  await run(process.argv.slice(2));
  process.exit();
} catch (error) {
  console.error(`countersign: ${reasonsOf(error).join('\n  because: ')}`);
  process.exit(1);
}
