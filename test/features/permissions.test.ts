import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { operations as allOperations } from '../../src/authority/operations.ts';
import { newId } from '../../src/base/ids.ts';
import { encodePageToken } from '../../src/base/pagination.ts';
import { eachDatabase } from '../support/databases.ts';
import { refusal } from '../support/refusal.ts';
import { type FakeWorld, startWorld } from '../support/world.ts';

eachDatabase((_, open) => {
  let world: FakeWorld;
  beforeAll(async () => {
    world = await startWorld({ database: await open() });
  });
  afterAll(() => world.stop());

  async function newPermission(operations: readonly string[] = ['Keys:Read']) {
    const { body } = await world.root.call('POST', '/permissions', { name: newId('permission'), operations });
    return body;
  }

  async function managed(name: string) {
    const { body } = await world.root.call('GET', '/permissions?limit=200');
    return body.items.find((permission: { name: string }) => permission.name === name);
  }

  describe('the managed permissions', () => {
    test('are there from the start', async () => {
      expect(await managed('ManagedFullAdminAccess')).toMatchObject({
        operations: [...allOperations],
        isImmutable: true,
        isArchived: false,
      });
      expect(await managed('ManagedDefaultEndUserAccess')).toMatchObject({
        operations: [
          'Wallets:Read',
          'Keys:Read',
          'Keys:Signatures:Create',
          'Keys:Signatures:Read',
          'Wallets:Transactions:Create',
          'Wallets:Transactions:Read',
          'Wallets:Transfers:Create',
          'Wallets:Transfers:Read',
        ],
        isImmutable: false,
      });
    });

    test('full admin access is immutable', async () => {
      const { id } = await managed('ManagedFullAdminAccess');
      const immutable = refusal(400, 'ManagedFullAdminAccess is immutable');
      expect(await world.root.call('PUT', `/permissions/${id}`, { operations: ['Keys:Read'] })).toMatchObject(immutable);
      expect(await world.root.call('PUT', `/permissions/${id}`, { name: 'mine' })).toMatchObject(immutable);
      expect(await world.root.call('PUT', `/permissions/${id}/archive`, { isArchived: true })).toMatchObject({ status: 400 });
    });

    test('the default of end users may change its operations, not its name', async () => {
      const { id, operations } = await managed('ManagedDefaultEndUserAccess');
      const changed = await world.root.call('PUT', `/permissions/${id}`, { operations: ['Keys:Read'] });
      expect(changed).toMatchObject({ status: 200, body: { operations: ['Keys:Read'] } });
      expect(await world.root.call('PUT', `/permissions/${id}`, { name: 'mine' })).toMatchObject({ status: 400 });
      expect(await world.root.call('PUT', `/permissions/${id}/archive`, { isArchived: true })).toMatchObject({ status: 400 });
      await world.root.call('PUT', `/permissions/${id}`, { operations });
    });
  });

  describe('a permission', () => {
    test('is created, shown, renamed, extended, archived and brought back', async () => {
      const name = newId('permission');
      const { body: created } = await world.root.call('POST', '/permissions', {
        name,
        operations: ['Keys:Read', 'Keys:Read', 'Alias:Create'],
      });
      expect(created).toEqual({
        id: expect.stringMatching(/^pm-[a-z0-9]{5}-[a-z0-9]{5}-[a-z0-9]{16}$/),
        name,
        operations: ['Keys:Read', 'Alias:Create'],
        status: 'Active',
        isImmutable: false,
        isArchived: false,
        dateCreated: expect.any(String),
        dateUpdated: created.dateCreated,
      });
      const path = `/permissions/${created.id}`;
      expect(await world.root.call('GET', path)).toEqual({ status: 200, body: created });

      const renamed = await world.root.call('PUT', path, { name: `${name}2`, operations: ['Keys:Create'] });
      expect(renamed.body).toEqual({ ...created, name: `${name}2`, operations: ['Keys:Create'], dateUpdated: expect.any(String) });
      expect((await world.root.call('PUT', `${path}/archive`, { isArchived: true })).body).toMatchObject({ isArchived: true });
      expect((await world.root.call('PUT', `${path}/archive`, { isArchived: false })).body).toMatchObject({ isArchived: false });
    });

    test.each([
      ['no name', { operations: ['Keys:Read'] }],
      ['an empty name', { name: '', operations: ['Keys:Read'] }],
      ['a name of 101 characters', { name: 'x'.repeat(101), operations: ['Keys:Read'] }],
      ['a name with U+0000', { name: 'a\0b', operations: ['Keys:Read'] }],
      ['no operations', { name: 'x', operations: [] }],
      ['an unknown operation', { name: 'x', operations: ['Keys:Read', 'Keys:Steal'] }],
    ])('with %s is refused', async (_, body) => {
      expect(await world.root.call('POST', '/permissions', body)).toMatchObject({ status: 400 });
    });

    test('has a name of its own, archived ones counted', async () => {
      const taken = refusal(409, 'a permission with this name exists already');
      const { id, name } = await newPermission();
      await world.root.call('PUT', `/permissions/${id}/archive`, { isArchived: true });
      expect(await world.root.call('POST', '/permissions', { name, operations: ['Keys:Read'] })).toMatchObject(taken);
      const other = await newPermission();
      expect(await world.root.call('PUT', `/permissions/${other.id}`, { name })).toMatchObject(taken);
      expect(await world.root.call('PUT', `/permissions/${other.id}`, { name: other.name })).toMatchObject({ status: 200 });
    });

    test('of one name, created by ten requests at once, is one', async () => {
      const name = newId('permission');
      const answers = await Promise.all(
        Array.from({ length: 10 }, () => world.root.call('POST', '/permissions', { name, operations: ['Keys:Read'] })),
      );
      expect(answers.map(({ status }) => status).sort()).toEqual([200, ...Array(9).fill(409)]);
    });

    test('that is unknown is not found', async () => {
      const notFound = { ...refusal(404, 'Permission not found') };
      for (const [method, path, body] of [
        ['GET', '/permissions/pm-none', undefined],
        ['GET', '/permissions/pm%00none', undefined],
        ['PUT', '/permissions/pm-none', { name: 'x' }],
        ['PUT', '/permissions/pm-none/archive', { isArchived: true }],
        ['GET', '/permissions/pm-none/assignments', undefined],
        ['POST', '/permissions/pm-none/assignments', { identityId: world.root.userId }],
        ['DELETE', '/permissions/pm-none/assignments/as-none', undefined],
      ] as const) {
        expect(await world.root.call(method, path, body)).toMatchObject(notFound);
      }
    });

    test('is listed newest first, page by page', async () => {
      const made = [await newPermission(), await newPermission(), await newPermission()];
      const first = await world.root.call('GET', '/permissions?limit=2');
      expect(first.body.items.map(({ id }: { id: string }) => id)).toEqual([made[2].id, made[1].id]);
      const second = await world.root.call('GET', `/permissions?limit=2&paginationToken=${first.body.nextPageToken}`);
      expect(second.body.items[0].id).toBe(made[0].id);
      expect(await world.root.call('GET', '/permissions?limit=0')).toMatchObject({ status: 400 });
      const forged = encodePageToken({ date: new Date(), id: 'a\0' }, { list: 'permissions', organisationId: world.root.organisationId });
      for (const token of ['abc', forged]) {
        expect(await world.root.call('GET', `/permissions?paginationToken=${token}`)).toMatchObject({ status: 400 });
      }
    });
  });

  describe('an assignment', () => {
    test('is made, listed and revoked', async () => {
      const { id: permissionId } = await newPermission();
      const { userId: identityId } = await world.serviceAccount();
      const path = `/permissions/${permissionId}/assignments`;
      const { body: assigned } = await world.root.call('POST', path, { identityId });
      expect(assigned).toEqual({
        id: expect.stringMatching(/^as-/),
        permissionId,
        identityId,
        isImmutable: false,
        dateCreated: expect.any(String),
        dateUpdated: assigned.dateCreated,
      });
      expect(await world.root.call('GET', path)).toEqual({ status: 200, body: { items: [assigned] } });
      expect(await world.root.call('DELETE', `${path}/${assigned.id}`)).toEqual({ status: 200, body: {} });
      expect(await world.root.call('GET', path)).toEqual({ status: 200, body: { items: [] } });
      expect(await world.root.call('DELETE', `${path}/${assigned.id}`)).toMatchObject(refusal(404, 'Assignment not found'));
      expect(await world.root.call('POST', path, { identityId })).toMatchObject({ status: 200 });
    });

    test('of the same pair is refused, also ten at once', async () => {
      const { id } = await newPermission();
      const { userId: identityId } = await world.serviceAccount();
      const answers = await Promise.all(
        Array.from({ length: 10 }, () => world.root.call('POST', `/permissions/${id}/assignments`, { identityId })),
      );
      expect(answers.map(({ status }) => status).sort()).toEqual([200, ...Array(9).fill(409)]);
    });

    test('to nobody is refused', async () => {
      const { id } = await newPermission();
      const { userId } = await world.serviceAccount();
      await world.root.call('DELETE', `/auth/service-accounts/${userId}`);
      for (const identityId of ['us-none', userId]) {
        const answer = await world.root.call('POST', `/permissions/${id}/assignments`, { identityId });
        expect(answer).toMatchObject(refusal(404, 'Identity not found'));
      }
    });

    test('of an archived permission is refused', async () => {
      const { id } = await newPermission();
      await world.root.call('PUT', `/permissions/${id}/archive`, { isArchived: true });
      const answer = await world.root.call('POST', `/permissions/${id}/assignments`, { identityId: world.root.userId });
      expect(answer).toMatchObject({ status: 400 });
    });
  });

  describe('who is no full admin', () => {
    const administers = ['Permissions:Create', 'Permissions:Update', 'Permissions:Archive', 'Permissions:Assign', 'Permissions:Revoke'];
    const lacking = (userId: string, operation: string) =>
      refusal(403, `ServiceAccount ${userId} is not authorized to perform operation (${operation})`);

    test('gives away only what they hold', async () => {
      const account = await world.serviceAccount(administers);
      const more = lacking(account.userId, 'Keys:Create');
      const held = await account.call('POST', '/permissions', { name: newId('permission'), operations: ['Permissions:Create'] });
      expect(held).toMatchObject({ status: 200 });
      const path = `/permissions/${held.body.id}`;
      expect(await account.call('POST', '/permissions', { name: newId('permission'), operations: ['Keys:Create'] })).toMatchObject(more);
      expect(await account.call('PUT', path, { operations: ['Permissions:Create', 'Keys:Create'] })).toMatchObject(more);

      const stronger = await newPermission(['Keys:Create']);
      const assign = () => account.call('POST', `/permissions/${stronger.id}/assignments`, { identityId: account.userId });
      expect(await assign()).toMatchObject(more);
      await world.root.call('PUT', `/permissions/${stronger.id}/archive`, { isArchived: true });
      expect(await account.call('PUT', `/permissions/${stronger.id}/archive`, { isArchived: false })).toMatchObject(more);
    });

    test('does not give away a legacy operation that stands for more', async () => {
      const account = await world.serviceAccount(administers);
      const body = { name: newId('permission'), operations: ['Wallets:GenerateSignature'] };
      expect(await account.call('POST', '/permissions', body)).toMatchObject(lacking(account.userId, 'Keys:Signatures:Create'));
    });

    test('does not give full admin access, though they hold every operation of today', async () => {
      const account = await world.serviceAccount(allOperations);
      const { id } = await managed('ManagedFullAdminAccess');
      const answer = await account.call('POST', `/permissions/${id}/assignments`, { identityId: account.userId });
      expect(answer).toMatchObject(refusal(403, 'only a full admin may assign full admin access'));
    });

    test('does not force a revocation', async () => {
      const account = await world.serviceAccount(administers);
      const { body } = await world.root.call('GET', `/permissions/${account.permissionId}/assignments`);
      const path = `/permissions/${account.permissionId}/assignments/${body.items[0].id}`;
      expect(await account.call('DELETE', `${path}?force=true`)).toMatchObject({ status: 403 });
      expect(await account.call('DELETE', path)).toMatchObject({ status: 200 });
    });
  });

  describe('the last full admin', () => {
    const alone = refusal(409, 'the organisation would be left without an active full admin');

    test('stays', async () => {
      const { id } = await managed('ManagedFullAdminAccess');
      const { body } = await world.root.call('GET', `/permissions/${id}/assignments`);
      expect(body.items).toMatchObject([{ identityId: world.root.userId }]);
      const path = `/permissions/${id}/assignments/${body.items[0].id}`;
      expect(await world.root.call('DELETE', path)).toMatchObject(alone);
      expect(await world.root.call('DELETE', `${path}?force=true`)).toMatchObject(alone);

      const inactive = await world.serviceAccount();
      await world.root.call('POST', `/permissions/${id}/assignments`, { identityId: inactive.userId });
      await world.root.call('PUT', `/auth/service-accounts/${inactive.userId}/deactivate`);
      expect(await world.root.call('DELETE', path)).toMatchObject(alone);
      await world.root.call('DELETE', `/auth/service-accounts/${inactive.userId}`);
    });

    test('stays when two revoke each other at the same time', async () => {
      const { id } = await managed('ManagedFullAdminAccess');
      const others = [await world.serviceAccount(), await world.serviceAccount()];
      for (const { userId } of others) await world.root.call('POST', `/permissions/${id}/assignments`, { identityId: userId });
      const { body } = await world.root.call('GET', `/permissions/${id}/assignments`);
      const paths = body.items.map((assignment: { id: string }) => `/permissions/${id}/assignments/${assignment.id}`);
      expect(paths).toHaveLength(3);

      const answers = await Promise.all(paths.map((path: string) => world.root.call('DELETE', path)));
      // The first to revoke the root's assignment also ends what the root may do: the others may find themselves refused for that.
      expect(answers.filter(({ status }) => status === 200).length).toBeLessThan(3);
      const rows = await world.database.query('select id from permission_assignments where permission_id = $1 and date_revoked is null', [
        id,
      ]);
      expect(rows.length).toBeGreaterThan(0);
    });
  });
});
