import { describe, expect, it } from 'vitest';
import { actionLifetimeSeconds } from '../../src/authority/authorise.ts';
import { entryAfter } from '../../src/authority/entry.ts';
import { apply, catchUp, check, forkedAt } from '../../src/authority/log.ts';
import { initialRegistry } from '../../src/authority/root.ts';
import { fresh } from '../../src/authority/rule.ts';
import { contentOf, createWorld, keyIdsOf, refusalOf, vouch, type World } from './world.ts';

const key = { method: 'POST', path: '/keys', body: { scheme: 'EdDSA', curve: 'ed25519' } } as const;

/** A world with four entries, another signer's registry that is at its start, and who vouches for the head. */
function scene() {
  const world = createWorld();
  world.addAccount(['Keys:Create']);
  world.addKey();
  const vouchers = world.signers.map((signer) => vouch(signer, world.root.clusterId, world.registry.head));
  return { world, away: initialRegistry(world.root), vouchers };
}

describe('an entry', () => {
  it('that is checked has changed nothing, until it is committed', () => {
    const world = createWorld();
    const before = contentOf(world.registry);
    const accepted = check(world.registry, entryAfter(world.registry.head, { authorisation: world.sign(world.admin, key) }), {
      now: world.now(),
    });
    expect(contentOf(world.registry)).toEqual(before);
    world.registry.commit(accepted);
    expect(keyIdsOf(world.registry)).toHaveLength(1);
    expect(world.registry.head).toEqual(accepted.head);
  });

  it('that was checked at another head is not committed', () => {
    const world = createWorld();
    const accepted = check(world.registry, entryAfter(world.registry.head, { authorisation: world.sign(world.admin, key) }), {
      now: world.now(),
    });
    world.addKey();
    expect(() => world.registry.commit(accepted)).toThrow('is committed at this head');
    expect(keyIdsOf(world.registry)).toHaveLength(1);
  });

  it('that is refused has changed nothing', () => {
    const { world } = scene();
    const before = contentOf(world.registry);
    expect(refusalOf(() => world.perform(world.admin, { method: 'DELETE', path: '/keys/key-x' }))).toBe('NotFound: Key not found');
    expect(contentOf(world.registry)).toEqual(before);
  });

  it('makes nothing over what stands', () => {
    const taken = new Map([['key-1', {}]]);
    expect(refusalOf(() => fresh(taken, 'key-1'))).toBe('Conflict: key-1 exists already');
    expect(fresh(taken, 'key-2')).toBe('key-2');
  });

  it('costs the same however many keys there are: nothing is copied', () => {
    const world = createWorld();
    const { keys } = world.registry;
    world.addKey();
    expect(world.registry.keys).toBe(keys);
    expect(keyIdsOf(world.registry)).toHaveLength(1);
  });
});

describe('a signer that was away', () => {
  it('takes over what t + 1 signers vouch for, long after it expired', () => {
    const { world, away, vouchers } = scene();
    world.wait(86_400);
    expect(refusalOf(() => apply(away, world.entries[0] ?? entryOf(world), { now: world.now() }))).toMatch(
      /^Forbidden: the authorisation expired \d+ seconds ago$/,
    );
    catchUp(away, world.entries, vouchers.slice(0, 2));
    expect(contentOf(away)).toEqual(contentOf(world.registry));
    expect(catchUp(away, [], vouchers)).toEqual([]);
  });

  it('takes over nothing that fewer vouch for', () => {
    const { world, away, vouchers } = scene();
    const earlier = world.signers.map((signer) =>
      vouch(signer, world.root.clusterId, { sequence: 1, hash: world.registry.hashAt(1) ?? new Uint8Array() }),
    );
    const few = [
      vouchers.slice(0, 1),
      [],
      [...vouchers.slice(0, 1), ...vouchers.slice(0, 1)],
      [...vouchers.slice(0, 1), ...earlier.slice(1)],
    ];
    for (const some of few) {
      expect(refusalOf(() => catchUp(away, world.entries, some))).toBe(
        'Forbidden: entries up to 4 are taken over when 2 signers vouch for the last one',
      );
    }
    expect(away.head.sequence).toBe(0);
  });

  it('takes over nothing that does not follow', () => {
    const { world, away, vouchers } = scene();
    expect(refusalOf(() => catchUp(away, world.entries.slice(1), vouchers))).toBe('Conflict: entry 2 does not follow entry 0');
    expect(refusalOf(() => catchUp(away, world.entries.toSpliced(2, 1), vouchers))).toBe('Conflict: entry 4 does not follow entry 2');
    expect(away.head.sequence).toBe(0);
  });

  it('takes over nothing that breaks a rule, whoever vouches for it', () => {
    const { world, away } = scene();
    const forged = entryAfter(away.head, {
      authorisation: world.sign(world.admin, { method: 'DELETE', path: '/keys/key-x' }, { at: away.head }),
    });
    const head = check(away, entryAfter(away.head, { authorisation: world.sign(world.admin, key, { at: away.head }) }), 'replay').head;
    const vouchers = world.signers.map((signer) => vouch(signer, world.root.clusterId, head));
    expect(refusalOf(() => catchUp(away, [forged], vouchers))).toContain('Forbidden: entries up to 1 are taken over');
  });
});

describe('the order of a log', () => {
  it('may differ from that of the requests, as far as they were good at the same time', () => {
    const world = createWorld();
    const first = world.sign(world.admin, key);
    world.wait(actionLifetimeSeconds - 1);
    world.submit(world.sign(world.admin, key));
    expect(refusalOf(() => world.submit(first))).toBe('not refused');
  });

  it('has no entry that had expired when an earlier one was made', () => {
    const world = createWorld();
    const withheld = world.sign(world.admin, key);
    world.wait(2 * actionLifetimeSeconds);
    world.addKey();
    const entry = entryAfter(world.registry.head, { authorisation: withheld });
    expect(refusalOf(() => apply(world.registry, entry, 'replay'))).toBe(
      'Forbidden: the authorisation had expired when an earlier entry of the log was made',
    );
  });
});

describe('two logs', () => {
  it('part at the first entry that is not the same', () => {
    const [one, two] = [createWorld(), createWorld()];
    for (const world of [one, two]) world.addKey();
    one.addKey();
    two.wait(1);
    two.addKey();
    two.addKey();
    expect(forkedAt(one.registry, two.entries)).toBe(2);
    expect(forkedAt(one.registry, two.entries.slice(2))).toBe(3);
    expect(forkedAt(two.registry, one.entries)).toBe(2);
    expect(forkedAt(one.registry, one.entries)).toBeUndefined();
    expect(forkedAt(initialRegistry(one.root), one.entries)).toBeUndefined();
    expect(forkedAt(createWorld('other').registry, one.entries)).toBe(1);
  });
});

function entryOf(world: World): never {
  throw new Error(`the log of ${world.root.clusterId} is empty`);
}
