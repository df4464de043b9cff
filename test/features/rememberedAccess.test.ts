import { expect, test } from 'vitest';
import { rememberedAtHead, type TokenState } from '../../src/features/access/store.ts';

const state = (isActive: boolean): TokenState => ({
  id: 'to-1',
  organisationId: 'or-1',
  userId: 'us-1',
  userKind: 'CustomerEmployee',
  isServiceAccount: true,
  isActive,
  accountIsActive: true,
  dateExpires: new Date(0),
  isFullAdmin: false,
  operations: [],
  credentials: [],
});

/** A store whose token can be switched, and that says how often it was read. */
function world() {
  const now = { head: 7, isActive: true, reads: 0, whileReading: () => {} };
  const store = rememberedAtHead(
    {
      async findToken() {
        now.reads += 1;
        const read = state(now.isActive);
        now.whileReading();
        return read;
      },
    },
    () => now.head,
  );
  return { now, isActive: async () => (await store.findToken('to-1'))?.isActive };
}

test('a caller is read once while nothing changes, and anew when the log has moved', async () => {
  const { now, isActive } = world();
  expect([await isActive(), await isActive(), now.reads]).toEqual([true, true, 1]);
  Object.assign(now, { isActive: false, head: 8 });
  expect([await isActive(), await isActive(), now.reads]).toEqual([false, false, 2]);
});

test('what was read while the log moved is not remembered', async () => {
  const { now, isActive } = world();
  now.whileReading = () => Object.assign(now, { isActive: false, head: 8, whileReading: () => {} });
  expect(await isActive()).toBe(true);
  expect([await isActive(), now.reads]).toEqual([false, 2]);
});
