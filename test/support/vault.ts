/**
 * The part of Vault's and OpenBao's HTTP API that signers use, as documented: transit encrypt and decrypt of an aes256-gcm96 key, with
 * associated data. https://developer.hashicorp.com/vault/api-docs/secret/transit
 */

import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface FakeVault {
  readonly address: string;
  readonly token: string;
  /** Requests it has answered, as METHOD /path. */
  readonly asked: readonly string[];
  /** From now on: `sealed` answers 503, `silent` nothing, `redirecting` sends elsewhere. */
  be(mood: Mood): void;
  close(): Promise<void>;
}

type Mood = 'well' | 'sealed' | 'silent' | 'redirecting' | 'babbling';

export async function startVault({ keys = ['signer-1'], namespace = '' } = {}): Promise<FakeVault> {
  const token = `hvs.${randomBytes(12).toString('base64url')}`;
  const held = new Map(keys.map((name) => [name, randomBytes(32)]));
  const asked: string[] = [];
  let mood: Mood = 'well';

  async function answer(request: IncomingMessage): Promise<{ status: number; body: unknown }> {
    asked.push(`${request.method} ${request.url}`);
    const refuse = (status: number, ...errors: string[]) => ({ status, body: { errors } });
    if (mood === 'sealed') return refuse(503, 'Vault is sealed');
    if (request.headers['x-vault-token'] !== token || (request.headers['x-vault-namespace'] ?? '') !== namespace)
      return refuse(403, 'permission denied');
    const [, action, name] = /^\/v1\/transit\/(encrypt|decrypt)\/([^/]+)$/.exec(request.url ?? '') ?? [];
    const key = held.get(name ?? '');
    if (action === undefined) return refuse(404);
    if (request.method !== 'POST' && request.method !== 'PUT') return refuse(405, 'unsupported operation');
    if (key === undefined)
      return refuse(action === 'decrypt' ? 400 : 403, action === 'decrypt' ? 'encryption key not found' : 'permission denied');
    const body = JSON.parse(await textOf(request));
    const aad = Buffer.from(body.associated_data ?? '', 'base64');
    if (action === 'encrypt') {
      const nonce = randomBytes(12);
      const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(aad);
      const sealed = Buffer.concat([nonce, cipher.update(Buffer.from(body.plaintext, 'base64')), cipher.final(), cipher.getAuthTag()]);
      return { status: 200, body: { request_id: 'a', data: { ciphertext: `vault:v1:${sealed.toString('base64')}`, key_version: 1 } } };
    }
    const [, sealed] = /^vault:v1:(.+)$/.exec(body.ciphertext ?? '') ?? [];
    if (sealed === undefined) return refuse(400, 'invalid ciphertext: no prefix');
    const bytes = Buffer.from(sealed, 'base64');
    try {
      const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, 12), { authTagLength: 16 }).setAAD(aad);
      decipher.setAuthTag(bytes.subarray(-16));
      const plaintext = Buffer.concat([decipher.update(bytes.subarray(12, -16)), decipher.final()]);
      return { status: 200, body: { request_id: 'a', data: { plaintext: plaintext.toString('base64') } } };
    } catch {
      return refuse(400, 'cipher: message authentication failed');
    }
  }

  const server = createServer((request, response: ServerResponse) => {
    if (mood === 'silent') return;
    if (mood === 'redirecting') {
      response.writeHead(307, { location: 'http://127.0.0.1:9/' }).end();
      return;
    }
    if (mood === 'babbling') {
      response.writeHead(200, { 'content-type': 'application/json' }).end(`"${'x'.repeat(200_000)}"`);
      return;
    }
    answer(request).then(({ status, body }) =>
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body)),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    address: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    token,
    asked,
    be: (now) => {
      mood = now;
    },
    close: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

export async function textOf(request: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of request) text += String(chunk);
  return text;
}
