/** Attacks on what real signers are asked for a derivation with a DH key. @module */

import { expect } from 'vitest';
import { toHex } from '../../../src/base/bytes.ts';
import { runSession } from '../../../src/coordinator/session.ts';
import { combine as combineDh } from '../../../src/mpc/dh/combine.ts';
import type { Params } from '../../../src/signer/contract.ts';
import { newPair, type TestCluster, type TestKey, type TestSigner } from '../../signer/cluster.ts';
import { outcomeOf } from '../../signer/shares.ts';
import type { Attack, Case } from './cases.ts';
import { everybodys, newDigest, realSigners, used } from './signers.ts';
import { flipBit, once } from './tampering.ts';

const dhKeyOnce = once(async () => (await realSigners()).addKey('DH/secp256k1'));

async function derivation(cluster: TestCluster, key: TestKey, actor = cluster.admin): Promise<Params<'derive'>> {
  const [domain, seed] = [Uint8Array.of(0xaa), newDigest()];
  const body = { domain: '0xaa', seed: toHex(seed) };
  return { keyId: key.id, domain, seed, authorisation: cluster.sign(actor, { method: 'POST', path: `/keys/${key.id}/derive`, body }) };
}

const derived = (signers: readonly TestSigner[], question: Params<'derive'>) =>
  Promise.all(signers.map((signer) => outcomeOf(signer.ask('derive', question))));

export const derivations: readonly Case[] = (
  [
    [
      'dropped',
      'on the way to all but one: no result, and no second answer',
      async ({ signers }, key, question) => {
        const [one] = signers;
        const partial = await one?.ask('derive', question);
        const { publicKey, verificationShares } = key;
        const { domain, seed } = question;
        const partials = new Map([[1, partial?.partial ?? new Uint8Array()]]);
        expect(() => combineDh({ threshold: 1, publicKey, verificationShares, domain, seed, partials })).toThrow();
        expect(await derived(signers.slice(0, 1), question)).toEqual([used]);
      },
    ],
    [
      'duplicated',
      'three times at once: one answer of each signer',
      async ({ signers }, _, question) => {
        for (const signer of signers) expect((await derived([signer, signer, signer], question)).sort()).toEqual([used, used, 'a share']);
      },
    ],
    [
      'reordered',
      'before there is such a key: nothing is spent',
      async (cluster) => {
        const keyId = await cluster.requestKey('DH/secp256k1');
        const question = await derivation(cluster, { ...(await dhKeyOnce()), id: keyId });
        expect(await derived(cluster.signers, question)).toEqual(everybodys(`UnknownKey: this signer holds no share of key ${keyId}`));
        await runSession(
          cluster.signers.map(({ link }) => link),
          { kind: 'keygen', keyId, keyType: 'DH/secp256k1' },
        );
        expect(await derived(cluster.signers, question)).toEqual(everybodys('a share'));
      },
    ],
    [
      'replayed',
      '',
      async ({ signers }, _, question) => {
        await derived(signers, question);
        expect(await derived(signers, question)).toEqual(everybodys(used));
      },
    ],
    [
      'restart',
      'in between',
      async ({ signers }, _, question) => {
        await derived(signers, question);
        for (const signer of signers) signer.restart();
        expect(await derived(signers, question)).toEqual(everybodys(used));
      },
    ],
    [
      'wrong sender',
      'signed by somebody who is not the caller',
      async (cluster, key) => {
        const question = await derivation(cluster, key, { ...cluster.admin, ...newPair() });
        for (const answer of await derived(cluster.signers, question)) expect(answer).toMatch(/^Refused /);
      },
    ],
    [
      'bit flipped',
      'of the seed',
      async ({ signers }, _, question) => {
        const altered = { ...question, seed: flipBit(question.seed, 0) };
        expect(await derived(signers, altered)).toEqual(
          everybodys('Refused Forbidden: the request is for another domain and seed than the session'),
        );
      },
    ],
    [
      'wrong length',
      'of the seed',
      async ({ signers }, _, question) => {
        for (const seed of [new Uint8Array(0), question.seed.subarray(1)]) {
          for (const answer of await derived(signers, { ...question, seed })) expect(answer).toMatch(/^Refused Forbidden/);
        }
      },
    ],
    [
      'another key’s',
      'request',
      async (cluster, _, question) => {
        const other = await cluster.addKey('DH/secp256k1');
        for (const answer of await derived(cluster.signers, { ...question, keyId: other.id })) expect(answer).toMatch(/^Refused Forbidden/);
      },
    ],
  ] as const satisfies [Attack, string, (cluster: TestCluster, key: TestKey, question: Params<'derive'>) => Promise<void>][]
).map(([attack, name, run]) => ({
  message: 'dh/question' as const,
  attack,
  name,
  async run() {
    const [cluster, key] = [await realSigners(), await dhKeyOnce()];
    await run(cluster, key, await derivation(cluster, key));
  },
}));
