import { createHash } from 'node:crypto';
import { secp256k1 } from '@noble/curves/secp256k1.js';
import * as starknet from '@scure/starknet';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { concat, fromBigInt, toBigInt, toHex } from '../../src/base/bytes.ts';
import { implementationsOf } from '../../src/crypto/groups/index.ts';
import { ecdsaOver } from '../../src/crypto/schemes/ecdsa.ts';
import type { Signature } from '../../src/crypto/schemes/scheme.ts';
import { hex, wycheproof } from '../vectors/shared.ts';

type EcGroup = { publicKey: { uncompressed: string } };
const bitcoin = wycheproof<EcGroup, { msg: string; sig: string }>('ecdsa_secp256k1_sha256_bitcoin_test');
const p1363 = wycheproof<EcGroup, { msg: string; sig: string }>('ecdsa_secp256k1_sha256_p1363_test');

const secpOrder = secp256k1.Point.Fn.ORDER;
const starkOrder = starknet.Point.Fn.ORDER;
const sha256 = (bytes: Uint8Array) => new Uint8Array(createHash('sha256').update(bytes).digest());
const compressed = (key: string) => secp256k1.Point.fromHex(key).toBytes(true);
const secret = fc.bigInt({ min: 1n, max: secpOrder - 1n }).map((k) => fromBigInt(k, 32));
const bytes32 = fc.uint8Array({ minLength: 32, maxLength: 32 });

