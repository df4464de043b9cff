/**
 * Whoever has the service has everything but the credentials: requests that people did sign, and freedom to say anything about them. Each
 * case is one try to get more out of that than was asked for; each is refused, and the reason is the one that a signer says.
 */

import { describe, expect, it } from 'vitest';
import { authorise } from '../../src/authority/authorise.ts';
import { type Entry, entryAfter, headOf } from '../../src/authority/entry.ts';
import { derivedId } from '../../src/authority/ids.ts';
import { apply, catchUp } from '../../src/authority/log.ts';
import { initialRegistry } from '../../src/authority/root.ts';
import { authoriseDerivation, authoriseKeygen, authoriseSignature } from '../../src/authority/useKey.ts';
import { toBase64Url, utf8 } from '../../src/base/bytes.ts';
import { type Authorisation, challengeOf, payloadHashOf } from '../../src/crypto/authorisation.ts';
import { assertionBy, createWorld, keyPair, otherKeyPair, refusalOf, vouch } from './world.ts';

const message = { kind: 'Message', message: '0x01' };

/** A cluster in use: an admin, a trader who signs, a clerk who administers a little, two keys, and a thief who holds only a key pair. */
function scene() {
  const world = createWorld();
  const keyId = world.addKey();
  const otherKeyId = world.addKey();
  const dhKeyId = world.addKey({ scheme: 'DH', curve: 'secp256k1' });
  const trader = world.addAccount(['Keys:Signatures:Create', 'Keys:Derive', 'Keys:Create']);
  const clerk = world.addAccount(['Permissions:Create', 'Permissions:Assign', 'Permissions:Update', 'Auth:ServiceAccounts:Create']);
  const thief = keyPair(new Uint8Array(32).fill(66));
  const signing = (id = keyId, body: unknown = message) => ({ method: 'POST', path: `/keys/${id}/signatures`, body }) as const;
  const signed = world.sign(trader, signing());
  const made = world.sign(trader, { method: 'POST', path: '/keys', body: { scheme: 'EdDSA', curve: 'ed25519' } });
  /** What a signer does with a session to sign. */
  const use = (authorisation: Authorisation, id = keyId) =>
    authoriseSignature(world.registry, authorisation, { keyId: id, now: world.now() });
  const propose = (authorisation: Authorisation) => world.submit(authorisation);
  return { world, keyId, otherKeyId, dhKeyId, trader, clerk, thief, signing, signed, made, use, propose };
}

type Scene = ReturnType<typeof scene>;
type Case = readonly [name: string, attack: (scene: Scene) => unknown, reason: string | RegExp];

/** With this changed in the binding, and in nothing else. */
function bound(authorisation: Authorisation, changed: Partial<Authorisation['binding']>): Authorisation {
  return { ...authorisation, binding: { ...authorisation.binding, ...changed } };
}

/** With this changed in the assertion, and in nothing else. */
function asserted(authorisation: Authorisation, changed: Partial<Authorisation['assertion']>): Authorisation {
  return { ...authorisation, assertion: { ...authorisation.assertion, ...changed } };
}

const notSigned = /^Forbidden: credential cr-\S+ has not signed this request$/;
const behind = /^Unavailable: the request was made at a head that the log up to entry \d+ does not have: it is behind, or forked$/;

