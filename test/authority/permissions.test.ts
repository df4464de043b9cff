import { describe, expect, it } from 'vitest';
import { permits } from '../../src/authority/grants.ts';
import { legacyOperations, operations } from '../../src/authority/operations.ts';
import { type Actor, createWorld, idOf, refusalOf, type World } from './world.ts';

const create = (name: string, names: readonly string[]) =>
  ({ method: 'POST', path: '/permissions', body: { name, operations: names } }) as const;
const update = (id: string, body: object) => ({ method: 'PUT', path: `/permissions/${id}`, body }) as const;
const archive = (id: string, isArchived: boolean) => ({ method: 'PUT', path: `/permissions/${id}/archive`, body: { isArchived } }) as const;
const assign = (id: string, identityId: string) =>
  ({ method: 'POST', path: `/permissions/${id}/assignments`, body: { identityId } }) as const;
const revoke = (id: string, assignmentId: string, query = '') =>
  ({ method: 'DELETE', path: `/permissions/${id}/assignments/${assignmentId}${query}` }) as const;

const lacks = ({ userId }: Actor, operation: string) =>
  `Forbidden: ServiceAccount ${userId} is not authorized to perform operation (${operation})`;
const taken = 'Conflict: a permission with this name exists already';

describe('the names of operations', () => {
  it('are those of contract §6.2', () => {
    expect([new Set(operations).size, new Set(legacyOperations).size]).toEqual([114, 24]);
  });
});

describe('a permission', () => {
  it('is made, changed, archived and brought back, and grants what it says while it is not archived', () => {
    const world = createWorld();
    const actor = world.addAccount(['Keys:Create']);
    const id = actor.permissionId ?? '';
    const may = () => [permits(world.registry, actor, 'Keys:Create'), permits(world.registry, actor, 'Keys:Delete')];
    expect(may()).toEqual([true, false]);
    world.perform(world.admin, update(id, { operations: ['Keys:Delete', 'Keys:Delete'] }));
    expect(may()).toEqual([false, true]);
    expect(world.registry.permissions.get(id)?.operations).toEqual(['Keys:Delete']);
    world.perform(world.admin, archive(id, true));
    expect(may()).toEqual([false, false]);
    world.perform(world.admin, archive(id, false));
    expect(may()).toEqual([false, true]);
    world.perform(world.admin, update(id, { name: 'other' }));
    expect(world.registry.permissions.get(id)?.name).toBe('other');
  });

  it('with a legacy name grants what the name stands for today', () => {
    const world = createWorld();
    const actor = world.addAccount(['Wallets:GenerateSignature', 'Alias:Read']);
    expect(permits(world.registry, actor, 'Keys:Signatures:Create')).toBe(true);
  });

  it.each<[string, (world: World) => unknown, string]>([
    [
      'an operation that there is not',
      ({ perform, admin }) => perform(admin, create('p', ['Keys:Steal'])),
      'BadRequest: body.operations.0',
    ],
    ['no operation', ({ perform, admin }) => perform(admin, create('p', [])), 'BadRequest: body.operations'],
    ['a name of nothing', ({ perform, admin }) => perform(admin, create('', ['Keys:Read'])), 'BadRequest: body.name'],
    [
      'a name with U+0000',
      ({ perform, admin }) => perform(admin, create('a\0', ['Keys:Read'])),
      'BadRequest: body.name: must not contain U+0000',
    ],
    ['a managed one’s name', ({ perform, admin }) => perform(admin, create('ManagedFullAdminAccess', ['Keys:Read'])), taken],
  ])('is not made with %s', (_, work, reason) => {
    const world = createWorld();
    expect(refusalOf(() => work(world))).toContain(reason);
    expect(world.registry.permissions.size).toBe(2);
  });

  it('has its name alone, also when archived', () => {
    const world = createWorld();
    const [first, second] = ['a', 'b'].map((name) => idOf(world.perform(world.admin, create(name, ['Keys:Read'])).changes, 'permission'));
    world.perform(world.admin, archive(first ?? '', true));
    expect(refusalOf(() => world.perform(world.admin, create('a', ['Keys:Read'])))).toBe(taken);
    expect(refusalOf(() => world.perform(world.admin, update(second ?? '', { name: 'a' })))).toBe(taken);
    expect(refusalOf(() => world.perform(world.admin, update(second ?? '', { name: 'b' })))).toBe('not refused');
  });

  it('that is managed keeps what it is', () => {
    const { registry, perform, admin } = createWorld();
    const { fullAdminId, defaultEndUserId } = registry.ids;
    const reasons = [
      refusalOf(() => perform(admin, update(fullAdminId, { name: 'x' }))),
      refusalOf(() => perform(admin, update(defaultEndUserId, { name: 'x' }))),
      refusalOf(() => perform(admin, archive(fullAdminId, true))),
      refusalOf(() => perform(admin, update(defaultEndUserId, { operations: ['Keys:Read'] }))),
    ];
    expect(reasons).toEqual([
      'BadRequest: ManagedFullAdminAccess is immutable',
      'BadRequest: ManagedDefaultEndUserAccess keeps its name',
      'BadRequest: ManagedFullAdminAccess is never archived',
      'not refused',
    ]);
  });

  it('that is unknown is not found', () => {
    const { perform, admin } = createWorld();
    for (const wanted of [update('pm-x', {}), archive('pm-x', true), assign('pm-x', admin.userId), revoke('pm-x', 'as-x')]) {
      expect(refusalOf(() => perform(admin, wanted))).toBe('NotFound: Permission not found');
    }
  });
});

