import { describe, expect, it } from 'vitest';
import { entryAfter } from '../../src/authority/entry.ts';
import { isFullAdmin } from '../../src/authority/grants.ts';
import { apply } from '../../src/authority/log.ts';
import { operatorsLifetimeSeconds } from '../../src/authority/operators.ts';
import type { Recovery } from '../../src/authority/recovery.ts';
import type { Accepted } from '../../src/authority/registry.ts';
import { verifyLog } from '../../src/authority/verifyLog.ts';
import { contentOf, createWorld, credIdOf, keyPair, newSigner, recoveryBy, refusalOf, type Signer, type World } from './world.ts';

const replacement = keyPair(new Uint8Array(32).fill(5));
const key = { method: 'POST', path: '/keys', body: { scheme: 'EdDSA', curve: 'ed25519' } } as const;

const secondsOf = (world: World) => world.now() / 1000;

/** By two of the three signers, at the world's head, now. */
function recoveryIn(
  world: World,
  changed: { signers?: readonly Signer[]; at?: number; head?: World['registry']['head']; clusterId?: string } = {},
): Recovery {
  const {
    signers = world.signers.slice(0, 2),
    at = secondsOf(world),
    head = world.registry.head,
    clusterId = world.root.clusterId,
  } = changed;
  return recoveryBy(signers, { root: { clusterId }, head, terms: { publicKey: replacement.publicKey, at } });
}

const newAdmin = (world: World, { changes }: Accepted) => ({ userId: world.admin.userId, credId: credIdOf(changes), ...replacement });

