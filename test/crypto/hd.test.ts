/** Child keys: published vectors, and recomputation by a second library. */

import { createHmac, randomBytes } from 'node:crypto';
import { ed25519 } from '@noble/curves/ed25519.js';
import { HDKey } from '@scure/bip32';
import { Point as StarkPoint } from '@scure/starknet';
import { describe, expect, test } from 'vitest';
import { toHex } from '../../src/base/bytes.ts';
import { maxDepth, parsePath } from '../../src/base/derivationPath.ts';
import type { Curve } from '../../src/base/keyTypes.ts';
import { groupOf } from '../../src/crypto/groups/index.ts';
import { type Child, deriveChild, type ExtendedKey } from '../../src/crypto/hd.ts';
import { hex } from '../vectors/shared.ts';

const shown = ({ publicKey, chainCode }: ExtendedKey) => ({ publicKey: toHex(publicKey), chainCode: toHex(chainCode) });

/** secret + shift is the child's secret. */
function expectSecret(curve: Curve, secret: bigint, { shift, publicKey }: Child, childSecret?: string): void {
  const { order, multiplyBase, encodePoint } = groupOf(curve);
  const moved = (secret + shift) % order;
  expect(toHex(encodePoint(multiplyBase(moved)))).toBe(toHex(publicKey));
  if (childSecret !== undefined) expect(moved).toBe(BigInt(`0x${childSecret}`));
}

describe('secp256k1, by BIP-32', () => {
  /** The steps of the BIP's test vectors that need no secret: parent, index, child. */
  test.each([
    [
      'vector 1, m/0H to m/0H/1',
      'xpub68Gmy5EdvgibQVfPdqkBBCHxA5htiqg55crXYuXoQRKfDBFA1WEjWgP6LHhwBZeNK1VTsfTFUHCdrfp1bgwQ9xv5ski8PX9rL2dZXvgGDnw',
      1,
      'xpub6ASuArnXKPbfEwhqN6e3mwBcDTgzisQN1wXN9BJcM47sSikHjJf3UFHKkNAWbWMiGj7Wf5uMash7SyYq527Hqck2AxYysAA7xmALppuCkwQ',
    ],
    [
      'vector 1, m/0H/1/2H to m/0H/1/2H/2',
      'xpub6D4BDPcP2GT577Vvch3R8wDkScZWzQzMMUm3PWbmWvVJrZwQY4VUNgqFJPMM3No2dFDFGTsxxpG5uJh7n7epu4trkrX7x7DogT5Uv6fcLW5',
      2,
      'xpub6FHa3pjLCk84BayeJxFW2SP4XRrFd1JYnxeLeU8EqN3vDfZmbqBqaGJAyiLjTAwm6ZLRQUMv1ZACTj37sR62cfN7fe5JnJ7dh8zL4fiyLHV',
    ],
    [
      'vector 1, m/0H/1/2H/2 to m/0H/1/2H/2/1000000000',
      'xpub6FHa3pjLCk84BayeJxFW2SP4XRrFd1JYnxeLeU8EqN3vDfZmbqBqaGJAyiLjTAwm6ZLRQUMv1ZACTj37sR62cfN7fe5JnJ7dh8zL4fiyLHV',
      1000000000,
      'xpub6H1LXWLaKsWFhvm6RVpEL9P4KfRZSW7abD2ttkWP3SSQvnyA8FSVqNTEcYFgJS2UaFcxupHiYkro49S8yGasTvXEYBVPamhGW6cFJodrTHy',
    ],
    [
      'vector 2, m to m/0',
      'xpub661MyMwAqRbcFW31YEwpkMuc5THy2PSt5bDMsktWQcFF8syAmRUapSCGu8ED9W6oDMSgv6Zz8idoc4a6mr8BDzTJY47LJhkJ8UB7WEGuduB',
      0,
      'xpub69H7F5d8KSRgmmdJg2KhpAK8SR3DjMwAdkxj3ZuxV27CprR9LgpeyGmXUbC6wb7ERfvrnKZjXoUmmDznezpbZb7ap6r1D3tgFxHmwMkQTPH',
    ],
  ])('%s', (_, parent, index, child) => {
    const expected = HDKey.fromExtendedKey(child);
    const made = deriveChild('secp256k1', keyOf(HDKey.fromExtendedKey(parent)), [index]);
    expect(shown(made)).toEqual(shown(keyOf(expected)));
  });

  test('along random paths as a second library does, secrets included', () => {
    for (let i = 0; i < 10; i++) {
      const seed = new Uint8Array(randomBytes(32));
      const path = randomPath();
      const master = HDKey.fromMasterSeed(seed);
      const expected = master.derive(`m/${path.join('/')}`);
      const made = deriveChild('secp256k1', keyOf(master), path);
      expect(shown(made), `seed ${toHex(seed)}, path ${path}`).toEqual(shown(keyOf(expected)));
      expectSecret('secp256k1', BigInt(`0x${toHex(master.privateKey ?? new Uint8Array())}`), made, toHex(expected.privateKey ?? hex('00')));
    }
  });

  function keyOf({ publicKey, chainCode }: HDKey): ExtendedKey {
    if (publicKey === null || chainCode === null) throw new Error('an extended key has both');
    return { publicKey, chainCode };
  }
});