const onRequests: readonly Case[] = [
  [
    'another body under the same assertion',
    ({ use, signed }) => use({ ...signed, body: utf8('{"kind":"Message","message":"0x02"}') }),
    'Forbidden: the body is not the one that was signed',
  ],
  [
    'another body, and its hash put into the binding',
    ({ use, signed }) => use(bound({ ...signed, body: utf8('{}') }, { payloadHash: payloadHashOf(utf8('{}')) })),
    notSigned,
  ],
  [
    'a body with a byte appended',
    ({ use, signed }) => use({ ...signed, body: new Uint8Array([...signed.body, 0x20]) }),
    'Forbidden: the body is not the one that was signed',
  ],
  ['no body', ({ use, signed }) => use({ ...signed, body: new Uint8Array(0) }), 'Forbidden: the body is not the one that was signed'],
  [
    'another key in the session than in the path',
    ({ use, signed, otherKeyId }) => use(signed, otherKeyId),
    /^Forbidden: the request is for key key-\S+, the session for key-\S+$/,
  ],
  [
    'another key in the path',
    ({ use, signed, otherKeyId }) => use(bound(signed, { path: `/keys/${otherKeyId}/signatures` }), otherKeyId),
    notSigned,
  ],
  ['a query added to the path', ({ use, signed }) => use(bound(signed, { path: `${signed.binding.path}?x=1` })), notSigned],
  ['the path in another encoding', ({ use, signed }) => use(bound(signed, { path: signed.binding.path.replace('-', '%2D') })), notSigned],
  ['another method', ({ use, signed }) => use(bound(signed, { method: 'PUT' })), notSigned],
  [
    'a request for a derivation, used to sign',
    ({ use, world, trader, keyId }) => use(world.sign(trader, { method: 'POST', path: `/keys/${keyId}/derive`, body: message })),
    /^Forbidden: the request is POST \/keys\/key-\S+\/derive, not POST \/keys\/:keyId\/signatures$/,
  ],
  [
    'a request to make a key, used to sign',
    ({ use, made }) => use(made),
    'Forbidden: the request is POST /keys, not POST /keys/:keyId/signatures',
  ],
  [
    'a request to read signatures, used to sign',
    ({ use, world, trader, keyId }) => use(world.sign(trader, { method: 'GET', path: `/keys/${keyId}/signatures` })),
    /^Forbidden: the request is GET/,
  ],
  [
    'a request to sign, used to derive',
    ({ world, signed, dhKeyId }) =>
      authoriseDerivation(world.registry, signed, { keyId: dhKeyId, now: world.now(), domain: utf8('d'), seed: utf8('s') }),
    /not POST \/keys\/:keyId\/derive$/,
  ],
  [
    'a request to derive at one point, used at another',
    ({ world, trader, dhKeyId }) => {
      const authorisation = world.sign(trader, { method: 'POST', path: `/keys/${dhKeyId}/derive`, body: { domain: '01', seed: '02' } });
      authoriseDerivation(world.registry, authorisation, {
        keyId: dhKeyId,
        now: world.now(),
        domain: Uint8Array.of(1),
        seed: Uint8Array.of(3),
      });
    },
    'Forbidden: the request is for another domain and seed than the session',
  ],
  [
    'another organisation in the binding',
    ({ use, signed }) => use(bound(signed, { organisationId: 'or-x' })),
    /^Forbidden: the request is of organisation or-x, not of or-/,
  ],
  [
    'a request signed for another organisation by a credential of this one',
    ({ use, world, trader, signing }) =>
      use(world.sign(trader, signing(), { binding: { organisationId: createWorld('other').registry.organisationId } })),
    /^Forbidden: the request is of organisation or-/,
  ],
  [
    'another caller in the binding',
    ({ use, world, signed }) => use(bound(signed, { callerId: world.admin.userId })),
    /^Forbidden: credential cr-\S+ is not of account us-/,
  ],
  ['a caller that there is not', ({ use, signed }) => use(bound(signed, { callerId: 'us-x' })), 'Forbidden: account us-x is unknown'],
  [
    'a caller named like a method of the registry',
    ({ use, signed }) => use(bound(signed, { callerId: '__proto__' })),
    'Forbidden: account __proto__ is unknown',
  ],
  ['another nonce', ({ use, signed }) => use(bound(signed, { nonce: `A${signed.binding.nonce.slice(1)}` })), notSigned],
  ['a nonce that is none', ({ use, signed }) => use(bound(signed, { nonce: 'x' })), /^BadRequest: binding.nonce/],
  ['a later expiry', ({ use, signed }) => use(bound(signed, { expiresAt: signed.binding.expiresAt + 1 })), notSigned],
  ['an expiry that is no time', ({ use, signed }) => use(bound(signed, { expiresAt: Number.NaN })), /^BadRequest: binding.expiresAt/],
  [
    'expired by a second',
    ({ use, world, signed }) => {
      world.wait(301);
      use(signed);
    },
    'Forbidden: the authorisation expired 1 seconds ago',
  ],
  [
    'expired this moment',
    ({ use, world, signed }) => {
      world.wait(300);
      use(signed);
    },
    'Forbidden: the authorisation expired 0 seconds ago',
  ],
  [
    'a challenge that the service dated far ahead',
    ({ use, world, trader, signing }) => use(world.sign(trader, signing(), { binding: { expiresAt: world.now() / 1000 + 86_400 } })),
    'Forbidden: the authorisation expires in 86400 seconds, which is more than 330',
  ],
  [
    'a nonce of an entry of the log, used to sign',
    ({ use, world, trader, made, signing, propose }) => {
      propose(made);
      use(world.sign(trader, signing(), { binding: { nonce: made.binding.nonce } }));
    },
    'UserActionUsed: user action has already been used',
  ],
];

