/**
 * Stands between a client and the service and keeps what passes, byte for byte: what the official client really sends, and every answer
 * it is given, held against the contract of its endpoint.
 * @module
 */

import { createServer, type IncomingHttpHeaders, type IncomingMessage, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { checked } from '../support/contracts.ts';

export interface Exchange {
  readonly method: string;
  /** With the query. */
  readonly target: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  readonly status: number;
  readonly answerHeaders: IncomingHttpHeaders;
  readonly answer: string;
}

export interface Recorder {
  readonly origin: string;
  /** The oldest first. */
  readonly exchanges: readonly Exchange[];
  /** The last request that is not part of getting a user action. */
  last(): Exchange;
  close(): Promise<void>;
}

export async function record(origin: string): Promise<Recorder> {
  const exchanges: Exchange[] = [];
  const server = createServer(async (asked, reply) => {
    const body = await textOf(asked);
    const { method = '', url: target = '', headers } = asked;
    const passedOn = request(new URL(target, origin), { method, headers });
    passedOn.on('error', () => reply.destroy());
    passedOn.on('response', async (response) => {
      const { statusCode: status = 0, headers: answerHeaders } = response;
      const answer = await textOf(response);
      exchanges.push({ method, target, headers, body, status, answerHeaders, answer });
      reply.writeHead(status, answerHeaders).end(answer);
    });
    passedOn.end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo; // it listens on a port, not on a pipe

  return {
    origin: `http://127.0.0.1:${port}`,
    exchanges,
    last() {
      const found = exchanges.findLast(({ target }) => !target.startsWith('/auth/action'));
      if (found === undefined) throw new Error('nothing has passed yet');
      return found;
    },
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

/** @throws when an answer is not what its endpoint promises, shows a null, or carries no request id */
export function expectContract({ method, target, status, answer, answerHeaders }: Exchange): void {
  const body: unknown = JSON.parse(answer, (name, value) => {
    if (value === null) throw new Error(`${method} ${target} answers ${name}: null`);
    return value;
  });
  checked(method, target, { status, body });
  if (!answerHeaders['x-request-id']) throw new Error(`${method} ${target} answers without a request id`);
}

async function textOf(message: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of message) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}
