import type { RefusalAnswer } from './contract.ts';

/** A signer's no, as its contract says it. */
export class SignerRefusal extends Error {
  readonly code: RefusalAnswer['code'];

  constructor(code: RefusalAnswer['code'], message: string) {
    super(message);
    this.name = 'SignerRefusal';
    this.code = code;
  }
}