const onAssertions: readonly Case[] = [
  ['a credential that there is not', ({ use, signed }) => use(asserted(signed, { credId: 'x' })), 'Forbidden: credential x is unknown'],
  [
    'a credential of the thief under the id of the trader’s',
    ({ use, trader, thief, signed }) => use({ ...signed, assertion: assertionBy({ ...trader, ...thief }, challengeOf(signed.binding)) }),
    notSigned,
  ],
  [
    'a credential of another user',
    ({ use, clerk, signed }) => use({ ...signed, assertion: assertionBy(clerk, challengeOf(signed.binding)) }),
    /^Forbidden: credential cr-\S+ is not of account us-/,
  ],
  [
    'the assertion of another challenge',
    ({ use, world, trader, signing, signed }) => use({ ...signed, assertion: world.sign(trader, signing()).assertion }),
    notSigned,
  ],
  [
    'clientData of this challenge with a signature of another',
    ({ use, world, trader, signing, signed }) => use(asserted(signed, { signature: world.sign(trader, signing()).assertion.signature })),
    notSigned,
  ],
  ['no signature', ({ use, signed }) => use(asserted(signed, { signature: '' })), notSigned],
  ['a signature of zeros', ({ use, signed }) => use(asserted(signed, { signature: toBase64Url(new Uint8Array(64)) })), notSigned],
  [
    'clientData that names two challenges',
    ({ use, signed }) =>
      use(
        asserted(signed, {
          clientData: toBase64Url(utf8(`{"type":"key.get","challenge":"x","challenge":"${challengeOf(signed.binding)}"}`)),
        }),
      ),
    notSigned,
  ],
  ['algorithm none', ({ use, signed }) => use(asserted(signed, { algorithm: 'none' })), notSigned],
  ['an algorithm named like a method of the table', ({ use, signed }) => use(asserted(signed, { algorithm: 'constructor' })), notSigned],
  [
    'an assertion that says Fido2',
    ({ use, signed }) => use(asserted(signed, { kind: 'Fido2', authenticatorData: '' })),
    /^BadRequest: assertion.kind: only assertions of key credentials/,
  ],
  [
    'an assertion that says PasswordProtectedKey',
    ({ use, signed }) => use(asserted(signed, { kind: 'PasswordProtectedKey' })),
    /^Forbidden: credential cr-\S+ is of kind Key, the assertion says PasswordProtectedKey$/,
  ],
  ['an assertion with more in it', ({ use, signed }) => use(asserted(signed, { authenticatorData: 'AA' })), /^BadRequest: assertion/],
  [
    'an assertion too large',
    ({ use, signed }) => use(asserted(signed, { clientData: 'A'.repeat(5000) })),
    /^BadRequest: assertion.clientData/,
  ],
  [
    'a deactivated account',
    ({ use, world, trader, signed }) => {
      world.perform(world.admin, { method: 'PUT', path: `/auth/service-accounts/${trader.userId}/deactivate` });
      use(signed);
    },
    /^Forbidden: account us-\S+ is deactivated$/,
  ],
  [
    'a deleted account',
    ({ use, world, trader, signed }) => {
      world.perform(world.admin, { method: 'DELETE', path: `/auth/service-accounts/${trader.userId}` });
      use(signed);
    },
    /^Forbidden: account us-\S+ is deleted$/,
  ],
  [
    'an account past its last day',
    ({ use, world, trader, signing }) => {
      world.wait(31 * 86_400);
      use(world.sign(trader, signing()));
    },
    /^Forbidden: account us-\S+ was valid until/,
  ],
  [
    'an account past its last day, with a challenge dated back',
    ({ use, world, trader, signing }) => {
      world.wait(30 * 86_400 + 10);
      use(world.sign(trader, signing(), { binding: { expiresAt: world.now() / 1000 + 5 } }));
    },
    /^Forbidden: account us-\S+ was valid until/,
  ],
];

