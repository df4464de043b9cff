import { createPrivateKey, sign } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { concat, toBase64Url, utf8 } from '../../src/base/bytes.ts';
import { importCredentialKey, verifyAssertion } from '../../src/crypto/assertions.ts';
import type { Assertion } from '../../src/crypto/authorisation.ts';
import { hex } from '../vectors/shared.ts';

/** Contract, appendix B.1. */
const challenge = 'Y2gtMTExMTEtMjIyMjItMzMzMzMzMzMzMzMzMzMzMw';
const key = importCredentialKey(
  '-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAiojj3XQJ8ZX9UtstPLpdcspnCb8dlBIb83SIAbQPb1w=\n-----END PUBLIC KEY-----\n',
);
const published: Assertion = {
  kind: 'Key',
  credId: 'cr-11111-22222-3333333333333333',
  clientData: toBase64Url(utf8(`{"type":"key.get","challenge":"${challenge}"}`)),
  signature: '7d3-E1UMc6jL_6ByiNzCUF5F_TBiwQQE-FTiTKJBfLfZi3_qaOoDY3ubF70kbssh4YzN3sJnMTgaRakIuhQlCA',
};
const privateKey = createPrivateKey({
  key: Buffer.from(concat(hex('302e020100300506032b657004220420'), hex('01'.repeat(32)))),
  format: 'der',
  type: 'pkcs8',
});

/** An assertion over any clientData, truly signed: what is wrong with it is in the clientData alone. */
function signed(clientData: string | Uint8Array): Assertion {
  const bytes = typeof clientData === 'string' ? utf8(clientData) : clientData;
  return { ...published, clientData: toBase64Url(bytes), signature: toBase64Url(sign(null, bytes, privateKey)) };
}

describe('the assertion of a key credential', () => {
  it('is that of the contract, appendix B.1', () => {
    expect(verifyAssertion({ key, assertion: published, challenge })).toBe(true);
    expect(signed(`{"type":"key.get","challenge":"${challenge}"}`).signature).toBe(published.signature);
  });

  it.each([
    ['of kind PasswordProtectedKey', { ...published, kind: 'PasswordProtectedKey' }],
    ['naming a digest', { ...published, algorithm: 'SHA512' }],
    ['with padding', { ...published, signature: `${published.signature}==` }],
    [
      'with members of older signers',
      signed(`{"type":"key.get","challenge":"${challenge}","origin":"https://a.example","crossOrigin":false}`),
    ],
    ['with its members in another order, and spaces', signed(`{ "challenge": "${challenge}", "type": "key.get" }`)],
  ] as const)('is good %s', (_, assertion) => {
    expect(verifyAssertion({ key, assertion, challenge })).toBe(true);
  });

  it.each([
    ['of kind Fido2', { ...published, kind: 'Fido2' }],
    ['with a digest nobody knows', { ...published, algorithm: 'SHA1' }],
    ['without signature', { ...published, signature: '' }],
    ['with another signature', { ...published, signature: published.signature.replace('7d3', '7d4') }],
    ['with a signature in standard base64', { ...published, signature: published.signature.replaceAll('-', '+').replaceAll('_', '/') }],
    [
      'with other clientData under the same signature',
      { ...published, clientData: signed(`{"type":"key.get", "challenge":"${challenge}"}`).clientData },
    ],
    ['without clientData', { ...published, clientData: '' }],
    ['of a registration', signed(`{"type":"key.create","challenge":"${challenge}"}`)],
    ['of WebAuthn', signed(`{"type":"webauthn.get","challenge":"${challenge}"}`)],
    ['without type', signed(`{"challenge":"${challenge}"}`)],
    ['without challenge', signed('{"type":"key.get"}')],
    ['of another challenge', signed(`{"type":"key.get","challenge":"${challenge}x"}`)],
    ['of the challenge encoded twice, as browsers do', signed(`{"type":"key.get","challenge":"${toBase64Url(utf8(challenge))}"}`)],
    ['of a challenge that is a list', signed(`{"type":"key.get","challenge":["${challenge}"]}`)],
    ['whose clientData is a text', signed(JSON.stringify(challenge))],
    ['whose clientData is null', signed('null')],
    ['whose clientData is a list', signed(`["key.get","${challenge}"]`)],
    ['whose clientData is no JSON', signed(`{"type":"key.get","challenge":"${challenge}"`)],
    ['whose clientData is not UTF-8', signed(concat(utf8(`{"type":"key.get","challenge":"${challenge}","x":"`), hex('ff'), utf8('"}')))],
    ['whose clientData is endless', signed(`{"type":"key.get","challenge":"${challenge}","x":"${'x'.repeat(10_000)}"}`)],
    ['whose clientData is deep', signed('['.repeat(6000))],
    ['whose signature is endless', { ...published, signature: 'A'.repeat(1_000_000) }],
  ] as const)('is not good %s', (_, assertion) => {
    expect(verifyAssertion({ key, assertion, challenge })).toBe(false);
  });

  it('is not good under another key or for another challenge', () => {
    const other = importCredentialKey(
      '-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n-----END PUBLIC KEY-----\n', // RFC 8410 §10.1
    );
    expect(verifyAssertion({ key: other, assertion: published, challenge })).toBe(false);
    expect(verifyAssertion({ key, assertion: published, challenge: '' })).toBe(false);
    expect(verifyAssertion({ key, assertion: published, challenge: challenge.toLowerCase() })).toBe(false);
  });

  it('answers false, and throws nothing, whatever the texts', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), fc.option(fc.string(), { nil: undefined }), (clientData, signature, algorithm) => {
        const assertion = { ...published, clientData, signature, ...(algorithm === undefined ? {} : { algorithm }) };
        expect(verifyAssertion({ key, assertion, challenge })).toBe(false);
      }),
    );
  });
});
