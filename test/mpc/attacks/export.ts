/** Attacks on the export of a key by real signers: the questions, and the boxes on their way to who asked. @module */

import { expect } from 'vitest';
import { toHex } from '../../../src/base/bytes.ts';
import { type KeyType, keyTypes, shareProtocols } from '../../../src/base/keyTypes.ts';
import { newPair, type TestCluster, type TestKey, type TestSigner } from '../../signer/cluster.ts';
import { outcomeOf, presigned } from '../../signer/shares.ts';
import { interpolated, newTravelPair, publicKeyOfScalar, readShare, sealTo } from '../../support/travellingKeys.ts';
import type { Attack, Case } from './cases.ts';
import { everybodys, newDigest, realSigners, refusalOf, requestOf } from './signers.ts';
import { flipBit } from './tampering.ts';

type Pair = ReturnType<typeof newTravelPair>;

interface Exported {
  readonly cluster: TestCluster;
  readonly key: TestKey;
  readonly pair: Pair;
  /** By participant. */
  readonly boxes: readonly Uint8Array[];
}

const exportBody = (pair: Pair, keyType: KeyType) => ({
  encryptionKey: pair.encryptionKey,
  supportedSchemes: [{ protocol: shareProtocols[keyType][0], curve: keyTypes[keyType].curve }],
});

async function exported(): Promise<Exported> {
  const cluster = await realSigners();
  const [key, pair] = [await cluster.addKey('ECDSA/secp256k1'), newTravelPair()];
  await cluster.perform(cluster.admin, { method: 'POST', path: `/keys/${key.id}/export`, body: exportBody(pair, key.keyType) });
  const boxes = await Promise.all(cluster.signers.map(async (signer) => (await signer.ask('exportShare', { keyId: key.id })).box));
  return { cluster, key, pair, boxes };
}

/** The public key of what the holder of the encryption key puts together. */
const together = (pair: Pair, boxes: readonly Uint8Array[]): string =>
  publicKeyOfScalar(
    'secp256k1',
    interpolated(
      'secp256k1',
      boxes.map((box) => readShare(pair.open(box), 'secp256k1')),
    ),
  );

