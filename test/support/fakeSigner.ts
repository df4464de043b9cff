/**
 * A signer without shares, in this process: its own copy of the authority log, judged by the real rules. What a real signer would refuse, it
 * refuses.
 * @module
 */

import { createPublicKey, type KeyObject, sign } from 'node:crypto';
import type { ImportedShares } from '../../src/authority/bodies.ts';
import { type Entry, headOf } from '../../src/authority/entry.ts';
import { type Head, sameHead } from '../../src/authority/head.ts';
import { authoriseImport } from '../../src/authority/keyImport.ts';
import { apply, catchUp } from '../../src/authority/log.ts';
import { initialRegistry, type Root } from '../../src/authority/root.ts';
import { headMessage, isConfirmed, type SignedHead } from '../../src/authority/signedHead.ts';
import { authoriseDerivation, authoriseKeygen, authoriseSignature } from '../../src/authority/useKey.ts';
import { equal, fromBase64Url, toBase64, toBase64Url } from '../../src/base/bytes.ts';
import type { Clock } from '../../src/base/clock.ts';
import { Refusal } from '../../src/base/errors.ts';
import type { KeyType } from '../../src/base/keyTypes.ts';
import { parseRequest } from '../../src/chains/index.ts';
import { signatureRequestBody } from '../../src/chains/requests.ts';
import type { Coordinator, EntrySource, SignInput } from '../../src/coordinator/coordinator.ts';
import { samePayload } from '../../src/crypto/schemes/scheme.ts';

export type FakeSigner = ReturnType<typeof createFakeSigner>;

export function createFakeSigner({ root, identity, clock }: { root: Root; identity: KeyObject; clock: Clock }) {
  const signerId = signerIdOf(identity);
  let registry = initialRegistry(root);
  let entries: Entry[] = [];
  /** The number of the last entry that is known to stand. */
  let confirmed = 0;
  const heldShares = new Set<string>();
  const spent = new Set<string>();

  function vouch(head: Head): SignedHead {
    const at = Math.floor(clock() / 1000);
    return { ...head, at, signerId, signature: toBase64Url(new Uint8Array(sign(null, headMessage(root.clusterId, head, at), identity))) };
  }

  /** Forgets entries that never came to be. */
  function truncate(length: number): void {
    entries = entries.slice(0, length);
    registry = initialRegistry(root);
    for (const entry of entries) apply(registry, entry, 'replay');
  }

  function takeOver(others: readonly Entry[], vouchers: readonly SignedHead[]): void {
    const missing = others.filter(({ sequence }) => sequence > confirmed);
    const [first] = missing;
    if (first === undefined) return;
    const before = registry.hashAt(first.sequence - 1);
    if (first.sequence !== confirmed + 1 || before === undefined || !equal(first.previous, before))
      throw new Refusal('Conflict', 'the log is forked');
    truncate(confirmed);
    catchUp(registry, missing, vouchers);
    entries.push(...missing);
    confirmed = registry.head.sequence;
  }

  return {
    signerId,
    /** Those that are not answer nothing. */
    isUp: true,
    get registry() {
      return registry;
    },
    get entries(): readonly Entry[] {
      return entries;
    },
    head: () => vouch(registry.head),
    /** What it would sign for an earlier head of its log; undefined for another head. */
    vouchFor(head: Head): SignedHead | undefined {
      const hash = registry.hashAt(head.sequence);
      return hash !== undefined && equal(hash, head.hash) ? vouch(head) : undefined;
    },

    async append(entry: Entry, history: EntrySource): Promise<SignedHead> {
      const before = entry.sequence - 1;
      const vouchers = before === 0 ? [] : await history.vouchers(before);
      if (before > confirmed && isConfirmed(root, { sequence: before, hash: entry.previous }, vouchers)) {
        if (registry.hashAt(before) !== undefined && equal(registry.hashAt(before) ?? entry.previous, entry.previous)) confirmed = before;
        else takeOver(await history.entries(confirmed + 1, before - confirmed), vouchers);
      }
      if (sameHead(headOf(entry), registry.head)) return vouch(registry.head);
      apply(registry, entry, { now: clock() });
      entries.push(entry);
      return vouch(registry.head);
    },

    async requireCaughtUp(history: EntrySource): Promise<void> {
      for (;;) {
        const more = await history.entries(registry.head.sequence + 1, 100);
        const last = more.at(-1);
        if (last === undefined) return;
        takeOver(await history.entries(confirmed + 1, last.sequence - confirmed), await history.vouchers(last.sequence));
      }
    },

    createShare({ keyId, keyType }: Parameters<Coordinator['createKey']>[0]): void {
      authoriseKeygen(registry, { keyId, keyType });
      if (heldShares.has(keyId)) throw new Refusal('Forbidden', 'there is a share of this key already');
      heldShares.add(keyId);
    },

    importShare(keyId: string, shares: ImportedShares): KeyType {
      const { key } = authoriseImport(registry, keyId, shares);
      if (heldShares.has(keyId)) throw new Refusal('Forbidden', 'there is a share of this key already');
      heldShares.add(keyId);
      return key.keyType;
    },

    /** Of a child: its master's. */
    hasShare: (keyId: string): boolean => heldShares.has(registry.keys.get(keyId)?.derivedFrom?.keyId ?? keyId),

    async requireSignature({ key, payload, payloadIndex, filled, authorisation }: SignInput): Promise<void> {
      const { key: known, body, walletNetwork } = authoriseSignature(registry, authorisation, { keyId: key.id, now: clock() });
      const request = signatureRequestBody.parse(JSON.parse(new TextDecoder().decode(body)));
      const { payloads } = await parseRequest(request, { keyType: known.keyType, publicKey: key.publicKey }, { walletNetwork, filled });
      const asked = payloads[payloadIndex];
      if (asked === undefined || !samePayload(asked, payload)) {
        throw new Refusal('Forbidden', 'the payload is not the one of the request');
      }
      spend(`${authorisation.binding.nonce}/${payloadIndex}`);
    },

    requireDerivation({ key, domain, seed, authorisation }: Parameters<Coordinator['derive']>[0]): void {
      authoriseDerivation(registry, authorisation, { keyId: key.id, domain, seed, now: clock() });
      spend(authorisation.binding.nonce);
    },
  };

  function spend(use: string): void {
    if (spent.has(use)) throw new Refusal('UserActionUsed');
    spent.add(use);
  }
}

export function signerIdOf(identity: KeyObject): string {
  const { x = '' } = createPublicKey(identity).export({ format: 'jwk' });
  return toBase64(fromBase64Url(x) ?? new Uint8Array());
}
