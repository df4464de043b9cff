import { secp256k1 } from '@noble/curves/secp256k1.js';
import { describe, expect, it } from 'vitest';
import { authoriseExport } from '../../src/authority/keyExport.ts';
import { authoriseSignature } from '../../src/authority/useKey.ts';
import { concat, toBase64 } from '../../src/base/bytes.ts';
import { createWorld, idOf, refusalOf, type World } from './world.ts';

const eddsa = { scheme: 'EdDSA', curve: 'ed25519' };
const pointOf = (byte: number) => secp256k1.getPublicKey(new Uint8Array(32).fill(byte));
const [own, others] = [0x11, 0x22].map((byte) => toBase64(concat(Uint8Array.of(1), pointOf(byte))));
const wanted = {
  encryptionKey: own,
  supportedSchemes: [
    { protocol: 'CGGMP21', curve: 'secp256k1' },
    { protocol: 'FROST', curve: 'ed25519' },
  ],
};

const exportKey = (world: World, keyId: string, body: object = wanted, actor = world.admin) =>
  world.perform(actor, { method: 'POST', path: `/keys/${keyId}/export`, body });

function use(world: World, keyId: string): string {
  const body = { kind: 'Message', message: '00' };
  const authorisation = world.sign(world.admin, { method: 'POST', path: `/keys/${keyId}/signatures`, body });
  return refusalOf(() => authoriseSignature(world.registry, authorisation, { keyId, now: world.now() }));
}

describe('an exported key', () => {
  it('goes to the encryption key of the request; nothing went before it', () => {
    const world = createWorld();
    const keyId = world.addKey();
    expect(refusalOf(() => authoriseExport(world.registry, keyId))).toBe(`Forbidden: the export of key ${keyId} was not asked for`);
    exportKey(world, keyId);
    expect(world.registry.keys.get(keyId)?.exported).toEqual({ encryptionKey: own, at: Math.floor(world.now() / 1000) });
    expect(authoriseExport(world.registry, keyId)).toEqual(pointOf(0x11));
  });

  it('goes there again, and to no other, whoever asks', () => {
    const world = createWorld();
    const keyId = world.addKey();
    exportKey(world, keyId);
    const before = world.registry.keys.get(keyId);
    world.wait(60);
    exportKey(world, keyId);
    expect(world.registry.keys.get(keyId)).toEqual(before);
    for (const actor of [world.admin, world.addAccount(['Keys:Export'])]) {
      expect(refusalOf(() => exportKey(world, keyId, { ...wanted, encryptionKey: others }, actor))).toBe(
        'Conflict: the key was exported already, to another encryption key',
      );
    }
  });

  it('signs no more, has no more children, and no wallets', () => {
    const world = createWorld();
    const keyId = world.addKey({ ...eddsa, masterKey: true });
    expect(use(world, keyId)).toBe('not refused');
    exportKey(world, keyId, { ...wanted, force: true });
    const gone = 'BadRequest: the key was exported: it is used here no more';
    expect(use(world, keyId)).toBe(gone);
    const make = (path: string, body: object) => refusalOf(() => world.perform(world.admin, { method: 'POST', path, body }));
    expect(make('/keys', { ...eddsa, deriveFrom: { keyId } })).toBe(gone);
    expect(make('/wallets', { network: 'KeyEdDSA', signingKey: { id: keyId } })).toBe(gone);
  });

  it('is given no more when it is archived', () => {
    const world = createWorld();
    const keyId = world.addKey();
    exportKey(world, keyId);
    world.perform(world.admin, { method: 'DELETE', path: `/keys/${keyId}` });
    expect(refusalOf(() => authoriseExport(world.registry, keyId))).toBe('BadRequest: the key is archived');
    expect(refusalOf(() => exportKey(world, keyId))).toBe('BadRequest: the key is archived');
  });

  it('is exported through its wallet too', () => {
    const world = createWorld();
    const { changes } = world.perform(world.admin, { method: 'POST', path: '/wallets', body: { network: 'KeyEdDSA' } });
    const [walletId] = changes.flatMap(({ kind, record }) => (kind === 'wallet' ? [record.id] : []));
    world.perform(world.admin, { method: 'POST', path: `/wallets/${walletId}/export`, body: wanted });
    expect(authoriseExport(world.registry, idOf(changes, 'key'))).toEqual(pointOf(0x11));
    expect(refusalOf(() => world.perform(world.admin, { method: 'POST', path: '/wallets/wa-none/export', body: wanted }))).toBe(
      'NotFound: Wallet not found',
    );
  });
});

