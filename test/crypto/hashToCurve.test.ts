import { secp256k1 } from '@noble/curves/secp256k1.js';
import { describe, expect, it } from 'vitest';
import { toHex, utf8 } from '../../src/base/bytes.ts';
import { hashToSecp256k1 } from '../../src/crypto/hashToCurve.ts';

const domain = utf8('QUUX-V01-CS02-with-secp256k1_XMD:SHA-256_SSWU_RO_');

/** RFC 9380, appendix J.8.1: message, x, y. */
const vectors = [
  [
    '',
    'c1cae290e291aee617ebaef1be6d73861479c48b841eaba9b7b5852ddfeb1346',
    '64fa678e07ae116126f08b022a94af6de15985c996c3a91b64c406a960e51067',
  ],
  [
    'abc',
    '3377e01eab42db296b512293120c6cee72b6ecf9f9205760bd9ff11fb3cb2c4b',
    '7f95890f33efebd1044d382a01b1bee0900fb6116f94688d487c6c7b9c8371f6',
  ],
  [
    'abcdef0123456789',
    'bac54083f293f1fe08e4a70137260aa90783a5cb84d3f35848b324d0674b0e3a',
    '4436476085d4c3c4508b60fcf4389c40176adce756b398bdee27bca19758d828',
  ],
  [
    `q128_${'q'.repeat(128)}`,
    'e2167bc785333a37aa562f021f1e881defb853839babf52a7f72b102e41890e9',
    'f2401dd95cc35867ffed4f367cd564763719fbc6a53e969fb8496a1e6685d873',
  ],
  [
    `a512_${'a'.repeat(512)}`,
    'e3c8d35aaaf0b9b647e88a0a0a7ee5d5bed5ad38238152e4e6fd8c1f8cb7c998',
    '8446eeb6181bf12f56a9d24e262221cc2f0c4725c7e3803024b5888ee5823aa6',
  ],
] as const;

describe('hashing to secp256k1', () => {
  it.each(vectors)('agrees with RFC 9380 J.8.1 for "%s"', (message, x, y) => {
    const point = secp256k1.Point.fromBytes(hashToSecp256k1({ message: utf8(message), domain }));
    expect([toHex(secp256k1.Point.Fp.toBytes(point.x)), toHex(secp256k1.Point.Fp.toBytes(point.y))]).toEqual([x, y]);
  });

  it('separates domains and messages', () => {
    const points = [
      hashToSecp256k1({ message: utf8('a'), domain: utf8('b') }),
      hashToSecp256k1({ message: utf8('b'), domain: utf8('a') }),
      hashToSecp256k1({ message: utf8('ab'), domain: utf8('b') }),
      hashToSecp256k1({ message: utf8('a'), domain: new Uint8Array(255).fill(98) }),
      hashToSecp256k1({ message: utf8('a'), domain: new Uint8Array(256).fill(98) }),
    ];
    expect(new Set(points.map(toHex)).size).toBe(points.length);
  });

  it('refuses an empty domain', () => {
    expect(() => hashToSecp256k1({ message: utf8('a'), domain: new Uint8Array(0) })).toThrow();
  });
});
