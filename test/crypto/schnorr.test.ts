import { schnorr, secp256k1 } from '@noble/curves/secp256k1.js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { concat, fromBigInt, toBigInt, toHex } from '../../src/base/bytes.ts';
import { implementationsOf } from '../../src/crypto/groups/index.ts';
import { schnorrOver, verifyBip340 } from '../../src/crypto/schemes/schnorr.ts';
import { tapTweak } from '../../src/crypto/schemes/taproot.ts';
import { hex, sharedText, sharedVectors } from '../vectors/shared.ts';

const bip340 = sharedText('bitcoin/bip340.csv');
const bip341 = sharedVectors<{
  scriptPubKey: readonly {
    given: { internalPubkey: string };
    intermediary: { merkleRoot: string | null; tweak: string; tweakedPubkey: string };
  }[];
  keyPathSpending: readonly {
    inputSpending: readonly {
      given: { merkleRoot: string | null };
      intermediary: { internalPubkey: string; sigHash: string };
      expected: { witness: readonly [string] };
    }[];
  }[];
}>('bitcoin/bip341.json');

/** BIP-340 test vectors 1, 6, 7 and 9, which share key and message. */
const publicKey = hex('dff1d77f2a671c5f36183726db2341be58feae1da2deced843240f7b502ba659');
const message = hex('243f6a8885a308d313198a2e03707344a4093822299f31d0082efa98ec4e6c89');
const embedded = [
  [
    '1, valid',
    '6896bd60eeae296db48a229ff71dfe071bde413e6d43f917dc8dcf8c78de33418906d11ac976abccb20b091292bff4ea897efcb639ea871cfa95f6de339e4b0a',
    true,
  ],
  [
    '6, R odd',
    'fff97bd5755eeea420453a14355235d382f6472f8568a18b2f057a14602975563cc27944640ac607cd107ae10923d9ef7a73c643e166be5ebeafa34b1ac553e2',
    false,
  ],
  [
    '7, message negated',
    '1fa62e331edbc21c394792d2ab1100a7b432b013df3f6ff4f99fcb33e0e1515f28890b3edb6e7189b630448b515ce4f8622a954cfe545735aaea5134fccdb2bd',
    false,
  ],
  [
    '9, R at infinity',
    '0000000000000000000000000000000000000000000000000000000000000000123dda8328af9c23a94c1feecfd123ba4fb73476f0d594dcb65c6425bd186051',
    false,
  ],
] as const;

/** bip341.json, scriptPubKey: internal key, merkle root, tweak, output key. */
const embeddedTweaks = [
  [
    'd6889cb081036e0faefa3a35157ad71086b123b2b144b649798b494c300a961d',
    '',
    'b86e7be8f39bab32a6f2c0443abbc210f0edac0e2c53d501b36b64437d9c6c70',
    '53a1f6e454df1aa2776a2814a721372d6258050de330b3c6d10ee8f4e0dda343',
  ],
  [
    '187791b6f712a8ea41c8ecdd0ee77fab3e85263b37e1ec18a3651926b3a6cf27',
    '5b75adecf53548f3ec6ad7d78383bf84cc57b55a3127c72b9a2481752dd88b21',
    'cbd8679ba636c1110ea247542cfbd964131a6be84f873f7f3b62a777528ed001',
    '147c9c57132f6e7ecddba9800bb0c4449251c92a1e60371ee77557b6620f3ea3',
  ],
] as const;

