/**
 * A cluster's directory with as many keys as are wanted, as if each had been asked for and made: entries of the log that the root has signed,
 * shares in the signers' stores, records in the database. What takes long is left out: the questions and answers of each, the protocol (the
 * keys are dealt by this process, so they are for measuring only), and that every party verifies every entry (one does, for all).
 */

import { createPrivateKey, type KeyObject, randomBytes, sign } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import { actionLifetimeSeconds } from '../src/authority/authorise.ts';
import { type Entry, encodeEntry, entryAfter } from '../src/authority/entry.ts';
import { nonceAt } from '../src/authority/head.ts';
import { apply } from '../src/authority/log.ts';
import { type RecordStore, recordsInMemory } from '../src/authority/records.ts';
import type { Key, MutableRegistry } from '../src/authority/registry.ts';
import { initialRegistry, type Root } from '../src/authority/root.ts';
import { headMessage, type SignedHead } from '../src/authority/signedHead.ts';
import { toBase64Url, utf8 } from '../src/base/bytes.ts';
import { systemClock } from '../src/base/clock.ts';
import { type KeyType, keyTypes } from '../src/base/keyTypes.ts';
import { type Authorisation, challengeOf, payloadHashOf } from '../src/crypto/authorisation.ts';
import { groupOf } from '../src/crypto/groups/index.ts';
import { putRecords } from '../src/features/authority/recordStore.ts';
import type { Put } from '../src/features/authority/records.ts';
import { insertEntry } from '../src/features/authority/store.ts';
import { insertKey, rowOf } from '../src/features/keys/store.ts';
import { bootstrap } from '../src/features/organisations/bootstrap.ts';
import type { KeyShare } from '../src/mpc/keyShare.ts';
import { evaluate, randomPolynomial } from '../src/mpc/shamir.ts';
import { adminFile, ensureAdminKey } from '../src/server/adminEnv.ts';
import { clusterText, makeSigner, newCluster, pin } from '../src/server/cluster.ts';
import { projection } from '../src/server/compose.ts';
import { writeCheckpoint } from '../src/signer/checkpoint.ts';
import { rootOf } from '../src/signer/contract.ts';
import { readIdentity, signatureBy } from '../src/signer/identity.ts';
import { openKeptRecords } from '../src/signer/keptRecords.ts';
import { readKeyFile } from '../src/signer/keyEncryption/keyFile.ts';
import { openReplayMemory } from '../src/signer/replayMemory.ts';
import { sealedShares } from '../src/signer/shares.ts';
import { openSignerStore } from '../src/signer/store.ts';
import { vouchersText } from '../src/signer/vouchers.ts';
import type { Database } from '../src/store/database.ts';
import { openDatabase } from '../src/store/open.ts';

export const types = ['ECDSA/secp256k1', 'EdDSA/ed25519'] as const satisfies readonly KeyType[];

const [threshold, participants] = [1, [1, 2, 3]];
/** Between one key and the next. */
const secondsApart = 3;
const keysAtOnce = 500;

/** @returns their ids, by turns of each type */
export async function makeKeys(dataDir: string, count: number): Promise<readonly string[]> {
  const { root, admin, parties } = await makeCluster(dataDir, Math.floor(Date.now() / 1000) - 3600 - count * secondsApart);
  const database = await openDatabase({ dataDir });
  const memory = recordsInMemory();
  const puts: Put[] = [];
  const records: RecordStore = {
    ...memory,
    put(kind, id, record) {
      memory.put(kind, id, record);
      puts.push({ kind, id, record });
      for (const party of parties) party.records.put(kind, id, record);
    },
  };
  const taken = (sequence: number) => puts.splice(0).map((put) => ({ ...put, sequence }));
  try {
    await bootstrap({ database, root, projection });
    const registry = initialRegistry(root, records);
    await database.transaction((tx) => putRecords(tx, taken(0), { sequence: 0, time: registry.time }));
    const ids: string[] = [];
    while (ids.length < count) {
      const made = Array.from({ length: Math.min(keysAtOnce, count - ids.length) }, (_, i) => {
        const number = ids.length + i;
        const entry = request(registry, {
          admin,
          at: root.createdAt + 600 + number * secondsApart,
          type: types[number % types.length] ?? types[0],
        });
        const { changes, head } = apply(registry, entry, 'replay');
        const [change] = changes;
        if (change?.kind !== 'key') throw new Error('a key was asked for');
        return { entry, key: change.record, shares: deal(change.record.keyType), puts: taken(head.sequence) };
      });
      const vouchers = parties.map((party) => party.vouch(registry));
      for (const party of parties) party.write(made, registry, vouchers);
      await record(database, made, registry, vouchers);
      ids.push(...made.map(({ key }) => key.id));
    }
    return ids;
  } finally {
    await database.close();
    for (const party of parties) party.close();
  }
}

interface Made {
  readonly entry: Entry;
  readonly key: Key;
  readonly shares: readonly KeyShare[];
  readonly puts: readonly (Put & { readonly sequence: number })[];
}

