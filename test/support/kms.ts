/**
 * The part of AWS KMS that signers use, as documented: Encrypt and Decrypt of a symmetric key by the AWS JSON 1.1 protocol, with an
 * encryption context, for whoever signs the request with the account's secret (Signature Version 4, computed here on its own).
 * https://docs.aws.amazon.com/kms/latest/APIReference/
 */

import { createCipheriv, createDecipheriv, createHash, createHmac, randomBytes, randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { textOf } from './vault.ts';

export interface FakeKms {
  readonly endpoint: string;
  readonly region: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** ARNs. */
  readonly keys: readonly string[];
  /** Encryption contexts of what it was asked, parsed. */
  readonly contexts: readonly unknown[];
  be(mood: Mood): void;
  close(): Promise<void>;
}

type Mood = 'well' | 'denying' | 'silent' | 'disabled';

export async function startKms({ keys: count = 2 } = {}): Promise<FakeKms> {
  const region = 'eu-central-1';
  const accessKeyId = `AKIA${randomBytes(8).toString('hex').toUpperCase()}`;
  const secretAccessKey = randomBytes(30).toString('base64');
  const held = new Map(Array.from({ length: count }, () => [`arn:aws:kms:${region}:111122223333:key/${randomUUID()}`, randomBytes(32)]));
  const contexts: unknown[] = [];
  let mood: Mood = 'well';

  async function answer(request: IncomingMessage): Promise<{ status: number; body: unknown }> {
    const text = await textOf(request);
    const refuse = (type: string, message = '', status = 400) => ({ status, body: { __type: type, message } });
    if (!isSigned(request, text)) return refuse('InvalidSignatureException', 'The request signature we calculated does not match');
    if (mood === 'denying') return refuse('AccessDeniedException', 'User: x is not authorized to perform: kms:Decrypt');
    const asked = JSON.parse(text);
    const keyId = asked.KeyId;
    const key = held.get(keyId);
    if (key === undefined) return refuse('NotFoundException', `Key '${keyId}' does not exist`);
    if (mood === 'disabled') return refuse('DisabledException', `${keyId} is disabled.`);
    contexts.push(asked.EncryptionContext);
    const aad = Buffer.from(JSON.stringify(Object.entries(asked.EncryptionContext ?? {}).sort()));
    if (request.headers['x-amz-target'] === 'TrentService.Encrypt') {
      const nonce = randomBytes(12);
      const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(aad);
      const blob = Buffer.concat([nonce, cipher.update(Buffer.from(asked.Plaintext, 'base64')), cipher.final(), cipher.getAuthTag()]);
      return { status: 200, body: { CiphertextBlob: blob.toString('base64'), KeyId: keyId, EncryptionAlgorithm: 'SYMMETRIC_DEFAULT' } };
    }
    const blob = Buffer.from(asked.CiphertextBlob, 'base64');
    try {
      const decipher = createDecipheriv('aes-256-gcm', key, blob.subarray(0, 12), { authTagLength: 16 }).setAAD(aad);
      decipher.setAuthTag(blob.subarray(-16));
      const plaintext = Buffer.concat([decipher.update(blob.subarray(12, -16)), decipher.final()]);
      return { status: 200, body: { Plaintext: plaintext.toString('base64'), KeyId: keyId, EncryptionAlgorithm: 'SYMMETRIC_DEFAULT' } };
    } catch {
      return refuse('InvalidCiphertextException');
    }
  }

  /** https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html */
  function isSigned(request: IncomingMessage, text: string): boolean {
    const form =
      /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([^/]+)\/kms\/aws4_request, ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})$/;
    const [, id, day = '', where = '', names = '', signature] = form.exec(request.headers.authorization ?? '') ?? [];
    if (id !== accessKeyId || where !== region || !names.split(';').includes('host')) return false;
    const sha256 = (value: string) => createHash('sha256').update(value).digest('hex');
    const hmac = (key: string | Buffer, value: string) => createHmac('sha256', key).update(value).digest();
    const headers = names.split(';').map((name) => `${name}:${String(request.headers[name]).trim()}\n`);
    const canonical = [request.method, request.url, '', headers.join(''), names, sha256(text)].join('\n');
    const scope = `${day}/${where}/kms/aws4_request`;
    const toSign = ['AWS4-HMAC-SHA256', request.headers['x-amz-date'], scope, sha256(canonical)].join('\n');
    const signing = hmac(hmac(hmac(hmac(`AWS4${secretAccessKey}`, day), where), 'kms'), 'aws4_request');
    return hmac(signing, toSign).toString('hex') === signature;
  }

  const server = createServer((request, response) => {
    if (mood === 'silent') return;
    answer(request).then(({ status, body }) => {
      response
        .writeHead(status, { 'content-type': 'application/x-amz-json-1.1', 'x-amzn-requestid': randomUUID() })
        .end(JSON.stringify(body));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    region,
    accessKeyId,
    secretAccessKey,
    keys: [...held.keys()],
    contexts,
    be: (now) => {
      mood = now;
    },
    close: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}
