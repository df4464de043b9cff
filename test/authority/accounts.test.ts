import { describe, expect, it } from 'vitest';
import { actionLifetimeSeconds } from '../../src/authority/authorise.ts';
import { permits } from '../../src/authority/grants.ts';
import { createWorld, credIdOf, idOf, keyPair, refusalOf, type World } from './world.ts';

const { publicKey } = keyPair(new Uint8Array(32).fill(9));
const path = '/auth/service-accounts';
const create = (body: object = {}) => ({ method: 'POST', path, body: { name: 'robot', publicKey, ...body } }) as const;
const change = (id: string, event: 'activate' | 'deactivate', body?: object) =>
  ({ method: 'PUT', path: `${path}/${id}/${event}`, body }) as const;
const remove = (id: string, query = '') => ({ method: 'DELETE', path: `${path}/${id}${query}` }) as const;

const notFound = 'NotFound: Service account not found';
const notSelf = 'BadRequest: a service account cannot deactivate or delete itself';
const lastAdmin = 'Conflict: the organisation would be left without an active full admin';

function lacks(userId: string, operation: string): string {
  return `Forbidden: ServiceAccount ${userId} is not authorized to perform operation (${operation})`;
}

describe('a service account', () => {
  it('is made with the ids that follow from the request, valid from the time of the request, and may do nothing', () => {
    const world = createWorld();
    const authorisation = world.sign(world.admin, create({ daysValid: 2 }));
    const { changes } = world.submit(authorisation);
    const account = world.registry.accounts.get(idOf(changes, 'account'));
    const madeAt = authorisation.binding.expiresAt - actionLifetimeSeconds;
    expect(account).toMatchObject({ status: 'Active', validUntil: madeAt + 2 * 86_400 });
    expect(world.registry.credentials.get(credIdOf(changes))).toMatchObject({
      accountId: account?.id,
      publicKey,
      kind: 'Key',
      isActive: true,
    });
    expect(permits(world.registry, { userId: account?.id ?? '' }, 'Keys:Create')).toBe(false);
  });

  it('is valid for 730 days unless less is asked for', () => {
    const world = createWorld();
    const authorisation = world.sign(world.admin, create());
    const account = world.registry.accounts.get(idOf(world.submit(authorisation).changes, 'account'));
    expect(account?.validUntil).toBe(authorisation.binding.expiresAt - actionLifetimeSeconds + 730 * 86_400);
  });

  it('is made with a permission, if its maker may assign it', () => {
    const world = createWorld();
    const { permissionId } = world.addAccount(['Keys:Create']);
    const { changes } = world.perform(world.admin, create({ permissionId }));
    expect(permits(world.registry, { userId: idOf(changes, 'account') }, 'Keys:Create')).toBe(true);
    expect(permits(world.registry, { userId: idOf(changes, 'account') }, 'Keys:Delete')).toBe(false);
  });

  it('acts until its last day, and not after it', () => {
    const world = createWorld();
    const actor = world.addAccount(['Permissions:Create'], { daysValid: 1 });
    const wanted = (name: string) =>
      ({ method: 'POST', path: '/permissions', body: { name, operations: ['Permissions:Create'] } }) as const;
    world.wait(86_000);
    world.perform(actor, wanted('in time'));
    world.wait(400);
    expect(refusalOf(() => world.perform(actor, wanted('late')))).toMatch(/^Forbidden: account us-\S+ was valid until 2025-/);
  });

  it('is stopped and started again', () => {
    const world = createWorld();
    const actor = world.addAccount(['Keys:Create']);
    const key = { method: 'POST', path: '/keys', body: { scheme: 'EdDSA', curve: 'ed25519' } } as const;
    world.perform(world.admin, change(actor.userId, 'deactivate'));
    expect(refusalOf(() => world.perform(actor, key))).toBe(`Forbidden: account ${actor.userId} is deactivated`);
    world.perform(world.admin, change(actor.userId, 'activate', {}));
    expect(refusalOf(() => world.perform(actor, key))).toBe('not refused');
  });

  it('is deleted for good, with its credential and what it was assigned', () => {
    const world = createWorld();
    const actor = world.addAccount(['Keys:Create']);
    world.perform(world.admin, remove(actor.userId, '?force=false'));
    expect(world.registry.credentials.get(actor.credId)?.isActive).toBe(false);
    expect([...world.registry.assignmentsOf(actor.userId)]).toEqual([]);
    expect(refusalOf(() => world.perform(world.admin, change(actor.userId, 'activate')))).toBe(notFound);
    expect(refusalOf(() => world.perform(world.admin, remove(actor.userId)))).toBe(notFound);
    expect(refusalOf(() => world.perform(actor, create()))).toBe(`Forbidden: account ${actor.userId} is deleted`);
  });

  it('that is full admin may go while another is left', () => {
    const world = createWorld();
    const second = world.addAccount([], { fullAdmin: true });
    world.perform(second, change(world.admin.userId, 'deactivate', { force: true }));
    expect(world.registry.accounts.get(world.admin.userId)?.status).toBe('Deactivated');
  });

  it.each<[string, (world: World) => unknown, string | ((world: World) => string)]>([
    ['with a key that is no key', ({ perform, admin }) => perform(admin, create({ publicKey: 'x' })), 'BadRequest: Accepted public keys'],
    ['without a name', ({ perform, admin }) => perform(admin, create({ name: '' })), 'BadRequest: body.name'],
    ['for no day', ({ perform, admin }) => perform(admin, create({ daysValid: 0 })), 'BadRequest: body.daysValid'],
    ['for more than 730 days', ({ perform, admin }) => perform(admin, create({ daysValid: 731 })), 'BadRequest: body.daysValid'],
    ['without a body', ({ perform, admin }) => perform(admin, { method: 'POST', path }), 'BadRequest: body'],
    [
      'with an unknown permission',
      ({ perform, admin }) => perform(admin, create({ permissionId: 'pm-x' })),
      'NotFound: Permission not found',
    ],
  ])('is not made %s', (_, work, reason) => {
    const world = createWorld();
    expect(refusalOf(() => work(world))).toContain(reason);
    expect(world.registry.accounts.size).toBe(1);
  });

  it('is made only by who may', () => {
    const world = createWorld();
    const actor = world.addAccount(['Keys:Create']);
    expect(refusalOf(() => world.perform(actor, create()))).toBe(lacks(actor.userId, 'Auth:ServiceAccounts:Create'));
  });

  it('is made with a permission only by who may assign it, and holds it all', () => {
    const world = createWorld();
    const maker = world.addAccount(['Auth:ServiceAccounts:Create']);
    const assigner = world.addAccount(['Auth:ServiceAccounts:Create', 'Permissions:Assign']);
    const { permissionId } = world.addAccount(['Keys:Export']);
    expect(refusalOf(() => world.perform(maker, create({ permissionId: maker.permissionId })))).toBe(
      lacks(maker.userId, 'Permissions:Assign'),
    );
    expect(refusalOf(() => world.perform(assigner, create({ permissionId })))).toBe(lacks(assigner.userId, 'Keys:Export'));
    expect(refusalOf(() => world.perform(assigner, create({ permissionId: assigner.permissionId })))).toBe('not refused');
  });

  it('does not stop or delete itself', () => {
    const world = createWorld();
    world.addAccount([], { fullAdmin: true });
    const { userId } = world.admin;
    expect(refusalOf(() => world.perform(world.admin, change(userId, 'deactivate')))).toBe(notSelf);
    expect(refusalOf(() => world.perform(world.admin, remove(userId)))).toBe(notSelf);
  });

  it('does not stop or delete the last full admin', () => {
    const world = createWorld();
    const actor = world.addAccount(['Auth:ServiceAccounts:Deactivate', 'Auth:ServiceAccounts:Delete']);
    const { userId } = world.admin;
    expect(refusalOf(() => world.perform(actor, change(userId, 'deactivate')))).toBe(lastAdmin);
    expect(refusalOf(() => world.perform(actor, remove(userId)))).toBe(lastAdmin);
  });

  it('does not stop the last full admin who is still valid', () => {
    const world = createWorld();
    world.addAccount([], { fullAdmin: true, daysValid: 1 });
    const actor = world.addAccount(['Auth:ServiceAccounts:Deactivate']);
    world.wait(2 * 86_400);
    expect(refusalOf(() => world.perform(actor, change(world.admin.userId, 'deactivate')))).toBe(lastAdmin);
  });

  it.each(['activate', 'deactivate'] as const)('that is unknown is not found: %s', (event) => {
    const world = createWorld();
    expect(refusalOf(() => world.perform(world.admin, change('us-x', event)))).toBe(notFound);
  });

  it.each([
    ['activate', 'Auth:ServiceAccounts:Activate'],
    ['deactivate', 'Auth:ServiceAccounts:Deactivate'],
  ] as const)('%s demands its operation', (event, operation) => {
    const world = createWorld();
    const actor = world.addAccount(['Keys:Create']);
    expect(refusalOf(() => world.perform(actor, change(actor.userId, event)))).toBe(lacks(actor.userId, operation));
  });
});
