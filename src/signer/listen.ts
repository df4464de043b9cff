/**
 * The signer's ear: questions come as frames over a transport, answers go back by number. Several askers may be connected. One that asks
 * faster than it is answered, or does not read its answers, is not read on until it does: what it has here is bounded.
 * @module
 */

import type { Socket } from 'node:net';
import { messageOf } from '../base/errors.ts';
import { frameReader, framesOf } from '../base/frames.ts';
import type { Listening, Transport } from '../transport/transport.ts';

/** Connections at a time: that many replicas of the service, with room for those that are just being replaced. */
const maxConnections = 64;
/** What one connection may have waiting here before it is not read on. */
const maxOpenQuestions = 4096;
const maxOpenBytes = 32 * 1024 * 1024;
const maxUnreadBytes = 32 * 1024 * 1024;
/** A frame half sent, or answers left unread, for this long: the asker is broken. */
const stuckMs = 30_000;
/** Who does not close its own end when we stop is cut off after this. */
const closeWithinMs = 1_000;

/**
 * @param answer   never rejects; what it gives is the frame of the answer. `peer`: who asks, by the name that the transport knows
 * @param onBroken hears why somebody was turned away or cut off
 */
export async function listen(
  transport: Transport,
  answer: (question: unknown, peer: string) => Promise<unknown>,
  onBroken: (reason: string) => void,
): Promise<Listening> {
  const connections = new Set<Socket>();
  const listening = await transport.listen({
    accept(connection, peer) {
      if (connections.size >= maxConnections) {
        onBroken(`${peer} was not let in: ${maxConnections} connections are open`);
        connection.destroy();
        return;
      }
      connections.add(connection);
      connection.once('close', () => connections.delete(connection));
      converse(
        connection,
        (question) => answer(question, peer),
        (reason) => onBroken(`${peer} ${reason}`),
      );
    },
    refused: onBroken,
  });
  return {
    address: listening.address,
    async close() {
      const closed = listening.close();
      for (const connection of connections) {
        connection.end();
        setTimeout(() => connection.destroy(), closeWithinMs).unref();
      }
      await closed;
    },
  };
}

function converse(connection: Socket, answer: (question: unknown) => Promise<unknown>, onBroken: (reason: string) => void): void {
  const frames = frameReader();
  let openQuestions = 0;
  let openBytes = 0;
  let stuck: NodeJS.Timeout | undefined;

  let unsent: [string][] = [];
  /** Answers of one turn of the event loop leave in one write. */
  const send = (reply: unknown): void => {
    if (unsent.push([JSON.stringify(reply)]) > 1) return;
    setImmediate(() => {
      const replies = unsent;
      unsent = [];
      if (connection.writable) connection.write(framesOf(replies));
      flowOn();
    });
  };

  const cutOff = (reason: string): void => {
    onBroken(reason);
    connection.destroy();
  };

  /** Reads on or waits, by how much is open. */
  const flow = (): void => {
    const isFull = openQuestions >= maxOpenQuestions || openBytes >= maxOpenBytes || connection.writableLength >= maxUnreadBytes;
    if (isFull) connection.pause();
    else if (connection.isPaused()) connection.resume();
    if (connection.destroyed || !(isFull || frames.isPartial)) clearTimeout(stuck);
    else stuck ??= setTimeout(() => cutOff(`left a frame half sent, or its answers unread, for ${stuckMs} ms`), stuckMs);
  };

  const flowOn = (): void => {
    clearTimeout(stuck);
    stuck = undefined;
    flow();
  };

  connection.on('data', (chunk) => {
    try {
      const asked = frames.read(chunk);
      for (const { message, bytes } of asked) {
        openQuestions += 1;
        openBytes += bytes;
        answer(message).then((reply) => {
          openQuestions -= 1;
          openBytes -= bytes;
          send(reply);
        });
      }
      if (asked.length > 0) flowOn();
      else flow();
    } catch (error) {
      cutOff(`was cut off: ${messageOf(error)}`);
    }
  });
  connection.on('drain', flowOn);
  connection.on('error', () => undefined); // 'close' follows
  connection.on('close', flow);
}
