import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { type ClusterTerms, isVouchedFor } from '../../src/authority/cluster.ts';
import { decodeEntry, encodeEntry, entryAfter, headOf } from '../../src/authority/entry.ts';
import { apply, areVouchedFor, catchUp } from '../../src/authority/log.ts';
import { operatorsLifetimeSeconds } from '../../src/authority/operators.ts';
import { initialRegistry } from '../../src/authority/root.ts';
import { verifyLog } from '../../src/authority/verifyLog.ts';
import { changeBy, createWorld, keyPair, newSigner, recoveryBy, refusalOf, type Signer, vouch, type World } from './world.ts';

const key = { method: 'POST', path: '/keys', body: { scheme: 'EdDSA', curve: 'ed25519' } } as const;
const fresh = () => newSigner(new Uint8Array(randomBytes(32)));

/** These signers under these numbers. */
function termsOf(world: World, members: readonly (readonly [index: number, signer: Signer])[], threshold = 1): ClusterTerms {
  const signers = members.map(([index, { signerId }]) => ({ index, signerId, encryptionKey: encryptionKeyOf(signerId) }));
  return { threshold, signers, at: Math.floor(world.now() / 1000) };
}

/** Another for each signer; nobody seals to it here. */
const encryptionKeyOf = (signerId: string) => Buffer.concat([Buffer.from([1, 2]), Buffer.from(signerId, 'base64')]).toString('base64');
const numbered = ({ signers }: World) => signers.map((signer, i) => [i + 1, signer] as const);

interface Scene {
  readonly world: World;
  readonly added: Signer;
}

/** Signer 2 is replaced by another. */
function replaced({ world, added }: Scene = { world: createWorld(), added: fresh() }) {
  const [one, , three] = numbered(world);
  if (one === undefined || three === undefined) throw new Error('there are three');
  const terms = termsOf(world, [one, [2, added], three]);
  return { world, added, terms, operators: [one[1], three[1]] };
}

