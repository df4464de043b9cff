import { ED25519_TORSION_SUBGROUP, ed25519 } from '@noble/curves/ed25519.js';
import { sha512 } from '@noble/hashes/sha2.js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { concat, fromBigInt, toBigInt } from '../../src/base/bytes.ts';
import { verifyEd25519, verifyEd25519ByOpenSsl } from '../../src/crypto/ed25519.ts';
import { implementationsOf } from '../../src/crypto/groups/index.ts';
import { eddsaOver } from '../../src/crypto/schemes/eddsa.ts';
import { hex, wycheproof } from '../vectors/shared.ts';

const vectors = wycheproof<{ publicKey: { pk: string } }, { msg: string; sig: string }>('ed25519_test');

/** RFC 8032 §7.1, TEST 1 to 3: public key, message, signature. */
const rfc8032 = [
  [
    'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a',
    '',
    'e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b',
  ],
  [
    '3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c',
    '72',
    '92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00',
  ],
  [
    'fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025',
    'af82',
    '6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a',
  ],
] as const;

describe.each(implementationsOf('ed25519'))('EdDSA on ed25519, $implementation', (group) => {
  const scheme = eddsaOver(group);
  const verifies = (publicKey: string, message: string, signature: string) =>
    scheme.verify(hex(publicKey), { bytes: hex(message) }, { r: hex(signature).subarray(0, 32), s: hex(signature).subarray(32) });

  it.each(rfc8032)('verifies RFC 8032 §7.1: %s', (publicKey, message, signature) => {
    expect(verifies(publicKey, message, signature)).toBe(true);
    expect(verifies(publicKey, `${message}00`, signature)).toBe(false);
  });

  it('verifies what noble signs, and nothing one bit away', () => {
    const flip = fc.tuple(fc.constantFrom<'r' | 's' | 'message'>('r', 's', 'message'), fc.nat(31), fc.nat(7));
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 32, maxLength: 32 }),
        fc.uint8Array({ minLength: 32, maxLength: 300 }),
        flip,
        (seed, bytes, [part, byte, bit]) => {
          const signature = ed25519.sign(bytes, seed);
          const parts = { r: signature.slice(0, 32), s: signature.slice(32), message: bytes };
          const publicKey = ed25519.getPublicKey(seed);
          const altered = { ...parts, [part]: parts[part].with(byte, (parts[part][byte] ?? 0) ^ (1 << bit)) };
          expect(scheme.verify(publicKey, { bytes }, parts)).toBe(true);
          expect(scheme.verify(publicKey, { bytes: altered.message }, altered)).toBe(false);
        },
      ),
      { numRuns: 25 },
    );
  });

  it('refuses s + L, though the equation holds', () => {
    const [publicKey, message, signature] = rfc8032[0];
    const s = toBigInt(hex(signature).subarray(32).toReversed());
    const more = fromBigInt(s + group.order, 32).toReversed();
    expect(scheme.verify(hex(publicKey), { bytes: hex(message) }, { r: hex(signature).subarray(0, 32), s: more })).toBe(false);
  });

  it.each([
    ['the identity', `01${'00'.repeat(31)}`],
    ['a point of order 4', '00'.repeat(32)],
    ['a point of order 8', '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05'],
    ['y not below p', `ee${'ff'.repeat(30)}7f`],
  ])('refuses as a key: %s', (_, publicKey) => {
    // Under a key of small order, R = s·B verifies any message once the challenge is a multiple of that order.
    const [s, r] = [new Uint8Array(32).with(0, 1), group.encodePoint(group.base)];
    for (let i = 0; i < 64; i++) expect(scheme.verify(hex(publicKey), { bytes: Uint8Array.of(i) }, { r, s })).toBe(false);
  });

  it('refuses an R of mixed order', () => {
    // The challenge is of the altered R, so only the torsion is wrong: an equation with cofactor would accept.
    const k = 12345n;
    const A = ed25519.Point.BASE.multiply(k);
    const torsion = ed25519.Point.fromAffine({ x: 0n, y: ed25519.Point.Fp.ORDER - 1n });
    const r = ed25519.Point.BASE.multiply(77n).add(torsion).toBytes();
    const bytes = hex('00');
    const digest = ed25519.Point.Fn.create(toBigInt(sha512(concat(r, A.toBytes(), bytes)).toReversed()));
    const s = group.encodeScalar((77n + digest * k) % group.order);
    expect(ed25519.verify(concat(r, s), bytes, A.toBytes(), { zip215: true })).toBe(true);
    expect(scheme.verify(A.toBytes(), { bytes }, { r, s })).toBe(false);
  });

  it('refuses wrong lengths', () => {
    const [publicKey, message, signature] = rfc8032[0];
    const [r, s] = [hex(signature).subarray(0, 32), hex(signature).subarray(32)];
    const payload = { bytes: hex(message) };
    expect(scheme.verify(hex(publicKey).subarray(1), payload, { r, s })).toBe(false);
    expect(scheme.verify(hex(`${publicKey}00`), payload, { r, s })).toBe(false);
    expect(scheme.verify(hex(publicKey), payload, { r: hex(signature), s: new Uint8Array(0) })).toBe(false);
    expect(scheme.verify(hex(publicKey), payload, { r, s: s.subarray(1) })).toBe(false);
  });

  describe.skipIf(vectors === undefined)('Wycheproof ed25519', () => {
    it('agrees: valid is verified, invalid is refused', () => {
      const disagreements = vectors?.filter((test) => verifies(test.publicKey.pk, test.msg, test.sig) !== (test.result === 'valid'));
      expect(disagreements).toEqual([]);
    });
  });
});

