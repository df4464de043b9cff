import { type Entry, entryAfter, headOf } from '../../../src/authority/entry.ts';
import { apply, catchUp } from '../../../src/authority/log.ts';
import { initialRegistry } from '../../../src/authority/root.ts';
import { authoriseSignature } from '../../../src/authority/useKey.ts';
import type { Authorisation } from '../../../src/crypto/authorisation.ts';
import { createWorld, vouch } from '../world.ts';
import { behind, type Case, type Scene, thiefTries } from './thief.ts';

const onTheLog: readonly Case[] = [
  [
    'an entry twice',
    ({ made, propose }) => {
      propose(made);
      propose(made);
    },
    'UserActionUsed: user action has already been used',
  ],
  [
    'an entry twice, after a restart',
    ({ world, made, propose }) => {
      propose(made);
      const restarted = initialRegistry(world.root);
      for (const entry of world.entries) apply(restarted, entry, 'replay');
      apply(restarted, entryAfter(restarted.head, { authorisation: made }), { now: world.now() });
    },
    'UserActionUsed: user action has already been used',
  ],
  [
    'another request under the nonce of an entry',
    ({ world, trader, made, propose }) => {
      propose(made);
      propose(
        world.sign(
          trader,
          { method: 'POST', path: '/keys', body: { scheme: 'DH', curve: 'secp256k1' } },
          { binding: { nonce: made.binding.nonce } },
        ),
      );
    },
    'UserActionUsed: user action has already been used',
  ],
  [
    'a gap in the sequence',
    ({ world, made }) => put(world, { ...next(world, made), sequence: world.registry.head.sequence + 2 }),
    /^Conflict: entry \d+ does not follow entry \d+$/,
  ],
  [
    'a sequence that was already',
    ({ world, made }) => put(world, { ...next(world, made), sequence: 1 }),
    /^Conflict: entry 1 does not follow entry \d+$/,
  ],
  [
    'a wrong previous hash',
    ({ world, made }) => put(world, { ...next(world, made), previous: new Uint8Array(32) }),
    /follows another entry \d+ than this log's$/,
  ],
  [
    'a previous hash cut short',
    ({ world, made }) => put(world, { ...next(world, made), previous: world.registry.head.hash.slice(0, 31) }),
    /follows another entry \d+ than this log's$/,
  ],
  [
    'a request made at a head that this signer does not have',
    ({ world, use, trader, signing }) => use(world.sign(trader, signing(), { at: { sequence: 99, hash: new Uint8Array(32).fill(1) } })),
    behind,
  ],
  [
    'a request to sign, to a signer whose registry is stale',
    ({ world, signed, keyId }) => {
      const stale = initialRegistry(world.root);
      for (const entry of world.entries.slice(0, -1)) apply(stale, entry, 'replay');
      authoriseSignature(stale, signed, { keyId, now: world.now() });
    },
    // Stale by the assignment of the clerk, which is not even used: the head tells.
    behind,
  ],
  [
    'an entry of one branch of a forked log on the other',
    ({ world, trader }) => {
      const branch = initialRegistry(world.root);
      for (const entry of world.entries) apply(branch, entry, 'replay');
      world.addKey();
      const path = `/auth/service-accounts/${trader.userId}/deactivate`;
      const authorisation = world.sign(world.admin, { method: 'PUT', path });
      apply(branch, entryAfter(branch.head, { authorisation }), { now: world.now() });
    },
    behind,
  ],
  [
    'a log without the entry that took a right away, hashed anew',
    ({ world, trader, signing, keyId }) => {
      world.perform(world.admin, { method: 'PUT', path: `/auth/service-accounts/${trader.userId}/deactivate` });
      world.addKey();
      const rolledBack = initialRegistry(world.root);
      for (const entry of world.entries.toSpliced(-2, 1)) {
        apply(rolledBack, entryAfter(rolledBack.head, entry), 'replay');
      }
      authoriseSignature(rolledBack, world.sign(trader, signing()), { keyId, now: world.now() });
    },
    behind,
  ],
  [
    'an action that was withheld until it expired, given to a signer that catches up',
    ({ world, made }) => {
      world.wait(3600);
      const away = initialRegistry(world.root);
      const [first] = world.signers;
      const entries = [...world.entries, next(world, made)];
      const head = headOf(next(world, made));
      catchUp(away, entries, first ? [vouch(first, world.root.clusterId, head)] : []);
    },
    /^Forbidden: entries up to \d+ are taken over when 2 signers vouch for the last one$/,
  ],
  [
    'an action that was withheld, put behind what came after it expired',
    ({ world, made }) => {
      world.wait(3600);
      world.addKey();
      apply(world.registry, next(world, made), 'replay');
    },
    'Forbidden: the authorisation had expired when an earlier entry of the log was made',
  ],
  [
    'an entry of another cluster',
    ({ world }) => {
      const other = createWorld('other');
      other.addKey();
      const [entry] = other.entries;
      if (entry && 'authorisation' in entry) put(world, next(world, entry.authorisation));
    },
    /^Forbidden: the request is of organisation or-/,
  ],
  [
    'the same root credential in another cluster',
    ({ world, signed, keyId }) => {
      const twin = initialRegistry({ ...world.root, clusterId: 'cl-twin' });
      authoriseSignature(twin, signed, { keyId, now: world.now() });
    },
    /^Forbidden: the request is of organisation or-/,
  ],
];

function next({ registry }: Scene['world'], authorisation: Authorisation): Entry {
  return entryAfter(registry.head, { authorisation });
}

function put(world: Scene['world'], entry: Entry): void {
  apply(world.registry, entry, { now: world.now() });
}

thiefTries('the log', onTheLog);
