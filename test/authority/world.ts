/** A root with its registry, and people who sign: everything follows from seeds, so that a failure repeats. */

import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { actionLifetimeSeconds } from '../../src/authority/authorise.ts';
import { type ClusterChange, type ClusterTerms, clusterMessage } from '../../src/authority/cluster.ts';
import { type Entry, entryAfter } from '../../src/authority/entry.ts';
import { type Head, nonceAt } from '../../src/authority/head.ts';
import { apply } from '../../src/authority/log.ts';
import { type Recovery, type RecoveryTerms, recoveryMessage } from '../../src/authority/recovery.ts';
import type { Accepted, Account, MutableRegistry, Registry } from '../../src/authority/registry.ts';
import { initialRegistry, type Root, rootIds } from '../../src/authority/root.ts';
import { headMessage, type SignedHead } from '../../src/authority/signedHead.ts';
import { concat, toBase64, toBase64Url, utf8 } from '../../src/base/bytes.ts';
import { Refusal } from '../../src/base/errors.ts';
import { type ActionBinding, type Authorisation, challengeOf, payloadHashOf } from '../../src/crypto/authorisation.ts';
import { hex } from '../vectors/shared.ts';

/** Unix seconds: when every world begins. */
export const dawn = 1_750_000_000;

/** Somebody with a credential. */
export interface Actor {
  readonly userId: string;
  readonly credId: string;
  readonly privateKey: KeyObject;
  readonly publicKey: string;
}

export interface Wanted {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  readonly path: string;
  /** JSON, or bytes as they are. Absent: no body. */
  readonly body?: unknown;
}

/** What the one who signs is made to sign. */
export interface Circumstances {
  readonly binding?: Partial<ActionBinding>;
  /** The head it is made at; the registry's by default. */
  readonly at?: Head;
}

export interface World {
  readonly root: Root;
  readonly admin: Actor;
  readonly signers: readonly Signer[];
  readonly registry: MutableRegistry;
  readonly entries: readonly Entry[];
  /** Milliseconds. */
  now(): number;
  wait(seconds: number): void;
  sign(actor: Actor, wanted: Wanted, circumstances?: Circumstances): Authorisation;
  /** Live, and into the log. @throws {Refusal} */
  perform(actor: Actor, wanted: Wanted): Accepted;
  submit(authorisation: Authorisation): Accepted;
  recover(recovery: Recovery): Accepted;
  change(cluster: ClusterChange): Accepted;
  /** A service account that holds these operations. */
  addAccount(operations?: readonly string[], options?: { daysValid?: number; fullAdmin?: boolean }): Actor & { permissionId?: string };
  addKey(wanted?: { scheme: string; curve: string; masterKey?: boolean; delayDelegation?: boolean }): string;
  /** There are no requests that make end users yet: one is put into the registry by hand, besides the log. */
  addEndUser(operations?: readonly string[]): Actor;
}

export interface Signer {
  readonly signerId: string;
  readonly privateKey: KeyObject;
}

/** @param name makes worlds different */
export function createWorld(name = 'world'): World {
  let drawn = 0;
  const random = (bytes = 32) => createHash('sha256').update(`${name}/${drawn++}`).digest().subarray(0, bytes);
  const signers = Array.from({ length: 3 }, () => newSigner(random())).sort((a, b) => (a.signerId < b.signerId ? -1 : 1));
  const { privateKey, publicKey } = keyPair(random());
  const root: Root = {
    clusterId: `cl-00000-00000-${name.padEnd(16, '0').slice(0, 16)}`,
    publicKey,
    createdAt: dawn,
    threshold: 1,
    signers: signers.map(({ signerId }, i) => ({ signerId, index: i + 1 })),
  };
  const { userId, credId, organisationId } = rootIds(root);
  const admin = { userId, credId, privateKey, publicKey };
  const registry = initialRegistry(root);
  const entries: Entry[] = [];
  let seconds = dawn + 100;

  function sign(actor: Actor, { method, path, body }: Wanted, { binding: forged, at = registry.head }: Circumstances = {}): Authorisation {
    const bytes = body === undefined ? new Uint8Array(0) : body instanceof Uint8Array ? body : utf8(JSON.stringify(body));
    const binding = {
      method,
      path,
      payloadHash: payloadHashOf(bytes),
      organisationId,
      callerId: actor.userId,
      nonce: nonceAt(at, random(16)),
      expiresAt: seconds + actionLifetimeSeconds,
      ...forged,
    };
    return { binding, body: bytes, assertion: assertionBy(actor, challengeOf(binding)) };
  }

  function put(entry: Entry): Accepted {
    const accepted = apply(registry, entry, { now: seconds * 1000 });
    entries.push(entry);
    return accepted;
  }

  function addAccount(
    operations: readonly string[] = [],
    { daysValid = 30, fullAdmin = false }: { daysValid?: number; fullAdmin?: boolean } = {},
  ): Actor & { permissionId?: string } {
    const pair = keyPair(random());
    const { changes } = perform(admin, {
      method: 'POST',
      path: '/auth/service-accounts',
      body: { name: 'a', publicKey: pair.publicKey, daysValid, ...(fullAdmin ? { permissionId: registry.ids.fullAdminId } : {}) },
    });
    const actor = { ...pair, userId: idOf(changes, 'account'), credId: credIdOf(changes) };
    if (operations.length === 0) return actor;
    const permissionId = idOf(
      perform(admin, { method: 'POST', path: '/permissions', body: { name: `p${drawn}`, operations } }).changes,
      'permission',
    );
    perform(admin, { method: 'POST', path: `/permissions/${permissionId}/assignments`, body: { identityId: actor.userId } });
    return { ...actor, permissionId };
  }

  const submit = (authorisation: Authorisation) => put(entryAfter(registry.head, { authorisation }));
  const perform = (actor: Actor, wanted: Wanted) => submit(sign(actor, wanted));

  return {
    root,
    admin,
    signers,
    registry,
    entries,
    now: () => seconds * 1000,
    wait(longer) {
      seconds += longer;
    },
    sign,
    perform,
    submit,
    recover: (recovery) => put(entryAfter(registry.head, { recovery })),
    change: (cluster) => put(entryAfter(registry.head, { cluster })),

    addAccount,
    addEndUser(operations = []) {
      const actor = addAccount(operations);
      const accounts = registry.accounts as Map<string, Account>; // what holds them is a map
      const account = accounts.get(actor.userId);
      if (account === undefined) throw new Error('the account was made');
      accounts.set(account.id, { ...account, kind: 'EndUser' });
      return actor;
    },

    addKey: (wanted = { scheme: 'EdDSA', curve: 'ed25519' }) =>
      idOf(perform(admin, { method: 'POST', path: '/keys', body: wanted }).changes, 'key'),
  };
}

