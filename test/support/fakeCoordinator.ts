/**
 * A coordinator of fake signers: each has its own copy of the authority log and refuses what a real one would; the keys are whole, in this
 * process's memory, and sign by noble and scure. For tests of the service above it: the signatures are real, so that whoever verifies them
 * needs to know nothing of this.
 * @module
 */

import type { KeyObject } from 'node:crypto';
import { ed25519 } from '@noble/curves/ed25519.js';
import { secp256k1 } from '@noble/curves/secp256k1.js';
import { sha256 } from '@noble/hashes/sha2.js';
import * as starknet from '@scure/starknet';
import { type Entry, headOf } from '../../src/authority/entry.ts';
import { authoriseExport } from '../../src/authority/keyExport.ts';
import type { Derivation } from '../../src/authority/registry.ts';
import type { Root } from '../../src/authority/root.ts';
import { concat, toBase64, toBigInt } from '../../src/base/bytes.ts';
import { type Clock, systemClock } from '../../src/base/clock.ts';
import { parsePath } from '../../src/base/derivationPath.ts';
import { Refusal } from '../../src/base/errors.ts';
import { type KeyType, keyTypes } from '../../src/base/keyTypes.ts';
import type { Coordinator, EntrySource, KeyReference, NewKey } from '../../src/coordinator/coordinator.ts';
import { groupOf } from '../../src/crypto/groups/index.ts';
import { hashToSecp256k1 } from '../../src/crypto/hashToCurve.ts';
import { deriveChild } from '../../src/crypto/hd.ts';
import { encryptShareTo } from '../../src/signer/exportedShare.ts';
import { createFakeSigner, type FakeSigner } from './fakeSigner.ts';
import { publicKeyOf, signWith } from './wholeKey.ts';

type Asked = 'append' | 'createKey' | 'findKey' | 'sign' | 'derive' | 'exportShares' | 'importKey' | 'redeal';

export interface FakeCoordinator extends Coordinator {
  readonly signers: readonly FakeSigner[];
  /** How often each was asked. */
  readonly asked: Record<Asked, number>;
  /** Run before each of them: waits, or throws what the signers would. */
  before: (what: Asked) => Promise<void>;
  /** Run after each of them, when the signers have done it. */
  after: (what: Asked) => Promise<void>;
}

