import { createHmac, createPublicKey, generateKeyPairSync, randomBytes, sign, verify } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { edDsa, hs256, jwt } from '../../src/features/access/jwt.ts';

const secret = randomBytes(32);
const { privateKey } = generateKeyPairSync('ed25519');
const claims = { iss: 'us', text: 'ü 😀', nested: { at: [1, 2] } };

test.each([0, 1, 31, 63, 64, 65, 1000, 70_000])('HS256 is the HMAC of node:crypto, of %i bytes', (length) => {
  const input = randomBytes(length).toString('latin1');
  const due = createHmac('sha256', secret).update(input).digest('base64url');
  expect(hs256(secret).signatureOf(input)).toBe(due);
  expect(hs256(secret).isSignatureOf(input, due)).toBe(true);
  expect(hs256(randomBytes(32)).isSignatureOf(input, due)).toBe(false);
});

test('EdDSA is the signature of node:crypto', () => {
  const input = 'input';
  const signature = edDsa(privateKey).signatureOf(input);
  expect(verify(null, Buffer.from(input), createPublicKey(privateKey), Buffer.from(signature, 'base64url'))).toBe(true);
});

describe.each([
  ['HS256', hs256(secret), hs256(randomBytes(32))],
  ['EdDSA', edDsa(privateKey), edDsa(generateKeyPairSync('ed25519').privateKey)],
] as const)('a token made good by %s', (_, proof, other) => {
  const { write, read } = jwt(proof);
  const text = write(claims);
  const [header = '', payload = '', signature = ''] = text.split('.');

  test('reads back whole, and is what RFC 7519 says', () => {
    expect(read(text)).toEqual(claims);
    expect([header, payload].map((part) => JSON.parse(Buffer.from(part, 'base64url').toString()))).toEqual([proof.header, claims]);
  });

  test.each([
    ['nothing', ''],
    ['no parts', 'abc'],
    ['two parts', `${header}.${payload}`],
    ['a header alone', `${header}.`],
    ['no signature', `${header}.${payload}.`],
    ['a part more', `${text}.`],
    ['another part in front', `.${text}`],
    ['an empty payload', `${header}..${signature}`],
    ['another payload', `${header}.${Buffer.from('{}').toString('base64url')}.${signature}`],
    ['the signature padded', `${text}=`],
    ['the signature with blanks', `${text} `],
    ['the last bits of the signature changed', `${text.slice(0, -1)}${text.endsWith('A') ? 'B' : 'A'}`],
    ['another key', jwt(other).write(claims)],
    ['another header, signed', signed({ ...proof.header, alg: 'none' })],
    ['a header in another order, signed', signed(Object.fromEntries(Object.entries(proof.header).reverse()))],
  ])('is not one with %s', (_name, forged) => {
    expect(read(forged)).toBeUndefined();
  });

  function signed(changed: object): string {
    const input = `${Buffer.from(JSON.stringify(changed)).toString('base64url')}.${payload}`;
    return `${input}.${proof.signatureOf(input)}`;
  }
});

test('a signature under the public key in the place of the secret is none', () => {
  const input = jwt(edDsa(privateKey)).write(claims).split('.').slice(0, 2).join('.');
  const mac = hs256(createPublicKey(privateKey).export({ type: 'spki', format: 'der' }).subarray(-32)).signatureOf(input);
  expect(jwt(edDsa(privateKey)).read(`${input}.${mac}`)).toBeUndefined();
  expect(jwt(hs256(secret)).read(`${input}.${sign(null, Buffer.from(input), privateKey).toString('base64url')}`)).toBeUndefined();
});
