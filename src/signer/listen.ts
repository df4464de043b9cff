/**
 * The signer's ear: questions come as frames over a stream socket, answers go back by number. Several askers may be connected.
 * @module
 */

import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { encodeFrame, frameReader } from '../base/frames.ts';

/** Unanswered questions of one connection beyond which it is closed: an asker that floods. */
const maxOpenQuestions = 4096;

export interface Listener {
  address(): string | AddressInfo | null;
  /** Stops listening and closes every connection. */
  close(): Promise<void>;
}

/**
 * @param answer never rejects; what it gives is the frame of the answer
 * @param onBroken told when a connection is closed for what it sent
 */
export function listen(path: string, answer: (question: unknown) => Promise<unknown>, onBroken: (error: unknown) => void): Promise<Listener> {
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    const read = frameReader();
    let open = 0;
    socket.on('data', (chunk) => {
      try {
        const questions = read(chunk);
        open += questions.length;
        if (open > maxOpenQuestions) throw new Error(`more than ${maxOpenQuestions} questions wait for an answer`);
        for (const question of questions) {
          answer(question).then((reply) => {
            open -= 1;
            if (socket.writable) socket.write(encodeFrame(reply));
          });
        }
      } catch (error) {
        onBroken(error);
        socket.destroy();
      }
    });
    socket.on('error', () => undefined); // 'close' follows
    socket.on('close', () => sockets.delete(socket));
  });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, () => {
      server.off('error', reject);
      resolve({
        address: () => server.address(),
        close: () =>
          new Promise((closed) => {
            server.close(() => closed());
            for (const socket of sockets) socket.end();
          }),
      });
    });
  });
}
