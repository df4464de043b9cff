/**
 * Import: a key comes in, as shares that its owner has made and encrypted, one to each signer (contract §10.3). The log has them as they
 * were handed in; what they hold, only the signers find out, each of its own, when they deal the key anew (`mpc/importShare.ts`).
 * @module
 */

import { createHash } from 'node:crypto';
import { lengthPrefixed, toHex, utf8 } from '../base/bytes.ts';
import { Refusal } from '../base/errors.ts';
import { type KeyType, keyTypes, shareProtocols } from '../base/keyTypes.ts';
import type { ImportedShares, ImportKey } from './bodies.ts';
import { requirePermitted } from './grants.ts';
import { newKey, requireActiveKey } from './keys.ts';
import type { Change, Import, Key, Registry } from './registry.ts';
import { registryRequests } from './requests.ts';
import { type Ground, rule } from './rule.ts';
import { newWallet } from './wallets.ts';

const { importKey, importWallet } = registryRequests;

export const asKey = rule(importKey, ({ body, ...ground }) => [importOf(ground, body)]);

export const asWallet = rule(importWallet, ({ body, ...ground }) => {
  requirePermitted(ground.registry, ground.caller, 'Wallets:Create');
  const key = importOf(ground, body);
  return [key, newWallet(ground, key.record, body.network)];
});

/**
 * Whether a key was asked for under this id, and these are the shares that came with the request. Then it may be dealt out of them, once.
 * @throws {Refusal} NotFound, BadRequest for an archived key, Forbidden for other shares, or a key that is not imported
 */
export function authoriseImport(registry: Registry, keyId: string, shares: ImportedShares): { key: Key; imported: Import } {
  const key = requireActiveKey(registry, keyId);
  const { imported } = key;
  if (imported === undefined) throw new Refusal('Forbidden', `key ${keyId} was not asked for as one that is imported`);
  if (hashOf(shares) !== imported.sharesHash)
    throw new Refusal('Forbidden', `these are not the shares that came with the request for key ${keyId}`);
  return { key, imported };
}

function importOf(ground: Ground, wanted: Omit<ImportKey, 'name'>): Extract<Change, { kind: 'key' }> {
  const { protocol, curve, minSigners, masterKey, encryptedKeyShares } = wanted;
  const keyType = requireKeyType(protocol, curve);
  requireOneEach(ground.registry, encryptedKeyShares);
  const { length } = encryptedKeyShares;
  if (minSigners > length) throw new Refusal('BadRequest', `minSigners is from 2 to ${length}, the number of signers`);
  const { record } = newKey(ground, { ...keyTypes[keyType], ...(masterKey !== undefined && { masterKey }) });
  return { kind: 'key', record: { ...record, imported: { minSigners, sharesHash: hashOf(encryptedKeyShares) } } };
}

function requireKeyType(protocol: ImportKey['protocol'], curve: ImportKey['curve']): KeyType {
  const isBy = (keyType: KeyType) => keyTypes[keyType].curve === curve && (shareProtocols[keyType] as readonly string[]).includes(protocol);
  const found = (Object.keys(keyTypes) as KeyType[]).find(isBy); // its keys are the key types
  if (found === undefined) throw new Refusal('BadRequest', `keys on ${curve} are not imported by ${protocol}`);
  return found;
}

/** @throws {Refusal} BadRequest unless there is one share for each signer of the cluster */
function requireOneEach({ cluster }: Registry, shares: ImportedShares): void {
  const named = shares.map(({ signerId }) => signerId);
  const isComplete = named.length === cluster.signers.length && cluster.signers.every(({ signerId }) => named.includes(signerId));
  if (!isComplete) {
    throw new Refusal('BadRequest', `encryptedKeyShares: expected one for each of the ${cluster.signers.length} signers of GET /signers`);
  }
}

function hashOf(shares: ImportedShares): string {
  const parts = shares.flatMap(({ signerId, encryptedKeyShare }) => [utf8(signerId), utf8(encryptedKeyShare)]);
  return toHex(
    new Uint8Array(
      createHash('sha256')
        .update(lengthPrefixed(utf8('countersign/import/shares/v1'), ...parts))
        .digest(),
    ),
  );
}
