/** Unix sockets: who may open the file is let in. @module */

import { chmodSync, lstatSync, rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { established, type Transport } from './transport.ts';

export function unixTransport(path: string): Transport {
  return {
    connect: () => established(connect(path), 'connect'),
    listen({ accept }) {
      const server = createServer((connection) => accept(connection, 'the local asker'));
      return new Promise((resolve, reject) => {
        server.once('error', reject);
        removeStale(path);
        server.listen(path, () => {
          server.off('error', reject);
          chmodSync(path, 0o600);
          resolve({ address: { kind: 'unix', path }, close: () => new Promise((closed) => server.close(() => closed())) });
        });
      });
    },
  };
}

/** A socket left by a signer that was killed; the lock on its store says that none is running. @throws {Error} if it is no socket */
function removeStale(path: string): void {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined) return;
  if (!found.isSocket()) throw new Error(`${path} is there already and is no socket`);
  rmSync(path);
}
