/**
 * The line to one signer: questions over a transport, matched to their answers by number, with a time limit each. It connects when first
 * asked and again after it broke, so that a signer that comes back is used again without anybody's doing.
 * @module
 */

import type { Socket } from 'node:net';
import { z } from 'zod';
import type { Head } from '../authority/head.ts';
import { utf8 } from '../base/bytes.ts';
import { messageOf, type RefusalCode } from '../base/errors.ts';
import { frameReader, framesOf } from '../base/frames.ts';
import { answer, type Method, methods, type Params, type RefusalAnswer, type Result } from '../signer/contract.ts';
import { isQuick, quick, readResult } from '../signer/quick.ts';
import type { Transport } from '../transport/transport.ts';

/** A signer that did not do what was asked. `down`: it did not answer at all. */
export class SignerFailure extends Error {
  readonly index: number;
  readonly code: RefusalAnswer['code'] | 'Down';
  /** As the signer said it. */
  readonly reason: string;
  readonly culprits: readonly number[];
  /** By which rule it refused. */
  readonly refusal: RefusalCode | undefined;
  /** Of its authority log, where it judged by that. */
  readonly head: Head | undefined;

  constructor(
    index: number,
    code: SignerFailure['code'],
    reason: string,
    culprits: readonly number[] = [],
    judgement: Pick<RefusalAnswer, 'refusal' | 'head'> = {},
  ) {
    super(`signer ${index}: ${reason}`);
    this.name = 'SignerFailure';
    this.index = index;
    this.code = code;
    this.reason = reason;
    this.culprits = culprits;
    this.refusal = judgement.refusal;
    this.head = judgement.head;
  }

  /** Whether what was made ahead is not in the signer's memory: nobody's fault. */
  get isOfMemory(): boolean {
    return this.code === 'UnknownPresignature' || this.code === 'UnknownNonces';
  }
}

export interface Link {
  readonly index: number;
  /** Whether the last thing heard of this signer was good: a hint for whom to ask first, not a promise. */
  readonly likelyUp: boolean;
  /** @throws {SignerFailure} */
  ask<M extends Method>(method: M, params: Params<M>, timeoutMs?: number): Promise<Result<M>>;
  /**
   * Resolves when the signer was heard of just now; one that was not is asked for a sign of life first. For questions that cost something
   * if one of those asked does not answer. @throws {SignerFailure}
   */
  awake(): Promise<void>;
  /** Told why, whenever the connection is lost or cannot be made: what lived in the signer's memory may be gone. */
  onLost(listener: (reason: string) => void): void;
  close(): void;
}

const defaultTimeoutMs = 3_000;
/** How long a signer that failed to answer is asked last. */
const suspicionMs = 5_000;
/** A signer that answered so lately is taken to be awake. */
const awakeMs = 50;
/** A connection on which nothing came for so long, while answers were due, is given up: its host may be gone without a word. */
const silenceMs = 6_000;
/** What a signer has not taken in yet; more means that it does not read. */
const maxUnsentBytes = 64 * 1024 * 1024;

/** JSON text, in pieces. */
type Question = readonly (string | Uint8Array)[];

interface Waiting {
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: SignerFailure) => void;
  readonly timer: NodeJS.Timeout;
}