export function createFakeCoordinator({
  root,
  identities,
  clock = systemClock,
}: {
  root: Root;
  identities: readonly KeyObject[];
  clock?: Clock;
}): FakeCoordinator {
  const secrets = new Map<string, Uint8Array>();
  const keys = new Map<string, NewKey & { keyType: KeyType }>();
  const asked = { append: 0, createKey: 0, findKey: 0, sign: 0, derive: 0, exportShares: 0, importKey: 0, redeal: 0 };
  const signers = identities.map((identity) => createFakeSigner({ root, identity, clock }));
  const up = () => signers.filter(({ isUp }) => isUp);
  let history: EntrySource = { entries: async () => [], vouchers: async () => [], areVouchedFor: () => false };

  function secretOf({ id }: KeyReference): Uint8Array {
    const secret = secrets.get(id);
    if (secret === undefined) throw new Error(`no share of ${id}`);
    return secret;
  }

  function hold(keyId: string, keyType: KeyType, secret: Uint8Array): NewKey {
    secrets.set(keyId, secret);
    const publicKey = publicKeyOf(keyType, secret);
    const verificationShares = new Map([1, 2, 3].map((index) => [index, publicKey] as const));
    const made = { epoch: 0, publicKey, verificationShares, chainCode: sha256(publicKey) };
    keys.set(keyId, { ...made, keyType });
    return made;
  }

  /** Its public half only: the secret of an EdDSA child is no seed, with which noble could sign. */
  function childOf(derivation: Derivation | undefined): (NewKey & { keyType: KeyType }) | undefined {
    const master = derivation && keys.get(derivation.keyId);
    if (master === undefined) return undefined;
    const child = deriveChild(keyTypes[master.keyType].curve, master, parsePath(derivation?.path ?? '') ?? []);
    return { ...master, ...child, verificationShares: new Map([1, 2, 3].map((index) => [index, child.publicKey] as const)) };
  }

  /** Of those that are up, each by itself; what t + 1 of them refuse is refused. */
  async function ask<T>(needed: number, work: (signer: FakeSigner) => T | Promise<T>): Promise<T[]> {
    const answers = await Promise.allSettled(up().map(async (signer) => work(signer)));
    const done = answers.flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value] : []));
    if (done.length >= needed) return done;
    const refused = answers.flatMap((answer) => (answer.status === 'rejected' ? [answer.reason] : []));
    for (const error of refused) if (!(error instanceof Refusal)) throw error;
    if (refused.length > root.threshold) throw refused[0];
    throw new Refusal('Unavailable', `this needs ${needed} of ${signers.length} signers`);
  }

  async function act<T>(what: Asked, work: () => Promise<T>): Promise<T> {
    asked[what] += 1;
    await fake.before(what);
    const result = await work();
    await fake.after(what);
    return result;
  }

  /** The vouchers for the head that ends with this entry. */
  const vouchersFor = (entry: Entry) => up().flatMap((signer) => signer.vouchFor(headOf(entry)) ?? []);

  const fake: FakeCoordinator = {
    signers,
    asked,
    before: async () => {},
    after: async () => {},
    cluster: {
      clusterId: root.clusterId,
      threshold: root.threshold,
      // In no order that anybody relies on.
      signers: [2, 0, 1].map((i) => ({
        index: i + 1,
        signerId: signers[i]?.signerId ?? '',
        encryptionKey: toBase64(concat(Uint8Array.of(1), secp256k1.getPublicKey(sha256(Uint8Array.of(i + 1))))),
      })),
    },
    setHistory(source) {
      history = source;
    },
    append: (entry, source) => act('append', () => ask(root.threshold + 1, (signer) => signer.append(entry, source))),
    heads: async () => up().map((signer) => signer.head()),
    async entriesFrom(from) {
      const longest = up().toSorted((a, b) => b.entries.length - a.entries.length);
      for (const signer of longest) {
        const last = signer.entries.findLastIndex((entry) => vouchersFor(entry).length > root.threshold);
        const entry = signer.entries[last];
        if (entry !== undefined && last >= from - 1)
          return { entries: signer.entries.slice(from - 1, last + 1), vouchers: vouchersFor(entry) };
      }
      return undefined;
    },
    createKey: (key) =>
      act('createKey', async () => {
        await ask(2 * root.threshold + 1, async (signer) => {
          await signer.requireCaughtUp(history);
          signer.createShare(key);
        });
        return hold(key.keyId, key.keyType, newSecret(key.keyType));
      }),
    findKey: (keyId) =>
      act('findKey', async () => {
        const holders = up().filter((signer) => signer.hasShare(keyId)).length;
        if (holders > root.threshold) return keys.get(keyId) ?? childOf(up()[0]?.registry.keys.get(keyId)?.derivedFrom);
        if (holders + signers.length - up().length <= root.threshold) return undefined;
        throw new Refusal('Unavailable', 'too few signers answer to tell');
      }),
    sign: (input) =>
      act('sign', async () => {
        await ask(root.threshold + 1, async (signer) => {
          await signer.requireCaughtUp(history);
          await signer.requireSignature(input);
        });
        return signWith(input.key.keyType, secretOf(input.key), input.payload);
      }),
    derive: (input) =>
      act('derive', async () => {
        await ask(root.threshold + 1, async (signer) => {
          await signer.requireCaughtUp(history);
          signer.requireDerivation(input);
        });
        const point = secp256k1.Point.fromBytes(hashToSecp256k1({ message: input.seed, domain: input.domain }));
        return sha256(point.multiply(toBigInt(secretOf(input.key))).toBytes(true));
      }),
    /** What was handed in nobody opens: the key is made of its hash, the same for the same shares. */
    importKey: ({ keyId, shares }) =>
      act('importKey', async () => {
        const [keyType] = await ask(signers.length, async (signer) => {
          await signer.requireCaughtUp(history);
          return signer.importShare(keyId, shares);
        });
        if (keyType === undefined) throw new Error('all signers were asked');
        return hold(keyId, keyType, sha256(new TextEncoder().encode(shares.map(({ encryptedKeyShare }) => encryptedKeyShare).join())));
      }),
    /** Of a polynomial of degree 0: each share is the key. */
    exportShares: (key) =>
      act('exportShares', async () => {
        const boxes = await ask(root.threshold + 1, async (signer) => {
          await signer.requireCaughtUp(history);
          const index = signers.indexOf(signer) + 1;
          const secret = scalarOf(key.keyType, secretOf(key));
          return [index, encryptShareTo(authoriseExport(signer.registry, key.id), { keyType: key.keyType, index, secret })] as const;
        });
        return new Map(boxes);
      }),
    redeal: ({ id }) =>
      act('redeal', async () => {
        const key = keys.get(id);
        if (key === undefined) throw new Refusal('Unavailable', 'too few signers hold shares of one sharing');
        const moved = { ...key, epoch: key.epoch + 1 };
        keys.set(id, moved);
        return moved;
      }),
    settle: async (keyIds) => keyIds,
    unsettled: async () => [],
    follow: () => {},
    prepare: async () => {},
    renewSeeds: async () => {},
    pools: () => [],
    health: async () => signers.map(({ isUp }, i) => ({ index: i + 1, up: isUp })),
    close: async () => {},
  };
  return fake;
}

/** As the group encodes it; the secret of an EdDSA key is a seed. */
function scalarOf(keyType: KeyType, secret: Uint8Array): Uint8Array {
  if (keyType !== 'EdDSA/ed25519') return secret;
  return groupOf('ed25519').encodeScalar(ed25519.utils.getExtendedPublicKey(secret).scalar);
}

function newSecret(keyType: KeyType): Uint8Array {
  if (keyType === 'EdDSA/ed25519') return ed25519.utils.randomSecretKey();
  if (keyType === 'ECDSA/stark') return starknet.utils.randomPrivateKey();
  return secp256k1.utils.randomSecretKey();
}