describe('A change of a cluster’s signers', () => {
  it('has one text', () => {
    const { world, terms, operators } = replaced();
    const entry = entryAfter(world.registry.head, { cluster: changeBy(operators, { registry: world.registry, terms }) });
    expect(decodeEntry(encodeEntry(entry))).toEqual(entry);
    expect(refusalOf(() => decodeEntry(encodeEntry(entry).replace('"threshold":1', '"threshold": 1')))).toContain('not the canonical one');
  });

  it('is in force from its entry on, and read back from the root', () => {
    const { world, added, terms, operators } = replaced();
    world.perform(world.admin, key);
    world.change(changeBy(operators, { registry: world.registry, terms }));
    world.perform(world.admin, key);
    expect(world.registry.cluster).toMatchObject({ threshold: 1, since: { sequence: 2 }, signers: terms.signers });
    const read = verifyLog(world.root, world.entries);
    expect(read.problem).toBeUndefined();
    expect(read).toMatchObject({ registry: { cluster: world.registry.cluster } });
    expect(world.registry.cluster.signers.map(({ signerId }) => signerId)).toContain(added.signerId);
  });

  it('of 3/1 to 4/1 to 5/2, and back', () => {
    const world = createWorld();
    const [four, five] = [fresh(), fresh()];
    const steps = [
      { members: [...numbered(world), [4, four] as const], threshold: 1, operators: world.signers.slice(0, 2) },
      {
        members: [...numbered(world), [4, four] as const, [5, five] as const],
        threshold: 2,
        operators: [four, ...world.signers.slice(1, 2)],
      },
      { members: [...numbered(world), [4, four] as const], threshold: 1, operators: [four, five, ...world.signers.slice(0, 1)] },
      { members: numbered(world), threshold: 1, operators: world.signers.slice(1) },
    ];
    for (const { members, threshold, operators } of steps) {
      world.change(changeBy(operators, { registry: world.registry, terms: termsOf(world, members, threshold) }));
      expect(world.registry.cluster).toMatchObject({ threshold, signers: members.map(([index]) => ({ index })) });
    }
  });

  it.each<readonly [string, (scene: ReturnType<typeof replaced>) => unknown, string]>([
    [
      'without signatures',
      (s) => s.world.change(changeBy([], { ...s, registry: s.world.registry })),
      'takes the signatures of 2 signers, not of 0',
    ],
    [
      'by one operator',
      (s) => s.world.change(changeBy(s.operators.slice(1), { ...s, registry: s.world.registry })),
      'takes the signatures of 2 signers, not of 1',
    ],
    [
      'by one operator twice',
      (s) => {
        const [first] = s.operators;
        s.world.change(changeBy(first ? [first, first] : [], { ...s, registry: s.world.registry }));
      },
      'the signers of a cluster change differ',
    ],
    [
      'by the one who comes in',
      (s) => s.world.change(changeBy([s.added, ...s.operators.slice(1)], { ...s, registry: s.world.registry })),
      'has not signed this cluster change',
    ],
    [
      'of other terms than were signed',
      (s) => s.world.change({ ...changeBy(s.operators, { ...s, registry: s.world.registry }), threshold: 2 }),
      'has not signed this cluster change',
    ],
    [
      'that expired',
      (s) => {
        const change = changeBy(s.operators, { ...s, registry: s.world.registry });
        s.world.wait(operatorsLifetimeSeconds + 1);
        s.world.change(change);
      },
      'the cluster change expired',
    ],
    [
      'of a time to come',
      (s) => s.world.change(changeBy(s.operators, { registry: s.world.registry, terms: { ...s.terms, at: s.terms.at + 60 } })),
      'is of a time to come',
    ],
    [
      'that was signed before another',
      (s) => {
        const stale = changeBy(s.operators, { ...s, registry: s.world.registry });
        s.world.change(stale);
        s.world.change(stale);
      },
      'has not signed this cluster change',
    ],
    [
      'to too few for the threshold',
      (s) => s.world.change(changeBy(s.operators, { registry: s.world.registry, terms: { ...s.terms, threshold: 2 } })),
      'threshold 2 takes 5 signers or more',
    ],
    [
      'that leaves nobody to hand the keys on',
      (s) => {
        const [one] = numbered(s.world);
        const terms = termsOf(s.world, [...(one ? [one] : []), [2, fresh()], [3, fresh()]]);
        s.world.change(changeBy(s.operators, { registry: s.world.registry, terms }));
      },
      '2 signers or more must stay',
    ],
    [
      'that gives a signer another number',
      (s) => {
        const [one, two, three] = s.world.signers;
        if (!one || !two || !three) throw new Error('there are three');
        const terms = termsOf(s.world, [
          [1, two],
          [2, one],
          [3, three],
        ]);
        s.world.change(changeBy(s.operators, { registry: s.world.registry, terms }));
      },
      'keeps its number',
    ],
    [
      'that names a signer twice',
      (s) => {
        const [one, two] = s.world.signers;
        if (!one || !two) throw new Error('there are three');
        const terms = termsOf(s.world, [
          [1, one],
          [2, two],
          [3, two],
        ]);
        s.world.change(changeBy(s.operators, { registry: s.world.registry, terms }));
      },
      'signers differ in number and keys',
    ],
  ])('%s is refused', (_, attempt, reason) => {
    const scene = replaced();
    expect(refusalOf(() => attempt(scene))).toContain(reason);
  });

  it('by operators of another cluster is refused', () => {
    const scene = replaced();
    const other = createWorld('other');
    const change = changeBy(scene.operators, { registry: other.registry, terms: scene.terms });
    expect(refusalOf(() => scene.world.change(change))).toContain('has not signed this cluster change');
  });

  it('takes the voice of a signer that left: in recoveries, and over the log', () => {
    const { world, terms, operators } = replaced();
    const [, left] = world.signers;
    if (left === undefined) throw new Error('there are three');
    world.change(changeBy(operators, { registry: world.registry, terms }));
    const { publicKey } = keyPair(new Uint8Array(32).fill(9));
    const recovery = recoveryBy(
      [left, ...operators.slice(0, 1)].sort((a, b) => (a.signerId < b.signerId ? -1 : 1)),
      {
        root: world.root,
        head: world.registry.head,
        terms: { publicKey, at: terms.at },
      },
    );
    expect(refusalOf(() => world.recover(recovery))).toContain('has not signed this recovery');
    world.perform(world.admin, key);
    const by = (...signers: Signer[]) => signers.map((signer) => vouch(signer, world.root.clusterId, world.registry.head));
    expect(isVouchedFor(world.registry, world.registry.head, by(left, ...operators.slice(0, 1)))).toBe(false);
    expect(isVouchedFor(world.registry, world.registry.head, by(...operators))).toBe(true);
  });
});

