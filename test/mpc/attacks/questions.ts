/**
 * Attacks on what real signers are asked for one share of a signature: they have memory, stores and an authority log to judge by. One
 * request has one share of each signer, and what serves once serves once, whatever is asked, however often and of whom.
 * @module
 */

import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import { z } from 'zod';
import { toBase64, toHex } from '../../../src/base/bytes.ts';
import { Abort } from '../../../src/base/errors.ts';
import type { KeyType } from '../../../src/base/keyTypes.ts';
import { combine as combineEcdsa } from '../../../src/mpc/ecdsa/combine.ts';
import { aggregate } from '../../../src/mpc/frost/aggregate.ts';
import { ciphersuiteOf } from '../../../src/mpc/frost/ciphersuite.ts';
import { methods, type Params } from '../../../src/signer/contract.ts';
import { newPair, type TestCluster, type TestKey, type TestSigner } from '../../signer/cluster.ts';
import { committed, outcomeOf, presigned } from '../../signer/shares.ts';
import type { Attack, Case, Message } from './cases.ts';
import { everybodys, newDigest, realSigners, refusalOf, requestOf, used } from './signers.ts';
import { flipBit, once } from './tampering.ts';

type Use = Omit<Params<'signEcdsa'>, 'batch' | 'number'>;
type Shares = ReadonlyMap<number, Uint8Array>;

/** A protocol that signs with one share of each signer, and what it takes that was made ahead. */
interface Family<M> {
  readonly message: Message;
  readonly keyType: KeyType;
  /** What signers say of what they do not have. */
  readonly unknown: RegExp;
  make(signers: readonly TestSigner[]): Promise<M>;
  ask(signer: TestSigner, use: Use, made: M): Promise<{ readonly share: Uint8Array }>;
  readonly method: 'signEcdsa' | 'signFrost';
  /** As it goes over the wire. */
  question(use: Use, made: M): unknown;
  /** @throws {Abort} */
  combine(key: TestKey, digest: Uint8Array, made: M, shares: Shares): unknown;
  /** Under a name that does not exist, and one that cannot. */
  renamed(made: M, batch: (batch: Uint8Array) => Uint8Array): M;
  readonly quorum: number;
}

type Presigned = Awaited<ReturnType<typeof presigned>>;
const ecdsa: Family<Presigned> = {
  message: 'ecdsa/question',
  keyType: 'ECDSA/secp256k1',
  unknown: /^UnknownPresignature/,
  make: (signers) => presigned(signers),
  ask: (signer, use, { batch, number }) => signer.ask('signEcdsa', { ...use, batch, number }),
  method: 'signEcdsa',
  question: (use, { batch, number }) => z.encode(methods.signEcdsa.params, { ...use, batch, number }),
  combine: ({ publicKey }, digest, made, shares) =>
    combineEcdsa({ curve: 'secp256k1', threshold: 1, publicKey, digest, ...made, participants: [1, 2, 3], shares }),
  renamed: (made, change) => ({ ...made, batch: change(made.batch) }),
  quorum: 3,
};

type Commitments = Params<'signFrost'>['commitments'];
const mapped = (commitments: Commitments, change: (one: Commitments[string]) => Commitments[string]): Commitments =>
  Object.fromEntries(Object.entries(commitments).map(([i, one]) => [i, change(one)]));
const eddsa: Family<Commitments> = {
  message: 'frost/question',
  keyType: 'EdDSA/ed25519',
  unknown: /^UnknownNonces/,
  make: (signers) => committed(signers),
  ask: (signer, use, commitments) => signer.ask('signFrost', { ...use, commitments }),
  method: 'signFrost',
  question: (use, commitments) => z.encode(methods.signFrost.params, { ...use, commitments }),
  combine: ({ publicKey, verificationShares }, digest, made, shares) =>
    aggregate({
      suite: ciphersuiteOf('EdDSA/ed25519'),
      publicKey,
      verificationShares,
      commitments: new Map(Object.entries(made).map(([i, one]) => [Number(i), one])),
      shares,
      payload: { bytes: digest },
    }),
  renamed: (made, change) => mapped(made, (one) => ({ ...one, batch: change(one.batch) })),
  quorum: 2,
};

