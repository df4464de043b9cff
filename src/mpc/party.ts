/**
 * What a protocol sees of the world: who takes part, and messages in rounds. A protocol is an async function of its `Party`; the
 * tests run it over memory, the signer over its socket, and neither is known here.
 *
 * All rounds are lock-step: a participant sends its messages of a round, then receives everybody's of the same round. The relay
 * between participants is not trusted: what must be authentic is signed (`sign`, `verify`), what must be secret is sealed (`sealTo`, `open`).
 * @module
 */

export interface Party {
  /** Own participant number, from 1. */
  readonly index: number;
  /** Everyone in this session, ascending, own number included. */
  readonly participants: readonly number[];
  /** 32 bytes, the same for all, never used twice: every hash and seal of the session binds it. */
  readonly sessionId: Uint8Array;

  /**
   * One round of exchange.
   * @param toAll sent to every other participant
   * @param toEach by participant number; sent to that one alone
   * @returns what each of the others sent, by participant number
   * @throws {Abort} naming who did not send, or sent what is not of this round
   */
  exchange(round: string, toAll: Uint8Array, toEach?: ReadonlyMap<number, Uint8Array>): Promise<ReadonlyMap<number, Received>>;

  /** Signs with this signer's identity key; the session, the round and the sender are bound by the implementation. 64 bytes. */
  sign(round: string, message: Uint8Array): Uint8Array;
  /** Whether `signature` over `message` of `round` is `from`'s own. */
  verify(from: number, round: string, message: Uint8Array, signature: Uint8Array): boolean;
  /** Seals to one participant's transport key, bound to session, round, sender and receiver. */
  sealTo(to: number, round: string, plaintext: Uint8Array): Uint8Array;
  /** @throws {Abort} naming the sender if the box does not open */
  openFrom(from: number, round: string, box: Uint8Array): Uint8Array;
}

export interface Received {
  readonly toAll: Uint8Array;
  /** Empty when the sender had nothing for this participant alone. */
  readonly toMe: Uint8Array;
}
