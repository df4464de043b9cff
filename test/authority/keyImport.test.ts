import { describe, expect, it } from 'vitest';
import { authoriseImport } from '../../src/authority/keyImport.ts';
import { createWorld, idOf, refusalOf, type World } from './world.ts';

const sharesFor = ({ root }: World, text = 'c2hhcmU=') => root.signers.map(({ signerId }) => ({ signerId, encryptedKeyShare: text }));
const bundleFor = (world: World) => ({ protocol: 'FROST', curve: 'ed25519', minSigners: 2, encryptedKeyShares: sharesFor(world) });
const importKey = (world: World, body: object, actor = world.admin) =>
  idOf(world.perform(actor, { method: 'POST', path: '/keys/import', body }).changes, 'key');

describe('an imported key', () => {
  it.each([
    ['CGGMP24', 'secp256k1', 'ECDSA/secp256k1'],
    ['CGGMP21', 'secp256k1', 'ECDSA/secp256k1'],
    ['CGGMP21', 'stark', 'ECDSA/stark'],
    ['FROST', 'ed25519', 'EdDSA/ed25519'],
    ['FROST_BITCOIN', 'secp256k1', 'Schnorr/secp256k1'],
    ['GLOW20_DH', 'secp256k1', 'DH/secp256k1'],
  ])('by %s on %s is %s', (protocol, curve, keyType) => {
    const world = createWorld();
    const keyId = importKey(world, { ...bundleFor(world), protocol, curve });
    expect(world.registry.keys.get(keyId)).toMatchObject({ keyType, status: 'Active', imported: { minSigners: 2 } });
  });

  it('is dealt out of the shares of its request, each in its place, and of no others', () => {
    const world = createWorld();
    const keyId = importKey(world, bundleFor(world));
    expect(authoriseImport(world.registry, keyId, sharesFor(world)).imported.minSigners).toBe(2);
    const foreign = `Forbidden: these are not the shares that came with the request for key ${keyId}`;
    for (const shares of [sharesFor(world, 'b3RoZXI='), sharesFor(world).toReversed(), sharesFor(world).slice(1), []]) {
      expect(refusalOf(() => authoriseImport(world.registry, keyId, shares))).toBe(foreign);
    }
    const other = importKey(world, { ...bundleFor(world), encryptedKeyShares: sharesFor(world, 'b3RoZXI=') });
    expect(refusalOf(() => authoriseImport(world.registry, other, sharesFor(world)))).toContain('these are not the shares');
  });

  it('is dealt no more when it is archived', () => {
    const world = createWorld();
    const keyId = importKey(world, bundleFor(world));
    world.perform(world.admin, { method: 'DELETE', path: `/keys/${keyId}` });
    expect(refusalOf(() => authoriseImport(world.registry, keyId, sharesFor(world)))).toBe('BadRequest: the key is archived');
  });

  it('is an end user’s who hands it in', () => {
    const world = createWorld();
    const user = world.addEndUser(['Keys:Import']);
    expect(world.registry.keys.get(importKey(world, bundleFor(world), user))?.delegatedTo).toBe(user.userId);
  });

  it('demands Keys:Import', () => {
    const world = createWorld();
    const actor = world.addAccount(['Keys:Create']);
    expect(refusalOf(() => importKey(world, bundleFor(world), actor))).toContain('(Keys:Import)');
  });
});
