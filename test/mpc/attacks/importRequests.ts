/** Attacks on an import at real signers, from the request on: the shares stand in the authority log. @module */

import { expect } from 'vitest';
import { toHex } from '../../../src/base/bytes.ts';
import { runSession } from '../../../src/coordinator/session.ts';
import { idOf } from '../../authority/world.ts';
import type { TestCluster } from '../../signer/cluster.ts';
import { handedIn, newOwner } from '../../support/travellingKeys.ts';
import type { Attack, Case } from './cases.ts';
import { realSigners } from './signers.ts';

export const importRequests: readonly Case[] = (
  [
    [
      'replayed',
      'with the shares of another request, or a second time',
      async (cluster, keyId, shares) => {
        const links = cluster.signers.map(({ link }) => link);
        const other = handedIn(newOwner('ed25519'), cluster.file.signers, 2).encryptedKeyShares;
        await expect(runSession(links, { kind: 'import', keyId, shares: other })).rejects.toThrow(
          'not the shares that came with the request',
        );
        await runSession(links, { kind: 'import', keyId, shares });
        await expect(runSession(links, { kind: 'import', keyId, shares })).rejects.toThrow('has a share already');
      },
    ],
    [
      'restart',
      'between the request and the session: the same key comes of it',
      async (cluster, keyId, shares, publicKey) => {
        for (const signer of cluster.signers) signer.restart();
        const ends = await runSession(
          cluster.signers.map(({ link }) => link),
          { kind: 'import', keyId, shares },
        );
        for (const end of ends.values()) expect(end.kind === 'keygen' && toHex(end.publicKey)).toBe(publicKey);
      },
    ],
  ] as const satisfies [
    Attack,
    string,
    (cluster: TestCluster, keyId: string, shares: ReturnType<typeof handedIn>['encryptedKeyShares'], publicKey: string) => Promise<void>,
  ][]
).map(([attack, name, run]) => ({
  message: 'import/share' as const,
  attack,
  name: `of real signers, ${name}`,
  async run() {
    const cluster = await realSigners();
    const owner = newOwner('ed25519');
    const bundle = handedIn(owner, cluster.file.signers, 2);
    const wanted = { method: 'POST' as const, path: '/keys/import', body: { protocol: 'FROST', ...bundle } };
    const keyId = idOf(await cluster.perform(cluster.admin, wanted), 'key');
    await run(cluster, keyId, bundle.encryptedKeyShares, owner.publicKey);
  },
}));
