/**
 * The use of a key: what a signer asks before it takes part. The request itself names the key, and the session must name the same.
 * A signer also remembers the nonces it has seen until they expire: that memory must outlive it, so it is not here.
 * @module
 */

import { equal } from '../base/bytes.ts';
import { Refusal } from '../base/errors.ts';
import { type KeyType, keyTypes } from '../base/keyTypes.ts';
import type { WalletNetwork } from '../chains/networks.ts';
import type { Authorisation } from '../crypto/authorisation.ts';
import { authorise } from './authorise.ts';
import { type Caller, requirePermitted } from './grants.ts';
import { requireActiveKey, requireUsableKey } from './keys.ts';
import { parseBody, parsed, targetOf } from './parse.ts';
import type { Key, Registry } from './registry.ts';
import { keyRequests } from './requests.ts';
import { requireWallet } from './wallets.ts';

export interface Use {
  readonly caller: Caller;
  readonly key: Key;
  /** The raw body of the request. */
  readonly body: Uint8Array;
  /** Of the wallet that the request names: what is signed is for this network. */
  readonly walletNetwork?: WalletNetwork;
}

/** What a session asks; `now` in milliseconds since the epoch. */
interface Session {
  readonly keyId: string;
  readonly now: number;
}

/**
 * Whether the caller asked for a signature with this very key, and may. What is to be signed, `chains/` derives from the body.
 * @throws {Refusal} as `authorise`; Forbidden, NotFound, BadRequest for an archived key
 */
export function authoriseSignature(registry: Registry, authorisation: Authorisation, session: Session): Use {
  const { createSignature, createWalletSignature } = keyRequests;
  const request = [createSignature, createWalletSignature].find((known) => targetOf(known, authorisation.binding));
  return authoriseUse(request ?? createSignature, registry, authorisation, session);
}

/**
 * Whether the caller asked to evaluate this very key at this very point, and may.
 * @throws {Refusal} as `authoriseSignature`
 */
export function authoriseDerivation(
  registry: Registry,
  authorisation: Authorisation,
  session: Session & { readonly domain: Uint8Array; readonly seed: Uint8Array },
): Use {
  const use = authoriseUse(keyRequests.deriveKey, registry, authorisation, session);
  const { keyType } = use.key;
  if (keyType !== 'DH/secp256k1') throw new Refusal('BadRequest', `derive is for DH keys; this key is ${keyTypes[keyType].scheme}`);
  const { domain, seed } = parseBody(keyRequests.deriveKey.body, use.body);
  if (!equal(domain, session.domain) || !equal(seed, session.seed)) {
    throw new Refusal('Forbidden', 'the request is for another domain and seed than the session');
  }
  return use;
}

/**
 * Whether a key of this type was asked for under this id: then shares of it may be made, once. The entry that asked for it stands in the
 * log, so the session need not bring it again.
 * @throws {Refusal} NotFound, BadRequest for an archived key, Forbidden for another type, an imported key, or a child
 */
export function authoriseKeygen(registry: Registry, { keyId, keyType }: { keyId: string; keyType: KeyType }): Key {
  const key = requireActiveKey(registry, keyId);
  if (key.keyType !== keyType) throw new Refusal('Forbidden', `key ${keyId} was asked for as ${key.keyType}, the session makes ${keyType}`);
  if (key.imported !== undefined) throw new Refusal('Forbidden', `key ${keyId} is imported, not made`);
  if (key.derivedFrom !== undefined) throw new Refusal('Forbidden', `key ${keyId} is derived from key ${key.derivedFrom.keyId}, not made`);
  return key;
}

function authoriseUse(
  request: (typeof keyRequests)[keyof typeof keyRequests],
  registry: Registry,
  authorisation: Authorisation,
  { keyId, now }: Session,
): Use {
  const { binding, body } = authorisation;
  const caller = authorise(registry, authorisation, { now });
  const target = targetOf(request, binding);
  if (target === undefined)
    throw new Refusal('Forbidden', `the request is ${binding.method} ${binding.path}, not ${request.method} ${request.path}`);
  requirePermitted(registry, caller, request.operation);
  const asked = askedFor(registry, parsed('path', request.params, target.params));
  if (asked.keyId !== keyId) throw new Refusal('Forbidden', `the request is for key ${asked.keyId}, the session for ${keyId}`);
  return {
    caller,
    key: requireUsableKey(registry, caller, keyId),
    body,
    ...(asked.network !== undefined && { walletNetwork: asked.network }),
  };
}

/** @throws {Refusal} NotFound for a wallet that is not there */
function askedFor(registry: Registry, params: { keyId: string } | { walletId: string }): { keyId: string; network?: WalletNetwork } {
  return 'walletId' in params ? requireWallet(registry, params.walletId) : params;
}
