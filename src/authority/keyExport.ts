/**
 * Export: a key leaves, as the shares of its signers, each encrypted to the caller's key (contract §10.2). From then on it signs no more.
 *
 * What was asked for is had again by asking again for the same encryption key: nothing is lost with an answer. To another one a key never
 * goes, so that a second holder of the permission cannot have what the first one took away.
 * @module
 */

import { Refusal } from '../base/errors.ts';
import { keyTypes, shareProtocols } from '../base/keyTypes.ts';
import { groupOf } from '../crypto/groups/index.ts';
import type { ExportKey } from './bodies.ts';
import { requireActiveKey, requireOwnership, requireUsableKey } from './keys.ts';
import type { Change, Key, Registry } from './registry.ts';
import { registryRequests } from './requests.ts';
import { type Ground, rule } from './rule.ts';
import { requireWallet } from './wallets.ts';

const { exportKey, exportWallet } = registryRequests;

export const ofKey = rule(exportKey, ({ params, body, ...ground }) => [exportOf(ground, params.keyId, body)]);

/** Of its key. */
export const ofWallet = rule(exportWallet, ({ params, body, ...ground }) => {
  return [exportOf(ground, requireWallet(ground.registry, params.walletId).keyId, body)];
});

/**
 * The name under which the shares of this key travel to whoever supports these schemes.
 * @throws {Refusal} BadRequest for none of them
 */
export function protocolFor({ keyType }: Pick<Key, 'keyType'>, { supportedSchemes }: Pick<ExportKey, 'supportedSchemes'>) {
  const names: readonly string[] = shareProtocols[keyType];
  const { curve } = keyTypes[keyType];
  const found = supportedSchemes.find((scheme) => scheme.curve === curve && names.includes(scheme.protocol));
  if (found !== undefined) return found.protocol;
  throw new Refusal('BadRequest', `supportedSchemes lacks what this key travels by: ${names.join(' or ')} on ${curve}`);
}

/** What a signer encrypts its share of this key to: 33 bytes. @throws {Refusal} Forbidden unless its export was asked for, NotFound, BadRequest */
export function authoriseExport(registry: Registry, keyId: string): Uint8Array {
  const { exported } = requireActiveKey(registry, keyId);
  if (exported === undefined) throw new Refusal('Forbidden', `the export of key ${keyId} was not asked for`);
  return pointOf(exported.encryptionKey);
}

function exportOf({ registry, caller, at }: Ground, keyId: string, wanted: ExportKey): Change {
  const { encryptionKey, force } = wanted;
  pointOf(encryptionKey);
  const exported = requireActiveKey(registry, keyId).exported;
  if (exported !== undefined) {
    const key = requireOwnership(registry, caller, keyId);
    protocolFor(key, wanted);
    if (exported.encryptionKey !== encryptionKey) throw new Refusal('Conflict', 'the key was exported already, to another encryption key');
    return { kind: 'key', record: key };
  }
  const key = requireUsableKey(registry, caller, keyId);
  protocolFor(key, wanted);
  if (key.isMaster && !force) {
    throw new Refusal('BadRequest', 'whoever has a master key may have all its children: it is exported with "force": true only');
  }
  return { kind: 'key', record: { ...key, exported: { encryptionKey, at } } };
}

/** @throws {Refusal} BadRequest */
function pointOf(encryptionKey: string): Uint8Array {
  const [version, ...point] = Buffer.from(encryptionKey, 'base64');
  const encoded = Uint8Array.from(point);
  try {
    groupOf('secp256k1').decodePoint(encoded);
    if (version === 1) return encoded;
  } catch {
    // not a point: as below
  }
  throw new Refusal('BadRequest', 'encryptionKey: expected base64 of 0x01 and a compressed point of secp256k1');
}