const boxCases: readonly Case[] = (
  [
    [
      'dropped',
      'all but one: what is left is not the key',
      ({ pair, key, boxes }) => expect(together(pair, boxes.slice(0, 1))).not.toBe(toHex(key.publicKey)),
    ],
    [
      'duplicated',
      'one box twice is one share: not the key',
      ({ pair, key, boxes: [one = new Uint8Array()] }) => expect(together(pair, [one, one])).not.toBe(toHex(key.publicKey)),
    ],
    [
      'reordered',
      'each says its own number: the key',
      ({ pair, key, boxes }) => expect(together(pair, boxes.toReversed())).toBe(toHex(key.publicKey)),
    ],
    [
      'replayed',
      'a box of another export: not the key',
      async ({ pair, key, boxes, cluster }) => {
        const other = await cluster.addKey('ECDSA/secp256k1');
        await cluster.perform(cluster.admin, { method: 'POST', path: `/keys/${other.id}/export`, body: exportBody(pair, other.keyType) });
        const box = await cluster.signers[1]?.ask('exportShare', { keyId: other.id });
        expect(together(pair, boxes.with(1, box?.box ?? new Uint8Array()))).not.toBe(toHex(key.publicKey));
      },
    ],
    [
      'wrong sender',
      'a box made by the relay, which knows the encryption key: not the key',
      ({ pair, key, boxes }) => {
        const text = pair.open(boxes[1] ?? new Uint8Array()).replace(/[0-9a-f]{64}"\}\}$/, `${'1'.repeat(64)}"}}`);
        const made = new Uint8Array(Buffer.from(sealTo(pair.encryptionKey, text), 'base64'));
        expect(together(pair, boxes.with(1, made))).not.toBe(toHex(key.publicKey));
      },
    ],
    [
      'bit flipped',
      'anywhere: it does not open',
      ({ pair, boxes: [one = new Uint8Array()] }) => {
        for (const at of [0, one.length >> 1, one.length - 49, one.length - 34]) expect(() => pair.open(flipBit(one, at))).toThrow();
      },
    ],
    [
      'wrong length',
      'cut or prolonged: it does not open',
      ({ pair, boxes: [one = new Uint8Array()] }) => {
        for (const box of [one.subarray(1), one.subarray(0, -1), new Uint8Array([0, ...one]), new Uint8Array()])
          expect(() => pair.open(box)).toThrow();
      },
    ],
    [
      'another key’s',
      'encryption key: it does not open',
      ({ boxes }) => boxes.forEach((box) => expect(() => newTravelPair().open(box)).toThrow()),
    ],
  ] as const satisfies [Attack, string, (exported: Exported) => void | Promise<void>][]
).map(([attack, name, run]) => ({ message: 'export/box' as const, attack, name, run: async () => run(await exported()) }));

const shared = (signers: readonly TestSigner[], keyId: string) =>
  Promise.all(signers.map((signer) => outcomeOf(signer.ask('exportShare', { keyId }))));

const exportQuestions: readonly Case[] = (
  [
    [
      'dropped',
      'the entry, on the way to one signer: that one gives nothing',
      async (cluster, key, pair) => {
        const body = exportBody(pair, key.keyType);
        await cluster.perform(cluster.admin, { method: 'POST', path: `/keys/${key.id}/export`, body }, cluster.signers.slice(0, 2));
        expect(await shared(cluster.signers.slice(2), key.id)).toEqual([notAsked(key.id)]);
        for (const signer of cluster.signers) await cluster.catchUp(signer);
      },
    ],
    [
      'duplicated',
      'the same share again, under another ephemeral key',
      async (cluster, key, pair) => {
        await cluster.perform(cluster.admin, { method: 'POST', path: `/keys/${key.id}/export`, body: exportBody(pair, key.keyType) });
        const [one] = cluster.signers;
        const [first, second] = await Promise.all([1, 2].map(() => one?.ask('exportShare', { keyId: key.id })));
        if (!first || !second) throw new Error('it answers twice');
        expect(pair.open(first.box)).toBe(pair.open(second.box));
        expect(toHex(first.box.subarray(-33))).not.toBe(toHex(second.box.subarray(-33)));
      },
    ],
    [
      'reordered',
      'before the entry: refused',
      async (cluster, key) => expect(await shared(cluster.signers, key.id)).toEqual(everybodys(notAsked(key.id))),
    ],
    [
      'replayed',
      'the entry, a second time: refused',
      async (cluster, key, pair) => {
        const wanted = { method: 'POST' as const, path: `/keys/${key.id}/export`, body: exportBody(pair, key.keyType) };
        const authorisation = cluster.sign(cluster.admin, wanted);
        await cluster.submit(authorisation);
        await expect(cluster.submit(authorisation)).rejects.toThrow('user action has already been used');
      },
    ],
    [
      'wrong sender',
      'the entry, signed by somebody who is not the caller: refused',
      async (cluster, key, pair) => {
        const wanted = { method: 'POST' as const, path: `/keys/${key.id}/export`, body: exportBody(pair, key.keyType) };
        await expect(cluster.perform({ ...cluster.admin, ...newPair() }, wanted)).rejects.toThrow();
        expect(await shared(cluster.signers, key.id)).toEqual(everybodys(notAsked(key.id)));
      },
    ],
    [
      'bit flipped',
      'of the entry’s encryption key: refused',
      async (cluster, key, pair) => {
        const wanted = { method: 'POST' as const, path: `/keys/${key.id}/export`, body: exportBody(pair, key.keyType) };
        const authorisation = cluster.sign(cluster.admin, wanted);
        const body = new TextEncoder().encode(JSON.stringify(exportBody(newTravelPair(), key.keyType)));
        await expect(cluster.submit({ ...authorisation, body })).rejects.toThrow('the body is not the one that was signed');
        expect(await shared(cluster.signers, key.id)).toEqual(everybodys(notAsked(key.id)));
      },
    ],
    [
      'wrong length',
      'of the key’s id',
      async ({ signers }, { id }) => {
        for (const signer of signers) {
          for (const keyId of ['', id.repeat(3)]) expect(await refusalOf(signer, 'exportShare', { keyId })).toMatch(/^BadQuestion/);
        }
        expect(await shared(signers, id.slice(0, -1))).toEqual(everybodys('Refused NotFound: Key not found'));
      },
    ],
    [
      'restart',
      'after the export: the key signs no more',
      async (cluster, key, pair) => {
        const digest = newDigest();
        const before = requestOf(cluster, key, digest);
        await cluster.perform(cluster.admin, { method: 'POST', path: `/keys/${key.id}/export`, body: exportBody(pair, key.keyType) });
        for (const signer of cluster.signers) signer.restart();
        const use = { keyId: key.id, payload: { bytes: digest }, payloadIndex: 0, authorisation: before };
        const made = await presigned(cluster.signers);
        const answers = await Promise.all(
          cluster.signers.map((signer) => outcomeOf(signer.ask('signEcdsa', { ...use, batch: made.batch, number: made.number }))),
        );
        expect(answers).toEqual(everybodys('Refused BadRequest: the key was exported: it is used here no more'));
        expect(await shared(cluster.signers, key.id)).toEqual(everybodys('a share'));
      },
    ],
    [
      'another key’s',
      'entry',
      async (cluster, key, pair) => {
        const other = await cluster.addKey('ECDSA/secp256k1');
        await cluster.perform(cluster.admin, { method: 'POST', path: `/keys/${other.id}/export`, body: exportBody(pair, other.keyType) });
        expect(await shared(cluster.signers, key.id)).toEqual(everybodys(notAsked(key.id)));
      },
    ],
  ] as const satisfies [Attack, string, (cluster: TestCluster, key: TestKey, pair: Pair) => Promise<void>][]
).map(([attack, name, run]) => ({
  message: 'export/question' as const,
  attack,
  name,
  async run() {
    const cluster = await realSigners();
    await run(cluster, await cluster.addKey('ECDSA/secp256k1'), newTravelPair());
  },
}));

const notAsked = (keyId: string) => `Refused Forbidden: the export of key ${keyId} was not asked for`;

export const keyExport: readonly Case[] = [...exportQuestions, ...boxCases];