describe.each(implementationsOf('secp256k1'))('ECDSA on secp256k1, $implementation', (group) => {
  const scheme = ecdsaOver(group);
  const signed = (key: Uint8Array, digest: Uint8Array) =>
    nobleSignature(secp256k1.sign(digest, key, { prehash: false, format: 'recovered' }));
  const key = hex('01'.repeat(32));
  const publicKey = secp256k1.getPublicKey(key);
  const payload = { bytes: sha256(hex('00')) };
  const good = signed(key, payload.bytes);

  it('verifies what noble signs, with the right recovery id only', () => {
    fc.assert(
      fc.property(secret, bytes32, (key, digest) => {
        const publicKey = secp256k1.getPublicKey(key);
        const { r, s, recid } = signed(key, digest);
        expect(scheme.verify(publicKey, { bytes: digest }, { r, s })).toBe(true);
        const accepted = [0, 1, 2, 3].filter((id) => scheme.verify(publicKey, { bytes: digest }, { r, s, recid: id }));
        expect(accepted).toEqual([recid]);
      }),
      { numRuns: 20 },
    );
  });

  it('refuses every single flipped bit', () => {
    const flip = fc.tuple(fc.constantFrom<'r' | 's'>('r', 's'), fc.nat(31), fc.nat(7));
    fc.assert(
      fc.property(flip, ([part, byte, bit]) => {
        const altered = { ...good, [part]: good[part].with(byte, (good[part][byte] ?? 0) ^ (1 << bit)) };
        expect(scheme.verify(publicKey, payload, altered)).toBe(false);
        expect(scheme.verify(publicKey, payload, { r: altered.r, s: altered.s })).toBe(false);
      }),
      { numRuns: 50 },
    );
  });

  it('refuses s in the upper half of the order', () => {
    const s = fromBigInt(secpOrder - toBigInt(good.s), 32);
    expect(scheme.verify(publicKey, payload, { r: good.r, s })).toBe(false);
    expect(scheme.verify(publicKey, payload, { r: good.r, s, recid: good.recid ^ 1 })).toBe(false);
  });

  it.each<[string, Partial<Signature>]>([
    ['r = 0', { r: new Uint8Array(32) }],
    ['s = 0', { s: new Uint8Array(32) }],
    ['r = n', { r: fromBigInt(secpOrder, 32) }],
    ['s = n', { s: fromBigInt(secpOrder, 32) }],
    ['r of 31 bytes', { r: good.r.subarray(1) }],
    ['s of 33 bytes', { s: concat(hex('00'), good.s) }],
    ['r of no bytes', { r: new Uint8Array(0) }],
    ['recid 4', { recid: 4 }],
    ['recid −1', { recid: -1 }],
    ['recid ½', { recid: 0.5 }],
    ['recid NaN', { recid: Number.NaN }],
  ])('refuses %s', (_, part) => {
    expect(scheme.verify(publicKey, payload, { ...good, ...part })).toBe(false);
  });

  it('refuses digests of other lengths than 32, and keys that are none', () => {
    for (const bytes of [new Uint8Array(0), payload.bytes.subarray(1), concat(hex('00'), payload.bytes)]) {
      expect(scheme.verify(publicKey, { bytes }, good)).toBe(false);
    }
    const uncompressed = secp256k1.getPublicKey(key, false);
    for (const other of [publicKey.subarray(1), uncompressed, hex(`02${'ff'.repeat(32)}`), new Uint8Array(33), new Uint8Array(0)]) {
      expect(scheme.verify(other, payload, good)).toBe(false);
      expect(scheme.verify(other, payload, { r: good.r, s: good.s })).toBe(false);
    }
  });

  it('knows an x of R beyond the order: recovery id 2', () => {
    // R with x in [n, p) cannot be had from a chosen nonce; instead the key is solved for: Q = r⁻¹·(s·R − z·G).
    const { Point } = secp256k1;
    const R = firstPointFrom(secpOrder);
    const r = R.x - secpOrder;
    const z = toBigInt(payload.bytes) % secpOrder;
    const rInverse = Point.Fn.inv(r);
    const Q = R.multiply(rInverse).add(Point.BASE.multiply(((secpOrder - z) * rInverse) % secpOrder));
    const signature = { r: fromBigInt(r, 32), s: fromBigInt(1n, 32) };
    const accepted = [undefined, 0, 1, 2, 3].filter((recid) =>
      scheme.verify(Q.toBytes(), payload, recid === undefined ? signature : { ...signature, recid }),
    );
    expect(accepted).toEqual([undefined, 2]);
  });

  describe.skipIf(bitcoin === undefined)('Wycheproof ecdsa_secp256k1_sha256_bitcoin', () => {
    it('agrees: valid is verified, invalid is refused', () => {
      const disagreements = bitcoin?.filter((test) => verifiesDer(test) !== (test.result === 'valid'));
      expect(disagreements).toEqual([]);
    });

    function verifiesDer(test: { publicKey: { uncompressed: string }; msg: string; sig: string }): boolean {
      const signature = parseDer(hex(test.sig));
      return signature !== undefined && scheme.verify(compressed(test.publicKey.uncompressed), { bytes: sha256(hex(test.msg)) }, signature);
    }
  });

  describe.skipIf(p1363 === undefined)('Wycheproof ecdsa_secp256k1_sha256_p1363', () => {
    it('agrees, but for valid signatures with high s: exactly those are refused', () => {
      const disagreements = p1363?.filter((test) => {
        const signature = { r: hex(test.sig).subarray(0, 32), s: hex(test.sig).subarray(32) };
        const expected = test.result === 'valid' && toBigInt(signature.s) <= secpOrder / 2n;
        return scheme.verify(compressed(test.publicKey.uncompressed), { bytes: sha256(hex(test.msg)) }, signature) !== expected;
      });
      expect(disagreements).toEqual([]);
      expect(p1363?.some((test) => test.result === 'valid' && toBigInt(hex(test.sig).subarray(32)) > secpOrder / 2n)).toBe(true);
    });
  });
});

