/**
 * The worker of the embedded database as the socket that `pg` wants: what it writes goes to the worker, what the worker answers it reads.
 * @module
 */

import { Duplex } from 'node:stream';
import type { Worker } from 'node:worker_threads';
import type { FromWorker, ToWorker } from './worker.ts';

export class PgliteStream extends Duplex {
  readonly #worker: Worker;

  constructor(worker: Worker) {
    super();
    this.#worker = worker;
    worker.on('message', (message: FromWorker) => {
      if (typeof message !== 'object') return;
      if ('backend' in message) this.push(message.backend);
      else this.destroy(new Error(`the embedded database has failed: ${message.fatal}`));
    });
    worker.on('error', (error) => this.destroy(new Error('the embedded database has failed', { cause: error })));
    worker.on('exit', () => this.destroy());
  }

  connect(): this {
    setImmediate(() => this.emit('connect'));
    return this;
  }

  setNoDelay(): this {
    return this;
  }

  /** What `pg` writes in one go (a statement and its values) is one message; copied, because `pg` writes into a buffer it uses again. */
  override _writev(chunks: { chunk: Buffer }[], written: () => void): void {
    this.#send(new Uint8Array(Buffer.concat(chunks.map(({ chunk }) => chunk))));
    written();
  }

  override _write(chunk: Buffer, _encoding: string, written: () => void): void {
    this.#send(new Uint8Array(chunk));
    written();
  }

  override _final(done: () => void): void {
    this.push(null);
    done();
  }

  // The worker sends without being asked: `pg` always has a statement of its own outstanding.
  override _read(): void {}

  /** The bytes move to the worker; nothing of them stays here. */
  #send(frontend: Uint8Array<ArrayBuffer>): void {
    this.#worker.postMessage({ frontend } satisfies ToWorker, [frontend.buffer]);
  }
}