describe('a recovery', () => {
  it('gives the root a new credential and token, and ends the old', () => {
    const world = createWorld();
    const before = world.registry.accounts.get(world.admin.userId);
    const admin = newAdmin(world, world.recover(recoveryIn(world)));
    expect(world.registry.accounts.get(admin.userId)).toMatchObject({ status: 'Active', validUntil: secondsOf(world) + 730 * 86_400 });
    expect(world.registry.accounts.get(admin.userId)?.tokenId).not.toBe(before?.tokenId);
    expect(refusalOf(() => world.perform(admin, key))).toBe('not refused');
    expect(refusalOf(() => world.perform(world.admin, key))).toBe(
      `Forbidden: credential ${world.registry.ids.credentialUuid} is deactivated`,
    );
    expect([...world.registry.assignmentsOf(admin.userId)]).toHaveLength(1);
  });

  it('works again after a recovery', () => {
    const world = createWorld();
    const first = newAdmin(world, world.recover(recoveryIn(world)));
    const second = newAdmin(world, world.recover(recoveryIn(world)));
    expect(refusalOf(() => world.perform(first, key))).toContain('is deactivated');
    expect(refusalOf(() => world.perform(second, key))).toBe('not refused');
  });

  it.each<[string, (world: World) => void]>([
    ['expired', ({ wait }) => wait(731 * 86_400)],
    [
      'deactivated',
      (world) => {
        const other = world.addAccount([], { fullAdmin: true });
        world.perform(other, { method: 'PUT', path: `/auth/service-accounts/${world.admin.userId}/deactivate` });
      },
    ],
    [
      'deleted',
      (world) => {
        const other = world.addAccount([], { fullAdmin: true });
        world.perform(other, { method: 'DELETE', path: `/auth/service-accounts/${world.admin.userId}` });
      },
    ],
    [
      'robbed of full admin access',
      (world) => {
        world.addAccount([], { fullAdmin: true });
        const { fullAdminId, assignmentId } = world.registry.ids;
        world.perform(world.admin, { method: 'DELETE', path: `/permissions/${fullAdminId}/assignments/${assignmentId}` });
      },
    ],
  ])('brings back a root that is %s', (_, lose) => {
    const world = createWorld();
    lose(world);
    expect(refusalOf(() => world.perform(world.admin, key))).not.toBe('not refused');
    const admin = newAdmin(world, world.recover(recoveryIn(world)));
    expect(isFullAdmin(world.registry, admin)).toBe(true);
    expect(refusalOf(() => world.perform(admin, key))).toBe('not refused');
  });

  it('is read back from the log, only where the signers are known', () => {
    const world = createWorld();
    world.addKey();
    const admin = newAdmin(world, world.recover(recoveryIn(world)));
    world.perform(admin, key);
    const read = verifyLog(world.root, world.entries);
    expect(read.problem).toBeUndefined();
    if (read.problem === undefined) expect(contentOf(read.registry)).toEqual(contentOf(world.registry));
    expect(verifyLog({ ...world.root, signers: [] }, world.entries).problem).toEqual({
      sequence: 2,
      fault: 'altered',
      reason: 'recovery refused: the signers of the cluster are not pinned here: give the cluster file',
    });
  });

  const stranger = newSigner(new Uint8Array(32).fill(6));
  const take = (world: World, ...numbers: readonly number[]) => world.signers.filter((_, i) => numbers.includes(i));

  it.each<[string, (world: World) => Recovery, string]>([
    ['without signatures', (world) => recoveryIn(world, { signers: [] }), 'takes the signatures of 2 signers, not of 0'],
    ['with too few signers', (world) => recoveryIn(world, { signers: take(world, 0) }), 'takes the signatures of 2 signers, not of 1'],
    ['with more than it takes', (world) => recoveryIn(world, { signers: world.signers }), 'takes the signatures of 2 signers, not of 3'],
    [
      'with one signer twice',
      (world) => recoveryIn(world, { signers: [...take(world, 0), ...take(world, 0)] }),
      'the signers of a recovery differ',
    ],
    [
      'with signers in another order',
      (world) => recoveryIn(world, { signers: [...take(world, 2), ...take(world, 0)] }),
      'stand in the order of their ids',
    ],
    [
      'with a foreign signer',
      (world) => recoveryIn(world, { signers: [...take(world, 1), stranger].sort((a, b) => (a.signerId < b.signerId ? -1 : 1)) }),
      `signer ${stranger.signerId} of this cluster has not signed`,
    ],
    ['of another cluster', (world) => recoveryIn(world, { clusterId: 'cl-other' }), 'has not signed this recovery'],
    ['for another credential', (world) => ({ ...recoveryIn(world), publicKey: world.admin.publicKey }), 'has not signed this recovery'],
    ['of another time', (world) => ({ ...recoveryIn(world), at: secondsOf(world) - 1 }), 'has not signed this recovery'],
    ['of a time to come', (world) => recoveryIn(world, { at: secondsOf(world) + 31 }), 'the recovery is of a time to come'],
    [
      'kept too long',
      (world) => recoveryIn(world, { at: secondsOf(world) - operatorsLifetimeSeconds - 1 }),
      'the recovery expired 1 seconds ago',
    ],
    [
      'with another signer’s signature',
      (world) => {
        const { signatures, ...terms } = recoveryIn(world);
        return { ...terms, signatures: signatures.map(({ signerId }) => ({ signerId, signature: signatures[0]?.signature ?? '' })) };
      },
      'has not signed this recovery',
    ],
  ])('%s is refused', (_, make, reason) => {
    const world = createWorld();
    const recovery = make(world);
    expect(refusalOf(() => world.recover(recovery))).toContain('Forbidden: recovery refused: ');
    expect(refusalOf(() => world.recover(recovery))).toContain(reason);
    expect(world.registry.head.sequence).toBe(0);
  });

  it('is good at one head: not after another entry, and not twice', () => {
    const world = createWorld();
    const recovery = recoveryIn(world);
    world.addKey();
    expect(refusalOf(() => world.recover(recovery))).toContain('has not signed this recovery');
    const good = recoveryIn(world);
    world.recover(good);
    expect(refusalOf(() => world.recover(good))).toContain('has not signed this recovery');
  });

  it('that had expired when an earlier entry was made is in no log', () => {
    const world = createWorld();
    const at = secondsOf(world);
    world.wait(2 * operatorsLifetimeSeconds);
    world.addKey();
    const entry = entryAfter(world.registry.head, { recovery: recoveryIn(world, { at }) });
    expect(refusalOf(() => apply(world.registry, entry, 'replay'))).toBe(
      'Forbidden: recovery refused: the recovery had expired when an earlier entry of the log was made',
    );
  });

  it('with a key that is no credential is refused', () => {
    const world = createWorld();
    const terms = { publicKey: 'x', at: secondsOf(world) };
    const recovery = recoveryBy(world.signers.slice(0, 2), { root: world.root, head: world.registry.head, terms });
    expect(refusalOf(() => world.recover(recovery))).toContain('BadRequest: Accepted public keys');
  });
});
