/** Questions that no contract of a signer's has: each is refused before anything else looks at it. */

import { afterAll, beforeAll, expect, test } from 'vitest';
import { toBase64, toHex, utf8 } from '../../src/base/bytes.ts';
import { createCluster, type TestCluster, type TestKey } from '../signer/cluster.ts';

let cluster: TestCluster;
let key: TestKey;
beforeAll(async () => {
  cluster = await createCluster();
  key = await cluster.addKey('EdDSA/ed25519');
});
afterAll(() => cluster.close());

const bytes = toBase64(new Uint8Array(32));
const head = () => ({ ...cluster.registry.head, hash: bytes, at: 0, signerId: 'x', signature: 'x' });

/** A question to sign that is good but for what is put over it. */
function toSign(over: object = {}) {
  const body = utf8(JSON.stringify({ kind: 'Message', message: toHex(utf8('gold')) }));
  const authorisation = cluster.sign(cluster.admin, { method: 'POST', path: `/keys/${key.id}/signatures`, body });
  return {
    keyId: key.id,
    payload: { bytes: toBase64(utf8('gold')) },
    payloadIndex: 0,
    commitments: {},
    authorisation: { ...authorisation, body: toBase64(body) },
    ...over,
  };
}

test.each<readonly [string, string, () => unknown, RegExp]>([
  ['an entry without end', 'append', () => ({ entry: 'x'.repeat(128 * 1024 + 1), vouchers: [] }), /Too big/],
  ['more entries than one message holds', 'catchUp', () => ({ entries: Array(257).fill('x'), vouchers: [] }), /Too big/],
  [
    'entries of more characters than one message holds',
    'catchUp',
    () => ({ entries: Array(20).fill('x'.repeat(120_000)), vouchers: [] }),
    /at most 2097152 characters/,
  ],
  ['more vouchers than a cluster has signers', 'catchUp', () => ({ entries: [], vouchers: Array(16).fill(head()) }), /Too big/],
  ['a voucher for a hash that is none', 'append', () => ({ entry: 'x', vouchers: [{ ...head(), hash: 'AAAA' }] }), /expected 32 bytes/],
  ['a voucher for a number below zero', 'append', () => ({ entry: 'x', vouchers: [{ ...head(), sequence: -1 }] }), /Too small/],
  ['entries from nowhere', 'entries', () => ({ from: 0, count: 1 }), /Too small/],
  ['entries without end', 'entries', () => ({ from: 1, count: 1_000_000 }), /Too big/],
  ['a signature without an authorisation', 'signFrost', () => toSign({ authorisation: undefined }), /authorisation/],
  ['a signature without a payload', 'signFrost', () => toSign({ payload: undefined }), /payload/],
  ['a signature without the number of its payload', 'signFrost', () => toSign({ payloadIndex: undefined }), /payloadIndex/],
  ['a signature of a payload below zero', 'signFrost', () => toSign({ payloadIndex: -1 }), /payloadIndex/],
  ['a signature of half a payload', 'signFrost', () => toSign({ payloadIndex: 0.5 }), /payloadIndex/],
  [
    'a signature with a body that is no base64',
    'signFrost',
    () => toSign({ authorisation: { ...toSign().authorisation, body: '…' } }),
    /body/,
  ],
  [
    'a signature of a signer number that no cluster has',
    'signFrost',
    () => toSign({ commitments: { 16: { batch: bytes, number: 0, hiding: bytes, binding: bytes } } }),
    /commitments/,
  ],
  ['nonces that have no name', 'signFrost', () => toSign({ commitments: { 1: { hiding: bytes, binding: bytes } } }), /commitments/],
  ['nonces without end', 'commit', () => ({ keyType: 'EdDSA/ed25519', count: 257 }), /count/],
  ['no nonces', 'commit', () => ({ keyType: 'EdDSA/ed25519', count: 0 }), /count/],
  ['nonces for keys that do not sign so', 'commit', () => ({ keyType: 'ECDSA/secp256k1', count: 1 }), /keyType/],
  [
    'a key of a type that is not known',
    'openSession',
    () => ({ sessionId: bytes, participants: [1, 2, 3], task: { kind: 'keygen', keyId: key.id, keyType: 'RSA' } }),
    /keyType/,
  ],
  [
    'a task that is not known',
    'openSession',
    () => ({ sessionId: bytes, participants: [1, 2, 3], task: { kind: 'export', keyId: key.id } }),
    /kind/,
  ],
  ['a question that is not known', 'showShare', () => ({ keyId: key.id }), /Invalid option/],
])('%s', async (_, method, params, reason) => {
  for (const signer of cluster.signers) {
    const said = await signer.answer(JSON.parse(JSON.stringify({ number: 1, method, params: params() })));
    expect(said).toMatchObject({ refusal: { code: 'BadQuestion', message: expect.stringMatching(reason) } });
    expect(said).not.toHaveProperty('result');
  }
});