describe('ed25519, by the "Edwards" rule of the hd-wallet crate', () => {
  const secret = 0x09ba1ad29fabe87a0cf23fec142db2adfb8f9e7089928000dcba5714e08236ecn;
  const master = {
    publicKey: hex('6fa093b0e855f5fdb40d77f6efe9b67b709092a71d73f35de6afc70cac40d57a'),
    chainCode: hex('64ae4b48b206ef11f75059af10d209546586baf8418222c6f4b989b75d008ddd'),
  };
  test.each([
    [
      [0],
      '0542fcce4962a2e1785bc9d183e6d80f754d7ad70251b7d9239b434bc6b117d4',
      '4fefbecb1d4a584b289e457ffe868d87b27ab421f66e32a078616552a837c7e2',
    ],
    [
      [1],
      '0a25f8ffae098918dff9b24afbe8dae365015f14b4b559f5097684747a62ec97',
      '0dc358776f744c4d6c282dbca128d123a0ac38fd7cda5cf87805b82c70a0e2cd',
    ],
    [
      [2],
      '0b68998b58f5b96ec64b754d421339869a439c6249b843e78610c675d51f01f9',
      'd634d478dfb41b9bc8cc6653febd00f89bf5bf8c6f665dbdf541a203abef0882',
    ],
    [
      [1245290303, 456055179, 1419108629, 261968456],
      '089f32db21f3027a39ee9a6bebae1ffa0bd07527120f5fe943a7d6363bd90ff6',
      '4671c7c639c8421d16488a59618bc4d06dbae56741df740eea6be993eb99f734',
    ],
    [
      [1478344788, 731157828, 912233245, 1553129543],
      '04fe0f016a5b070f49f5b8f76de8862f5520661461b7914463d9ecd81a893f90',
      'd983da0a4f2a368bbc5ada8af0c5a003adea602c2e7ad1feca60c73401dc606e',
    ],
  ])('its vector %j', (path, childSecret, publicKey) => {
    const made = deriveChild('ed25519', master, path);
    expect(toHex(made.publicKey)).toBe(publicKey);
    expectSecret('ed25519', secret, made, childSecret);
  });

  test('along random paths as recomputed with noble', () => {
    const { Point } = ed25519;
    for (let i = 0; i < 5; i++) {
      const path = randomPath();
      let [point, chainCode] = [Point.fromBytes(master.publicKey), Buffer.from(master.chainCode)];
      for (const index of path) {
        const I = createHmac('sha512', chainCode)
          .update(point.toBytes())
          .update(Buffer.from([0]))
          .update(bigEndian(index))
          .digest();
        point = point.add(Point.BASE.multiply(BigInt(`0x${I.toString('hex', 0, 32)}`) % Point.Fn.ORDER));
        chainCode = I.subarray(32);
      }
      expect(shown(deriveChild('ed25519', master, path)), `path ${path}`).toEqual({
        publicKey: toHex(point.toBytes()),
        chainCode: chainCode.toString('hex'),
      });
    }
  });
});

