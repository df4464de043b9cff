import { describe, expect, it } from 'vitest';
import { setUpSeeds } from '../../../src/mpc/prss.ts';
import { clusterOf, type Relay } from '../memoryParty.ts';
import { corrupt, expectCaught, flipBit, inRound, relayAttacks, replaying, toEverybody, victim } from './tampering.ts';

interface Attack {
  readonly name: string;
  readonly relay: Relay;
  readonly mustFail?: readonly number[];
}

const box = (change: (toMe: Uint8Array) => Uint8Array): Relay => inRound('seeds/contribute', (e) => ({ ...e, toMe: change(e.toMe) }));
const plaintext = (change: (contributions: Uint8Array) => Uint8Array): Relay => inRound('seeds/contribute', (e) => e.sealed(change));

const attacks: Attack[] = [
  ...relayAttacks('seeds/contribute'),
  { name: 'contribute: box missing', relay: box(() => new Uint8Array(0)) },
  { name: 'contribute: box with a flipped bit', relay: box((toMe) => flipBit(toMe, 70)) },
  { name: 'contribute: the box for another', relay: inRound('seeds/contribute', (e) => ({ ...e, toMe: e.sent(corrupt, 3).toMe })) },
  { name: 'contribute: the box of another', relay: inRound('seeds/contribute', (e) => ({ ...e, toMe: e.sent(3, victim).toMe })) },
  {
    name: 'contribute: to one holder another contribution than committed to',
    relay: plaintext((contributions) => flipBit(contributions, 0)),
  },
  { name: 'contribute: a contribution too short', relay: plaintext((contributions) => contributions.subarray(1)) },
  {
    name: 'contribute: one contribution too many',
    relay: plaintext((contributions) => new Uint8Array([...contributions, ...contributions])),
  },
  { name: 'contribute: none', relay: plaintext(() => new Uint8Array(0)) },
  {
    name: 'contribute: different commitments for different participants',
    // The one whose set the victim is in: the victim does not open it, so that only the echo tells.
    relay: inRound('seeds/contribute', (e) => e.signed(flipBit(e.message, 0))),
  },
  ...relayAttacks('seeds/confirm').map((attack) => ({ ...attack, mustFail: [victim] })),
  { name: 'confirm: another seed', relay: inRound('seeds/confirm', (e) => e.signed(flipBit(e.message, -1))), mustFail: [victim] },
  {
    name: 'confirm: an echo that nobody signed',
    relay: inRound('seeds/confirm', (e) => e.signed(flipBit(e.message, 2 * 96))),
    mustFail: [victim],
  },
];

describe('Attacks on the set-up of seeds: no seeds, and the culprit is named', () => {
  for (const { name, relay, mustFail = [1, 3] } of attacks) {
    it(name, async () => {
      const results = await clusterOf(3).settle((party) => setUpSeeds(party, { threshold: 1 }), { relay });
      expectCaught(results, { mustFail, culprits: [corrupt] });
    });
  }

  for (const round of ['seeds/contribute', 'seeds/confirm']) {
    it(`${round}: replayed from an earlier session`, async () => {
      const cluster = clusterOf(3);
      const relay = replaying(round);
      const setUp = () => cluster.settle((party) => setUpSeeds(party, { threshold: 1 }), { relay });
      expect([...(await setUp()).values()].every(({ status }) => status === 'fulfilled')).toBe(true);
      expectCaught(await setUp(), { mustFail: [victim], culprits: [corrupt] });
    });
  }

  it('commitments that are noise towards everybody', async () => {
    const relay = toEverybody('seeds/contribute', (e) => e.signed(new Uint8Array(e.message.length)));
    const results = await clusterOf(3).settle((party) => setUpSeeds(party, { threshold: 1 }), { relay });
    expectCaught(results, { mustFail: [1, 3], culprits: [corrupt] });
  });
});
