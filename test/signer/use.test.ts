/** What a signer does for those who may: one share for each payload of each request, by every scheme; and what it remembers of it. */

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { toHex } from '../../src/base/bytes.ts';
import { createCluster, type TestCluster, type TestKey } from './cluster.ts';
import { frostShares } from './shares.ts';

let cluster: TestCluster;
let key: TestKey;
beforeAll(async () => {
  cluster = await createCluster();
  key = await cluster.addKey('EdDSA/ed25519');
});
afterAll(() => cluster.close());

describe('an authorised request', () => {
  test('gets a share from each signer', async () => {
    const payload = { bytes: new Uint8Array([1, 2, 3]) };
    const authorisation = cluster.sign(cluster.admin, {
      method: 'POST',
      path: `/keys/${key.id}/signatures`,
      body: { kind: 'Message', message: toHex(payload.bytes) },
    });
    const answers = await frostShares(cluster, { key, payload, payloadIndex: 0, authorisation });
    expect(answers).toEqual(['a share', 'a share', 'a share']);
  });
});
