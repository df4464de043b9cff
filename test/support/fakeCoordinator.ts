/**
 * A coordinator without signers: whole keys, in this process's memory, and one-party signatures by noble and scure. For tests of the
 * service above it; the signatures are real, so that whoever verifies them needs to know nothing of this.
 * @module
 */

import { ed25519 } from '@noble/curves/ed25519.js';
import { schnorr, secp256k1 } from '@noble/curves/secp256k1.js';
import { sha256 } from '@noble/hashes/sha2.js';
import * as starknet from '@scure/starknet';
import { concat, fromBigInt, toBase64, toBigInt, toHex } from '../../src/base/bytes.ts';
import type { KeyType } from '../../src/base/keyTypes.ts';
import type { Coordinator, KeyReference } from '../../src/coordinator/coordinator.ts';
import { hashToSecp256k1 } from '../../src/crypto/hashToCurve.ts';
import type { Payload, Signature } from '../../src/crypto/schemes/scheme.ts';

export interface FakeCoordinator extends Coordinator {
  /** How often each was asked. */
  readonly asked: { createKey: number; sign: number; derive: number };
  /** Run before each of them: waits, or throws what the signers would. */
  before: (what: 'createKey' | 'sign' | 'derive') => Promise<void>;
}

export function createFakeCoordinator(): FakeCoordinator {
  const secrets = new Map<string, Uint8Array>();
  const asked = { createKey: 0, sign: 0, derive: 0 };

  function secretOf({ id }: KeyReference): Uint8Array {
    const secret = secrets.get(id);
    if (secret === undefined) throw new Error(`no share of ${id}`);
    return secret;
  }

  const fake: FakeCoordinator = {
    asked,
    before: async () => {},
    cluster: {
      clusterId: 'cl-fakes-fakes-fakefakefakefake',
      threshold: 1,
      signers: [3, 1, 2].map((index) => ({
        index,
        signerId: toBase64(sha256(Uint8Array.of(index))),
        encryptionKey: toBase64(concat(Uint8Array.of(1), secp256k1.getPublicKey(sha256(Uint8Array.of(index))))),
      })),
    },
    async createKey({ keyId, keyType }) {
      asked.createKey += 1;
      await fake.before('createKey');
      const secret = newSecret(keyType);
      secrets.set(keyId, secret);
      const publicKey = publicKeyOf(keyType, secret);
      return {
        publicKey,
        verificationShares: new Map([1, 2, 3].map((index) => [index, publicKey])),
        chainCode: sha256(publicKey),
      };
    },
    async sign({ key, payload }) {
      asked.sign += 1;
      await fake.before('sign');
      return signWith(key.keyType, secretOf(key), payload);
    },
    async derive({ key, domain, seed }) {
      asked.derive += 1;
      await fake.before('derive');
      const point = secp256k1.Point.fromBytes(hashToSecp256k1({ message: seed, domain }));
      return sha256(point.multiply(toBigInt(secretOf(key))).toBytes(true));
    },
    prepare: async () => {},
    health: async () => fake.cluster.signers.map(({ index }) => ({ index, up: true })),
    close: async () => {},
  };
  return fake;
}

function newSecret(keyType: KeyType): Uint8Array {
  if (keyType === 'EdDSA/ed25519') return ed25519.utils.randomSecretKey();
  if (keyType === 'ECDSA/stark') return starknet.utils.randomPrivateKey();
  return secp256k1.utils.randomSecretKey();
}

function publicKeyOf(keyType: KeyType, secret: Uint8Array): Uint8Array {
  if (keyType === 'EdDSA/ed25519') return ed25519.getPublicKey(secret);
  if (keyType === 'ECDSA/stark') return starknet.getPublicKey(secret, true);
  return secp256k1.getPublicKey(secret, true);
}

function signWith(keyType: KeyType, secret: Uint8Array, { bytes, taprootMerkleRoot }: Payload): Signature {
  switch (keyType) {
    case 'ECDSA/secp256k1': {
      const [recovery, ...rs] = secp256k1.sign(bytes, secret, { prehash: false, lowS: true, format: 'recovered' });
      return { ...halves(Uint8Array.from(rs)), recid: Number(recovery) };
    }
    case 'ECDSA/stark': {
      const { r, s, recovery } = starknet.sign(toHex(bytes), secret, { format: 'recovered', lowS: true });
      return { r: fromBigInt(r, 32), s: fromBigInt(s, 32), recid: Number(recovery) };
    }
    case 'EdDSA/ed25519':
      return halves(ed25519.sign(bytes, secret));
    case 'Schnorr/secp256k1':
      return halves(schnorr.sign(bytes, tweaked(secret, taprootMerkleRoot ?? new Uint8Array())));
    case 'DH/secp256k1':
      throw new Error('a DH key does not sign');
  }
}

/** BIP-341: the secret of the key tweaked by the merkle root. */
function tweaked(secret: Uint8Array, merkleRoot: Uint8Array): Uint8Array {
  const order = secp256k1.Point.Fn.ORDER;
  const x = schnorr.getPublicKey(secret);
  const hasEvenY = secp256k1.getPublicKey(secret, true)[0] === 2;
  const even = hasEvenY ? toBigInt(secret) : order - toBigInt(secret);
  const tweak = toBigInt(schnorr.utils.taggedHash('TapTweak', x, merkleRoot));
  return fromBigInt((even + tweak) % order, 32);
}

function halves(signature: Uint8Array): { r: Uint8Array; s: Uint8Array } {
  return { r: signature.slice(0, 32), s: signature.slice(32, 64) };
}
