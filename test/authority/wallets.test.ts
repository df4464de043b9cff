import { describe, expect, it } from 'vitest';
import { authoriseSignature } from '../../src/authority/useKey.ts';
import { createWorld, idOf, refusalOf } from './world.ts';

function scene() {
  const world = createWorld();
  const keyId = world.addKey({ scheme: 'ECDSA', curve: 'secp256k1' });
  const addWallet = (body: Record<string, unknown>, by = world.admin) =>
    world.perform(by, { method: 'POST', path: '/wallets', body: { network: 'Ethereum', ...body } }).changes;
  const walletId = idOf(addWallet({ signingKey: { id: keyId } }), 'wallet');
  const actor = world.addAccount(['Keys:Signatures:Create']);
  const through = (id: string) => world.sign(actor, { method: 'POST', path: `/wallets/${id}/signatures`, body: { kind: 'Hash' } });
  return { world, keyId, walletId, addWallet, actor, through, session: () => ({ keyId, now: world.now() }) };
}

describe('a wallet', () => {
  it('stands in the registry with its key and network, and makes a new key where none is named', () => {
    const { world, keyId, walletId, addWallet } = scene();
    expect(world.registry.wallets.get(walletId)).toEqual({ id: walletId, keyId, network: 'Ethereum' });
    expect(world.registry.walletOf(keyId, 'Ethereum')?.id).toBe(walletId);
    const changes = addWallet({ network: 'Solana' });
    expect(changes.map(({ kind }) => kind)).toEqual(['key', 'wallet']);
    expect(world.registry.keys.get(idOf(changes, 'key'))).toMatchObject({ keyType: 'EdDSA/ed25519', status: 'Active' });
  });

  it('demands what each part of it demands', () => {
    const { world, keyId, addWallet } = scene();
    const clerk = world.addAccount(['Wallets:Create']);
    expect(refusalOf(() => addWallet({}, clerk))).toBe('not refused');
    expect(refusalOf(() => addWallet({ network: 'Polygon', signingKey: { id: keyId } }, clerk))).toContain('(Keys:Reuse)');
    expect(refusalOf(() => addWallet({ tags: ['a'] }, clerk))).toContain('(Wallets:Tags:Add)');
    expect(refusalOf(() => addWallet({}, world.addAccount(['Keys:Create'])))).toContain('(Wallets:Create)');
  });
});

describe('a signature through a wallet', () => {
  it('is authorised for the key and the network of the wallet', () => {
    const { world, keyId, walletId, through, session } = scene();
    const use = authoriseSignature(world.registry, through(walletId), session());
    expect(use).toMatchObject({ key: { id: keyId }, walletNetwork: 'Ethereum' });
  });

  it('is refused for the key of another wallet, and through a wallet that is not there', () => {
    const { world, keyId, addWallet, through, session } = scene();
    const changes = addWallet({});
    const other = idOf(changes, 'wallet');
    expect(refusalOf(() => authoriseSignature(world.registry, through(other), session()))).toBe(
      `Forbidden: the request is for key ${idOf(changes, 'key')}, the session for ${keyId}`,
    );
    expect(refusalOf(() => authoriseSignature(world.registry, through('wa-none'), session()))).toBe('NotFound: Wallet not found');
  });

  it('is refused when the key is archived', () => {
    const { world, keyId, walletId, through, session } = scene();
    world.perform(world.admin, { method: 'DELETE', path: `/keys/${keyId}` });
    expect(refusalOf(() => authoriseSignature(world.registry, through(walletId), session()))).toBe('BadRequest: the key is archived');
  });
});