describe('the verification of credentials and identities', () => {
  const [group] = implementationsOf('ed25519');
  if (group === undefined) throw new Error('there is an implementation');
  const k = 12345n;
  const A = ed25519.Point.BASE.multiply(k);
  const message = hex('00');
  /** A signature whose R is r·B and a point of small order, and whose s fits that R. */
  const signatureWith = (r: bigint, torsion = ed25519.Point.ZERO) => {
    const R = (r === 0n ? ed25519.Point.ZERO : ed25519.Point.BASE.multiply(r)).add(torsion).toBytes();
    const challenge = toBigInt(sha512(concat(R, A.toBytes(), message)).toReversed()) % group.order;
    return concat(R, group.encodeScalar((r + challenge * k) % group.order));
  };
  const torsions = ED25519_TORSION_SUBGROUP.map((text) => ed25519.Point.fromHex(text));

  it.each([
    ['libsodium', verifyEd25519],
    ['OpenSSL', verifyEd25519ByOpenSsl],
  ])('by %s: takes what fits, refuses R of mixed or small order, s not below the order, other lengths', (_, verify) => {
    const good = signatureWith(77n);
    expect(verify(A.toBytes(), message, good)).toBe(true);
    for (const torsion of torsions.filter((point) => !point.is0())) {
      expect(verify(A.toBytes(), message, signatureWith(77n, torsion))).toBe(false);
      expect(verify(A.toBytes(), message, signatureWith(0n, torsion))).toBe(false);
    }
    expect(verify(A.toBytes(), message, signatureWith(0n))).toBe(false);
    const above = toBigInt(good.slice(32).toReversed()) + group.order;
    expect(verify(A.toBytes(), message, concat(good.slice(0, 32), fromBigInt(above, 32).toReversed()))).toBe(false);
    for (const other of [good.slice(1), concat(good, hex('00')), new Uint8Array(0)])
      expect(verify(A.toBytes(), message, other)).toBe(false);
  });

  describe.skipIf(vectors === undefined)('Wycheproof ed25519', () => {
    it('agrees, by either library', () => {
      const usable = vectors?.filter(({ publicKey }) => publicKey.pk.length === 64) ?? [];
      for (const verify of [verifyEd25519, verifyEd25519ByOpenSsl]) {
        const wrong = usable.filter((test) => verify(hex(test.publicKey.pk), hex(test.msg), hex(test.sig)) !== (test.result === 'valid'));
        expect(wrong).toEqual([]);
      }
    });
  });
});
