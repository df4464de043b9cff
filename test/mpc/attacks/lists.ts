/** Attacks on the list of commitments that real signers are shown: each finds its own pair of nonces beside its own commitment. @module */

import { expect } from 'vitest';
import { toHex } from '../../../src/base/bytes.ts';
import type { Params } from '../../../src/signer/contract.ts';
import type { TestSigner } from '../../signer/cluster.ts';
import { committed, outcomeOf } from '../../signer/shares.ts';
import { of } from '../memoryParty.ts';
import type { Attack, Case } from './cases.ts';
import { newDigest, realSigners, requestOf } from './signers.ts';
import { once } from './tampering.ts';

type Commitments = Params<'signFrost'>['commitments'];

export const lists: readonly Case[] = [
  ...(
    [
      ['another signer’s', 'nonces under one’s own number', (own, other) => ({ ...own, batch: other.batch }), /^UnknownNonces/],
      [
        'another signer’s',
        'commitments beside one’s own nonces',
        (own, other) => ({ ...other, batch: own.batch }),
        /own commitment is not in the list/,
      ],
      [
        'altered relay',
        'one’s own D, by the relay',
        (own, other) => ({ ...own, hiding: other.hiding }),
        /own commitment is not in the list/,
      ],
      [
        'altered relay',
        'one’s own E, by the relay',
        (own, other) => ({ ...own, binding: other.binding }),
        /own commitment is not in the list/,
      ],
      ['wrong length', 'one’s own D', (own) => ({ ...own, hiding: own.hiding.subarray(1) }), /own commitment is not in the list/],
      ['wrong value', 'a number that the batch does not have', (own) => ({ ...own, number: 1 }), /^UnknownNonces/],
    ] as const satisfies [Attack, string, (own: Commitments[string], other: Commitments[string]) => Commitments[string], RegExp][]
  ).map(([attack, name, change, reason]) => ({
    message: 'frost/question' as const,
    attack,
    name: `in the list: ${name}`,
    async run() {
      const { use, made, signers } = await frostAsked();
      const [signer] = signers;
      const [own, other] = [made['1'], made['2']];
      if (!own || !other || !signer) throw new Error('there are three');
      expect(await outcomeOf(signer.ask('signFrost', { ...use, commitments: { ...made, '1': change(own, other) } }))).toMatch(reason);
      // Nonces that were to be misused are gone; where others were named, these are not touched.
      const again = await outcomeOf(signer.ask('signFrost', { ...use, commitments: made }));
      expect(again).toMatch(reason.test('UnknownNonces') ? /^a share$/ : /^UnknownNonces/);
    },
  })),
  {
    message: 'frost/question',
    attack: 'dropped',
    name: 'in the list: one’s own commitment',
    async run() {
      const { use, made, signers } = await frostAsked();
      const { '1': _, ...rest } = made;
      expect(await outcomeOf((signers[0] as TestSigner).ask('signFrost', { ...use, commitments: rest }))).toBe(
        'Refused: the commitments are without this signer’s own',
      );
    },
  },
  {
    message: 'frost/commitments',
    attack: 'dropped',
    name: 'all but one signer’s: it does not sign alone',
    async run() {
      const { use, made, signers } = await frostAsked();
      const alone = Object.fromEntries(Object.entries(made).filter(([i]) => i === '1'));
      expect(await outcomeOf((signers[0] as TestSigner).ask('signFrost', { ...use, commitments: alone }))).toBe(
        'Aborted: frost: more than the threshold sign',
      );
    },
  },
  {
    message: 'frost/commitments',
    attack: 'reordered',
    name: 'the newest first: each is the pair it names, and none comes twice',
    async run() {
      const { signers } = await realSigners();
      const batches = await Promise.all([1, 2].map(async () => signers[0]?.ask('commit', { keyType: 'EdDSA/ed25519', count: 2 })));
      const all = batches.flatMap((batch) => batch?.commitments ?? []);
      expect(new Set(all.flatMap(({ hiding, binding }) => [toHex(hiding), toHex(binding)])).size).toBe(8);
      const key = await frostKeyOnce();
      for (const batch of batches.toReversed()) {
        for (const number of [1, 0]) {
          const digest = newDigest();
          const own = batch && { batch: batch.batch, number, ...of(new Map(batch.commitments.entries()), number) };
          if (!own) throw new Error('nonces were made');
          const other = await committed(signers.slice(1));
          const use = {
            keyId: key.id,
            payload: { bytes: digest },
            payloadIndex: 0,
            authorisation: requestOf(await realSigners(), key, digest),
          };
          expect(await outcomeOf((signers[0] as TestSigner).ask('signFrost', { ...use, commitments: { ...other, '1': own } }))).toBe(
            'a share',
          );
        }
      }
    },
  },
  {
    message: 'frost/commitments',
    attack: 'used again',
    name: 'under the other ciphersuite: unknown',
    async run() {
      const cluster = await realSigners();
      const key = await cluster.addKey('Schnorr/secp256k1');
      const digest = newDigest();
      const body = { kind: 'Hash', hash: toHex(digest), taprootMerkleRoot: '' };
      const authorisation = cluster.sign(cluster.admin, { method: 'POST', path: `/keys/${key.id}/signatures`, body });
      const payload = { bytes: digest, taprootMerkleRoot: new Uint8Array() };
      const question = { keyId: key.id, payload, payloadIndex: 0, authorisation, commitments: await committed(cluster.signers) };
      for (const signer of cluster.signers) expect(await outcomeOf(signer.ask('signFrost', question))).toMatch(/^UnknownNonces/);
    },
  },
];

const frostKeyOnce = once(async () => (await realSigners()).addKey('EdDSA/ed25519'));

async function frostAsked() {
  const cluster = await realSigners();
  const key = await frostKeyOnce();
  const digest = newDigest();
  const use = { keyId: key.id, payload: { bytes: digest }, payloadIndex: 0, authorisation: requestOf(cluster, key, digest) };
  return { use, made: await committed(cluster.signers), signers: cluster.signers };
}