describe('stark, by the "Stark" rule of the hd-wallet crate', () => {
  const secret = 0x0488a73eebe871ec429b37cdbd1dc160d4d2faa34556c8e9a76e8cd51b6cfbb8n;
  const master = {
    publicKey: hex('0205c89b4a3d5f4650cd63a48baf0df21280ce0fb85ea872853de3ce18e1e61223'),
    chainCode: hex('9e88c71e0435e16662469e464ba3bd242b4c99f6ff54960cb682edceb42223ed'),
  };
  test.each([
    [
      [0],
      '0597872991a7759365513efb163a8c28b14f10b969f11da6fd3653f92e2d57ca',
      '030625a1ed01a061183d9b8bfc87ea6fa3a788195250516415ed6e196a070de55f',
      'fed5a2ca5e8321c7f95c46539047eb50faf13e026e3d41d075540c1a9cf1d380',
    ],
    [
      [1],
      '07e57c758044ba70ea08e0edb43ea1eb1a38d118d431560bcbcd6785cc999b70',
      '0203cdcfb32317c7b7d5ada6218145e89bae0190b97e1c0b3b982018a59b279975',
      'b615bd8245089297147a77915bda2ffc0a142e1d333844b31a964e601ff89987',
    ],
    [
      [1951614227, 785687956, 1701190516, 997951189],
      '07eddf7b3dec89605d3d15392d9ed3e985407775a58dbaea51ad55e415b45494',
      '030430e999917068df34f32c35beff2a1caf0d2cd4ed0defe666249d63e031379b',
      'c1fac37faab34cdbf2d8cfc39a16dce21b615604cd07e4586729ff3f03582594',
    ],
    [
      [2122015632, 1105344888, 1598870552, 200678536],
      '0691c9420bf4f47011cb0448993b8f141a15c072ffe22cb417e05979327b426c',
      '0305343fd6ac0ed00978277e62366c029b151044119b339fec8e61254168318a7b',
      'b25e59c29f1894a5d716c2e72d251f34ee8be02194e474329607f7c707a37c59',
    ],
  ])('its vector %j', (path, childSecret, publicKey, chainCode) => {
    const made = deriveChild('stark', master, path);
    expect(shown(made)).toEqual({ publicKey, chainCode });
    expectSecret('stark', secret, made, childSecret);
  });

  test('along a random path as recomputed with scure', () => {
    const path = randomPath().slice(0, 2);
    let [point, chainCode] = [StarkPoint.fromBytes(master.publicKey), Buffer.from(master.chainCode)];
    for (const index of path) {
      const half = (prefix: number) =>
        createHmac('sha512', chainCode)
          .update(Buffer.from([prefix]))
          .update(point.toBytes())
          .update(bigEndian(index))
          .digest('hex');
      const I = half(0) + half(1);
      point = point.add(StarkPoint.BASE.multiply(BigInt(`0x${I.slice(0, 192)}`) % StarkPoint.Fn.ORDER));
      chainCode = Buffer.from(I.slice(192), 'hex');
    }
    expect(shown(deriveChild('stark', master, path)), `path ${path}`).toEqual({
      publicKey: toHex(point.toBytes()),
      chainCode: chainCode.toString('hex'),
    });
  });
});

describe('a path', () => {
  test.each([
    ['m/0', [0]],
    ['m/2147483647', [2 ** 31 - 1]],
    ['m/44/60/0', [44, 60, 0]],
    [`m${'/1'.repeat(maxDepth)}`, Array(maxDepth).fill(1)],
  ])('%s is read', (text, indices) => {
    expect(parsePath(text)).toEqual(indices);
  });

  test.each(['', 'm', 'm/', '/0', '0', 'm/00', 'm/01', 'm/-1', 'm/1.5', 'm/1e3', "m/0'", 'm/0h', 'm/2147483648', 'm/4294967295'])(
    '"%s" is none',
    (text) => {
      expect(parsePath(text)).toBeUndefined();
    },
  );

  test.each(['m/99999999999', 'M/0', ' m/0', 'm/0 ', 'm/0\n', 'm//0', 'm/0/', `m${'/1'.repeat(maxDepth + 1)}`])('"%s" is none', (text) => {
    expect(parsePath(text)).toBeUndefined();
  });
});

function randomPath(): number[] {
  return Array.from({ length: 1 + ((randomBytes(1)[0] ?? 0) % 4) }, () => randomBytes(4).readUInt32BE() >>> 1);
}

function bigEndian(index: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(index);
  return bytes;
}
