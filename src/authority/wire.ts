/**
 * The forms of what comes from outside: an action's binding and its assertion, every text bounded. Browser-safe.
 * @module
 */

import { z } from 'zod';
import { fromBase64Url } from '../base/bytes.ts';

/** An entry's text: the largest body in base64url, and twice what the rest can take. */
export const maxEntryChars = 128 * 1024;
const nonceChars = 43;
const maxPathChars = 1024;
const maxClientDataChars = 4096;
const maxSignatureChars = 1400;
const maxSigners = 15;
const maxPemChars = 4096;
const id = z.string().min(1).max(64);

export const bindingSchema = z.strictObject({
  method: z.string().min(1).max(16),
  path: z.string().startsWith('/').max(maxPathChars),
  payloadHash: z.string().regex(/^[0-9a-f]{64}$/, 'expected 64 digits of lower-case hex'),
  organisationId: id,
  callerId: id,
  nonce: z.string().regex(new RegExp(`^[A-Za-z0-9_-]{${nonceChars}}$`), 'expected base64url of 32 bytes'),
  /** Unix seconds; below 2^33, so that no sum with it loses precision. */
  expiresAt: z
    .int()
    .min(0)
    .max(2 ** 33),
});

/** Of a key credential. Fido2 credentials are in no registry yet, so that their assertions authorise nothing. */
export const assertionSchema = z.strictObject({
  kind: z.enum(['Key', 'PasswordProtectedKey'], 'only assertions of key credentials (Key, PasswordProtectedKey) are accepted'),
  credId: z.string().min(1).max(1024),
  clientData: z.string().max(maxClientDataChars),
  signature: z.string().max(maxSignatureChars),
  algorithm: z.string().max(32).exactOptional(),
});

export const base64Url = z.string().refine((text) => fromBase64Url(text) !== undefined, 'expected base64url');

const operatorSignatures = z.array(z.strictObject({ signerId: z.string().max(64), signature: base64Url.max(128) })).max(maxSigners);

/** What the operators of t + 1 signers have agreed on, and signed (`cluster.ts`). */
export const clusterTermsSchema = z.strictObject({
  threshold: z.int().min(1).max(maxSigners),
  signers: z
    .array(
      z.strictObject({
        index: z.int().min(1).max(maxSigners),
        signerId: z.base64().length(44),
        encryptionKey: z.base64().length(48),
      }),
    )
    .min(3)
    .max(maxSigners),
  /** Unix seconds. */
  at: z
    .int()
    .min(0)
    .max(2 ** 33),
});
export const clusterChangeSchema = clusterTermsSchema.extend({ signatures: operatorSignatures });

/** The same (`recovery.ts`). */
export const recoverySchema = z.strictObject({
  /** PEM of the root's new credential. */
  publicKey: z.string().min(1).max(maxPemChars),
  /** Unix seconds. */
  at: z
    .int()
    .min(0)
    .max(2 ** 33),
  signatures: operatorSignatures,
});
