/**
 * The signer's side of a protocol in rounds. The protocol is an async function of a `Party`; here each of its exchanges becomes the
 * answer to one question of the coordinator, and the next question brings what the others sent. The coordinator only relays.
 * @module
 */

import { Abort } from '../base/errors.ts';
import type { Party, Received } from '../mpc/party.ts';
import { SignerRefusal } from './errors.ts';

/** What a protocol sends in one round, or what it ends with. */
export type Step<T> =
  | { readonly round: string; readonly toAll: Uint8Array; readonly toEach: ReadonlyMap<number, Uint8Array> }
  | { readonly outcome: T };

export interface Session<T> {
  /** The first step. */
  readonly opened: Promise<Step<T>>;
  /** What the others sent in `round`, for the step after it. */
  proceed(round: string, received: ReadonlyMap<number, Received>): Promise<Step<T>>;
  /** Ends the protocol wherever it is. */
  abandon(reason: string): void;
}

/** What of a party is not the exchange itself. */
export type PartyGround = Omit<Party, 'exchange'>;

export function openSession<T>(ground: PartyGround, protocol: (party: Party) => Promise<T>): Session<T> {
  let step = deferred<Step<T>>();
  let waiting: { round: string; inbox: Deferred<ReadonlyMap<number, Received>> } | undefined;

  const party: Party = {
    ...ground,
    exchange(round, toAll, toEach = new Map()) {
      const inbox = deferred<ReadonlyMap<number, Received>>();
      waiting = { round, inbox };
      step.resolve({ round, toAll, toEach });
      return inbox.promise;
    },
  };
  protocol(party).then(
    (outcome) => step.resolve({ outcome }),
    (error: unknown) => step.reject(error),
  );

  return {
    opened: step.promise,
    proceed(round, received) {
      if (waiting === undefined || waiting.round !== round)
        throw new SignerRefusal('BadQuestion', `this session does not wait for round ${round}`);
      const others = ground.participants.filter((participant) => participant !== ground.index);
      const silent = others.filter((participant) => !received.has(participant));
      const { inbox } = waiting;
      waiting = undefined;
      step = deferred();
      if (silent.length > 0) inbox.reject(new Abort(silent, `no message of round ${round} from ${silent.join(', ')}`));
      else inbox.resolve(new Map(others.map((participant) => [participant, received.get(participant) as Received])));
      return step.promise;
    },
    abandon(reason) {
      waiting?.inbox.reject(new Abort([], reason));
      waiting = undefined;
    },
  };
}

interface Deferred<T> {
  readonly promise: Promise<T>;
  resolve(value: T): void;
  reject(error: unknown): void;
}

function deferred<T>(): Deferred<T> {
  const parts = Promise.withResolvers<T>();
  // A session may be abandoned with nobody waiting for its next step: that is not an unhandled failure of the process.
  parts.promise.catch(() => undefined);
  return parts;
}