describe('the export of a key', () => {
  it('that is a master takes force; a child’s does not', () => {
    const world = createWorld();
    const master = world.addKey({ ...eddsa, masterKey: true });
    const body = { ...eddsa, deriveFrom: { keyId: master } };
    const child = idOf(world.perform(world.admin, { method: 'POST', path: '/keys', body }).changes, 'key');
    expect(refusalOf(() => exportKey(world, master))).toBe(
      'BadRequest: whoever has a master key may have all its children: it is exported with "force": true only',
    );
    exportKey(world, child);
    exportKey(world, master, { ...wanted, force: true });
    expect([master, child].map((id) => world.registry.keys.get(id)?.exported?.encryptionKey)).toEqual([own, own]);
  });

  it('travels by a protocol that the caller supports', () => {
    const world = createWorld();
    const keyId = world.addKey({ scheme: 'Schnorr', curve: 'secp256k1' });
    const lacks = 'BadRequest: supportedSchemes lacks what this key travels by: FROST_BITCOIN on secp256k1';
    expect(refusalOf(() => exportKey(world, keyId))).toBe(lacks);
    const by = (protocol: string, curve: string) => ({ ...wanted, supportedSchemes: [{ protocol, curve }] });
    expect(refusalOf(() => exportKey(world, keyId, by('FROST_BITCOIN', 'ed25519')))).toBe(lacks);
    exportKey(world, keyId, by('FROST_BITCOIN', 'secp256k1'));
  });

  it.each([
    ['nothing', ''],
    ['no base64', 'AQ*='],
    ['33 bytes', toBase64(pointOf(1))],
    ['another version', toBase64(concat(Uint8Array.of(2), pointOf(1)))],
    ['no point', toBase64(concat(Uint8Array.of(1, 2), new Uint8Array(32).fill(0xff)))],
    ['the point in another form', toBase64(concat(Uint8Array.of(1, 4), new Uint8Array(32).fill(1)))],
  ])('to %s is refused', (_, encryptionKey) => {
    const world = createWorld();
    const keyId = world.addKey();
    expect(refusalOf(() => exportKey(world, keyId, { ...wanted, encryptionKey }))).toMatch(/^BadRequest: (body\.)?encryptionKey/);
    expect(world.registry.keys.get(keyId)?.exported).toBeUndefined();
  });

  it('demands Keys:Export', () => {
    const world = createWorld();
    const actor = world.addAccount(['Keys:Signatures:Create']);
    expect(refusalOf(() => exportKey(world, world.addKey(), wanted, actor))).toContain('(Keys:Export)');
  });

  it('that is delegated is its end user’s', () => {
    const world = createWorld();
    const user = world.addEndUser(['Keys:Export']);
    const body = { ...eddsa, delegateTo: user.userId };
    const keyId = idOf(world.perform(world.admin, { method: 'POST', path: '/keys', body }).changes, 'key');
    const notTheirs = 'Forbidden: the key is delegated: only its end user signs with it, exports it or derives from it';
    expect(refusalOf(() => exportKey(world, keyId))).toBe(notTheirs);
    exportKey(world, keyId, wanted, user);
    expect(refusalOf(() => exportKey(world, keyId))).toBe(notTheirs);
  });
});