/** The id of the one record of this kind that was made. */
export function idOf(changes: Accepted['changes'], kind: 'account' | 'permission' | 'assignment' | 'key' | 'wallet'): string {
  for (const change of changes) if (change.kind === kind) return change.record.id;
  throw new Error(`no ${kind} was made`);
}

export function credIdOf(changes: Accepted['changes']): string {
  for (const change of changes) if (change.kind === 'credential' && change.record.isActive) return change.record.credId;
  throw new Error('no credential was made');
}

export function assertionBy({ credId, privateKey }: Pick<Actor, 'credId' | 'privateKey'>, challenge: string): Authorisation['assertion'] {
  const clientData = utf8(JSON.stringify({ type: 'key.get', challenge }));
  const digest = privateKey.asymmetricKeyType === 'ed25519' ? null : 'sha256';
  return { kind: 'Key', credId, clientData: toBase64Url(clientData), signature: toBase64Url(sign(digest, clientData, privateKey)) };
}

/** Operators of these signers agree. */
export function recoveryBy(
  signers: readonly Signer[],
  { root, head, terms }: { root: Pick<Root, 'clusterId'>; head: Head; terms: RecoveryTerms },
): Recovery {
  const message = recoveryMessage(root.clusterId, head, terms);
  return {
    ...terms,
    signatures: signers.map(({ signerId, privateKey }) => ({ signerId, signature: toBase64Url(sign(null, message, privateKey)) })),
  };
}

/** A change of the cluster by these operators, in the order of their ids. */
export function changeBy(
  signers: readonly Signer[],
  { registry, terms }: { registry: Pick<Registry, 'cluster'>; terms: ClusterTerms },
): ClusterChange {
  const { clusterId, since } = registry.cluster;
  const message = clusterMessage(clusterId, since, terms);
  const inOrder = [...signers].sort((a, b) => (a.signerId < b.signerId ? -1 : 1));
  return {
    ...terms,
    signatures: inOrder.map(({ signerId, privateKey }) => ({ signerId, signature: toBase64Url(sign(null, message, privateKey)) })),
  };
}

export function vouch({ signerId, privateKey }: Signer, clusterId: string, head: Head, at = dawn): SignedHead {
  return { ...head, at, signerId, signature: toBase64Url(sign(null, headMessage(clusterId, head, at), privateKey)) };
}

export function newSigner(seed: Uint8Array): Signer {
  const { privateKey } = keyPair(seed);
  const { x } = createPublicKey(privateKey).export({ format: 'jwk' });
  return { signerId: toBase64(new Uint8Array(Buffer.from(x ?? '', 'base64url'))), privateKey };
}

/** Ed25519, of a seed (RFC 8410 §7). */
export function keyPair(seed: Uint8Array): { privateKey: KeyObject; publicKey: string } {
  const der = Buffer.from(concat(hex('302e020100300506032b657004220420'), seed));
  const privateKey = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
  return { privateKey, publicKey: pemOf(createPublicKey(privateKey)) };
}

/** Of the other kinds that credentials may have: fresh ones. */
export function otherKeyPair(kind: 'P-256' | 'secp256k1' | 'RSA'): { privateKey: KeyObject; publicKey: string } {
  const { privateKey, publicKey } =
    kind === 'RSA' ? generateKeyPairSync('rsa', { modulusLength: 2048 }) : generateKeyPairSync('ec', { namedCurve: kind });
  return { privateKey, publicKey: pemOf(publicKey) };
}

function pemOf(publicKey: KeyObject): string {
  return publicKey.export({ type: 'spki', format: 'pem' }).toString();
}

/** Everything a registry says, in a form that compares. */
export function contentOf(registry: MutableRegistry) {
  const sorted = <T>(map: Iterable<readonly [string, T]>) => [...map].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, record]) => record);
  return {
    head: registry.head,
    time: registry.time,
    accounts: sorted(registry.accounts),
    credentials: sorted(registry.credentials).map(({ key: _, ...credential }) => credential),
    permissions: sorted(registry.permissions),
    assignments: sorted(registry.assignments),
    keys: sorted(registry.records.all('key')),
    wallets: sorted(registry.records.all('wallet')),
    aliases: [...registry.records.all('alias')].sort(),
    nextChildren: [...registry.records.all('nextChild')].sort(),
    nonces: [...registry.records.all('nonce')].sort(),
  };
}

/** The ids of all keys, in the order of the log. */
export function keyIdsOf({ records }: MutableRegistry): string[] {
  return Array.from(records.all('key'), ([id]) => id);
}

/** Why it was refused: `<code>: <message>`. */
export function refusalOf(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    if (error instanceof Refusal) return `${error.code}: ${error.message}`;
    throw error;
  }
  return 'not refused';
}
