/**
 * Whoever has the service has everything but the credentials: requests that people did sign, and freedom to say anything about them. Each
 * case is one try to get more out of that than was asked for; each is refused, and the reason is the one that a signer says.
 */

import { describe, expect, it } from 'vitest';
import { authoriseSignature } from '../../../src/authority/useKey.ts';
import type { Authorisation } from '../../../src/crypto/authorisation.ts';
import { createWorld, keyPair, refusalOf } from '../world.ts';

const message = { kind: 'Message', message: '0x01' };

/** A cluster in use: an admin, a trader who signs, a clerk who administers a little, two keys, and a thief who holds only a key pair. */
export function scene() {
  const world = createWorld();
  const keyId = world.addKey();
  const otherKeyId = world.addKey();
  const dhKeyId = world.addKey({ scheme: 'DH', curve: 'secp256k1' });
  const trader = world.addAccount(['Keys:Signatures:Create', 'Keys:Derive', 'Keys:Create']);
  const clerk = world.addAccount(['Permissions:Create', 'Permissions:Assign', 'Permissions:Update', 'Auth:ServiceAccounts:Create']);
  const thief = keyPair(new Uint8Array(32).fill(66));
  const signing = (id = keyId, body: unknown = message) => ({ method: 'POST', path: `/keys/${id}/signatures`, body }) as const;
  const signed = world.sign(trader, signing());
  const made = world.sign(trader, { method: 'POST', path: '/keys', body: { scheme: 'EdDSA', curve: 'ed25519' } });
  /** What a signer does with a session to sign. */
  const use = (authorisation: Authorisation, id = keyId) =>
    authoriseSignature(world.registry, authorisation, { keyId: id, now: world.now() });
  const propose = (authorisation: Authorisation) => world.submit(authorisation);
  return { world, keyId, otherKeyId, dhKeyId, trader, clerk, thief, signing, signed, made, use, propose };
}

export type Scene = ReturnType<typeof scene>;
export type Case = readonly [name: string, attack: (scene: Scene) => unknown, reason: string | RegExp];

/** With this changed in the binding, and in nothing else. */
export function bound(authorisation: Authorisation, changed: Partial<Authorisation['binding']>): Authorisation {
  return { ...authorisation, binding: { ...authorisation.binding, ...changed } };
}

/** With this changed in the assertion, and in nothing else. */
export function asserted(authorisation: Authorisation, changed: Partial<Authorisation['assertion']>): Authorisation {
  return { ...authorisation, assertion: { ...authorisation.assertion, ...changed } };
}

export const notSigned = /^Forbidden: credential cr-\S+ has not signed this request$/;
export const behind = /^Unavailable: the request was made at a head that the log up to entry \d+ does not have: it is behind, or forked$/;

/** Every case on a scene of its own. */
export function thiefTries(what: string, cases: readonly Case[]): void {
  describe(`the thief tries ${what}:`, () => {
    it.each(cases)('%s', (_, attack, reason) => {
      const all = scene();
      expect(refusalOf(() => attack(all))).toMatch(reason);
    });
  });
}