const onAuthority: readonly Case[] = [
  [
    'a signature without the permission',
    ({ use, world, clerk, signing }) => use(world.sign(clerk, signing())),
    /is not authorized to perform operation \(Keys:Signatures:Create\)$/,
  ],
  [
    'a signature after the permission was archived',
    ({ use, world, trader, signed }) => {
      world.perform(world.admin, { method: 'PUT', path: `/permissions/${trader.permissionId}/archive`, body: { isArchived: true } });
      use(signed);
    },
    /is not authorized to perform operation \(Keys:Signatures:Create\)$/,
  ],
  [
    'a signature after the assignment was revoked',
    ({ use, world, trader, signed }) => {
      const [assignment] = world.registry.assignmentsOf(trader.userId);
      world.perform(world.admin, { method: 'DELETE', path: `/permissions/${trader.permissionId}/assignments/${assignment?.id}` });
      use(signed);
    },
    /is not authorized to perform operation \(Keys:Signatures:Create\)$/,
  ],
  [
    'a key without the permission',
    ({ world, clerk }) => world.perform(clerk, { method: 'POST', path: '/keys', body: {} }),
    /operation \(Keys:Create\)$/,
  ],
  [
    'shares under an id that the service chose',
    ({ world, made, propose }) => {
      propose(made);
      authoriseKeygen(world.registry, { keyId: 'key-chosen', keyType: 'EdDSA/ed25519' });
    },
    'NotFound: Key not found',
  ],
  [
    'shares of a key before its entry',
    ({ world, made }) => authoriseKeygen(world.registry, { keyId: derivedId('key', made), keyType: 'EdDSA/ed25519' }),
    'NotFound: Key not found',
  ],
  [
    'shares of another type than was asked for',
    ({ world, keyId }) => authoriseKeygen(world.registry, { keyId, keyType: 'Schnorr/secp256k1' }),
    /was asked for as EdDSA\/ed25519, the session makes Schnorr\/secp256k1$/,
  ],
  [
    'a permission that its maker does not hold',
    ({ world, clerk }) =>
      world.perform(clerk, { method: 'POST', path: '/permissions', body: { name: 'more', operations: ['Keys:Signatures:Create'] } }),
    /operation \(Keys:Signatures:Create\)$/,
  ],
  [
    'one’s own permission with more in it',
    ({ world, clerk }) =>
      world.perform(clerk, { method: 'PUT', path: `/permissions/${clerk.permissionId}`, body: { operations: ['Keys:Signatures:Create'] } }),
    /operation \(Keys:Signatures:Create\)$/,
  ],
  [
    'another’s permission, assigned to oneself',
    ({ world, clerk, trader }) =>
      world.perform(clerk, { method: 'POST', path: `/permissions/${trader.permissionId}/assignments`, body: { identityId: clerk.userId } }),
    /operation \(Keys:Signatures:Create\)$/,
  ],
  [
    'full admin access, assigned to oneself',
    ({ world, clerk }) =>
      world.perform(clerk, {
        method: 'POST',
        path: `/permissions/${world.registry.ids.fullAdminId}/assignments`,
        body: { identityId: clerk.userId },
      }),
    /^Forbidden: /,
  ],
  [
    'a new account with full admin access',
    ({ world, clerk, thief }) => {
      const body = { name: 'x', publicKey: thief.publicKey, permissionId: world.registry.ids.fullAdminId };
      world.perform(clerk, { method: 'POST', path: '/auth/service-accounts', body });
    },
    /^Forbidden: /,
  ],
  [
    'an account for the thief’s key, by the thief',
    ({ world, trader, thief }) =>
      world.perform(
        { ...trader, ...thief },
        { method: 'POST', path: '/auth/service-accounts', body: { name: 'x', publicKey: thief.publicKey } },
      ),
    notSigned,
  ],
  [
    'an account for the thief’s key, in an admin’s request for another key',
    ({ world, thief, propose }) => {
      const { publicKey } = otherKeyPair('P-256');
      const path = '/auth/service-accounts';
      const authorisation = world.sign(world.admin, { method: 'POST', path, body: { name: 'x', publicKey } });
      propose({ ...authorisation, body: utf8(JSON.stringify({ name: 'x', publicKey: thief.publicKey })) });
    },
    'Forbidden: the body is not the one that was signed',
  ],
  [
    'a request that no signer understands, as an entry',
    ({ world, propose }) => propose(world.sign(world.admin, { method: 'POST', path: '/auth/credentials', body: {} })),
    'Forbidden: POST /auth/credentials changes no registry',
  ],
  [
    'a request to sign, as an entry',
    ({ signed, propose }) => propose(signed),
    /^Forbidden: POST \/keys\/key-\S+\/signatures changes no registry$/,
  ],
];

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

