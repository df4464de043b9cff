/** What gives power: accounts, credentials, permissions, keys. The thief makes them up, or uses what was taken away. */

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { encodeEntry, entryAfter } from '../../src/authority/entry.ts';
import { derivedId } from '../../src/authority/ids.ts';
import { toBase64Url, toHex, utf8 } from '../../src/base/bytes.ts';
import { type Authorisation, payloadHashOf } from '../../src/crypto/authorisation.ts';
import { idOf, otherKeyPair } from '../authority/world.ts';
import { type Actor, createCluster, newPair, type TestCluster, type TestKey, type Wanted } from '../signer/cluster.ts';
import { sharesOf } from '../signer/shares.ts';
import { proposed, takenBy } from './entries.ts';

let cluster: TestCluster;
let key: TestKey;
/** May sign, and nothing else. */
let caller: Actor & { permissionId: string; assignmentId: string };
beforeAll(async () => {
  cluster = await createCluster();
  key = await cluster.addKey('EdDSA/ed25519');
  caller = await cluster.addAccount(['Keys:Signatures:Create']);
});
afterAll(() => cluster.close());

const payload = { bytes: utf8('gold') };
const signature = (): Wanted => ({
  method: 'POST',
  path: `/keys/${key.id}/signatures`,
  body: { kind: 'Message', message: toHex(payload.bytes) },
});
const shares = (actor: Actor) => sharesOf(cluster, { key, payload, authorisation: cluster.sign(actor, signature()) });
const newAccount = (extra = {}) => ({ name: 'mine', publicKey: newPair().publicKey, ...extra });
const admin = () => cluster.admin;
const stranger = (): Actor => ({ ...newPair(), userId: 'us-aaaaa-aaaaa-aaaaaaaaaaaaaaaa', credId: toBase64Url(new Uint8Array(32)) });
const alike = (said: readonly string[]): string => {
  expect(new Set(said).size).toBe(1);
  return said[0] ?? '';
};

