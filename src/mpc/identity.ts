/**
 * A signer's identity: an Ed25519 key that signs what must come from this signer, and a secp256k1 key to which secrets are sealed.
 * This is the cryptographic half of a `Party`; the transport half is the signer's socket, or memory in tests.
 *
 * Everything is bound to its session, round and sender, a box to its receiver too: nothing passes as something else elsewhere. A box
 * is signed after it is sealed, because the sealing alone (an ephemeral key) says nothing about who did it.
 *
 * The relay sees and may alter everything. So "the sender is named" means: an honest relay, which knows what it altered (nothing),
 * may hold the sender for the culprit.
 * @module
 */

import { createPrivateKey, createPublicKey, type KeyObject, sign } from 'node:crypto';
import { concat, fromBase64Url, lengthPrefixed, u32, utf8 } from '../base/bytes.ts';
import { Abort, assert } from '../base/errors.ts';
import { decrypt, encryptTo } from '../crypto/box.ts';
import { verifyEd25519 } from '../crypto/ed25519.ts';
import { groupOf } from '../crypto/groups/index.ts';
import type { Party } from './party.ts';

/** What the others know of a signer. */
export interface PublicIdentity {
  /** Ed25519, 32 bytes (RFC 8032): signatures. */
  readonly identityKey: Uint8Array;
  /** secp256k1, 33 bytes compressed: sealing. */
  readonly transportKey: Uint8Array;
}

export interface SecretIdentity {
  /** The Ed25519 seed, 32 bytes (RFC 8032 §5.1.5). */
  readonly identitySecret: Uint8Array;
  /** A secp256k1 scalar, 32 bytes big-endian. */
  readonly transportSecret: Uint8Array;
}

export interface Identity {
  /**
   * Opens what somebody outside has encrypted to the transport key, bound to nothing (contract §10.1).
   * @throws {Error} for what does not open
   */
  open(box: Uint8Array): Uint8Array;
  /** The signing and sealing part of a `Party` in one session. Cheap. */
  inSession(sessionId: Uint8Array): Pick<Party, 'sign' | 'verify' | 'sealTo' | 'openFrom'>;
}

const signatureBytes = 64;

/**
 * Made once per process.
 *
 * @param directory everyone's public identity by participant number, own one included
 */
export function identityOf(fields: SecretIdentity & { index: number; directory: ReadonlyMap<number, PublicIdentity> }): Identity {
  const { index, directory, transportSecret } = fields;
  const identitySecret = importSecret(fields.identitySecret);

  return {
    open: (box) => decrypt(transportSecret, box, new Uint8Array()),

    inSession(sessionId) {
      const verifies = (from: number, message: Uint8Array, signature: Uint8Array) => {
        const key = directory.get(from)?.identityKey;
        return key !== undefined && verifyEd25519(key, message, signature);
      };

      return {
        sign: (round, message) => new Uint8Array(sign(null, signed({ sessionId, round, from: index, message }), identitySecret)),

        verify: (from, round, message, signature) => verifies(from, signed({ sessionId, round, from, message }), signature),

        sealTo(to, round, plaintext) {
          const transportKey = directory.get(to)?.transportKey;
          assert(transportKey !== undefined, 'a receiver is in the directory');
          const context = sealed({ sessionId, round, from: index, to });
          const box = encryptTo(transportKey, plaintext, context);
          return concat(new Uint8Array(sign(null, concat(context, box), identitySecret)), box);
        },

        openFrom(from, round, signedBox) {
          const context = sealed({ sessionId, round, from, to: index });
          const box = signedBox.subarray(signatureBytes);
          if (!verifies(from, concat(context, box), signedBox.subarray(0, signatureBytes))) {
            throw new Abort([from], `${round}: the box is not signed by participant ${from}`);
          }
          try {
            return decrypt(transportSecret, box, context);
          } catch (cause) {
            throw new Abort([from], `${round}: the box of participant ${from} does not open`, { cause });
          }
        },
      };
    },
  };
}

/** What a signer publishes of its secrets. */
export function publicIdentityOf({ identitySecret, transportSecret }: SecretIdentity): PublicIdentity {
  const { x } = createPublicKey(importSecret(identitySecret)).export({ format: 'jwk' });
  const identityKey = fromBase64Url(x ?? '');
  assert(identityKey?.length === 32, 'an Ed25519 key has 32 bytes');
  const secp256k1 = groupOf('secp256k1');
  return { identityKey, transportKey: secp256k1.encodePoint(secp256k1.multiplyBase(secp256k1.decodeScalar(transportSecret))) };
}

function signed({ sessionId, round, from, message }: { sessionId: Uint8Array; round: string; from: number; message: Uint8Array }) {
  return lengthPrefixed(utf8('countersign/identity/sign/v1'), sessionId, utf8(round), u32(from), message);
}

function sealed({ sessionId, round, from, to }: { sessionId: Uint8Array; round: string; from: number; to: number }) {
  return lengthPrefixed(utf8('countersign/identity/seal/v1'), sessionId, utf8(round), u32(from), u32(to));
}

/** PKCS #8 of an Ed25519 seed (RFC 8410 §7): a fixed prefix and the seed. */
function importSecret(seed: Uint8Array): KeyObject {
  assert(seed.length === 32, 'an Ed25519 seed has 32 bytes');
  const der = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), seed]);
  try {
    return createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
  } finally {
    der.fill(0);
  }
}
