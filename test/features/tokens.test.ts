import { createHmac, createPublicKey, generateKeyPairSync, hkdfSync, sign } from 'node:crypto';
import { beforeEach, describe, expect, test } from 'vitest';
import { toBase64Url, utf8 } from '../../src/base/bytes.ts';
import { createTokens, type IssuedChallenge, type SignedChallenge } from '../../src/features/access/tokens.ts';

const start = Date.parse('2026-01-01T00:00:00.000Z');
const key = generateKeyPairSync('ed25519').privateKey;
let now = start;
const tokens = createTokens({ key, clock: () => now });

const bearer = {
  tokenId: 'to-11111-22222-3333333333333333',
  organisationId: 'or-1',
  userId: 'us-1',
  username: 'root',
  kind: 'ServiceAccount' as const,
  dateIssued: new Date(start),
  dateExpires: new Date(start + 60_000),
};
const challenge: IssuedChallenge = {
  tokenId: bearer.tokenId,
  binding: {
    method: 'POST',
    path: '/keys?a=b',
    payloadHash: 'e3b0c442',
    organisationId: 'or-1',
    callerId: 'us-1',
    nonce: 'bm9uY2U',
    expiresAt: start / 1000 + 300,
  },
};
const signed: SignedChallenge = {
  ...challenge,
  credentialUuid: 'cr-1',
  assertion: { kind: 'Key', credId: 'id', clientData: 'e30', signature: 'c2ln', algorithm: 'SHA256' },
};

beforeEach(() => {
  now = start;
});

test('a bearer token has the claims the client reads', () => {
  const [header, payload] = tokens.issueBearer(bearer).split('.').slice(0, 2).map(decoded);
  expect(header).toEqual({ alg: 'EdDSA', typ: 'JWT', kid: expect.stringMatching(/^[\w-]{16}$/) });
  expect(payload).toEqual({
    iss: 'countersign',
    aud: 'countersign/api',
    sub: 'or-1',
    jti: bearer.tokenId,
    iat: start / 1000,
    exp: start / 1000 + 60,
    'https://custom/username': 'root',
    'https://custom/app_metadata': { userId: 'us-1', orgId: 'or-1', tokenKind: 'ServiceAccount' },
  });
});

test('each kind reads back whole', () => {
  expect(tokens.readBearer(tokens.issueBearer(bearer))).toBe(bearer.tokenId);
  expect(tokens.readChallenge(tokens.issueChallenge(challenge))).toEqual(challenge);
  expect(tokens.readUserAction(tokens.issueUserAction(signed))).toEqual(signed);
});

test('no kind passes for another', () => {
  const texts = {
    bearer: tokens.issueBearer(bearer),
    challenge: tokens.issueChallenge(challenge),
    userAction: tokens.issueUserAction(signed),
  };
  expect([texts.challenge, texts.userAction].map(tokens.readBearer)).toEqual([undefined, undefined]);
  expect([texts.bearer, texts.userAction].map(tokens.readChallenge)).toEqual([undefined, undefined]);
  expect([texts.bearer, texts.challenge].map(tokens.readUserAction)).toEqual([undefined, undefined]);
});

test('each expires, a remembered one too', () => {
  const texts = [tokens.issueBearer(bearer), tokens.issueChallenge(challenge), tokens.issueUserAction(signed)] as const;
  expect(tokens.readBearer(texts[0])).toBeDefined();
  now = start + 60_000;
  expect(tokens.readBearer(texts[0])).toBeUndefined();
  expect(tokens.readChallenge(texts[1])).toBeDefined();
  now = start + 300_000;
  expect(tokens.readChallenge(texts[1])).toBeUndefined();
  expect(tokens.readUserAction(texts[2])).toBeUndefined();
});

describe('a forgery is none of ours:', () => {
  const good = tokens.issueUserAction(signed);
  const [header = '', payload = '', signature = ''] = good.split('.');
  const other = createTokens({ key: generateKeyPairSync('ed25519').privateKey, clock: () => now });
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
  const encode = (value: unknown) => toBase64Url(utf8(JSON.stringify(value)));
  const macKey = hkdfSync('sha256', key.export({ type: 'pkcs8', format: 'der' }), '', 'countersign/tokens/mac/v1', 32);

  test.each([
    ['empty', ''],
    ['not a token', 'a.b.c'],
    ['of another service', other.issueUserAction(signed)],
    ['payload changed', `${header}.${encode({ ...decoded(payload), path: '/other' })}.${signature}`],
    ['unsigned', `${encode({ alg: 'none', typ: 'JWT' })}.${payload}.`],
    ['signature cut', `${header}.${payload}.${signature.slice(0, -4)}`],
    ['another algorithm', rsaSigned(`${encode({ alg: 'RS256', typ: 'JWT' })}.${payload}`)],
    ['a signature where a MAC is due', edSigned(`${encode({ alg: 'EdDSA', typ: 'JWT' })}.${payload}`)],
    ['another issuer', resigned({ ...decoded(payload), iss: 'someone' })],
    ['a claim missing', resigned({ ...decoded(payload), path: undefined })],
    ['a claim of another type', resigned({ ...decoded(payload), exp: 'never' })],
  ])('%s', (_, text) => expect(tokens.readUserAction(text)).toBeUndefined());

  test('a bearer with a MAC under the public key', () => {
    const [, bearerPayload = ''] = tokens.issueBearer(bearer).split('.');
    const input = `${encode({ alg: 'HS256', typ: 'JWT' })}.${bearerPayload}`;
    const publicPem = createPublicKey(key).export({ type: 'spki', format: 'pem' });
    const macs = [publicPem, macKey].map((secret) =>
      createHmac('sha256', Buffer.from(secret as Buffer))
        .update(input)
        .digest('base64url'),
    );
    expect(macs.map((mac) => tokens.readBearer(`${input}.${mac}`))).toEqual([undefined, undefined]);
  });

  test('while what is signed again unchanged is good', () => expect(tokens.readUserAction(resigned(decoded(payload)))).toEqual(signed));

  function resigned(content: unknown): string {
    const input = `${header}.${encode(content)}`;
    return `${input}.${createHmac('sha256', Buffer.from(macKey)).update(input).digest('base64url')}`;
  }

  function edSigned(input: string): string {
    return `${input}.${toBase64Url(sign(null, utf8(input), key))}`;
  }

  function rsaSigned(input: string): string {
    return `${input}.${toBase64Url(sign('sha256', utf8(input), rsa))}`;
  }
});

function decoded(part: string): Record<string, unknown> {
  return JSON.parse(Buffer.from(part, 'base64url').toString());
}
