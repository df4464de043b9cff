import { secp256k1 } from '@noble/curves/secp256k1.js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { concat, utf8 } from '../../src/base/bytes.ts';
import { decrypt, encryptTo } from '../../src/crypto/box.ts';
import { hex } from '../vectors/shared.ts';

const none = new Uint8Array(0);
const secret = hex('11'.repeat(32));
const encryptionKey = secp256k1.getPublicKey(secret);

/** Contract, appendix B.3. */
const published = Buffer.from(
  'VmEMYNhcPfnEQ9xveJUFHZT/h5SkngbSNr6amrwn+YgJkGsW8xPeGmeLjd7W8VivTIhb5J96AjVrXR+REufqAEPYr1HO3ysGTuKhWum3eLMFtzkZceb6B5pJwXKmTlKUMKdCP+zl' +
    '/sGv5Hwms7rEqhHVsOihE9EMVsVo9ZIZbEUfgFQGdEINifuKZwKBtW82Wcw9uATnB/GRd7s9Kaftvri7mTAegIHCWcR3pnKHwKizLViyWskQzhqz7UB02kx/uPoSaL7P1QKwrfbA' +
    'KlM1aJX6MGFdv65ZR6o4kbpFSSEiqAEiEgqctGUAImzqWz/gzIjvdYrDfLwCRm1/yuVj5csJoNGHC7WANEgEYXh5oUlJzyIoXxuuPyc=',
  'base64',
);

describe('a box', () => {
  it('is that of the contract, appendix B.3', () => {
    const scalar = (value: string) => `{"curve":"secp256k1","scalar":"${value.padStart(64, '0')}"}`;
    const share = utf8(`{"version":1,"index":${scalar('1')},"secret_share":${scalar('5')}}`);
    expect(share).toHaveLength(232);
    expect(published).toHaveLength(281);
    expect(decrypt(secret, published, none)).toEqual(share);
  });

  it('opens for whom it is, and not twice the same', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.uint8Array({ maxLength: 40 }), (plaintext, aad) => {
        const box = encryptTo(encryptionKey, plaintext, aad);
        expect(box).toHaveLength(plaintext.length + 16 + 33);
        expect(decrypt(secret, box, aad)).toEqual(plaintext);
        expect(encryptTo(encryptionKey, plaintext, aad)).not.toEqual(box);
      }),
      { numRuns: 30 },
    );
  });

  it('does not open for another key or under other aad', () => {
    const box = encryptTo(encryptionKey, utf8('share'), utf8('session 1'));
    expect(() => decrypt(hex('12'.repeat(32)), box, utf8('session 1'))).toThrow();
    expect(() => decrypt(secret, box, utf8('session 2'))).toThrow();
    expect(() => decrypt(secret, box, none)).toThrow();
  });

  it('does not open with any byte altered, cut, or added', () => {
    const box = encryptTo(encryptionKey, utf8('share'), none);
    for (const [i, byte] of box.entries()) expect(() => decrypt(secret, box.with(i, byte ^ 1), none)).toThrow();
    for (let length = 0; length < box.length; length++) expect(() => decrypt(secret, box.subarray(0, length), none)).toThrow();
    expect(() => decrypt(secret, concat(box, hex('00')), none)).toThrow();
    expect(() => decrypt(secret, concat(hex('00'), box), none)).toThrow();
  });

  it('refuses keys that are none', () => {
    for (const key of [none, new Uint8Array(33), hex(`02${'ff'.repeat(32)}`), secp256k1.getPublicKey(secret, false)]) {
      expect(() => encryptTo(key, utf8('share'), none)).toThrow();
    }
    const box = encryptTo(encryptionKey, utf8('share'), none);
    for (const key of [none, new Uint8Array(32), hex('ff'.repeat(32))]) expect(() => decrypt(key, box, none)).toThrow();
  });
});