export function openLink({ index, transport }: { index: number; transport: Pick<Transport, 'connect'> }): Link {
  const waiting = new Map<number, Waiting>();
  const lostListeners: ((reason: string) => void)[] = [];
  let socket: Socket | undefined;
  let isConnecting = false;
  let isClosed = false;
  let nextNumber = 1;
  let suspectedUntil = 0;
  let heardAt = 0;
  let waking: Promise<void> | undefined;
  /** When the oldest question was sent since something was heard. */
  let silentSince: number | undefined;
  let outbox: { readonly number: number; readonly question: Question }[] = [];
  let outboxBytes = 0;
  /** Answers that may still come too late, over this connection. */
  let overdue = 0;

  const settle = (number: number): Waiting | undefined => {
    const entry = waiting.get(number);
    waiting.delete(number);
    if (entry) clearTimeout(entry.timer);
    return entry;
  };

  const empty = (): Question[] => {
    // Questions whose time has passed while there was no connection are not asked any more.
    const due = outbox.filter(({ number }) => waiting.has(number)).map(({ question }) => question);
    outbox = [];
    outboxBytes = 0;
    return due;
  };

  const rejectAll = (reason: string): void => {
    for (const number of [...waiting.keys()]) settle(number)?.reject(new SignerFailure(index, 'Down', reason));
  };

  const lose = (reason: string): void => {
    const lost = socket;
    socket = undefined;
    silentSince = undefined;
    heardAt = 0;
    lost?.destroy();
    suspectedUntil = Date.now() + suspicionMs;
    rejectAll(reason);
    empty();
    for (const listener of lostListeners) listener(reason);
  };

  const open = async (): Promise<void> => {
    isConnecting = true;
    try {
      const opened = await transport.connect();
      if (isClosed) return void opened.destroy();
      attach(opened);
    } catch (error) {
      lose(messageOf(error));
    } finally {
      isConnecting = false;
    }
    flush();
  };

  const attach = (opened: Socket): void => {
    const frames = frameReader();
    let hasSpoken = false;
    socket = opened;
    overdue = 0;
    opened.on('data', (chunk) => {
      hasSpoken = true;
      heardAt = Date.now();
      suspectedUntil = 0;
      silentSince = undefined;
      try {
        for (const { message } of frames.read(chunk)) receive(message);
      } catch (error) {
        lose(`sent what is no answer: ${messageOf(error)}`);
      }
    });
    opened.on('error', (error: NodeJS.ErrnoException) => {
      if (socket === opened) lose(`lost the connection (${error.code ?? error.message})`);
    });
    opened.on('close', () => {
      // Under TLS 1.3 a client is connected before the server has judged its key: so a signer turns away whom it does not know.
      if (socket === opened)
        lose(hasSpoken ? 'closed the connection' : 'closed the connection without a word; over TLS: it may not know our pin');
    });
  };

  const receive = (message: unknown): void => {
    const parsed = quickAnswerOf(message) ?? answer.parse(message);
    const entry = settle(parsed.number);
    if (entry === undefined) {
      overdue -= 1;
      if (overdue < 0) throw new Error(`nothing was asked under number ${parsed.number}`);
      return; // its time limit has passed
    }
    if ('refusal' in parsed) entry.reject(failureOf(index, parsed.refusal));
    else entry.resolve(parsed.result);
  };

  const flush = (): void => {
    if (outbox.length === 0) return;
    if (isClosed) {
      rejectAll('the service is closing');
    } else if (socket !== undefined) {
      silentSince ??= Date.now();
      socket.write(framesOf(empty()));
    } else if (!isConnecting) {
      void open();
    }
  };

  // Questions of one turn of the event loop leave in one write.
  const send = (number: number, question: Question): void => {
    if (outbox.push({ number, question }) === 1) setImmediate(flush);
    for (const { length } of question) outboxBytes += length;
    if (outboxBytes + (socket?.writableLength ?? 0) > maxUnsentBytes) lose('does not take in what it is asked');
  };

  const giveUp = (number: number, timeoutMs: number): void => {
    const now = Date.now();
    suspectedUntil = now + suspicionMs;
    overdue += 1;
    settle(number)?.reject(new SignerFailure(index, 'Down', `did not answer within ${timeoutMs} ms`));
    if (silentSince !== undefined && now - silentSince >= silenceMs) lose(`was silent for ${now - silentSince} ms`);
  };

  async function ask<M extends Method>(method: M, params: Params<M>, timeoutMs = defaultTimeoutMs): Promise<Result<M>> {
    const number = nextNumber++;
    const result = await new Promise((resolve, reject) => {
      waiting.set(number, { resolve, reject, timer: setTimeout(() => giveUp(number, timeoutMs), timeoutMs) });
      send(number, [`{"number":${number},"method":"${method}","params":`, textOf(method, params), '}']);
    });
    const read = isQuick(method) ? readResult(result) : undefined;
    if (read !== undefined) return read as Result<M>; // the one result of these methods
    const parsed = methods[method].result.safeParse(result);
    if (!parsed.success) throw new SignerFailure(index, 'Internal', `answered ${method} with what its contract does not allow`);
    return parsed.data as Result<M>;
  }

  return {
    index,
    get likelyUp() {
      return Date.now() >= suspectedUntil;
    },
    ask,
    awake() {
      if (socket !== undefined && Date.now() - heardAt <= awakeMs) return Promise.resolve();
      waking ??= ask('hello', {})
        .then(() => undefined)
        .finally(() => {
          waking = undefined;
        });
      return waking;
    },
    onLost(listener) {
      lostListeners.push(listener);
    },
    close() {
      isClosed = true;
      const open = socket;
      socket = undefined;
      open?.destroy();
      rejectAll('the service is closing');
      empty();
    },
  };
}

function failureOf(index: number, { code, message, culprits, ...judgement }: RefusalAnswer): SignerFailure {
  return new SignerFailure(index, code, message, culprits, judgement);
}

/** What the schema of an answer says of one that is as it should be, and no refusal. */
function quickAnswerOf(message: unknown): { number: number; result: unknown } | undefined {
  if (typeof message !== 'object' || message === null || !('number' in message && 'result' in message)) return undefined;
  const { number, result } = message;
  return typeof number === 'number' && Number.isSafeInteger(number) ? { number, result } : undefined;
}

/** JSON of parameters, by the object that holds them: what several signers are asked alike is encoded once. */
const texts = new WeakMap<object, Uint8Array>();

function textOf<M extends Method>(method: M, params: Params<M>): Uint8Array {
  const known = texts.get(params);
  if (known !== undefined) return known;
  const text = isQuick(method)
    ? quick[method].writeParams(params as never) // of this very method
    : JSON.stringify(z.encode(methods[method].params as z.ZodType, params));
  const encoded = utf8(text);
  texts.set(params, encoded);
  return encoded;
}
