import { describe, expect, it } from 'vitest';
import { derivedId } from '../../src/authority/ids.ts';
import { authoriseKeygen } from '../../src/authority/useKey.ts';
import { createWorld, idOf, refusalOf } from './world.ts';

const create = (body: object) => ({ method: 'POST', path: '/keys', body }) as const;
const eddsa = { scheme: 'EdDSA', curve: 'ed25519' };

describe('a key', () => {
  it.each([
    ['ECDSA', 'secp256k1'],
    ['ECDSA', 'stark'],
    ['EdDSA', 'ed25519'],
    ['Schnorr', 'secp256k1'],
    ['DH', 'secp256k1'],
  ])('%s on %s is registered under the id that follows from the request', (scheme, curve) => {
    const world = createWorld();
    const authorisation = world.sign(world.admin, create({ scheme, curve, name: 'k', storeId: world.registry.ids.storeId }));
    const id = idOf(world.submit(authorisation).changes, 'key');
    expect(id).toBe(derivedId('key', authorisation));
    expect(world.registry.keys.get(id)).toEqual({ id, keyType: `${scheme}/${curve}`, status: 'Active' });
  });

  it('is archived, and once more without effect', () => {
    const world = createWorld();
    const keyId = world.addKey();
    world.perform(world.admin, { method: 'DELETE', path: `/keys/${keyId}` });
    world.perform(world.admin, { method: 'DELETE', path: `/keys/${keyId}`, body: {} });
    expect(world.registry.keys.get(keyId)?.status).toBe('Archived');
  });

  it.each([
    [{ scheme: 'EdDSA', curve: 'secp256k1' }, 'BadRequest: there are no EdDSA keys on secp256k1'],
    [{ scheme: 'RSA', curve: 'secp256k1' }, 'BadRequest: body.scheme'],
    [{ ...eddsa, storeId: 'store-x' }, 'BadRequest: storeId names no key store of this organisation'],
    [{ ...eddsa, masterKey: true }, 'BadRequest: child keys (masterKey, deriveFrom) are not offered yet'],
    [{ ...eddsa, deriveFrom: { keyId: 'key-x' } }, 'BadRequest: child keys (masterKey, deriveFrom) are not offered yet'],
    [{ ...eddsa, delegateTo: 'us-x' }, 'BadRequest: delegation (delegateTo, delayDelegation) is not offered yet'],
    [{ ...eddsa, delayDelegation: true }, 'BadRequest: delegation (delegateTo, delayDelegation) is not offered yet'],
  ])('is refused as %j', (body, reason) => {
    const world = createWorld();
    expect(refusalOf(() => world.perform(world.admin, create(body)))).toContain(reason);
    expect(world.registry.keys.size).toBe(0);
  });

  it('demands Keys:Create, and Keys:Delete to archive it', () => {
    const world = createWorld();
    const keyId = world.addKey();
    const actor = world.addAccount(['Keys:Read']);
    const lacks = (operation: string) => `Forbidden: ServiceAccount ${actor.userId} is not authorized to perform operation (${operation})`;
    expect(refusalOf(() => world.perform(actor, create(eddsa)))).toBe(lacks('Keys:Create'));
    expect(refusalOf(() => world.perform(actor, { method: 'DELETE', path: `/keys/${keyId}` }))).toBe(lacks('Keys:Delete'));
  });

  it('that is unknown is not found', () => {
    const { perform, admin } = createWorld();
    expect(refusalOf(() => perform(admin, { method: 'DELETE', path: '/keys/key-x' }))).toBe('NotFound: Key not found');
  });
});

describe('shares are made', () => {
  it('of a key that was asked for, as it was asked for, while it is active', () => {
    const world = createWorld();
    const keyId = world.addKey();
    const make = (wanted: Parameters<typeof authoriseKeygen>[1]) => refusalOf(() => authoriseKeygen(world.registry, wanted));
    expect(make({ keyId, keyType: 'EdDSA/ed25519' })).toBe('not refused');
    expect(make({ keyId, keyType: 'DH/secp256k1' })).toBe(
      `Forbidden: key ${keyId} was asked for as EdDSA/ed25519, the session makes DH/secp256k1`,
    );
    expect(make({ keyId: 'key-x', keyType: 'EdDSA/ed25519' })).toBe('NotFound: Key not found');
    world.perform(world.admin, { method: 'DELETE', path: `/keys/${keyId}` });
    expect(make({ keyId, keyType: 'EdDSA/ed25519' })).toBe('BadRequest: the key is archived');
  });
});
