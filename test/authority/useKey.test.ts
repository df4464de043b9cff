import { describe, expect, it } from 'vitest';
import { authoriseDerivation, authoriseSignature } from '../../src/authority/useKey.ts';
import { utf8 } from '../../src/base/bytes.ts';
import { createWorld, refusalOf } from './world.ts';

function scene() {
  const world = createWorld();
  const keyId = world.addKey();
  const dhKeyId = world.addKey({ scheme: 'DH', curve: 'secp256k1' });
  const actor = world.addAccount(['Keys:Signatures:Create', 'Keys:Derive']);
  const session = () => ({ keyId, now: world.now() });
  return { world, keyId, dhKeyId, actor, session, point: { domain: utf8('domain'), seed: utf8('seed') } };
}

const signature = (keyId: string, body: unknown = { kind: 'Message', message: '0x00' }) =>
  ({ method: 'POST', path: `/keys/${keyId}/signatures`, body }) as const;
const derivation = (keyId: string, body: unknown = { domain: '0x646f6d61696e', seed: '73656564' }) =>
  ({ method: 'POST', path: `/keys/${keyId}/derive`, body }) as const;

describe('a signature', () => {
  it('is authorised by a request for this key, and the bytes of its body come back as they were signed', () => {
    const { world, keyId, actor, session } = scene();
    const authorisation = world.sign(actor, signature(keyId));
    const use = authoriseSignature(world.registry, authorisation, session());
    expect(use).toMatchObject({ caller: { userId: actor.userId }, key: { id: keyId, keyType: 'EdDSA/ed25519' }, body: authorisation.body });
  });

  it('is authorised with a query, and before others have acted since', () => {
    const { world, keyId, actor, session } = scene();
    const authorisation = world.sign(actor, { ...signature(keyId), path: `/keys/${keyId}/signatures?x=1` });
    world.addKey();
    expect(refusalOf(() => authoriseSignature(world.registry, authorisation, session()))).toBe('not refused');
  });

  it('with an archived key is refused', () => {
    const { world, keyId, actor, session } = scene();
    world.perform(world.admin, { method: 'DELETE', path: `/keys/${keyId}` });
    expect(refusalOf(() => authoriseSignature(world.registry, world.sign(actor, signature(keyId)), session()))).toBe(
      'BadRequest: the key is archived',
    );
  });

  it('with an unknown key is refused', () => {
    const { world, actor, session } = scene();
    const work = () => authoriseSignature(world.registry, world.sign(actor, signature('key-x')), { ...session(), keyId: 'key-x' });
    expect(refusalOf(work)).toBe('NotFound: Key not found');
  });
});

describe('a derivation', () => {
  it('is authorised by a request for this key, domain and seed', () => {
    const { world, dhKeyId, actor, session, point } = scene();
    const use = authoriseDerivation(world.registry, world.sign(actor, derivation(dhKeyId)), { ...session(), keyId: dhKeyId, ...point });
    expect(use.key.keyType).toBe('DH/secp256k1');
  });

  it.each([
    ['domain', { domain: utf8('other'), seed: utf8('seed') }],
    ['seed', { domain: utf8('domain'), seed: utf8('') }],
    ['cut between them', { domain: utf8('domains'), seed: utf8('eed') }],
  ])('at another %s is refused', (_, point) => {
    const { world, dhKeyId, actor, session } = scene();
    const authorisation = world.sign(actor, derivation(dhKeyId));
    expect(refusalOf(() => authoriseDerivation(world.registry, authorisation, { ...session(), keyId: dhKeyId, ...point }))).toBe(
      'Forbidden: the request is for another domain and seed than the session',
    );
  });

  it('is refused with a key that signs, and with a body that says nothing', () => {
    const { world, keyId, dhKeyId, actor, session, point } = scene();
    const withKey = (id: string, body?: unknown) =>
      refusalOf(() => authoriseDerivation(world.registry, world.sign(actor, derivation(id, body)), { ...session(), keyId: id, ...point }));
    expect(withKey(keyId)).toBe('BadRequest: derive is for DH keys; this key is EdDSA');
    expect(withKey(dhKeyId, { domain: '' })).toContain('BadRequest: body.domain');
  });

  it('demands Keys:Derive', () => {
    const { world, dhKeyId, session, point } = scene();
    const other = world.addAccount(['Keys:Signatures:Create']);
    const work = () =>
      authoriseDerivation(world.registry, world.sign(other, derivation(dhKeyId)), { ...session(), keyId: dhKeyId, ...point });
    expect(refusalOf(work)).toContain('is not authorized to perform operation (Keys:Derive)');
  });
});