function signing<M>(family: Family<M>): Case[] {
  const { message, keyType, unknown, quorum } = family;
  const keyOnce = once(async () => (await realSigners()).addKey(keyType));
  const masterOnce = once(async () => (await realSigners()).addKey(keyType, { masterKey: true }));

  /** What one request takes: a key, what was made ahead, and the question. */
  async function asked(cluster: TestCluster, key?: TestKey, digest = newDigest()) {
    const signed = key ?? (await keyOnce());
    const use: Use = { keyId: signed.id, payload: { bytes: digest }, payloadIndex: 0, authorisation: requestOf(cluster, signed, digest) };
    return { key: signed, digest, use };
  }
  const said = (signers: readonly TestSigner[], use: Use, made: M) =>
    Promise.all(signers.map((signer) => outcomeOf(family.ask(signer, use, made))));
  const sharesOf = async (signers: readonly TestSigner[], use: (i: number) => Use, made: M): Promise<Shares> =>
    new Map(
      await Promise.all(signers.map(async (signer) => [signer.index, (await family.ask(signer, use(signer.index), made)).share] as const)),
    );
  const noSignature = (work: () => unknown) => expect(work).toThrow(Abort);

  async function splitView(views: { key: TestKey; digest: Uint8Array; use: Use }[]) {
    const { signers } = await realSigners();
    const [first, second] = views;
    if (!first || !second) throw new Error('there are two views');
    const made = await family.make(signers);
    const shares = await sharesOf(signers, (i) => (i === 1 ? first : second).use, made);
    for (const { key, digest } of views) noSignature(() => family.combine(key, digest, made, shares));
  }

  const one = (attack: Attack, name: string, run: (cluster: TestCluster) => Promise<void>): Case => ({
    message,
    attack,
    name: [name, keyType].filter((part) => part !== '').join(', '),
    run: async () => run(await realSigners()),
  });

  return [
    one('dropped', 'on the way to all but too few: no signature, and who was asked gives no second share', async (cluster) => {
      const { signers } = cluster;
      const { key, digest, use } = await asked(cluster);
      const some = signers.slice(0, quorum - 1);
      const made = await family.make(signers);
      const shares = await sharesOf(some, () => use, made);
      expect(() => family.combine(key, digest, made, shares)).toThrow();
      expect(await said(some, use, await family.make(signers))).toEqual(some.map(() => used));
    }),
    one('duplicated', 'three times at once: one share of each signer', async (cluster) => {
      const { use } = await asked(cluster);
      const made = await family.make(cluster.signers);
      for (const signer of cluster.signers) {
        const answers = await said([signer, signer, signer], use, made);
        expect(answers.filter((answer) => answer === 'a share')).toHaveLength(1);
        expect(answers.filter((answer) => answer === used)).toHaveLength(2);
      }
    }),
    one('duplicated', 'two requests at once for one thing that serves once: one share of each signer', async (cluster) => {
      const [first, second] = [await asked(cluster), await asked(cluster)];
      const made = await family.make(cluster.signers);
      for (const signer of cluster.signers) {
        const answers = (await Promise.all([first, second].map(({ use }) => said([signer], use, made)))).flat();
        expect(answers.filter((answer) => answer === 'a share')).toHaveLength(1);
        expect(answers.filter((answer) => unknown.test(answer))).toHaveLength(1);
      }
    }),
    one('reordered', 'before there is what it takes: no share, and nothing is spent', async (cluster) => {
      const { signers } = cluster;
      const { use } = await asked(cluster);
      const unmade = family.renamed(await family.make(signers), () => new Uint8Array(32));
      for (const answer of await said(signers, use, unmade)) expect(answer).toMatch(unknown);
      expect(await said(signers, use, await family.make(signers))).toEqual(everybodys('a share'));
    }),
    one('replayed', 'with what was made anew', async (cluster) => {
      const { signers } = cluster;
      const { use } = await asked(cluster);
      expect(await said(signers, use, await family.make(signers))).toEqual(everybodys('a share'));
      expect(await said(signers, use, await family.make(signers))).toEqual(everybodys(used));
    }),
    one('used again', 'for another request of the same caller', async (cluster) => {
      const { signers } = cluster;
      const made = await family.make(signers);
      expect(await said(signers, (await asked(cluster)).use, made)).toEqual(everybodys('a share'));
      for (const answer of await said(signers, (await asked(cluster)).use, made)) expect(answer).toMatch(unknown);
    }),
    one('wrong sender', 'signed by somebody who is not the caller', async (cluster) => {
      const { key, digest, use } = await asked(cluster);
      const thief = { ...cluster.admin, ...newPair() };
      const forged = { ...use, authorisation: requestOf(cluster, key, digest, thief) };
      for (const answer of await said(cluster.signers, forged, await family.make(cluster.signers))) expect(answer).toMatch(/^Refused /);
    }),
    one('bit flipped', 'of the payload', async (cluster) => {
      const { digest, use } = await asked(cluster);
      const altered = { ...use, payload: { bytes: flipBit(digest, 31) } };
      expect(await said(cluster.signers, altered, await family.make(cluster.signers))).toEqual(
        everybodys('Refused Forbidden: the session signs something else than the request asks for'),
      );
    }),
    one('bit flipped', 'of the body that was signed', async (cluster) => {
      const { digest, use } = await asked(cluster);
      const { body } = use.authorisation;
      const other = flipBit(digest, 31);
      const altered = Buffer.from(Buffer.from(body).toString().replace(toHex(digest), toHex(other)));
      const forged = { ...use, payload: { bytes: other }, authorisation: { ...use.authorisation, body: new Uint8Array(altered) } };
      const made = await family.make(cluster.signers);
      for (const answer of await said(cluster.signers, forged, made)) expect(answer).toMatch(/the body is not the one that was signed$/);
    }),
    one('bit flipped', 'of the name of what was made', async (cluster) => {
      const { use } = await asked(cluster);
      const made = family.renamed(await family.make(cluster.signers), (batch) => flipBit(batch, 0));
      for (const answer of await said(cluster.signers, use, made)) expect(answer).toMatch(unknown);
    }),
    one('wrong length', 'of the payload', async (cluster) => {
      const { digest, use } = await asked(cluster);
      const altered = { ...use, payload: { bytes: digest.subarray(1) } };
      for (const answer of await said(cluster.signers, altered, await family.make(cluster.signers))) expect(answer).toMatch(/^Refused /);
    }),
    one('wrong length', 'of the name of what was made', async (cluster) => {
      const { use } = await asked(cluster);
      const made = await family.make(cluster.signers);
      for (const signer of cluster.signers) {
        const text = JSON.stringify(family.question(use, made)).replaceAll(/"batch":"[^"]*"/g, `"batch":"${toBase64(new Uint8Array(31))}"`);
        expect(await refusalOf(signer, family.method, JSON.parse(text))).toMatch(/^BadQuestion: .*expected 32 bytes/s);
      }
    }),
    one('restart', 'between what was made and its use: it is gone', async (cluster) => {
      const { signers } = cluster;
      const { use } = await asked(cluster);
      const made = await family.make(signers);
      for (const signer of signers) signer.restart();
      for (const answer of await said(signers, use, made)) expect(answer).toMatch(unknown);
      expect(await said(signers, use, await family.make(signers))).toEqual(everybodys('a share'));
    }),
    one('restart', 'after the share was given: no second one', async (cluster) => {
      const { signers } = cluster;
      const { use } = await asked(cluster);
      const made = await family.make(signers);
      await said(signers, use, made);
      for (const signer of signers) signer.restart();
      expect((await said(signers, use, made)).filter((answer) => answer === 'a share')).toEqual([]);
      expect(await said(signers, use, await family.make(signers))).toEqual(everybodys(used));
    }),
    one('restored backup', 'of the whole directory: what was made before is gone', async (cluster) => {
      const [signer] = cluster.signers;
      if (signer === undefined) throw new Error('there are three');
      const { use } = await asked(cluster);
      const made = await family.make(cluster.signers);
      await restoredAround(signer, async () => void (await said([signer], use, made)));
      const again = (await asked(cluster)).use;
      for (const answer of await said([signer], again, made)) expect(answer).toMatch(unknown);
    }),
    one('split view', 'of the digest, by two requests that the caller made', async (cluster) => {
      await splitView([await asked(cluster), await asked(cluster)]);
    }),
    one('split view', 'of the key, for one digest', async (cluster) => {
      const [first, second] = [await asked(cluster), await asked(cluster, await masterOnce())];
      await splitView([first, await asked(cluster, second.key, first.digest)]);
    }),
    one('split view', 'of the path, for one digest', async (cluster) => {
      const master = await masterOnce();
      const digest = newDigest();
      const children = await Promise.all(['m/1', 'm/2'].map((path) => childOnce(cluster, master, path)));
      await splitView(await Promise.all(children.map((child) => asked(cluster, child, digest))));
      await splitView([await asked(cluster, master, digest), await asked(cluster, children[0], digest)]);
    }),
    one('another key’s', 'a request for the master, with the child’s id, and the other way round', async (cluster) => {
      const master = await masterOnce();
      const child = await childOnce(cluster, master, 'm/1');
      const [ofMaster, ofChild] = [await asked(cluster, master), await asked(cluster, child)];
      for (const use of [
        { ...ofMaster.use, keyId: child.id },
        { ...ofChild.use, keyId: master.id },
      ]) {
        for (const answer of await said(cluster.signers, use, await family.make(cluster.signers)))
          expect(answer).toMatch(/^Refused Forbidden/);
      }
    }),
    one('another key’s', 'shares of a child, combined for its master', async (cluster) => {
      const master = await masterOnce();
      const { digest, use } = await asked(cluster, await childOnce(cluster, master, 'm/1'));
      const made = await family.make(cluster.signers);
      const shares = await sharesOf(cluster.signers, () => use, made);
      noSignature(() => family.combine(master, digest, made, shares));
    }),
  ];
}

const children = new Map<string, Promise<TestKey>>();

async function childOnce(cluster: TestCluster, master: TestKey, path: string): Promise<TestKey> {
  const name = `${master.id} ${path}`;
  // One entry of the log after the other.
  const child = children.get(name) ?? Promise.all(children.values()).then(() => cluster.addChild(master, path));
  children.set(name, child);
  return child;
}

/** A copy of the signer's directory is made, `work` done, and the directory put back as it was; the signer runs on it. */
async function restoredAround(signer: TestSigner, work: () => Promise<void>): Promise<void> {
  const copy = mkdtempSync(join(tmpdir(), 'countersign-copy-'));
  try {
    cpSync(signer.dataDir, copy, { recursive: true });
    await work();
    signer.stop();
    rmSync(signer.dataDir, { recursive: true });
    cpSync(copy, signer.dataDir, { recursive: true });
    signer.start();
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
}

export const signQuestions: readonly Case[] = [...signing(ecdsa), ...signing(eddsa)];