describe.each([
  ['requests', onRequests],
  ['assertions', onAssertions],
  ['authority', onAuthority],
  ['the log', onTheLog],
])('the thief tries %s:', (_, cases) => {
  it.each(cases)('%s', (_, attack, reason) => {
    const all = scene();
    expect(refusalOf(() => attack(all))).toMatch(reason);
  });
});

describe('what the thief may have', () => {
  it('is what was asked for', () => {
    const { use, propose, signed, made, world } = scene();
    expect(refusalOf(() => use(signed))).toBe('not refused');
    propose(made);
    expect(world.registry.keys.has(derivedId('key', made))).toBe(true);
  });

  it.each(['P-256', 'secp256k1', 'RSA'] as const)('goes for credentials on %s too, and under none of the other algorithms', (kind) => {
    const { world, keyId, signing } = scene();
    const pair = otherKeyPair(kind);
    const { registry } = world;
    const account = world.addAccount(['Keys:Signatures:Create']);
    const authorisation = world.sign(world.admin, {
      method: 'POST',
      path: '/auth/service-accounts',
      body: { name: 'x', publicKey: pair.publicKey, permissionId: account.permissionId },
    });
    const { changes } = world.submit(authorisation);
    const credential = changes.find((change) => change.kind === 'credential');
    if (credential === undefined) throw new Error('a credential was made');
    const actor = { ...pair, userId: credential.record.accountId, credId: credential.record.credId };
    const signed = world.sign(actor, signing());
    const use = (one: Authorisation) => refusalOf(() => authoriseSignature(registry, one, { keyId, now: world.now() }));
    expect(use(signed)).toBe('not refused');
    expect(use(asserted(signed, { algorithm: 'SHA256' }))).toBe('not refused');
    expect(use(asserted(signed, { algorithm: 'SHA512' }))).toMatch(notSigned);
    expect(use(asserted(signed, { algorithm: 'Ed25519' }))).toMatch(notSigned);
  });

  it('is judged by everything that was signed: any other binding is another challenge', () => {
    const { world, signed } = scene();
    for (const [name, value] of Object.entries(signed.binding)) {
      const changed = bound(signed, {
        [name]: typeof value === 'number' ? value + 1 : `${value}`.replace(/.$/, (last) => (last === '0' ? '1' : '0')),
      });
      expect(
        refusalOf(() => authorise(world.registry, changed, { now: world.now() })),
        name,
      ).not.toBe('not refused');
    }
  });
});
