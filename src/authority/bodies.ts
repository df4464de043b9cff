/**
 * The bodies of the requests that signers read: the same schemas for the API, which refuses a request early, and for the signers, which
 * take part in nothing else. Browser-safe: the contracts of the features are made of them.
 * @module
 */

import { z } from 'zod';
import { fromHex } from '../base/bytes.ts';
import { maxDepth, parsePath } from '../base/derivationPath.ts';
import { walletNetworks } from '../chains/networks.ts';
import { legacyOperations, operations } from './operations.ts';

/** Of a service account's token, and of the root's. */
export const daysValidAtMost = 730;
const maxPemChars = 4096;
/** RFC 9380 §5.3.3: longer domain separation tags would be hashed first, an empty one is forbidden (§3.1). */
const maxDomainBytes = 255;
const maxSeedBytes = 4096;
const notStorable = 'must not contain U+0000 or half of a surrogate pair';

/** Of an entity, in a path or a body. Any text of that length is let through: one that names nothing is not found (contract §1.1). */
export const id = z
  .string()
  .min(1)
  .max(64)
  .transform((text) => text.replaceAll('\0', '\uFFFD'));

/** Whose base64 names a signer. */
const signerId = z.base64().length(44);
/** A signer's instance, and who it is an instance of (`takeover.ts`). */
export const takeOverSignerBody = z.object({ signerId, instance: z.int().min(1).max(Number.MAX_SAFE_INTEGER) });

/** What people call a thing. */
export const name = z.string().min(1).max(100).refine(isStorable, notStorable);

/** The caller's own id of what is created (contract §1.6). */
export const externalId = z.string().min(1).max(64).refine(isStorable, notStorable);

/** PostgreSQL text holds every character but U+0000; half of a surrogate pair is none. */
export function isStorable(text: string): boolean {
  return !text.includes('\0') && text.isWellFormed();
}

export const createServiceAccountBody = z.object({
  name,
  /** PEM; what is accepted, `importCredentialKey` says. */
  publicKey: z.string().min(1).max(maxPemChars),
  permissionId: id.exactOptional(),
  externalId: externalId.exactOptional(),
  daysValid: z.int().min(1).max(daysValidAtMost).default(daysValidAtMost),
});

/** `force` has no effect: no policy names approvers. */
export const deactivateServiceAccountBody = z.object({ force: z.boolean().exactOptional() }).optional();

const operationName = z.enum([...operations, ...legacyOperations]);
const operationList = z
  .array(operationName)
  .min(1)
  .max(operations.length + legacyOperations.length)
  .transform((names) => [...new Set(names)]);

export const createPermissionBody = z.object({ name, operations: operationList });
export const updatePermissionBody = z.object({ name: name.exactOptional(), operations: operationList.exactOptional() });
export const archivePermissionBody = z.object({ isArchived: z.boolean() });
export const createAssignmentBody = z.object({ identityId: id });

/** Query of the deletions that know it. */
export const forceQuery = z.object({ force: z.enum(['true', 'false']).optional() });

export const scheme = z.enum(['DH', 'ECDSA', 'EdDSA', 'Schnorr']);
export const curve = z.enum(['ed25519', 'secp256k1', 'stark']);

/** Blank is absent: then the next index that is free. */
const derivationPath = z
  .string()
  .max(256)
  .transform((text) => text.trim())
  .refine(
    (text) => text === '' || parsePath(text) !== undefined,
    `expected m/i/j…: up to ${maxDepth} indices below 2^31, none of them hardened`,
  );

export const createKeyBody = z.object({
  scheme,
  curve,
  name: name.exactOptional(),
  masterKey: z.boolean().exactOptional(),
  deriveFrom: z.object({ keyId: id, path: derivationPath.exactOptional() }).exactOptional(),
  storeId: id.exactOptional(),
  delegateTo: id.exactOptional(),
  delayDelegation: z.boolean().exactOptional(),
});

const maxTags = 50;
export const walletTags = z.array(name).min(1).max(maxTags);

export const createWalletBody = z.object({
  network: z.enum(walletNetworks),
  name: name.exactOptional(),
  /** Of a key that is there (`id`), or what a new one is to be; absent: a new one, of the network's usual type. */
  signingKey: createKeyBody
    .pick({ storeId: true, deriveFrom: true })
    .extend({
      id: id.exactOptional(),
      scheme: scheme.exactOptional(),
      curve: curve.exactOptional(),
    })
    .exactOptional(),
  delegateTo: id.exactOptional(),
  delayDelegation: z.boolean().exactOptional(),
  externalId: externalId.exactOptional(),
  tags: z.array(name).max(maxTags).exactOptional(),
});

/** KU23 names shares that no system of ours or theirs makes. */
export const shareProtocol = z.enum(['CGGMP24', 'CGGMP21', 'FROST', 'FROST_BITCOIN', 'GLOW20_DH', 'KU23']);

const encryptionKeyChars = 48;
const maxSchemes = 32;

export const exportKeyBody = z.object({
  /** 0x01 ‖ a compressed point of secp256k1 (contract §10.1). */
  encryptionKey: z.base64().length(encryptionKeyChars, 'expected base64 of 34 bytes'),
  supportedSchemes: z
    .array(z.object({ protocol: shareProtocol, curve }))
    .min(1)
    .max(maxSchemes),
  /** Also a master key, whose children its holder may then compute. */
  force: z.boolean().exactOptional(),
});

/** A cluster has no more. */
const maxSigners = 15;
/** A share with the public shares of that many signers, encrypted, in base64. */
const maxEncryptedShareChars = 8192;

/** One share for each signer, encrypted to it (contract §10.3). */
export const importedShares = z
  .array(z.object({ signerId: z.string().min(1).max(64), encryptedKeyShare: z.base64().min(1).max(maxEncryptedShareChars) }))
  .min(2)
  .max(maxSigners);

export const importKeyBody = z.object({
  name: name.exactOptional(),
  masterKey: z.boolean().exactOptional(),
  protocol: shareProtocol,
  curve,
  minSigners: z.int().min(2).max(maxSigners),
  encryptedKeyShares: importedShares,
});

export const importWalletBody = importKeyBody.omit({ masterKey: true }).extend({
  network: z.enum(walletNetworks),
  externalId: externalId.exactOptional(),
});

/** `userId` is what older clients say. */
export const delegateKeyBody = z
  .object({ delegateTo: id.exactOptional(), userId: id.exactOptional() })
  .transform(({ delegateTo, userId }, context) => {
    const target = delegateTo ?? userId;
    if (target !== undefined) return { delegateTo: target };
    context.addIssue('delegateTo is missing: the id of an end user');
    return z.NEVER;
  });

const hexBytes = ({ min, max }: { min: number; max: number }) =>
  z
    .string()
    .max(2 + 2 * max, `at most ${max} bytes`)
    .transform((text, context) => {
      const bytes = fromHex(text);
      if (bytes !== undefined && bytes.length >= min && bytes.length <= max) return bytes;
      context.addIssue(`expected ${min} to ${max} bytes of hex, with or without 0x`);
      return z.NEVER;
    });

export const deriveBody = z.object({
  domain: hexBytes({ min: 1, max: maxDomainBytes }),
  seed: hexBytes({ min: 0, max: maxSeedBytes }),
});

export type CreateServiceAccount = z.output<typeof createServiceAccountBody>;
export type CreateWallet = z.output<typeof createWalletBody>;
export type CreateKey = z.output<typeof createKeyBody>;
export type ImportKey = z.output<typeof importKeyBody>;
export type ImportedShares = z.output<typeof importedShares>;
export type ExportKey = z.output<typeof exportKeyBody>;
