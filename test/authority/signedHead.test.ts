import { describe, expect, it } from 'vitest';
import { compareHeads, contradict, isConfirmed, verifySignedHead } from '../../src/authority/signedHead.ts';
import { createWorld, dawn, newSigner, vouch } from './world.ts';

function scene() {
  const world = createWorld();
  world.addKey();
  world.addKey();
  const [first, second] = world.signers;
  if (first === undefined || second === undefined) throw new Error('a world has signers');
  const { clusterId } = world.root;
  return {
    world,
    first,
    second,
    clusterId,
    head: world.registry.head,
    earlier: { sequence: 1, hash: world.registry.hashAt(1) ?? new Uint8Array() },
  };
}

describe('a signed head', () => {
  it('is verified under the key of a signer of the cluster', () => {
    const { world, first, clusterId, head } = scene();
    expect(verifySignedHead(world.root, vouch(first, clusterId, head))).toBe(true);
  });

  it('is nothing when any of it is changed', () => {
    const { world, first, second, clusterId, head, earlier } = scene();
    const good = vouch(first, clusterId, head);
    const stranger = vouch(newSigner(new Uint8Array(32).fill(7)), clusterId, head);
    const changed = [
      { ...good, sequence: 3 },
      { ...good, hash: earlier.hash },
      { ...good, at: dawn + 1 },
      { ...good, at: 0.5 },
      { ...good, sequence: -1 },
      { ...good, signerId: second.signerId },
      { ...good, signerId: 'x' },
      { ...good, signature: '' },
      { ...good, signature: '!' },
      vouch(first, 'cl-other', head),
      stranger,
    ];
    expect(changed.map((one) => verifySignedHead(world.root, one))).toEqual(changed.map(() => false));
  });

  it('is nothing under an id that is no key, be it pinned', () => {
    const { first, clusterId, head } = scene();
    const short = { ...vouch(first, clusterId, head), signerId: 'AAAA' };
    expect(verifySignedHead({ clusterId, signers: [short] }, short)).toBe(false);
  });

  it('is confirmed by t + 1 signers, each counted once, all for the same head', () => {
    const { world, first, second, clusterId, head, earlier } = scene();
    const by = (...vouchers: Parameters<typeof isConfirmed>[2]) => isConfirmed(world.root, head, vouchers);
    expect(by(vouch(first, clusterId, head), vouch(second, clusterId, head, dawn + 9))).toBe(true);
    expect(by(vouch(first, clusterId, head), vouch(first, clusterId, head, dawn + 9))).toBe(false);
    expect(by(vouch(first, clusterId, head), vouch(second, clusterId, earlier))).toBe(false);
    expect(by()).toBe(false);
  });

  it('contradicts another of its signer: two versions of an entry, or fewer entries later', () => {
    const { first, second, clusterId, head, earlier } = scene();
    const fork = { ...head, hash: earlier.hash };
    const [before, after] = [vouch(first, clusterId, earlier, dawn), vouch(first, clusterId, head, dawn + 1)];
    expect(contradict(before, after)).toBe(false);
    expect(contradict(after, before)).toBe(false);
    expect(contradict(after, after)).toBe(false);
    expect(contradict(after, vouch(first, clusterId, fork, dawn + 1))).toBe(true);
    expect(contradict(after, vouch(first, clusterId, earlier, dawn + 2))).toBe(true);
    expect(contradict(vouch(first, clusterId, earlier, dawn + 2), after)).toBe(true);
    expect(contradict(after, vouch(second, clusterId, fork, dawn + 1))).toBe(false);
  });
});

describe('another’s head', () => {
  it('is equal, behind, ahead, or of a fork', () => {
    const { world, head, earlier } = scene();
    const compared = [head, earlier, { sequence: 0, hash: world.registry.hashAt(0) ?? head.hash }, { ...head, sequence: 3 }].map((one) =>
      compareHeads(world.registry, one),
    );
    expect(compared).toEqual(['equal', 'behind', 'behind', 'ahead']);
    expect(compareHeads(world.registry, { ...head, hash: earlier.hash })).toBe('fork');
    expect(compareHeads(world.registry, { ...earlier, hash: head.hash })).toBe('fork');
  });
});
