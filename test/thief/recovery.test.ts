/** A new credential for the root: by the operators of two signers, at this head, in time; and by nobody else. */

import { beforeEach, expect, test } from 'vitest';
import { entryAfter } from '../../src/authority/entry.ts';
import { apply } from '../../src/authority/log.ts';
import { type Recovery, recoveryMessage } from '../../src/authority/recovery.ts';
import { toBase64Url, toHex, utf8 } from '../../src/base/bytes.ts';
import { credIdOf, newSigner, recoveryBy } from '../authority/world.ts';
import { createCluster, newPair, type TestCluster, type TestKey } from '../signer/cluster.ts';
import { sharesOf } from '../signer/shares.ts';
import { takenBy } from './entries.ts';

let cluster: TestCluster;
let key: TestKey;
let operators: readonly { signerId: string; sign: (message: Uint8Array) => Uint8Array }[];
const pair = newPair();

beforeEach(async () => {
  cluster = await createCluster();
  key = await cluster.addKey('EdDSA/ed25519');
  operators = cluster.signers.map(({ signerId, sign }) => ({ signerId, sign })).sort((a, b) => (a.signerId < b.signerId ? -1 : 1));
  return () => cluster.close();
});

const terms = (at = cluster.now() / 1000) => ({ publicKey: pair.publicKey, at });
const by = (whom: readonly number[], { over = terms(), at = cluster.registry.head } = {}): Recovery => ({
  ...over,
  signatures: whom
    .flatMap((i) => operators[i] ?? [])
    .map(({ signerId, sign }) => ({ signerId, signature: toBase64Url(sign(recoveryMessage(cluster.root.clusterId, at, over))) })),
});
const put = (recovery: Recovery) => {
  const entry = entryAfter(cluster.registry.head, { recovery });
  return Promise.all(cluster.signers.map((signer) => takenBy(signer, entry, cluster.vouchers.get(1) ?? [])));
};

test('two operators replace the root’s credential, and the lost one signs nothing any more', async () => {
  const recovery = by([0, 1]);
  expect(await put(recovery)).toEqual(['taken', 'taken', 'taken']);
  const { changes } = apply(cluster.registry, entryAfter(cluster.registry.head, { recovery }), { now: cluster.now() });
  const payload = { bytes: utf8('gold') };
  const wanted = { method: 'POST', path: `/keys/${key.id}/signatures`, body: { kind: 'Message', message: toHex(payload.bytes) } } as const;
  const lost = await sharesOf(cluster, { key, payload, authorisation: cluster.sign(cluster.admin, wanted) });
  expect(lost).toEqual(Array(3).fill(expect.stringMatching(/^Refused Forbidden: credential cr-\S+ is deactivated$/)));
  const root = { ...cluster.admin, ...pair, credId: credIdOf(changes) };
  expect(await sharesOf(cluster, { key, payload, authorisation: cluster.sign(root, wanted) })).toEqual(['a share', 'a share', 'a share']);
});

const strangers = [1, 2].map((n) => newSigner(new Uint8Array(32).fill(n)));
test.each<readonly [string, () => Recovery, RegExp]>([
  ['one operator', () => by([0]), /takes the signatures of 2 signers, not of 1$/],
  ['nobody', () => by([]), /takes the signatures of 2 signers, not of 0$/],
  ['one operator twice', () => by([0, 0]), /the signers of a recovery differ, and stand in the order of their ids$/],
  ['two in another order', () => by([1, 0]), /stand in the order of their ids$/],
  ['more than needed', () => by([0, 1, 2]), /takes the signatures of 2 signers, not of 3$/],
  [
    'strangers',
    () =>
      recoveryBy(
        [...strangers].sort((a, b) => (a.signerId < b.signerId ? -1 : 1)),
        { root: cluster.root, head: cluster.registry.head, terms: terms() },
      ),
    /of this cluster has not signed this recovery$/,
  ],
  [
    'operators who signed for another head',
    () => by([0, 1], { at: { sequence: 0, hash: new Uint8Array(32) } }),
    /has not signed this recovery$/,
  ],
  [
    'operators who signed for another credential',
    () => ({ ...by([0, 1]), publicKey: newPair().publicKey }),
    /has not signed this recovery$/,
  ],
  [
    'operators who signed long ago',
    () => by([0, 1], { over: terms(cluster.now() / 1000 - 8 * 24 * 3600) }),
    /^Refused Forbidden: recovery refused: /,
  ],
  [
    'operators who signed for a time to come',
    () => by([0, 1], { over: terms(cluster.now() / 1000 + 31) }),
    /the recovery is of a time to come$/,
  ],
])('by %s: refused', async (_, recovery, reason) => {
  expect(await put(recovery())).toEqual(Array(3).fill(expect.stringMatching(reason)));
});

test('a recovery is good once', async () => {
  const recovery = by([0, 1]);
  expect(await put(recovery)).toEqual(['taken', 'taken', 'taken']);
  const entry = entryAfter(cluster.registry.head, { recovery });
  apply(cluster.registry, entry, { now: cluster.now() });
  const again = entryAfter(cluster.registry.head, { recovery });
  const heads = await Promise.all(cluster.signers.map(async (signer) => (await signer.ask('signHead', {})).head));
  expect(await Promise.all(cluster.signers.map((signer) => takenBy(signer, again, heads)))).toEqual(
    Array(3).fill(expect.stringMatching(/has not signed this recovery$/)),
  );
});
