import { describe, expect, it } from 'vitest';
import { derivedId } from '../../src/authority/ids.ts';
import { authoriseKeygen } from '../../src/authority/useKey.ts';
import { createWorld, idOf, keyIdsOf, refusalOf } from './world.ts';

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
    [{ ...eddsa, deriveFrom: { keyId: 'key-x' } }, 'NotFound: Key not found'],
    [{ ...eddsa, masterKey: true, deriveFrom: { keyId: 'key-x' } }, 'BadRequest: a child is no master key'],
    [{ ...eddsa, deriveFrom: { keyId: 'key-x', path: "m/0'" } }, 'BadRequest: body.deriveFrom.path: expected m/i/j…'],
    [{ ...eddsa, deriveFrom: { keyId: 'key-x', path: 'm/2147483648' } }, 'BadRequest: body.deriveFrom.path: expected m/i/j…'],
    [{ ...eddsa, deriveFrom: { keyId: 'key-x', path: `m${'/0'.repeat(11)}` } }, 'BadRequest: body.deriveFrom.path: expected m/i/j…'],
  ])('is refused as %j', (body, reason) => {
    const world = createWorld();
    expect(refusalOf(() => world.perform(world.admin, create(body)))).toContain(reason);
    expect(keyIdsOf(world.registry)).toHaveLength(0);
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

describe('a child', () => {
  function family() {
    const world = createWorld();
    const master = world.addKey({ ...eddsa, masterKey: true });
    const derive = (path?: string, more: object = {}) =>
      idOf(
        world.perform(world.admin, create({ ...eddsa, deriveFrom: { keyId: master, ...(path !== undefined && { path }) }, ...more }))
          .changes,
        'key',
      );
    const pathOf = (keyId: string) => world.registry.keys.get(keyId)?.derivedFrom?.path;
    return { world, master, derive, pathOf };
  }

  it('is registered with its master and its path', () => {
    const { world, master, derive } = family();
    expect(world.registry.keys.get(master)).toEqual({ id: master, keyType: 'EdDSA/ed25519', status: 'Active', isMaster: true });
    const id = derive('m/44/501/0');
    expect(world.registry.keys.get(id)).toEqual({
      id,
      keyType: 'EdDSA/ed25519',
      status: 'Active',
      derivedFrom: { keyId: master, path: 'm/44/501/0' },
    });
  });

  it('for which no path is named has the first index that is free', () => {
    const { derive, pathOf } = family();
    expect(pathOf(derive())).toBe('m/0');
    derive('m/1');
    derive('m/3');
    derive('m/2/0');
    expect([pathOf(derive('')), pathOf(derive('  ')), pathOf(derive())]).toEqual(['m/2', 'm/4', 'm/5']);
  });

  it('is there once for each path, also when it is archived, and the paths of another master are others', () => {
    const { world, master, derive, pathOf } = family();
    const id = derive('m/7');
    const again = `Conflict: key ${master} has a child at m/7 already`;
    expect(refusalOf(() => derive('m/7'))).toBe(again);
    world.perform(world.admin, { method: 'DELETE', path: `/keys/${id}` });
    expect(refusalOf(() => derive('m/7'))).toBe(again);
    const other = world.addKey({ ...eddsa, masterKey: true });
    expect(pathOf(derive('m/7', { deriveFrom: { keyId: other, path: 'm/7' } }))).toBe('m/7');
  });

  it('is of its master’s type', () => {
    const { master, derive } = family();
    expect(refusalOf(() => derive('m/0', { scheme: 'ECDSA', curve: 'secp256k1' }))).toBe(
      `BadRequest: children of key ${master} are EdDSA keys on ed25519`,
    );
  });

  it('is of a master key: not of another key, nor of a child', () => {
    const { world, derive } = family();
    for (const keyId of [world.addKey(), derive()]) {
      expect(refusalOf(() => derive('m/0', { deriveFrom: { keyId, path: 'm/0' } }))).toBe(
        `BadRequest: key ${keyId} is no master key: no others are derived from it`,
      );
    }
  });

  it('is of an active master, and outlives it', () => {
    const { world, master, derive } = family();
    const id = derive();
    world.perform(world.admin, { method: 'DELETE', path: `/keys/${master}` });
    expect(refusalOf(() => derive())).toBe('BadRequest: the key is archived');
    expect(world.registry.keys.get(id)?.status).toBe('Active');
  });

  it('demands Keys:ChildKeys:Create besides Keys:Create, before anything is said of the master', () => {
    const { world } = family();
    const actor = world.addAccount(['Keys:Create']);
    expect(refusalOf(() => world.perform(actor, create({ ...eddsa, deriveFrom: { keyId: 'key-x' } })))).toBe(
      `Forbidden: ServiceAccount ${actor.userId} is not authorized to perform operation (Keys:ChildKeys:Create)`,
    );
    const other = world.addAccount(['Keys:ChildKeys:Create']);
    expect(refusalOf(() => world.perform(other, create({ ...eddsa, deriveFrom: { keyId: 'key-x' } })))).toContain('(Keys:Create)');
  });

  it('gets no shares of its own', () => {
    const { world, master, derive } = family();
    const keyId = derive();
    expect(refusalOf(() => authoriseKeygen(world.registry, { keyId, keyType: 'EdDSA/ed25519' }))).toBe(
      `Forbidden: key ${keyId} is derived from key ${master}, not made`,
    );
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
