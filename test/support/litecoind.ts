/**
 * A node of Litecoin on a chain of its own (regtest): the only one of Bitcoin's family that Debian has. It judges transactions as the
 * network's nodes do: segregated witness and taproot are active.
 */

import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { toBase64, toHex, utf8 } from '../../src/base/bytes.ts';
import { ensurePackage } from './debian.ts';
import { exited, freePort } from './instance.ts';

const readyWithinMs = 30_000;
/** Blocks until what a block pays can be spent. */
const maturity = 100;

export interface Litecoind {
  /** @throws {Error} what the node answers as an error */
  call<T = unknown>(method: string, ...params: readonly unknown[]): Promise<T>;
  /** Mines a block for each script and lets them ripen. @returns the transactions that pay them, by their first output */
  fund(scripts: readonly Uint8Array[]): Promise<readonly Uint8Array[]>;
  /** Mines a block. @returns the ids of its transactions */
  mine(): Promise<readonly string[]>;
  stop(): Promise<void>;
}

/** @returns undefined where this machine has none and cannot be given one; `reason` says why */
export async function startLitecoind(): Promise<Litecoind | { readonly reason: string }> {
  try {
    return await start(await ensurePackage('litecoind', ['/usr/bin/litecoind']));
  } catch (error) {
    return { reason: error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error) };
  }
}

async function start(program: string): Promise<Litecoind> {
  const directory = mkdtempSync(join(tmpdir(), 'countersign-litecoind-'));
  const port = await freePort();
  const options = ['-regtest', `-datadir=${directory}`, '-listen=0', '-dnsseed=0', '-disablewallet', `-rpcport=${port}`, '-txindex'];
  const child = spawn(program, options, { stdio: 'ignore' });

  async function call<T>(method: string, ...params: readonly unknown[]): Promise<T> {
    const cookie = readFileSync(join(directory, 'regtest/.cookie'), 'utf8');
    const response = await fetch(`http://127.0.0.1:${port}`, {
      method: 'POST',
      headers: { authorization: `Basic ${toBase64(utf8(cookie))}` },
      body: JSON.stringify({ jsonrpc: '1.0', id: 1, method, params }),
    });
    const { result, error } = (await response.json()) as { result: T; error: { message: string } | null };
    if (error) throw new Error(`${method}: ${error.message}`);
    return result;
  }

  const mineFor = (script: Uint8Array, blocks = 1) => call<string[]>('generatetodescriptor', blocks, `raw(${toHex(script)})`);
  const nobody = Uint8Array.of(0x6a);

  const until = Date.now() + readyWithinMs;
  while ((await call('getblockcount').catch(() => undefined)) === undefined) {
    if (child.exitCode !== null || Date.now() > until) throw new Error('litecoind did not start');
    await pause(50);
  }

  return {
    call,
    async fund(scripts) {
      const blocks = [];
      for (const script of scripts) blocks.push(...(await mineFor(script)));
      await mineFor(nobody, maturity);
      const hashes = await Promise.all(blocks.map((block) => call<{ tx: string[] }>('getblock', block)));
      const transactions = await Promise.all(hashes.map(({ tx: [coinbase] }) => call<string>('getrawtransaction', coinbase)));
      return transactions.map((transaction) => Uint8Array.from(Buffer.from(transaction, 'hex')));
    },
    async mine() {
      const [block] = await mineFor(nobody);
      return (await call<{ tx: string[] }>('getblock', block)).tx;
    },
    async stop() {
      child.kill();
      await exited(child);
      rmSync(directory, { recursive: true, force: true });
    },
  };
}