describe('the registry is changed without authority', () => {
  const may = (operation: string) =>
    new RegExp(`^Refused Forbidden: ServiceAccount us-\\S+ is not authorized to perform operation \\(${operation}\\)$`);
  test.each<readonly [string, () => Authorisation, RegExp | string]>([
    [
      'a credential added under the thief’s own key',
      () => cluster.sign(stranger(), { method: 'POST', path: '/auth/service-accounts', body: newAccount() }),
      'Refused Forbidden: account us-aaaaa-aaaaa-aaaaaaaaaaaaaaaa is unknown',
    ],
    [
      'a credential added in the root’s name',
      () =>
        cluster.sign(
          { ...stranger(), userId: admin().userId, credId: admin().credId },
          { method: 'POST', path: '/auth/service-accounts', body: newAccount() },
        ),
      /^Refused Forbidden: credential cr-\S+ has not signed this request$/,
    ],
    [
      'a credential added by one who may sign only',
      () => cluster.sign(caller, { method: 'POST', path: '/auth/service-accounts', body: newAccount() }),
      may('Auth:ServiceAccounts:Create'),
    ],
    [
      'a credential put in place of the one that was asked for',
      () => swapped(cluster.sign(admin(), { method: 'POST', path: '/auth/service-accounts', body: newAccount() }), newAccount()),
      'Refused Forbidden: the body is not the one that was signed',
    ],
    [
      'a permission made by one who may sign only',
      () => cluster.sign(caller, { method: 'POST', path: '/permissions', body: { name: 'all', operations: ['Keys:Create'] } }),
      may('Permissions:Create'),
    ],
    [
      'full admin access taken by one who may sign only',
      () =>
        cluster.sign(caller, {
          method: 'POST',
          path: `/permissions/${cluster.registry.ids.fullAdminId}/assignments`,
          body: { identityId: caller.userId },
        }),
      may('Permissions:Assign'),
    ],
    [
      'operations added to one’s own permission',
      () => cluster.sign(caller, { method: 'PUT', path: `/permissions/${caller.permissionId}`, body: { operations: ['Keys:Create'] } }),
      may('Permissions:Update'),
    ],
    [
      'a key made by one who may sign only',
      () => cluster.sign(caller, { method: 'POST', path: '/keys', body: { scheme: 'EdDSA', curve: 'ed25519' } }),
      may('Keys:Create'),
    ],
    [
      'a key archived by one who may sign only',
      () => cluster.sign(caller, { method: 'DELETE', path: `/keys/${key.id}` }),
      may('Keys:Delete'),
    ],
    [
      'the root deactivated by one who may sign only',
      () => cluster.sign(caller, { method: 'PUT', path: `/auth/service-accounts/${admin().userId}/deactivate` }),
      may('Auth:ServiceAccounts:Deactivate'),
    ],
    [
      'a request of another kind as an entry',
      () => cluster.sign(caller, signature()),
      /^Refused Forbidden: POST \/keys\/key-\S+\/signatures changes no registry$/,
    ],
    [
      'an entry that has expired',
      () =>
        cluster.sign(
          admin(),
          { method: 'POST', path: '/keys', body: { scheme: 'EdDSA', curve: 'ed25519' } },
          { binding: { expiresAt: cluster.now() / 1000 - 1 } },
        ),
      'Refused Forbidden: the authorisation expired 1 seconds ago',
    ],
    [
      'an entry made too far ahead',
      () =>
        cluster.sign(
          admin(),
          { method: 'POST', path: '/keys', body: { scheme: 'EdDSA', curve: 'ed25519' } },
          { binding: { expiresAt: cluster.now() / 1000 + 331 } },
        ),
      /^Refused Forbidden: the authorisation expires in 331 seconds/,
    ],
    [
      'an entry of another organisation',
      () =>
        cluster.sign(
          admin(),
          { method: 'POST', path: '/keys', body: {} },
          { binding: { organisationId: 'or-aaaaa-aaaaa-aaaaaaaaaaaaaaaa' } },
        ),
      /^Refused Forbidden: the request is of organisation or-aaaaa/,
    ],
    [
      'a credential of a kind that is not accepted',
      () =>
        cluster.sign(admin(), {
          method: 'POST',
          path: '/auth/service-accounts',
          body: newAccount({ publicKey: otherKeyPair('P-256').publicKey.replace('PUBLIC', 'PRIVATE') }),
        }),
      /^Refused BadRequest: Accepted public keys/,
    ],
  ])('%s', async (_, authorisation, reason) => {
    const { head } = cluster.registry;
    expect(alike(await proposed(cluster, authorisation()))).toEqual(typeof reason === 'string' ? reason : expect.stringMatching(reason));
    for (const signer of cluster.signers) expect((await signer.ask('hello', {})).head).toEqual(head);
  });

  function swapped(authorisation: Authorisation, body: object): Authorisation {
    return { ...authorisation, body: utf8(JSON.stringify(body)) };
  }
});

describe('identifiers chosen by the service', () => {
  test('a key is generated under the id that follows from the request, and under no other', async () => {
    const authorisation = cluster.sign(admin(), { method: 'POST', path: '/keys', body: { scheme: 'EdDSA', curve: 'ed25519' } });
    const changes = await cluster.submit(authorisation);
    expect(idOf(changes, 'key')).toBe(derivedId('key', authorisation));
    const question = {
      sessionId: new Uint8Array(32).fill(7),
      participants: [1, 2, 3],
      task: { kind: 'keygen', keyId: 'key-mines-mines-minesminesmines0', keyType: 'EdDSA/ed25519' },
    } as const;
    for (const signer of cluster.signers) {
      await expect(signer.ask('openSession', { ...question, participants: [...question.participants] })).rejects.toMatchObject({
        code: 'Refused',
        refusal: 'NotFound',
        reason: 'Key not found',
      });
    }
  });

  test('an id that the body names is not the one that is made', async () => {
    const body = { ...newAccount(), id: 'us-mines-mines-minesminesmines0', userId: caller.userId, credentialId: caller.credId };
    const authorisation = cluster.sign(admin(), { method: 'POST', path: '/auth/service-accounts', body });
    const changes = await cluster.submit(authorisation);
    expect(idOf(changes, 'account')).toBe(derivedId('user', authorisation));
  });

  test('an entry that says more than a request is no entry', async () => {
    const entry = entryAfter(cluster.registry.head, {
      authorisation: cluster.sign(admin(), { method: 'POST', path: '/keys', body: { scheme: 'EdDSA', curve: 'ed25519' } }),
    });
    const text = encodeEntry(entry);
    const more = `${text.slice(0, -1)},"keyId":"key-mines-mines-minesminesmines0"}`;
    const [signer] = cluster.signers;
    expect(signer && (await takenBy(signer, more, []))).toMatch(/^Refused BadRequest: entry/);
    expect(signer && (await takenBy(signer, `${text} `, []))).toBe('Refused BadRequest: the text of the entry is not the canonical one');
    expect(signer && (await takenBy(signer, '{', []))).toBe('Refused BadRequest: the entry is not JSON');
  });
});

