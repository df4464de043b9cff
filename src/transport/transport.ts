/**
 * Streams between the service and a signer. Two kinds, the same to whoever reads and writes them: unix sockets, where the file's mode
 * says who may come in, and mutual TLS 1.3, where pinned keys do.
 * @module
 */

import type { Socket } from 'node:net';
import type { Address } from '../base/address.ts';

/** One address, from either end. */
export interface Transport {
  /**
   * Resolves when the peer has proved who it is.
   * @throws {Error} whose message goes on from the peer's name: `does not answer (ECONNREFUSED)`
   */
  connect(): Promise<Socket>;
  listen(door: Door): Promise<Listening>;
}

export interface Door {
  /** Takes a connection whose peer has proved who it is; `peer` is its name, for the log. */
  accept(connection: Socket, peer: string): void;
  /** Hears why a connection was turned away. */
  refused(reason: string): void;
}

export interface Listening {
  /** With the port that was found, where any was asked for. */
  readonly address: Address;
  /** Stops listening; what was accepted stays open. */
  close(): Promise<void>;
}

/** The time for a connection to stand, its handshake included; below the time limit of most questions, so that the reason is known. */
export const connectWithinMs = 2_000;

/**
 * Resolves when `socket` emits `event`; destroys it when that takes too long.
 * @throws {Error} as `Transport.connect`
 */
export function established<S extends Socket>(socket: S, event: 'connect' | 'secureConnect'): Promise<S> {
  return new Promise((resolve, reject) => {
    let isConnected = false;
    const fail = (reason: string): void => {
      clearTimeout(timer);
      socket.destroy();
      reject(new Error(reason));
    };
    const timer = setTimeout(() => {
      fail(`${isConnected ? 'did not finish the TLS handshake' : 'does not answer'} within ${connectWithinMs} ms`);
    }, connectWithinMs);
    socket.once('connect', () => (isConnected = true));
    socket.once('close', () => fail('closed the connection at its start'));
    // Stays, so that a late error is nobody's crash: 'close' follows.
    socket.on('error', (error: NodeJS.ErrnoException) => {
      fail(`${isConnected ? 'failed the TLS handshake' : 'does not answer'} (${error.code ?? error.message})`);
    });
    socket.once(event, () => {
      clearTimeout(timer);
      resolve(socket);
    });
  });
}
