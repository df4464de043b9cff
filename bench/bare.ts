/**
 * The bare limit of (c): the same HTTP adapter over the same embedded database, in a process of its own, whose one endpoint does nothing
 * but a durable insert.
 */

import { spawn } from 'node:child_process';
import { rmSync } from 'node:fs';
import { z } from 'zod';
import { contract } from '../src/features/endpoint.ts';
import { createLog } from '../src/log.ts';
import { createServer, mount } from '../src/server/http.ts';
import { openDatabase } from '../src/store/open.ts';
import { freePort, freshDirectory } from '../test/support/instance.ts';

export interface BareServer {
  readonly origin: string;
  stop(): Promise<void>;
}

export async function bareServer(): Promise<BareServer> {
  const [port, dataDir] = [String(await freePort()), freshDirectory()];
  const child = spawn(process.execPath, [import.meta.filename, port, dataDir], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  await new Promise((resolve, reject) => {
    child.once('message', resolve);
    child.once('exit', (code) => reject(new Error(`the bare server ended with code ${code}`)));
  });
  return {
    origin: `http://127.0.0.1:${port}`,
    async stop() {
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGKILL');
      await ended;
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}

async function run(port: number, dataDir: string): Promise<void> {
  const database = await openDatabase({ dataDir });
  await database.query('create table bare (value text)');
  const endpoints = contract({
    insert: {
      method: 'POST',
      path: '/insert',
      summary: 'Insert a value',
      access: 'anonymous',
      userAction: false,
      body: z.object({ value: z.string() }),
      response: z.object({ done: z.boolean() }),
    },
  });
  const insert = mount(endpoints, {
    insert: async ({ body }) => {
      await database.query('insert into bare (value) values ($1)', [body.value]);
      return { done: true };
    },
  });
  const server = createServer({
    features: [insert],
    gate: noGate,
    log: createLog('bare', 'silent'),
    corsOrigins: [],
    ready: async () => ({ ready: true, details: { database: 'up', signers: [] } }),
  });
  await server.listen({ host: '127.0.0.1', port });
  process.send?.('ready');
}

const unreachable = (): never => {
  throw new Error('the bare server has no callers to tell apart');
};

const noGate = { authenticate: unreachable, authorise: unreachable, verifyUserAction: unreachable, spendRefused: unreachable };

if (import.meta.main) {
  const [port, dataDir] = process.argv.slice(2);
  await run(Number(port), dataDir ?? '');
}
