/**
 * The forms of what comes from outside: an action's binding and its assertion, every text bounded. Browser-safe.
 * @module
 */

import { z } from 'zod';

const nonceChars = 43;
const maxPathChars = 1024;
const maxClientDataChars = 4096;
const maxSignatureChars = 1400;
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