async function makeCluster(dataDir: string, createdAt: number) {
  const file = join(dataDir, adminFile);
  const rootPublicKey = ensureAdminKey(file);
  const directories = participants.map((index) => join(dataDir, `signer-${index}`));
  const made = newCluster({ threshold, rootPublicKey, signers: await Promise.all(directories.map(makeSigner)) });
  const cluster = { ...made, root: { ...made.root, createdAt } };
  writeFileSync(join(dataDir, 'cluster.json'), clusterText(cluster));
  for (const directory of directories) pin(directory, cluster);
  const root = rootOf(cluster);
  const admin = createPrivateKey(parseEnv(readFileSync(file, 'utf8')).DFNS_PRIVATE_KEY ?? '');
  return { root, admin, parties: directories.map((directory, i) => partyIn(directory, root, i)) };
}

/** A signer, as its store has it. */
function partyIn(directory: string, root: Root, i: number) {
  // Without one, a signer that has a history would take its memory for lost.
  openReplayMemory({ dataDir: directory, clock: systemClock, hasHistory: false }).close();
  const store = openSignerStore(directory);
  const stored = readKeyFile(directory);
  if (!('key' in stored)) throw new Error('the key-encryption key is kept as it is');
  const by = signatureBy(readIdentity(store, stored.key));
  const signerId = root.signers[i]?.signerId ?? '';
  const shares = sealedShares({ store, keyEncryptionKey: stored.key, signerId });
  const records = openKeptRecords(store.registry);
  return {
    records,
    vouch({ head }: MutableRegistry): SignedHead {
      const at = Math.floor(Date.now() / 1000);
      return { ...head, at, signerId, signature: toBase64Url(by(headMessage(root.clusterId, head, at))) };
    },
    write(made: readonly Made[], { head, time }: MutableRegistry, vouchers: readonly SignedHead[]): void {
      store.log.atomically(() => {
        store.log.add(
          made.map(({ entry }) => ({
            sequence: entry.sequence,
            text: encodeEntry(entry),
            vouchers: entry.sequence === head.sequence ? vouchersText(vouchers) : null,
          })),
        );
        for (const one of made) shares.add(one.key.id, one.shares[i] ?? fail());
        store.registry.putCheckpoint(writeCheckpoint({ head, time, roots: records.save() }, root.clusterId, by));
      });
    },
    close: () => store.close(),
  };
}

async function record(
  database: Database,
  made: readonly Made[],
  registry: MutableRegistry,
  vouchers: readonly SignedHead[],
): Promise<void> {
  const { ids, head, time } = registry;
  await database.transaction(async (tx) => {
    const statements = made.flatMap(({ entry, key, shares: [held = fail()] }) => {
      const dateCreated = new Date((registry.root.createdAt + 600 + entry.sequence * secondsApart) * 1000);
      const isLast = entry.sequence === head.sequence;
      return [
        insertEntry(tx, { entry, vouchers: isLast ? vouchers : [], dateAccepted: dateCreated }),
        insertKey(tx, rowOf({ key, held: { ...held, epoch: 0 }, ids, name: null, dateCreated })),
      ];
    });
    await Promise.all(statements);
    await putRecords(
      tx,
      made.flatMap((one) => one.puts),
      { sequence: head.sequence, time },
    );
  });
}

function request(registry: MutableRegistry, { admin, at, type }: { admin: KeyObject; at: number; type: KeyType }): Entry {
  const body = utf8(JSON.stringify(keyTypes[type]));
  const { organisationId, userId, credId } = registry.ids;
  const binding = {
    method: 'POST',
    path: '/keys',
    payloadHash: payloadHashOf(body),
    organisationId,
    callerId: userId,
    nonce: nonceAt(registry.head, randomBytes(16)),
    expiresAt: at + actionLifetimeSeconds,
  };
  const clientData = utf8(JSON.stringify({ type: 'key.get', challenge: challengeOf(binding) }));
  const authorisation: Authorisation = {
    binding,
    body,
    assertion: { kind: 'Key', credId, clientData: toBase64Url(clientData), signature: toBase64Url(sign(null, clientData, admin)) },
  };
  return entryAfter(registry.head, { authorisation });
}

function deal(keyType: KeyType): readonly KeyShare[] {
  const group = groupOf(keyTypes[keyType].curve);
  const f = randomPolynomial({ group, degree: threshold });
  const at = (x: number) => evaluate(f, x, group.order);
  const publicAt = (x: number) => group.encodePoint(group.multiplyBase(at(x)));
  const sharing = {
    keyType,
    threshold,
    participants,
    publicKey: publicAt(0),
    verificationShares: new Map(participants.map((index) => [index, publicAt(index)])),
    chainCode: new Uint8Array(randomBytes(32)),
  };
  return participants.map((index) => ({ ...sharing, index, secret: group.encodeScalar(at(index)) }));
}

function fail(): never {
  throw new Error('every participant has a share');
}
