/** A node of Ethereum that mines what it is sent at once: anvil, with the chain id of a network that we know. */

import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { setTimeout as pause } from 'node:timers/promises';
import { exited, freePort } from './instance.ts';

/** The program itself: the script of the package would stop without it. */
const program = createRequire(import.meta.url)
  .resolve(`@foundry-rs/anvil-${process.platform}-${process.arch === 'x64' ? 'amd64' : process.arch}/package.json`)
  .replace('package.json', 'bin/anvil');
const readyWithinMs = 30_000;
const minedWithinMs = 20_000;

export interface Receipt {
  readonly status: string;
  readonly from: string;
  readonly to: string | null;
  readonly contractAddress: string | null;
}

export interface Anvil {
  readonly url: string;
  /** @throws {Error} what the node answers as an error */
  call<T = unknown>(method: string, ...params: readonly unknown[]): Promise<T>;
  /** Sends a signed transaction, and waits until it is mined. */
  mine(signedData: string): Promise<Receipt>;
  /** Gives the account a hundred coins. */
  fund(address: string): Promise<void>;
  stop(): Promise<void>;
}

export async function startAnvil(chainId: number): Promise<Anvil> {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const child = spawn(program, ['--host', '127.0.0.1', '--port', String(port), '--chain-id', String(chainId), '--silent'], {
    stdio: 'ignore',
  });

  async function call<T>(method: string, ...params: readonly unknown[]): Promise<T> {
    const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params });
    const response = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
    const { result, error } = (await response.json()) as { result: T; error?: { message: string } };
    if (error) throw new Error(`${method}: ${error.message}`);
    return result;
  }

  const until = Date.now() + readyWithinMs;
  while ((await call('eth_chainId').catch(() => undefined)) === undefined) {
    if (child.exitCode !== null || Date.now() > until) throw new Error('anvil did not start');
    await pause(50);
  }

  return {
    url,
    call,
    async mine(signedData) {
      const hash = await call<string>('eth_sendRawTransaction', signedData);
      for (const giveUp = Date.now() + minedWithinMs; ; await pause(20)) {
        const receipt = await call<Receipt | null>('eth_getTransactionReceipt', hash);
        if (receipt !== null) return receipt;
        if (Date.now() > giveUp) throw new Error(`${hash} was not mined`);
      }
    },
    async fund(address) {
      await call('anvil_setBalance', address, `0x${(100n * 10n ** 18n).toString(16)}`);
    },
    async stop() {
      child.kill('SIGKILL');
      await exited(child);
    },
  };
}
