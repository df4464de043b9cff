/** An RPC endpoint in this process that says what a test tells it to, over HTTP. */

import { createServer, type ServerResponse } from 'node:http';

export interface Endpoint {
  readonly url: URL;
  /** The methods it was asked, in order. */
  readonly asked: string[];
  close(): Promise<void>;
}

/** By method: the result, an error, or what is written instead of an answer. */
export type Answers = Readonly<Record<string, unknown | ((response: ServerResponse) => void)>>;

export async function startEndpoint(answers: Answers): Promise<Endpoint> {
  const asked: string[] = [];
  const server = createServer(async (request, response) => {
    let text = '';
    for await (const chunk of request) text += chunk;
    const { method, id }: { method: string; id: number } = JSON.parse(text);
    asked.push(method);
    const answer = answers[method];
    if (typeof answer === 'function') answer(response);
    else if (answer instanceof Error)
      response.end(JSON.stringify({ jsonrpc: '2.0', id, error: { code: -32_000, message: answer.message } }));
    else response.end(JSON.stringify({ jsonrpc: '2.0', id, result: answer }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the endpoint has no port');
  return {
    url: new URL(`http://127.0.0.1:${address.port}/v2/this-is-a-secret`),
    asked,
    close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      return closed;
    },
  };
}
