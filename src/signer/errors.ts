import type { Head } from '../authority/head.ts';
import { messageOf, Refusal } from '../base/errors.ts';
import type { RefusalAnswer } from './contract.ts';

/** A signer's no, as its contract says it. */
export class SignerRefusal extends Error {
  readonly code: RefusalAnswer['code'];
  /** Of the authority log, where that is what it judged by. */
  readonly head: Head | undefined;

  constructor(code: RefusalAnswer['code'], message: string, options: { head?: Head; cause?: unknown } = {}) {
    super(message, { cause: options.cause });
    this.name = 'SignerRefusal';
    this.code = code;
    this.head = options.head;
  }
}

/** Does `judge`; a refusal of its goes out with the head it was judged at. @throws {SignerRefusal} */
export function judgedAt<T>(head: Head, judge: () => T): T {
  try {
    return judge();
  } catch (cause) {
    if (!(cause instanceof Refusal)) throw cause;
    // The one thing of a request that is not there yet is the head it was made at.
    const code = cause.code === 'Unavailable' ? 'Behind' : 'Refused';
    throw new SignerRefusal(code, messageOf(cause), { head, cause });
  }
}
