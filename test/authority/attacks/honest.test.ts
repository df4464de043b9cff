import { describe, expect, it } from 'vitest';
import { authorise } from '../../../src/authority/authorise.ts';
import { derivedId } from '../../../src/authority/ids.ts';
import { authoriseSignature } from '../../../src/authority/useKey.ts';
import type { Authorisation } from '../../../src/crypto/authorisation.ts';
import { otherKeyPair, refusalOf } from '../world.ts';
import { asserted, bound, notSigned, scene } from './thief.ts';

describe('what the thief may have', () => {
  it('is what was asked for', () => {
    const { use, propose, signed, made, world } = scene();
    expect(refusalOf(() => use(signed))).toBe('not refused');
    propose(made);
    expect(world.registry.keys.has(derivedId('key', made))).toBe(true);
  });

  it.each(['P-256', 'secp256k1', 'RSA'] as const)('goes for credentials on %s too, and under none of the other algorithms', (kind) => {
    const { world, keyId, signing } = scene();
    const pair = otherKeyPair(kind);
    const { registry } = world;
    const account = world.addAccount(['Keys:Signatures:Create']);
    const authorisation = world.sign(world.admin, {
      method: 'POST',
      path: '/auth/service-accounts',
      body: { name: 'x', publicKey: pair.publicKey, permissionId: account.permissionId },
    });
    const { changes } = world.submit(authorisation);
    const credential = changes.find((change) => change.kind === 'credential');
    if (credential === undefined) throw new Error('a credential was made');
    const actor = { ...pair, userId: credential.record.accountId, credId: credential.record.credId };
    const signed = world.sign(actor, signing());
    const use = (one: Authorisation) => refusalOf(() => authoriseSignature(registry, one, { keyId, now: world.now() }));
    expect(use(signed)).toBe('not refused');
    expect(use(asserted(signed, { algorithm: 'SHA256' }))).toBe('not refused');
    expect(use(asserted(signed, { algorithm: 'SHA512' }))).toMatch(notSigned);
    expect(use(asserted(signed, { algorithm: 'Ed25519' }))).toMatch(notSigned);
  });

  it('is judged by everything that was signed: any other binding is another challenge', () => {
    const { world, signed } = scene();
    for (const [name, value] of Object.entries(signed.binding)) {
      const changed = bound(signed, {
        [name]: typeof value === 'number' ? value + 1 : `${value}`.replace(/.$/, (last) => (last === '0' ? '1' : '0')),
      });
      expect(
        refusalOf(() => authorise(world.registry, changed, { now: world.now() })),
        name,
      ).not.toBe('not refused');
    }
  });
});
