// Makes the checkout ready to run: the locked dependencies, and Node 24 where the machine's own is older. Does nothing when all is there.
// With `--production` only what the service runs on: what tests, checks and benchmarks need is ten times as much.
// Plain JavaScript that any Node runs, since it comes before a Node that reads TypeScript.

import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('.', import.meta.url));
const stamp = `${root}node_modules/.countersign-setup`;
const wantedNode = readFileSync(`${root}.nvmrc`, 'utf8').trim();
const lockHash = createHash('sha256')
  .update(readFileSync(`${root}package-lock.json`))
  .digest('hex');

const isProduction = process.argv.includes('--production');
const installed = `${lockHash}${isProduction ? ' production' : ''}`;

// What is installed for development does for production too.
const isInstalled = () => existsSync(stamp) && [lockHash, installed].includes(readFileSync(stamp, 'utf8'));
// npm puts node_modules/.bin first on the PATH of scripts: a Node in there is the one that runs them, this one included, and it goes
// when the dependencies are installed anew.
const runsOnInstalledNode = process.execPath.startsWith(`${root}node_modules`);
const isNewEnough = () =>
  existsSync(`${root}node_modules/.bin/node`) || (!runsOnInstalledNode && Number(process.versions.node.split('.')[0]) >= 24);
const npm = (...args) =>
  execFileSync('npm', [...args, ...(isProduction ? ['--omit=dev'] : []), '--loglevel=error', '--no-progress'], {
    cwd: root,
    stdio: ['ignore', 'ignore', 'inherit'],
  });

if (!isInstalled()) {
  console.error('Installing dependencies …');
  npm('ci');
}
if (!isNewEnough()) {
  console.error(`This machine's Node is older than 24; installing Node ${wantedNode} into node_modules …`);
  npm('install', '--no-save', `node@${wantedNode}`);
}
if (!isInstalled()) writeFileSync(stamp, installed);