describe.each(implementationsOf('stark'))('ECDSA on the STARK curve, $implementation', (group) => {
  const scheme = ecdsaOver(group);
  // StarkWare, starkware-crypto-utils, signature_test_data.json, "meta_data".
  const publicKey = starknet.Point.BASE.multiply(0x3c1e9550e66958296d11b60f8e8e7a7ad990d07fa65d5f7652c4a6c87d4e3ccn).toBytes();
  const payload = { bytes: fromBigInt(0x397e76d1667c4454bfb83514e120583af836f8e32a516765497823eabe16a3fn, 32) };
  const r = fromBigInt(0x173fd03d8b008ee7432977ac27d1e9d1a1f6c98b1a2f05fa84a21c84c44e882n, 32);
  const highS = 0x4b6d75385aed025aa222f28a0adc6d58db78ff17e51c3f59e259b131cd5a1ccn;
  const s = fromBigInt(starkOrder - highS, 32);

  it("verifies StarkWare's published signature, its s brought to the lower half", () => {
    expect(scheme.verify(publicKey, payload, { r, s })).toBe(true);
    expect(scheme.verify(publicKey, payload, { r, s: fromBigInt(highS, 32) })).toBe(false);
    expect([0, 1, 2, 3].filter((recid) => scheme.verify(publicKey, payload, { r, s, recid }))).toEqual([0]);
  });

  it('verifies what scure signs', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 1n, max: starkOrder - 1n }), fc.bigInt({ min: 1n, max: 2n ** 251n - 1n }), (k, digest) => {
        const bytes = fromBigInt(digest, 32);
        const signature = starknet.sign(toHex(bytes), toHex(fromBigInt(k, 32)), { format: 'recovered' });
        const low = { r: fromBigInt(signature.r, 32), s: fromBigInt(lower(signature.s), 32) };
        const key = starknet.Point.BASE.multiply(k).toBytes();
        expect(scheme.verify(key, { bytes }, low)).toBe(true);
        const recid = (signature.recovery ?? 0) ^ (lower(signature.s) === signature.s ? 0 : 1);
        expect([0, 1, 2, 3].filter((id) => scheme.verify(key, { bytes }, { ...low, recid: id }))).toEqual([recid]);
        expect(scheme.verify(key, { bytes: bytes.with(31, (bytes[31] ?? 0) ^ 1) }, low)).toBe(false);
      }),
      { numRuns: 15 },
    );
  });

  it('refuses a digest of 2²⁵¹ and more, though the equation may hold', () => {
    // z and z + n are the same scalar: without the bound this would pass.
    const small = 5n;
    const signature = starknet.sign(small.toString(16).padStart(64, '0'), '01'.padStart(64, '0'));
    const low = { r: fromBigInt(signature.r, 32), s: fromBigInt(lower(signature.s), 32) };
    const key = starknet.Point.BASE.toBytes();
    expect(scheme.verify(key, { bytes: fromBigInt(small, 32) }, low)).toBe(true);
    expect(scheme.verify(key, { bytes: fromBigInt(small + starkOrder, 32) }, low)).toBe(false);
    expect(scheme.verify(publicKey, { bytes: fromBigInt(2n ** 251n, 32) }, { r, s })).toBe(false);
  });

  it('refuses r of 2²⁵¹ and more, where the equation holds', () => {
    const { Point } = starknet;
    const R = firstStarkPointFrom(2n ** 251n);
    const z = toBigInt(payload.bytes);
    const rInverse = Point.Fn.inv(R.x);
    const Q = R.multiply(rInverse).add(Point.BASE.multiply(((starkOrder - z) * rInverse) % starkOrder));
    expect(R.x < starkOrder).toBe(true);
    expect(scheme.verify(Q.toBytes(), payload, { r: fromBigInt(R.x, 32), s: fromBigInt(1n, 32) })).toBe(false);
  });

  function lower(s: bigint): bigint {
    return s > starkOrder / 2n ? starkOrder - s : s;
  }
});

function nobleSignature(recovered: Uint8Array) {
  return { recid: recovered[0] ?? 0, r: recovered.slice(1, 33), s: recovered.slice(33) };
}

/** Strict DER, as Bitcoin demands (BIP-66): undefined for all else. */
function parseDer(der: Uint8Array): Signature | undefined {
  try {
    const { r, s } = secp256k1.Signature.fromBytes(der, 'der');
    return { r: fromBigInt(r, 32), s: fromBigInt(s, 32) };
  } catch {
    return undefined;
  }
}

/** The point of even y with the least x from `x` on. */
function firstPointFrom(x: bigint) {
  for (let candidate = x + 1n; ; candidate++) {
    try {
      return secp256k1.Point.fromBytes(concat(hex('02'), fromBigInt(candidate, 32)));
    } catch {} // not the x of a point
  }
}

function firstStarkPointFrom(x: bigint) {
  for (let candidate = x; ; candidate++) {
    try {
      return starknet.Point.fromBytes(concat(hex('02'), fromBigInt(candidate, 32)));
    } catch {} // not the x of a point
  }
}