describe('A log with a change of signers in it', () => {
  function story() {
    const { world, added, terms, operators } = replaced();
    const [, left] = world.signers as [Signer, Signer, Signer];
    world.perform(world.admin, key);
    world.change(changeBy(operators, { registry: world.registry, terms }));
    world.perform(world.admin, key);
    const headAt = (sequence: number) => ({ sequence, hash: world.registry.hashAt(sequence) ?? new Uint8Array() });
    const vouchers = (sequence: number, ...signers: Signer[]) =>
      signers.map((signer) => vouch(signer, world.root.clusterId, headAt(sequence)));
    return { world, added, left, staying: operators as [Signer, Signer], vouchers };
  }

  it('is taken over by the word of those who are in force at its end', () => {
    const { world, added, left, staying, vouchers } = story();
    const away = initialRegistry(world.root);
    expect(refusalOf(() => catchUp(away, world.entries, vouchers(3, left, staying[0])))).toContain('when 2 signers vouch');
    expect(refusalOf(() => catchUp(away, world.entries, vouchers(3, added)))).toContain('when 2 signers vouch');
    catchUp(away, world.entries, vouchers(3, added, staying[1]));
    expect(away.head).toEqual(world.registry.head);
  });

  it('up to the change by the word of those before it, or those after it', () => {
    const { world, added, left, staying, vouchers } = story();
    const upTo = world.entries.slice(0, 2);
    for (const [who, good] of [
      [[left, staying[0]], true],
      [[added, staying[0]], true],
      [[left, added], false],
      [[staying[1]], false],
    ] as const) {
      expect(areVouchedFor(initialRegistry(world.root), upTo, vouchers(2, ...who))).toBe(good);
      expect(isVouchedFor(world.registry, { sequence: 2, hash: world.registry.hashAt(2) ?? new Uint8Array() }, vouchers(2, ...who))).toBe(
        good,
      );
    }
  });

  it('whose change nobody’s operators have signed hands over to nobody', () => {
    const { world, staying } = story();
    const away = initialRegistry(world.root);
    const [thief, accomplice] = [fresh(), fresh()];
    const [first] = world.entries;
    if (first === undefined) throw new Error('the log is empty');
    apply(away, first, 'replay');
    const members = [[1, staying[0]] as const, [2, thief] as const, [3, accomplice] as const];
    const forged = changeBy([thief, accomplice], { registry: away, terms: termsOf(world, members) });
    const entry = entryAfter(away.head, { cluster: forged });
    expect(refusalOf(() => apply(away, entry, 'replay'))).toContain('has not signed');
    expect(verifyLog(world.root, [first, entry]).problem).toMatchObject({ sequence: 2 });
    const byThieves = [thief, accomplice].map((signer) => vouch(signer, world.root.clusterId, headOf(entry)));
    expect(areVouchedFor(initialRegistry(world.root), [first, entry], byThieves)).toBe(false);
  });
});