describe('what was taken away is used', () => {
  const taken: readonly (readonly [string, (actor: typeof caller) => Promise<unknown>, RegExp])[] = [
    [
      'a deactivated account',
      (actor) => cluster.perform(admin(), { method: 'PUT', path: `/auth/service-accounts/${actor.userId}/deactivate` }),
      /^Refused Forbidden: account us-\S+ is deactivated$/,
    ],
    [
      'a deleted account',
      (actor) => cluster.perform(admin(), { method: 'DELETE', path: `/auth/service-accounts/${actor.userId}` }),
      /^Refused Forbidden: account us-\S+ is deleted$/,
    ],
    [
      'a permission that was revoked',
      (actor) =>
        cluster.perform(admin(), { method: 'DELETE', path: `/permissions/${actor.permissionId}/assignments/${actor.assignmentId}` }),
      /is not authorized to perform operation \(Keys:Signatures:Create\)$/,
    ],
    [
      'a permission that was archived',
      (actor) =>
        cluster.perform(admin(), { method: 'PUT', path: `/permissions/${actor.permissionId}/archive`, body: { isArchived: true } }),
      /is not authorized to perform operation \(Keys:Signatures:Create\)$/,
    ],
    [
      'a permission that lost the operation',
      (actor) =>
        cluster.perform(admin(), { method: 'PUT', path: `/permissions/${actor.permissionId}`, body: { operations: ['Keys:Read'] } }),
      /is not authorized to perform operation \(Keys:Signatures:Create\)$/,
    ],
  ];
  test.each(taken)('%s, also by a request that was signed before', async (_, takeAway, reason) => {
    const actor = await cluster.addAccount(['Keys:Signatures:Create']);
    expect(await shares(actor)).toEqual(['a share', 'a share', 'a share']);
    const before = cluster.sign(actor, signature());
    await takeAway(actor);
    expect(alike(await sharesOf(cluster, { key, payload, authorisation: before }))).toMatch(reason);
    expect(alike(await shares(actor))).toMatch(reason);
  });

  test('an account whose days are over', async () => {
    const actor = await cluster.addAccount(['Keys:Signatures:Create'], { daysValid: 1 });
    cluster.wait(24 * 3600 - 10);
    expect(alike(await shares(actor))).toBe('a share');
    cluster.wait(11);
    expect(alike(await shares(actor))).toMatch(/^Refused Forbidden: account us-\S+ was valid until 2025-/);
  });

  test('an archived key, also by a request that was signed before', async () => {
    const archived = await cluster.addKey('EdDSA/ed25519');
    const wanted = { ...signature(), path: `/keys/${archived.id}/signatures` };
    const before = cluster.sign(caller, wanted);
    await cluster.perform(admin(), { method: 'DELETE', path: `/keys/${archived.id}` });
    for (const authorisation of [before, cluster.sign(caller, wanted)]) {
      expect(alike(await sharesOf(cluster, { key: archived, payload, authorisation }))).toBe('Refused BadRequest: the key is archived');
    }
  });

  test('an entry signed before its author was stopped', async () => {
    const actor = await cluster.addAccount(['Keys:Create']);
    const before = cluster.sign(actor, { method: 'POST', path: '/keys', body: { scheme: 'EdDSA', curve: 'ed25519' } });
    await cluster.perform(admin(), { method: 'PUT', path: `/auth/service-accounts/${actor.userId}/deactivate` });
    expect(alike(await proposed(cluster, before))).toMatch(/^Refused Forbidden: account us-\S+ is deactivated$/);
    expect(before.binding.payloadHash).toBe(payloadHashOf(before.body));
  });
});
