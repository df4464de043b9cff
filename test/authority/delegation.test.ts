import { describe, expect, it } from 'vitest';
import { authoriseSignature } from '../../src/authority/useKey.ts';
import { type Actor, createWorld, idOf, refusalOf, type World } from './world.ts';

const eddsa = { scheme: 'EdDSA', curve: 'ed25519' };
const delegable = { ...eddsa, delayDelegation: true };
const everything = ['Keys:Create', 'Keys:Delegate', 'Keys:Signatures:Create', 'Keys:Export', 'Keys:Delete', 'Keys:ChildKeys:Create'];

const create = (world: World, actor: Actor, body: object) =>
  idOf(world.perform(actor, { method: 'POST', path: '/keys', body }).changes, 'key');
const delegate = (world: World, keyId: string, body: object, actor = world.admin) =>
  world.perform(actor, { method: 'POST', path: `/keys/${keyId}/delegate`, body });
const owner = (world: World, keyId: string) => world.registry.keys.get(keyId)?.delegatedTo;

function use(world: World, actor: Actor, keyId: string): string {
  const body = { kind: 'Message', message: '00' };
  const authorisation = world.sign(actor, { method: 'POST', path: `/keys/${keyId}/signatures`, body });
  return refusalOf(() => authoriseSignature(world.registry, authorisation, { keyId, now: world.now() }));
}

describe('delegation', () => {
  it('makes a key the end user’s that was created for it, by either name of the target', () => {
    const world = createWorld();
    const user = world.addEndUser();
    for (const name of ['delegateTo', 'userId']) {
      const keyId = world.addKey(delegable);
      expect(owner(world, keyId)).toBeUndefined();
      delegate(world, keyId, { [name]: user.userId });
      expect(owner(world, keyId)).toBe(user.userId);
    }
  });

  it('from the start is done by one who may delegate', () => {
    const world = createWorld();
    const { userId } = world.addEndUser();
    expect(owner(world, create(world, world.admin, { ...eddsa, delegateTo: userId }))).toBe(userId);
    const maker = world.addAccount(['Keys:Create']);
    expect(refusalOf(() => create(world, maker, { ...eddsa, delegateTo: userId }))).toContain('(Keys:Delegate)');
    expect(refusalOf(() => create(world, world.admin, { ...delegable, delegateTo: userId }))).toBe(
      'BadRequest: a key is delegated from the start (delegateTo) or later on (delayDelegation)',
    );
  });

  it('is for keys that were created for it, and is not undone', () => {
    const world = createWorld();
    const [user, other] = [world.addEndUser(), world.addEndUser()];
    const plain = world.addKey();
    expect(refusalOf(() => delegate(world, plain, { delegateTo: user.userId }))).toBe(
      'BadRequest: only a key that was created with delayDelegation is delegated later on',
    );
    const keyId = world.addKey(delegable);
    delegate(world, keyId, { delegateTo: user.userId });
    for (const delegateTo of [other.userId, user.userId]) {
      expect(refusalOf(() => delegate(world, keyId, { delegateTo }))).toBe('Conflict: the key is delegated already, which is not undone');
    }
    expect(owner(world, keyId)).toBe(user.userId);
  });

  it('is to an active end user', () => {
    const world = createWorld();
    const keyId = world.addKey(delegable);
    expect(refusalOf(() => delegate(world, keyId, { delegateTo: 'us-none' }))).toBe('NotFound: User not found');
    const account = world.addAccount();
    expect(refusalOf(() => delegate(world, keyId, { delegateTo: account.userId }))).toBe(
      `BadRequest: keys are delegated to end users; ${account.userId} is a ServiceAccount`,
    );
    expect(refusalOf(() => delegate(world, keyId, {}))).toContain('BadRequest: body: delegateTo is missing');
    expect(owner(world, keyId)).toBeUndefined();
  });

  it('is of an active key, by one who may', () => {
    const world = createWorld();
    const { userId: delegateTo } = world.addEndUser();
    expect(refusalOf(() => delegate(world, 'key-none', { delegateTo }))).toBe('NotFound: Key not found');
    const keyId = world.addKey(delegable);
    expect(refusalOf(() => delegate(world, keyId, { delegateTo }, world.addAccount(['Keys:Create'])))).toContain('(Keys:Delegate)');
    world.perform(world.admin, { method: 'DELETE', path: `/keys/${keyId}` });
    expect(refusalOf(() => delegate(world, keyId, { delegateTo }))).toBe('BadRequest: the key is archived');
  });
});

describe('a delegated key', () => {
  function delegated() {
    const world = createWorld();
    const [user, other] = [world.addEndUser(everything), world.addEndUser(everything)];
    const keyId = create(world, world.admin, { ...eddsa, masterKey: true, delegateTo: user.userId });
    return { world, user, other, keyId };
  }
  const notTheirs = 'Forbidden: the key is delegated: only its end user signs with it, exports it or derives from it';

  it('signs for its end user, not for the organisation, and another end user knows nothing of it', () => {
    const { world, user, other, keyId } = delegated();
    expect(use(world, user, keyId)).toBe('not refused');
    expect(use(world, world.admin, keyId)).toBe(notTheirs);
    expect(use(world, other, keyId)).toBe('NotFound: Key not found');
    expect(use(world, user, world.addKey())).toBe('NotFound: Key not found');
  });

  it('has children for its end user alone, and they are theirs', () => {
    const { world, user, other, keyId } = delegated();
    const deriveFrom = { keyId };
    expect(refusalOf(() => create(world, world.admin, { ...eddsa, deriveFrom }))).toBe(notTheirs);
    expect(refusalOf(() => create(world, other, { ...eddsa, deriveFrom }))).toBe('NotFound: Key not found');
    expect(owner(world, create(world, user, { ...eddsa, deriveFrom }))).toBe(user.userId);
  });

  it('has wallets made on it by its end user alone', () => {
    const { world, keyId } = delegated();
    const body = { network: 'KeyEdDSA', signingKey: { id: keyId } };
    expect(refusalOf(() => world.perform(world.admin, { method: 'POST', path: '/wallets', body }))).toBe(notTheirs);
  });

  it('is archived by the organisation, not by its end user', () => {
    const { world, user, keyId } = delegated();
    expect(refusalOf(() => world.perform(user, { method: 'DELETE', path: `/keys/${keyId}` }))).toBe(
      'Forbidden: end users do not delete keys',
    );
    world.perform(world.admin, { method: 'DELETE', path: `/keys/${keyId}` });
    expect(use(world, user, keyId)).toBe('BadRequest: the key is archived');
  });

  it('is what an end user makes: theirs, and for nobody else', () => {
    const { world, user, other } = delegated();
    const keyId = create(world, user, eddsa);
    expect(owner(world, keyId)).toBe(user.userId);
    expect(refusalOf(() => create(world, user, { ...eddsa, delegateTo: other.userId }))).toBe(
      'Forbidden: an end user makes keys for nobody else',
    );
  });
});
