// Makes the checkout ready to run: the locked dependencies, and Node 24 where the machine's own is older.
// Plain JavaScript for any Node, since it runs before a Node that reads TypeScript is there. Does nothing when all is in place.

import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('.', import.meta.url));
const stamp = `${root}node_modules/.countersign-setup`;
const wantedNode = readFileSync(`${root}.nvmrc`, 'utf8').trim();
// The machine's Node, not the one npm may have put first on the PATH from node_modules/.bin.
const needsNode = !existsSync(`${root}node_modules/.bin/node`) && Number(process.versions.node.split('.')[0]) < 24;
const locked = createHash('sha256').update(readFileSync(`${root}package-lock.json`)).digest('hex');

const npm = (...args) =>
  execFileSync('npm', [...args, '--loglevel=error', '--no-progress'], { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] });

if (!existsSync(stamp) || readFileSync(stamp, 'utf8') !== locked) {
  console.error('Installing dependencies …');
  npm('ci');
  const stillNeedsNode = Number(process.versions.node.split('.')[0]) < 24 || needsNode;
  if (stillNeedsNode) installNode();
  writeFileSync(stamp, locked);
} else if (needsNode) {
  installNode();
}

/** The npm package `node` carries a runtime; npm runs our scripts with it because node_modules/.bin comes first on their PATH. */
function installNode() {
  console.error(`This machine has Node ${process.versions.node}; installing Node ${wantedNode} into node_modules …`);
  npm('install', '--no-save', `node@${wantedNode}`);
}
