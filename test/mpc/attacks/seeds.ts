/** Attacks on the set-up of seeds: no seeds, and the culprit is named. @module */

import { expect } from 'vitest';
import { setUpSeeds } from '../../../src/mpc/prss.ts';
import { type Cluster, clusterOf, type Relay } from '../memoryParty.ts';
import type { Case, Message } from './cases.ts';
import {
  boxAttacks,
  corrupt,
  expectCaught,
  flipBit,
  inRound,
  type RelayAttack,
  relayAttacks,
  replaying,
  toEverybody,
  victim,
} from './tampering.ts';

interface SeedsAttack extends RelayAttack {
  readonly mustFail?: readonly number[];
}

const plaintext = (change: (contributions: Uint8Array) => Uint8Array): Relay => inRound('seeds/contribute', (e) => e.sealed(change));

const contributed: readonly SeedsAttack[] = [
  ...relayAttacks('seeds/contribute'),
  ...boxAttacks('seeds/contribute'),
  {
    attack: 'split view',
    name: 'to one holder another contribution than committed to',
    relay: plaintext((contributions) => flipBit(contributions, 0)),
  },
  { attack: 'wrong length', name: 'a contribution too short', relay: plaintext((contributions) => contributions.subarray(1)) },
  {
    attack: 'wrong length',
    name: 'one contribution too many',
    relay: plaintext((contributions) => new Uint8Array([...contributions, ...contributions])),
  },
  { attack: 'wrong length', name: 'no contribution', relay: plaintext(() => new Uint8Array(0)) },
  {
    attack: 'split view',
    name: 'different commitments for different participants',
    // The one whose set the victim is in: the victim does not open it, so that only the echo tells.
    relay: inRound('seeds/contribute', (e) => e.signed(flipBit(e.message, 0))),
  },
  {
    attack: 'wrong value',
    name: 'commitments that are noise, towards everybody',
    relay: toEverybody('seeds/contribute', (e) => e.signed(new Uint8Array(e.message.length))),
  },
];

const confirmed: readonly SeedsAttack[] = [
  ...relayAttacks('seeds/confirm'),
  { attack: 'wrong value' as const, name: 'another seed', relay: inRound('seeds/confirm', (e) => e.signed(flipBit(e.message, -1))) },
  {
    attack: 'split view' as const,
    name: 'an echo that nobody signed',
    relay: inRound('seeds/confirm', (e) => e.signed(flipBit(e.message, 2 * 96))),
  },
].map((one) => ({ ...one, mustFail: [victim] }));

const setUp = (cluster: Cluster, relay: Relay) => cluster.settle((party) => setUpSeeds(party, { threshold: 1 }), { relay });

const casesOf = (message: Message, attacks: readonly SeedsAttack[]): Case[] =>
  attacks.map(({ attack, name, relay, mustFail = [1, 3] }) => ({
    message,
    attack,
    name,
    run: async () => expectCaught(await setUp(clusterOf(3), relay), { mustFail, culprits: [corrupt] }),
  }));

export const seeds: readonly Case[] = [
  ...casesOf('seeds/contribute', contributed),
  ...casesOf('seeds/confirm', confirmed),
  ...(['seeds/contribute', 'seeds/confirm'] as const).map((round) => ({
    message: round,
    attack: 'replayed' as const,
    name: 'from an earlier session',
    async run() {
      const cluster = clusterOf(3);
      const relay = replaying(round);
      expect([...(await setUp(cluster, relay)).values()].every(({ status }) => status === 'fulfilled')).toBe(true);
      expectCaught(await setUp(cluster, relay), { mustFail: [victim], culprits: [corrupt] });
    },
  })),
];