describe.each(implementationsOf('secp256k1'))('Schnorr on secp256k1, $implementation', (group) => {
  const scheme = schnorrOver(group);
  const secret = fc.bigInt({ min: 1n, max: group.order - 1n });
  const bytes32 = fc.uint8Array({ minLength: 32, maxLength: 32 });

  it.each(embedded)('agrees with BIP-340, vector %s', (_, signature, result) => {
    expect(verifyBip340(group, publicKey, message, split(hex(signature)))).toBe(result);
  });

  it('verifies what noble signs with the tweaked key, for internal keys of either parity, and under that root alone', () => {
    fc.assert(
      fc.property(secret, bytes32, fc.oneof(bytes32, fc.constant(new Uint8Array(0))), (d, bytes, taprootMerkleRoot) => {
        const internalKey = secp256k1.Point.BASE.multiply(d).toBytes();
        const signature = split(schnorr.sign(bytes, tweakedSecret(d, taprootMerkleRoot)));
        expect(scheme.verify(internalKey, { bytes, taprootMerkleRoot }, signature)).toBe(true);
        expect(scheme.verify(internalKey, { bytes, taprootMerkleRoot: new Uint8Array(32) }, signature)).toBe(false);
        expect(scheme.verify(internalKey, { bytes }, signature)).toBe(false);
      }),
      { numRuns: 20 },
    );
  });

  it('refuses a signature of the untweaked key, whatever root is claimed, and when none is', () => {
    const internalKey = secp256k1.Point.BASE.multiply(3n).toBytes();
    const untweaked = split(schnorr.sign(message, fromBigInt(3n, 32)));
    expect(verifyBip340(group, internalKey.subarray(1), message, untweaked)).toBe(true);
    expect(scheme.verify(internalKey, { bytes: message }, untweaked)).toBe(false);
    expect(scheme.verify(internalKey, { bytes: message, taprootMerkleRoot: new Uint8Array(0) }, untweaked)).toBe(false);
  });

  it('refuses malformed input', () => {
    const internalKey = secp256k1.Point.BASE.multiply(3n).toBytes();
    const taprootMerkleRoot = new Uint8Array(0);
    const good = split(schnorr.sign(message, tweakedSecret(3n, taprootMerkleRoot)));
    const payload = { bytes: message, taprootMerkleRoot };
    expect(scheme.verify(internalKey, payload, good)).toBe(true);
    expect(scheme.verify(internalKey.subarray(1), payload, good)).toBe(false);
    expect(scheme.verify(new Uint8Array(33), payload, good)).toBe(false);
    expect(scheme.verify(internalKey, { bytes: message.subarray(1), taprootMerkleRoot }, good)).toBe(false);
    expect(scheme.verify(internalKey, { bytes: message, taprootMerkleRoot: new Uint8Array(31) }, good)).toBe(false);
    expect(scheme.verify(internalKey, payload, { r: good.r.subarray(1), s: good.s })).toBe(false);
    expect(scheme.verify(internalKey, payload, { r: good.r, s: concat(good.s, good.s) })).toBe(false);
  });

  describe.skipIf(bip340 === undefined)('BIP-340 vectors', () => {
    it('agrees with every one', () => {
      const rows = bip340
        ?.trim()
        .split(/\r?\n/)
        .slice(1)
        .map((row) => row.split(','));
      expect(rows).toHaveLength(15);
      const disagreements = rows?.filter(([, , key = '', , bytes = '', signature = '', result]) => {
        return verifyBip340(group, hex(key), hex(bytes), split(hex(signature))) !== (result === 'TRUE');
      });
      expect(disagreements).toEqual([]);
    });
  });

  describe.skipIf(bip341 === undefined)('BIP-341 wallet vectors', () => {
    it('verifies the signature of every key path spending under the internal key', () => {
      const spendings = bip341?.keyPathSpending.flatMap((transaction) => transaction.inputSpending) ?? [];
      expect(spendings).not.toHaveLength(0);
      for (const { given, intermediary, expected } of spendings) {
        const payload = { bytes: hex(intermediary.sigHash), taprootMerkleRoot: hex(given.merkleRoot ?? '') };
        const signature = split(hex(expected.witness[0]).subarray(0, 64)); // a 65th byte is the sighash type
        expect(scheme.verify(hex(`02${intermediary.internalPubkey}`), payload, signature)).toBe(true);
        expect(scheme.verify(hex(`03${intermediary.internalPubkey}`), payload, signature)).toBe(true);
      }
    });
  });
});

describe('the BIP-341 tweak', () => {
  it.each(embeddedTweaks)('of %s', (internalKey, root, tweak, outputKey) => {
    const even = tapTweak(hex(`02${internalKey}`), hex(root));
    const odd = tapTweak(hex(`03${internalKey}`), hex(root));
    expect(toHex(fromBigInt(even.tweak, 32))).toBe(tweak);
    expect(toHex(even.outputKey)).toBe(outputKey);
    expect(even.internalKeyIsOdd).toBe(false);
    expect(odd).toEqual({ ...even, internalKeyIsOdd: true });
  });

  it('tells the parity of the output key', () => {
    for (let d = 1n; d <= 16n; d++) {
      const { tweak, internalKeyIsOdd, outputKeyIsOdd, outputKey } = tapTweak(secp256k1.Point.BASE.multiply(d).toBytes(), message);
      const q = ((internalKeyIsOdd ? -d : d) + tweak) % secp256k1.Point.Fn.ORDER;
      const Q = secp256k1.Point.BASE.multiply(secp256k1.Point.Fn.create(q)).toBytes();
      expect(toHex(Q)).toBe((outputKeyIsOdd ? '03' : '02') + toHex(outputKey));
    }
  });

  it('refuses roots of other lengths, and keys that are none', () => {
    const key = secp256k1.Point.BASE.toBytes();
    expect(() => tapTweak(key, new Uint8Array(31))).toThrow();
    expect(() => tapTweak(key, new Uint8Array(64))).toThrow();
    expect(() => tapTweak(key.subarray(1), new Uint8Array(0))).toThrow();
    expect(() => tapTweak(hex(`02${'ff'.repeat(32)}`), new Uint8Array(0))).toThrow();
  });

  describe.skipIf(bip341 === undefined)('BIP-341 wallet vectors', () => {
    it('agrees with every one', () => {
      for (const { given, intermediary } of bip341?.scriptPubKey ?? []) {
        const { tweak, outputKey } = tapTweak(hex(`02${given.internalPubkey}`), hex(intermediary.merkleRoot ?? ''));
        expect(toHex(fromBigInt(tweak, 32))).toBe(intermediary.tweak);
        expect(toHex(outputKey)).toBe(intermediary.tweakedPubkey);
      }
    });
  });
});

function split(signature: Uint8Array) {
  return { r: signature.slice(0, 32), s: signature.slice(32) };
}

/** By the reference code of BIP-341, `taproot_tweak_seckey`, over noble's tagged hash. */
function tweakedSecret(d: bigint, merkleRoot: Uint8Array): Uint8Array {
  const { Fn } = secp256k1.Point;
  const internalKey = secp256k1.Point.BASE.multiply(d).toBytes();
  const even = internalKey[0] === 0x02 ? d : Fn.neg(d);
  return Fn.toBytes(Fn.add(even, toBigInt(schnorr.utils.taggedHash('TapTweak', internalKey.subarray(1), merkleRoot))));
}
