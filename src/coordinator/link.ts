/**
 * The line to one signer: questions over a stream socket, matched to their answers by number, with a time limit each. It connects when
 * first asked and again after it broke, so that a signer that comes back is used again without anybody's doing.
 * @module
 */

import { connect, type Socket } from 'node:net';
import { z } from 'zod';
import { messageOf } from '../base/errors.ts';
import { encodeFrame, frameReader } from '../base/frames.ts';
import { answer, type Method, methods, type Params, type RefusalAnswer, type Result } from '../signer/contract.ts';

/** A signer that did not do what was asked. `down`: it did not answer at all. */
export class SignerFailure extends Error {
  readonly index: number;
  readonly code: RefusalAnswer['code'] | 'Down';
  readonly culprits: readonly number[];

  constructor(index: number, code: SignerFailure['code'], message: string, culprits: readonly number[] = []) {
    super(`signer ${index}: ${message}`);
    this.name = 'SignerFailure';
    this.index = index;
    this.code = code;
    this.culprits = culprits;
  }
}

export interface Link {
  readonly index: number;
  /** Whether the last thing heard of this signer was good: a hint for whom to ask first, not a promise. */
  readonly likelyUp: boolean;
  /** @throws {SignerFailure} */
  ask<M extends Method>(method: M, params: Params<M>, timeoutMs?: number): Promise<Result<M>>;
  /** Called whenever the connection is lost: what lived in the signer's memory may be gone. */
  onLost(listener: () => void): void;
  close(): void;
}

const defaultTimeoutMs = 3_000;
/** How long a signer that failed to answer is asked last. */
const suspicionMs = 5_000;

export function openLink({ index, path }: { index: number; path: string }): Link {
  const waiting = new Map<number, { resolve: (result: unknown) => void; reject: (error: SignerFailure) => void; timer: NodeJS.Timeout }>();
  const lostListeners: (() => void)[] = [];
  let socket: Socket | undefined;
  let nextNumber = 1;
  let suspectedUntil = 0;
  let outbox: Uint8Array[] = [];

  const settle = (number: number): { resolve: (result: unknown) => void; reject: (error: SignerFailure) => void } | undefined => {
    const entry = waiting.get(number);
    waiting.delete(number);
    if (entry) clearTimeout(entry.timer);
    return entry;
  };

  const lose = (reason: string): void => {
    socket?.destroy();
    socket = undefined;
    suspectedUntil = Date.now() + suspicionMs;
    for (const number of [...waiting.keys()]) settle(number)?.reject(new SignerFailure(index, 'Down', reason));
    for (const listener of lostListeners) listener();
  };

  const open = (): Socket => {
    const opened = connect(path);
    const read = frameReader();
    opened.on('connect', () => {
      suspectedUntil = 0;
    });
    opened.on('data', (chunk) => {
      try {
        for (const message of read(chunk)) receive(message);
      } catch (error) {
        lose(`sent what is no frame: ${messageOf(error)}`);
      }
    });
    opened.on('error', (error) => {
      if (socket === opened) lose(`does not answer (${(error as NodeJS.ErrnoException).code ?? error.message})`);
    });
    opened.on('close', () => {
      if (socket === opened) lose('closed the connection');
    });
    return opened;
  };

  const receive = (message: unknown): void => {
    const parsed = answer.parse(message);
    const entry = settle(parsed.number);
    if (entry === undefined) return; // its time limit has passed
    if ('refusal' in parsed) entry.reject(new SignerFailure(index, parsed.refusal.code, parsed.refusal.message, parsed.refusal.culprits));
    else entry.resolve(parsed.result);
  };

  // Questions of one turn of the event loop leave in one write.
  const send = (frame: Uint8Array): void => {
    if (outbox.push(frame) > 1) return;
    setImmediate(() => {
      const frames = outbox;
      outbox = [];
      socket ??= open();
      socket.write(Buffer.concat(frames));
    });
  };

  return {
    index,
    get likelyUp() {
      return Date.now() >= suspectedUntil;
    },
    async ask(method, params, timeoutMs = defaultTimeoutMs) {
      const number = nextNumber++;
      const result = await new Promise((resolve, reject) => {
        const timer = setTimeout(() => {
          waiting.delete(number);
          suspectedUntil = Date.now() + suspicionMs;
          reject(new SignerFailure(index, 'Down', `did not answer within ${timeoutMs} ms`));
        }, timeoutMs);
        waiting.set(number, { resolve, reject, timer });
        send(encodeFrame({ number, method, params: z.encode(methods[method].params as z.ZodType, params) }));
      });
      const parsed = methods[method].result.safeParse(result);
      if (!parsed.success) throw new SignerFailure(index, 'Internal', `answered ${method} with what its contract does not allow`);
      return parsed.data as Result<typeof method>;
    },
    onLost(listener) {
      lostListeners.push(listener);
    },
    close() {
      const open = socket;
      socket = undefined;
      open?.destroy();
      for (const number of [...waiting.keys()]) settle(number)?.reject(new SignerFailure(index, 'Down', 'the service is closing'));
    },
  };
}
