/**
 * The way to a signer, in this process: the coordinator's own link at one end, the signer's own ear at the other, and somebody in between
 * who loses frames, holds them back, has them overtake each other and sends them twice.
 * @module
 */

import type { Socket } from 'node:net';
import { type Duplex, duplexPair } from 'node:stream';
import { encodeFrame, frameReader } from '../../src/base/frames.ts';
import { listen } from '../../src/signer/listen.ts';
import type { Door, Transport } from '../../src/transport/transport.ts';

export type Direction = 'question' | 'answer';

/** What becomes of one frame: how often it arrives, and after how many milliseconds each time. Never, when there are none. */
export type Fate = readonly number[];

export interface Weather {
  fateOf(direction: Direction): Fate;
  /** Told of every frame that is about to arrive, with the question that it is or answers. */
  arrived(direction: Direction, question: unknown): void;
}

export interface Line {
  readonly transport: Pick<Transport, 'connect'>;
  readonly isUp: boolean;
  up(): Promise<void>;
  /** At once: what is under way on it is lost. */
  down(): void;
}

/** @param answer asked for every question that arrives; what it gives goes back, if the line is still the same */
export function lineTo(answer: (question: unknown) => Promise<unknown>, weather: Weather): Line {
  let door: Door | undefined;
  const open = new Set<Duplex>();

  const transport: Transport = {
    async connect() {
      if (door === undefined) throw new Error('does not answer (ECONNREFUSED)');
      const [near, nearInside] = duplexPair();
      const [farInside, far] = duplexPair();
      const all = [near, nearInside, farInside, far];
      for (const end of all) {
        open.add(end);
        end.on('error', () => undefined); // 'close' follows
        end.once('close', () => {
          open.delete(end);
          for (const other of all) other.destroy();
        });
      }
      const questions = new Map<number, unknown>();
      carry(nearInside, farInside, 'question', questions);
      carry(farInside, nearInside, 'answer', questions);
      door.accept(far as unknown as Socket, 'the service'); // of a socket only what streams have is used
      return near as unknown as Socket;
    },
    async listen(opened) {
      door = opened;
      return { address: { kind: 'unix', path: 'nowhere' }, close: async () => undefined };
    },
  };

  function carry(from: Duplex, to: Duplex, direction: Direction, questions: Map<number, unknown>): void {
    const frames = frameReader();
    from.on('data', (chunk: Uint8Array) => {
      for (const { message } of frames.read(chunk)) {
        const { number } = message as { number: number }; // as every frame of the contract
        if (direction === 'question') questions.set(number, message);
        for (const ms of weather.fateOf(direction)) {
          const deliver = () => {
            if (to.destroyed) return;
            weather.arrived(direction, questions.get(number));
            if (!to.destroyed) to.write(encodeFrame(message));
          };
          if (ms === 0) deliver();
          else setTimeout(deliver, ms);
        }
      }
    });
  }

  return {
    transport,
    get isUp() {
      return door !== undefined;
    },
    up: async () => void (await listen(transport, answer, () => undefined)),
    down() {
      door = undefined;
      for (const end of open) end.destroy();
    },
  };
}
