import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { concat, utf8 } from '../../src/base/bytes.ts';
import { seal, unseal } from '../../src/crypto/seal.ts';
import { hex, wycheproof } from '../vectors/shared.ts';

const vectors = wycheproof<
  { ivSize: number; keySize: number; tagSize: number },
  { key: string; iv: string; aad: string; msg: string; ct: string; tag: string }
>('aes_gcm_test')?.filter(({ ivSize, keySize, tagSize }) => ivSize === 96 && keySize === 256 && tagSize === 128);

const key = hex('07'.repeat(32));
const aad = utf8('key-1, signer 2');

describe('a seal', () => {
  it('opens under its key and its aad', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.uint8Array({ maxLength: 40 }), (plaintext, bound) => {
        const box = seal(key, plaintext, bound);
        expect(box).toHaveLength(12 + plaintext.length + 16);
        expect(unseal(key, box, bound)).toEqual(plaintext);
      }),
    );
  });

  it('never repeats: the nonce is fresh', () => {
    expect(seal(key, utf8('a'), aad)).not.toEqual(seal(key, utf8('a'), aad));
  });

  it('does not open under another key or other aad', () => {
    const box = seal(key, utf8('secret'), aad);
    expect(() => unseal(hex('08'.repeat(32)), box, aad)).toThrow();
    expect(() => unseal(key, box, utf8('key-1, signer 3'))).toThrow();
    expect(() => unseal(key, box, new Uint8Array(0))).toThrow();
  });

  it('does not open with any byte altered, cut, or added', () => {
    const box = seal(key, utf8('secret'), aad);
    for (const [i, byte] of box.entries()) expect(() => unseal(key, box.with(i, byte ^ 1), aad)).toThrow();
    for (let length = 0; length < box.length; length++) expect(() => unseal(key, box.subarray(0, length), aad)).toThrow();
    expect(() => unseal(key, concat(box, hex('00')), aad)).toThrow();
  });

  it('takes keys of 32 bytes only', () => {
    expect(() => seal(new Uint8Array(16), utf8('secret'), aad)).toThrow();
    expect(() => unseal(new Uint8Array(31), seal(key, utf8('secret'), aad), aad)).toThrow();
  });

  /** NIST, "The Galois/Counter Mode of Operation" (McGrew, Viega), appendix B, test case 14. */
  it('opens a published box', () => {
    const box = hex(`${'00'.repeat(12)}cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919`);
    expect(unseal(new Uint8Array(32), box, new Uint8Array(0))).toEqual(new Uint8Array(16));
  });

  describe.skipIf(vectors === undefined)('Wycheproof aes_gcm, 256-bit keys, 96-bit nonces', () => {
    it('agrees: valid opens to the message, invalid does not open', () => {
      expect(vectors?.length).toBeGreaterThan(30);
      for (const test of vectors ?? []) {
        const open = () => unseal(hex(test.key), hex(test.iv + test.ct + test.tag), hex(test.aad));
        if (test.result === 'valid') expect(open(), `tcId ${test.tcId}`).toEqual(hex(test.msg));
        else expect(open, `tcId ${test.tcId}`).toThrow();
      }
    });
  });
});
