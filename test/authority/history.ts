/** Histories at random: people who make, give, take and stop, as far as they may. */

import fc from 'fast-check';
import { Refusal } from '../../src/base/errors.ts';
import { type Actor, createWorld, credIdOf, keyIdsOf, keyPair, type Wanted, type World } from './world.ts';

/** One attempt: who, what, and of what, each chosen out of what there is then. */
export interface Attempt {
  readonly actor: number;
  readonly request: number;
  readonly first: number;
  readonly second: number;
  readonly wait: number;
}

export const attempts = fc.array(
  fc.record({ actor: fc.nat(99), request: fc.nat(99), first: fc.nat(99), second: fc.nat(99), wait: fc.nat(120) }),
  { minLength: 4, maxLength: 25 },
);

const operations = [
  'Permissions:Create',
  'Permissions:Assign',
  'Auth:ServiceAccounts:Create',
  'Keys:Create',
  'Keys:Delete',
  'Wallets:GenerateSignature',
];

/** @returns a world with what came of the attempts, three entries at least */
export function worldAfter(tried: readonly Attempt[], name?: string): World {
  const world = createWorld(name);
  const actors: Actor[] = [world.admin, world.addAccount(operations.slice(0, 4))];
  for (const attempt of tried) {
    world.wait(attempt.wait);
    const pair = keyPair(new Uint8Array(32).fill(1 + actors.length));
    try {
      const { changes } = world.perform(pick(actors, attempt.actor), requestOf(world, attempt, pair.publicKey));
      const made = changes.find((change) => change.kind === 'account');
      const isNew = made !== undefined && !actors.some(({ userId }) => userId === made.record.id);
      if (isNew) actors.push({ ...pair, userId: made.record.id, credId: credIdOf(changes) });
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
    }
  }
  return world;
}

function requestOf({ registry }: World, { request, first, second }: Attempt, publicKey: string): Wanted {
  const account = pick([...registry.accounts.keys()], first);
  const permission = pick([...registry.permissions.keys()], first);
  const assignment = pick([...registry.assignments.values()], second);
  const key = pick([...keyIdsOf(registry), 'key-none'], first);
  const names = [pick(operations, first), pick(operations, second)];
  const kinds: readonly Wanted[] = [
    { method: 'POST', path: '/auth/service-accounts', body: { name: 'a', publicKey, daysValid: 1 + first } },
    { method: 'POST', path: '/auth/service-accounts', body: { name: 'a', publicKey, permissionId: permission } },
    { method: 'PUT', path: `/auth/service-accounts/${account}/activate` },
    { method: 'PUT', path: `/auth/service-accounts/${account}/deactivate`, body: {} },
    { method: 'DELETE', path: `/auth/service-accounts/${account}` },
    { method: 'POST', path: '/permissions', body: { name: `p${second}`, operations: names } },
    { method: 'PUT', path: `/permissions/${permission}`, body: { operations: names } },
    { method: 'PUT', path: `/permissions/${permission}/archive`, body: { isArchived: second % 2 === 0 } },
    { method: 'POST', path: `/permissions/${permission}/assignments`, body: { identityId: pick([...registry.accounts.keys()], second) } },
    { method: 'DELETE', path: `/permissions/${assignment.permissionId}/assignments/${assignment.id}` },
    { method: 'POST', path: '/keys', body: { scheme: 'EdDSA', curve: 'ed25519' } },
    { method: 'DELETE', path: `/keys/${key}` },
  ];
  return pick(kinds, request);
}

function pick<T>(among: readonly T[], choice: number): T {
  const chosen = among[choice % among.length];
  if (chosen === undefined) throw new Error('there is something to choose from');
  return chosen;
}