describe('nobody gives away what they do not hold', () => {
  const powers = ['Permissions:Create', 'Permissions:Update', 'Permissions:Archive', 'Permissions:Assign', 'Permissions:Revoke'];

  function scene() {
    const world = createWorld();
    const actor = world.addAccount(powers);
    const more = idOf(world.perform(world.admin, create('more', ['Keys:Export'])).changes, 'permission');
    return { world, actor, more };
  }

  it('by making a permission', () => {
    const { world, actor } = scene();
    expect(refusalOf(() => world.perform(actor, create('mine', ['Keys:Export'])))).toBe(lacks(actor, 'Keys:Export'));
    expect(refusalOf(() => world.perform(actor, create('mine', ['PermissionAssignments:Create'])))).toBe('not refused');
  });

  it('by extending one, their own or another', () => {
    const { world, actor, more } = scene();
    const own = actor.permissionId ?? '';
    expect(refusalOf(() => world.perform(actor, update(own, { operations: [...powers, 'Keys:Export'] })))).toBe(
      lacks(actor, 'Keys:Export'),
    );
    expect(refusalOf(() => world.perform(actor, update(more, { operations: ['Keys:Export', 'Keys:Delete'] })))).toBe(
      lacks(actor, 'Keys:Delete'),
    );
    expect(refusalOf(() => world.perform(actor, update(more, { operations: ['Permissions:Create'] })))).toBe('not refused');
  });

  it('by bringing one back', () => {
    const { world, actor, more } = scene();
    world.perform(actor, archive(more, true));
    expect(refusalOf(() => world.perform(actor, archive(more, false)))).toBe(lacks(actor, 'Keys:Export'));
  });

  it('by assigning one', () => {
    const { world, actor, more } = scene();
    expect(refusalOf(() => world.perform(actor, assign(more, actor.userId)))).toBe(lacks(actor, 'Keys:Export'));
    expect(refusalOf(() => world.perform(actor, assign(world.registry.ids.fullAdminId, actor.userId)))).toContain('Forbidden: ');
  });

  it('not even full admin access, when they hold every operation there is', () => {
    const world = createWorld();
    const actor = world.addAccount(operations);
    expect(refusalOf(() => world.perform(actor, assign(world.registry.ids.fullAdminId, actor.userId)))).toBe(
      'Forbidden: only a full admin may assign full admin access',
    );
  });
});

describe('an assignment', () => {
  it('is made and revoked', () => {
    const world = createWorld();
    const actor = world.addAccount();
    const id = idOf(world.perform(world.admin, create('p', ['Keys:Read'])).changes, 'permission');
    const assignmentId = idOf(world.perform(world.admin, assign(id, actor.userId)).changes, 'assignment');
    expect(permits(world.registry, actor, 'Keys:Read')).toBe(true);
    world.perform(world.admin, revoke(id, assignmentId, '?force=true'));
    expect(permits(world.registry, actor, 'Keys:Read')).toBe(false);
    expect(refusalOf(() => world.perform(world.admin, revoke(id, assignmentId)))).toBe('NotFound: Assignment not found');
    expect(refusalOf(() => world.perform(world.admin, assign(id, actor.userId)))).toBe('not refused');
  });

  it('is refused twice, to nobody, to a deleted account, and of an archived permission', () => {
    const world = createWorld();
    const { userId, permissionId = '' } = world.addAccount(['Keys:Read']);
    const gone = world.addAccount();
    world.perform(world.admin, { method: 'DELETE', path: `/auth/service-accounts/${gone.userId}` });
    const assigned = (identityId: string) => refusalOf(() => world.perform(world.admin, assign(permissionId, identityId)));
    expect(assigned(userId)).toBe('Conflict: this permission is assigned to this identity already');
    expect(assigned('us-x')).toBe('NotFound: Identity not found');
    expect(assigned(gone.userId)).toBe('NotFound: Identity not found');
    world.perform(world.admin, archive(permissionId, true));
    expect(assigned(world.admin.userId)).toBe('BadRequest: an archived permission cannot be assigned');
  });

  it('is revoked only under its own permission', () => {
    const world = createWorld();
    const { permissionId = '' } = world.addAccount(['Keys:Read']);
    const { assignmentId } = world.registry.ids;
    expect(refusalOf(() => world.perform(world.admin, revoke(permissionId, assignmentId)))).toBe('NotFound: Assignment not found');
  });

  it('of the last full admin is not revoked', () => {
    const world = createWorld();
    const { fullAdminId, assignmentId } = world.registry.ids;
    const wanted = revoke(fullAdminId, assignmentId);
    const last = 'Conflict: the organisation would be left without an active full admin';
    expect(refusalOf(() => world.perform(world.admin, wanted))).toBe(last);
    const second = world.addAccount([], { fullAdmin: true });
    world.perform(world.admin, { method: 'PUT', path: `/auth/service-accounts/${second.userId}/deactivate` });
    expect(refusalOf(() => world.perform(world.admin, wanted))).toBe(last);
    world.perform(world.admin, { method: 'PUT', path: `/auth/service-accounts/${second.userId}/activate` });
    expect(refusalOf(() => world.perform(world.admin, wanted))).toBe('not refused');
    expect(refusalOf(() => world.perform(world.admin, create('p', ['Keys:Read'])))).toBe(lacks(world.admin, 'Permissions:Create'));
  });

  it('is forced only by a full admin', () => {
    const world = createWorld();
    const actor = world.addAccount(['Permissions:Revoke']);
    const [own] = world.registry.assignmentsOf(actor.userId);
    expect(refusalOf(() => world.perform(actor, revoke(actor.permissionId ?? '', own?.id ?? '', '?force=true')))).toBe(
      'Forbidden: only a full admin may force a revocation',
    );
    expect(refusalOf(() => world.perform(actor, revoke(actor.permissionId ?? '', own?.id ?? '', '?force=false')))).toBe('not refused');
  });
});
