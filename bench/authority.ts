/**
 * The processor time a signer takes to decide for itself, for each signature: the request's assertion, its standing in the registry, the
 * payload out of the body, the replay memory.
 */

import { rmSync } from 'node:fs';
import { authoriseSignature } from '../src/authority/useKey.ts';
import type { KeyType } from '../src/base/keyTypes.ts';
import { payloadsOf } from '../src/signer/payload.ts';
import { openReplayMemory } from '../src/signer/replayMemory.ts';
import { createWorld, idOf, type Wanted } from '../test/authority/world.ts';
import { freshDirectory } from '../test/support/instance.ts';

const keyType: KeyType = 'ECDSA/secp256k1';

/** @returns milliseconds of CPU per signature and signer, for an Ed25519 credential */
export async function authorityCost(signatures: number): Promise<number> {
  const { registry, admin, sign, perform, now } = createWorld('bench');
  const keyId = idOf(perform(admin, { method: 'POST', path: '/keys', body: { scheme: 'ECDSA', curve: 'secp256k1' } }).changes, 'key');
  const wanted: Wanted = { method: 'POST', path: `/keys/${keyId}/signatures`, body: { kind: 'Hash', hash: '11'.repeat(32) } };
  const dataDir = freshDirectory();
  const replays = openReplayMemory({ dataDir, clock: now, hasHistory: false });
  const publicKey = new Uint8Array(33);

  const admitAll = async (authorisations: readonly ReturnType<typeof sign>[]) => {
    for (const authorisation of authorisations) {
      const { body } = authoriseSignature(registry, authorisation, { keyId, now: now() });
      await payloadsOf(body, { keyType, publicKey });
      const { nonce, expiresAt } = authorisation.binding;
      await replays.spend({ nonce, index: 0, expiresAt });
    }
  };
  const signed = () => Array.from({ length: signatures }, () => sign(admin, wanted));
  try {
    await admitAll(signed()); // warm
    const authorisations = signed();
    const before = process.cpuUsage();
    await admitAll(authorisations);
    const { user, system } = process.cpuUsage(before);
    return (user + system) / 1000 / signatures;
  } finally {
    replays.close();
    rmSync(dataDir, { recursive: true, force: true });
  }
}
