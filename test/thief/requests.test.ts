/**
 * A thief has the service, its database and the wire, and one request that a caller really signed; or several. Whatever is made of them,
 * no signer gives a share for anything else than what the caller asked for, and says why.
 */

import { generateKeyPairSync, sign } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { nonceAt } from '../../src/authority/head.ts';
import { to0x, toBase64Url, toHex, utf8 } from '../../src/base/bytes.ts';
import { type ActionBinding, type Authorisation, challengeOf, payloadHashOf } from '../../src/crypto/authorisation.ts';
import type { Payload } from '../../src/crypto/schemes/scheme.ts';
import { assertionBy } from '../authority/world.ts';
import { type Actor, createCluster, digestOf, newPair, type TestCluster, type TestKey, type Wanted } from '../signer/cluster.ts';
import { type Attempt, setUpSeeds, sharesOf } from '../signer/shares.ts';

let cluster: TestCluster;
let eddsa: TestKey;
let other: TestKey;
let schnorr: TestKey;
let ecdsa: TestKey;
let stark: TestKey;
let dh: TestKey;
/** May sign, and nothing else. */
let caller: Actor;
/** May read only. */
let reader: Actor;

beforeAll(async () => {
  cluster = await createCluster();
  await setUpSeeds(cluster.signers);
  caller = await cluster.addAccount(['Keys:Signatures:Create']);
  reader = await cluster.addAccount(['Keys:Read']);
  [eddsa, other, schnorr] = [
    await cluster.addKey('EdDSA/ed25519'),
    await cluster.addKey('EdDSA/ed25519'),
    await cluster.addKey('Schnorr/secp256k1'),
  ];
  [ecdsa, stark, dh] = [await cluster.addKey('ECDSA/secp256k1'), await cluster.addKey('ECDSA/stark'), await cluster.addKey('DH/secp256k1')];
});
afterAll(() => cluster.close());

const message = utf8('pay the baker 10');
const theft = utf8('pay the thief 10');
const digest = digestOf('pay the baker 10');
const evil = digestOf('pay the thief 10');
const forMessage = (bytes: Uint8Array) => ({ kind: 'Message', message: to0x(bytes) });
const forHash = (bytes: Uint8Array) => ({ kind: 'Hash', hash: toHex(bytes) });
const at = (key: TestKey, body: unknown = forMessage(message)): Wanted => ({ method: 'POST', path: `/keys/${key.id}/signatures`, body });

/** What the caller really signed: this message with the EdDSA key. */
const honest = (binding: Partial<ActionBinding> = {}, actor = caller) => cluster.sign(actor, at(eddsa), { binding });
const using = (authorisation: Authorisation, over: Partial<Attempt> = {}): Attempt => ({
  key: eddsa,
  payload: { bytes: message },
  authorisation,
  ...over,
});
/** The thief rewrites what the credential has signed. */
const rebound = ({ binding, ...rest }: Authorisation, over: Partial<ActionBinding>): Authorisation => ({
  ...rest,
  binding: { ...binding, ...over },
});
const reassert = (authorisation: Authorisation, over: object): Authorisation => ({
  ...authorisation,
  assertion: { ...authorisation.assertion, ...over },
});
/** A body of the caller's, whatever is in it. */
const withBody = (body: Uint8Array | object, key = eddsa) => cluster.sign(caller, at(key, body));

/** Client data that the caller's credential did sign, but which are not those of this request. */
const resigned = (data: object | ((challenge: string) => object)): Authorisation => {
  const made = honest();
  const clientData = utf8(JSON.stringify(typeof data === 'function' ? data(challengeOf(made.binding)) : data));
  return reassert(made, { clientData: toBase64Url(clientData), signature: toBase64Url(sign(null, clientData, caller.privateKey)) });
};

/** No share from anybody, each with the same reason. */
async function refusedByAll(attempt: Attempt, reason: string | RegExp): Promise<void> {
  const said = await sharesOf(cluster, attempt);
  expect(said).toEqual(cluster.signers.map(() => (typeof reason === 'string' ? reason : expect.stringMatching(reason))));
}

test('without the thief, the request gets its shares', async () => {
  expect(await sharesOf(cluster, using(honest()))).toEqual(['a share', 'a share', 'a share']);
  expect(
    await sharesOf(cluster, using(cluster.sign(caller, at(ecdsa, forHash(digest))), { key: ecdsa, payload: { bytes: digest } })),
  ).toEqual(['a share', 'a share', 'a share']);
});

const unsigned = /^Refused Forbidden: credential cr-\S+ has not signed this request$/;

type Case = readonly [name: string, attempt: () => Attempt, reason: string | RegExp];

describe('a request that was signed, altered', () => {
  test.each<Case>([
    [
      'another body',
      () => using({ ...honest(), body: utf8(JSON.stringify(forMessage(theft))) }, { payload: { bytes: theft } }),
      'Refused Forbidden: the body is not the one that was signed',
    ],
    [
      'another body, and its hash in the binding',
      () => {
        const body = utf8(JSON.stringify(forMessage(theft)));
        return using({ ...rebound(honest(), { payloadHash: payloadHashOf(body) }), body }, { payload: { bytes: theft } });
      },
      unsigned,
    ],
    [
      'one blank more in the body',
      () => using({ ...honest(), body: utf8(` ${JSON.stringify(forMessage(message))}`) }),
      'Refused Forbidden: the body is not the one that was signed',
    ],
    ['no body', () => using({ ...honest(), body: new Uint8Array() }), 'Refused Forbidden: the body is not the one that was signed'],
    ['another key in the path', () => using(rebound(honest(), { path: `/keys/${other.id}/signatures` }), { key: other }), unsigned],
    [
      'another key in the session',
      () => using(honest(), { key: other }),
      /^Refused Forbidden: the request is for key (key-\S+), the session for key-/,
    ],
    ['another path', () => using(rebound(honest(), { path: `/keys/${eddsa.id}/derive` })), unsigned],
    ['a query added to the path', () => using(rebound(honest(), { path: `/keys/${eddsa.id}/signatures?force=true` })), unsigned],
    ['another method', () => using(rebound(honest(), { method: 'PUT' })), unsigned],
    [
      'another organisation',
      () => using(rebound(honest(), { organisationId: 'or-aaaaa-aaaaa-aaaaaaaaaaaaaaaa' })),
      /^Refused Forbidden: the request is of organisation or-aaaaa-\S+, not of or-/,
    ],
    [
      'another caller',
      () => using(rebound(honest(), { callerId: cluster.admin.userId })),
      /^Refused Forbidden: credential cr-\S+ is not of account us-/,
    ],
    ['a later expiry', () => using(rebound(honest(), { expiresAt: cluster.now() / 1000 + 310 })), unsigned],
    ['another nonce', () => using(rebound(honest(), { nonce: nonceAt(cluster.registry.head, new Uint8Array(16)) })), unsigned],
    [
      'a payload hash in capitals',
      () => using(rebound(honest(), { payloadHash: honest().binding.payloadHash.toUpperCase() })),
      'Refused BadRequest: binding.payloadHash: expected 64 digits of lower-case hex',
    ],
    [
      'a nonce that is none',
      () => using(rebound(honest(), { nonce: 'x'.repeat(44) })),
      'Refused BadRequest: binding.nonce: expected base64url of 32 bytes',
    ],
  ])('%s', (_, attempt, reason) => refusedByAll(attempt(), reason));
});

describe('a request at another time', () => {
  test.each<Case>([
    [
      'that has expired',
      () => using(honest({ expiresAt: cluster.now() / 1000 - 1 })),
      'Refused Forbidden: the authorisation expired 1 seconds ago',
    ],
    [
      'that expires now',
      () => using(honest({ expiresAt: cluster.now() / 1000 })),
      'Refused Forbidden: the authorisation expired 0 seconds ago',
    ],
    [
      'made too far ahead',
      () => using(honest({ expiresAt: cluster.now() / 1000 + 331 })),
      'Refused Forbidden: the authorisation expires in 331 seconds, which is more than 330',
    ],
    [
      'that never expires',
      () => using(honest({ expiresAt: 2 ** 33 })),
      /^Refused Forbidden: the authorisation expires in \d+ seconds, which is more than 330$/,
    ],
    ['with an expiry that is no time', () => using(rebound(honest(), { expiresAt: 2 ** 40 })), /^Refused BadRequest: binding\.expiresAt: /],
  ])('%s', (_, attempt, reason) => refusedByAll(attempt(), reason));
});

describe('somebody else asks', () => {
  const stranger = (): Actor => ({ ...newPair(), userId: 'us-aaaaa-aaaaa-aaaaaaaaaaaaaaaa', credId: toBase64Url(new Uint8Array(32)) });
  test.each<Case>([
    [
      'an account nobody made',
      () => using(honest({}, stranger())),
      'Refused Forbidden: account us-aaaaa-aaaaa-aaaaaaaaaaaaaaaa is unknown',
    ],
    [
      'a credential nobody made, in the caller’s name',
      () => using(honest({}, { ...stranger(), userId: caller.userId })),
      `Refused Forbidden: credential ${toBase64Url(new Uint8Array(32))} is unknown`,
    ],
    [
      'the thief’s own key under the caller’s credential',
      () => using(honest({}, { ...caller, privateKey: newPair().privateKey })),
      unsigned,
    ],
    [
      'another’s credential for the caller’s account',
      () => using(honest({}, { ...reader, userId: caller.userId })),
      /^Refused Forbidden: credential cr-\S+ is not of account us-/,
    ],
    [
      'one who may read only',
      () => using(honest({}, reader)),
      /^Refused Forbidden: ServiceAccount us-\S+ is not authorized to perform operation \(Keys:Signatures:Create\)$/,
    ],
  ])('%s', (_, attempt, reason) => refusedByAll(attempt(), reason));
});

describe('tricks with the assertion', () => {
  test.each<Case>([
    ['no signature', () => using(reassert(honest(), { signature: '' })), unsigned],
    ['a signature of zeros', () => using(reassert(honest(), { signature: toBase64Url(new Uint8Array(64)) })), unsigned],
    ['a signature over another challenge', () => using({ ...honest(), assertion: honest().assertion }), unsigned],
    ['an algorithm nobody knows', () => using(reassert(honest(), { algorithm: 'none' })), unsigned],
    ['an algorithm that is a member of every object', () => using(reassert(honest(), { algorithm: 'constructor' })), unsigned],
    [
      'the signature of a password-protected key',
      () => using(reassert(honest(), { kind: 'PasswordProtectedKey' })),
      /^Refused Forbidden: credential cr-\S+ is of kind Key, the assertion says PasswordProtectedKey$/,
    ],
    [
      'a passkey’s',
      () => using(reassert(honest(), { kind: 'Fido2', authenticatorData: 'AA' })),
      'Refused BadRequest: assertion.kind: only assertions of key credentials (Key, PasswordProtectedKey) are accepted',
    ],
    ['client data that names no challenge', () => using(resigned({ type: 'key.get' })), unsigned],
    ['client data that names another challenge', () => using({ ...honest(), assertion: assertionBy(caller, 'x') }), unsigned],
    [
      'client data of another ceremony, signed by the caller',
      () => using(resigned((challenge) => ({ type: 'key.create', challenge }))),
      unsigned,
    ],
    [
      'client data whose challenge is a list of it',
      () => using(resigned((challenge) => ({ type: 'key.get', challenge: [challenge] }))),
      unsigned,
    ],
    [
      'client data without end',
      () => using(reassert(honest(), { clientData: 'A'.repeat(5000) })),
      /^Refused BadRequest: assertion\.clientData: /,
    ],
    [
      'an ECDSA signature for an Ed25519 credential',
      () => {
        const p256 = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
        return using(honest({}, { ...caller, privateKey: p256 }));
      },
      unsigned,
    ],
  ])('%s', (_, attempt, reason) => refusedByAll(attempt(), reason));
});

describe('a session that signs something else', () => {
  const otherPayload = 'Refused Forbidden: the session signs something else than the request asks for';
  const hashed = (key: TestKey, payload: Payload, extra: object = {}, index = 0): Attempt => ({
    key,
    payload,
    payloadIndex: index,
    authorisation: cluster.sign(caller, at(key, { ...forHash(digest), ...extra })),
  });
  const root = digestOf('scripts');
  test.each<Case>([
    ['another message (EdDSA)', () => using(honest(), { payload: { bytes: theft } }), otherPayload],
    ['the message and one byte (EdDSA)', () => using(honest(), { payload: { bytes: Uint8Array.of(...message, 0) } }), otherPayload],
    ['nothing (EdDSA)', () => using(honest(), { payload: { bytes: new Uint8Array() } }), otherPayload],
    [
      'the message with a taproot root (EdDSA)',
      () => using(honest(), { payload: { bytes: message, taprootMerkleRoot: new Uint8Array() } }),
      otherPayload,
    ],
    ['another digest (ECDSA)', () => hashed(ecdsa, { bytes: evil }), otherPayload],
    ['another digest (stark)', () => hashed(stark, { bytes: evil }), otherPayload],
    [
      'another digest (Schnorr)',
      () => hashed(schnorr, { bytes: evil, taprootMerkleRoot: new Uint8Array() }, { taprootMerkleRoot: '' }),
      otherPayload,
    ],
    [
      'another taproot root',
      () => hashed(schnorr, { bytes: digest, taprootMerkleRoot: digestOf('others') }, { taprootMerkleRoot: toHex(root) }),
      otherPayload,
    ],
    [
      'a taproot root where none was asked for',
      () => hashed(schnorr, { bytes: digest, taprootMerkleRoot: root }, { taprootMerkleRoot: '' }),
      otherPayload,
    ],
    [
      'no taproot root where one was asked for',
      () => hashed(schnorr, { bytes: digest, taprootMerkleRoot: new Uint8Array() }, { taprootMerkleRoot: toHex(root) }),
      otherPayload,
    ],
    ['an untweaked key', () => hashed(schnorr, { bytes: digest }, { taprootMerkleRoot: '' }), otherPayload],
    [
      'a second payload of a request that has one',
      () => using(honest(), { payloadIndex: 1 }),
      'Refused Forbidden: the request has 1 payloads, the session asks for number 1',
    ],
  ])('%s', (_, attempt, reason) => refusedByAll(attempt(), reason));
});

describe('a challenge signed for another request', () => {
  const misused = (actor: Actor, wanted: Wanted, key = eddsa): Attempt => using(cluster.sign(actor, wanted), { key });
  test.each<Case>([
    [
      'to make a key',
      () => misused(cluster.admin, { method: 'POST', path: '/keys', body: { scheme: 'EdDSA', curve: 'ed25519' } }),
      'Refused Forbidden: the request is POST /keys, not POST /keys/:keyId/signatures',
    ],
    [
      'to derive',
      () => misused(cluster.admin, { method: 'POST', path: `/keys/${eddsa.id}/derive`, body: { domain: 'aa', seed: '' } }),
      /^Refused Forbidden: the request is POST \/keys\/key-\S+\/derive, not POST \/keys\/:keyId\/signatures$/,
    ],
    [
      'to archive the key',
      () => misused(cluster.admin, { method: 'DELETE', path: `/keys/${eddsa.id}` }),
      /^Refused Forbidden: the request is DELETE \/keys\/key-\S+, not /,
    ],
    [
      'to read the signatures',
      () => misused(cluster.admin, { method: 'GET', path: `/keys/${eddsa.id}/signatures` }),
      /^Refused Forbidden: the request is GET /,
    ],
    [
      'to sign with a key whose path hides a slash',
      () => misused(caller, { ...at(eddsa), path: `/keys%2F${eddsa.id}/signatures` }),
      /^Refused Forbidden: the request is POST \/keys%2F/,
    ],
    [
      'to sign below another path',
      () => misused(caller, { ...at(eddsa), path: `/v2/keys/${eddsa.id}/signatures` }),
      /^Refused Forbidden: the request is POST \/v2\//,
    ],
    [
      'of a kind that is none of ours',
      () => misused(cluster.admin, { method: 'POST', path: `/wallets/${eddsa.id}/transfers`, body: forMessage(message) }),
      /^Refused Forbidden: the request is POST \/wallets\//,
    ],
  ])('%s', (_, attempt, reason) => refusedByAll(attempt(), reason));
});

describe('bodies', () => {
  const bytes = (text: string) => utf8(text);
  test.each<Case>([
    ['that are no JSON', () => using(withBody(bytes('{"kind":"Message"'))), 'Refused BadRequest: the body is not valid JSON'],
    ['that are no UTF-8', () => using(withBody(Uint8Array.of(0x22, 0xff, 0x22))), 'Refused BadRequest: the body is not valid JSON'],
    ['that are empty', () => using(withBody(new Uint8Array())), /^Refused BadRequest: body: /],
    ['that are a list', () => using(withBody(bytes(JSON.stringify([forMessage(message)])))), /^Refused BadRequest: body: /],
    ['nested without end', () => using(withBody(bytes('['.repeat(100_000)))), 'Refused BadRequest: the body is nested deeper than 64'],
    [
      'nested too deep in a member that means nothing',
      () => using(withBody(bytes(`{"kind":"Message","message":"00","x":${'['.repeat(64)}${']'.repeat(64)}}`))),
      'Refused BadRequest: the body is nested deeper than 64',
    ],
    [
      'larger than the service takes',
      () => using(withBody(bytes(`"${'a'.repeat(1024 * 1024)}"`))),
      'Refused TooLarge: the body may have 1048576 bytes',
    ],
    ['of a kind that is not known', () => using(withBody({ kind: 'Blank', message: '00' })), /^Refused BadRequest: body\.kind: /],
    [
      'of a kind that this network does not have yet',
      () => using(withBody({ kind: 'Transaction', blockchainKind: 'Ton', transaction: '0x00' })),
      /^Refused BadRequest: kind Transaction is not offered for Ton yet/,
    ],
    [
      'of a kind that this key does not sign',
      () => using(withBody(forMessage(digest), ecdsa), { key: ecdsa, payload: { bytes: digest } }),
      'Refused BadRequest: Message without a network is for EdDSA keys; send the digest as kind Hash instead',
    ],
    [
      'for a DH key',
      () => ({ key: { id: dh.id, keyType: 'ECDSA/secp256k1' }, payload: { bytes: digest }, authorisation: withBody(forHash(digest), dh) }),
      'Refused BadRequest: a DH key on secp256k1 does not sign here',
    ],
    [
      'with a stark hash out of range',
      () =>
        using(withBody(forHash(new Uint8Array(32).fill(0xff)), stark), { key: stark, payload: { bytes: new Uint8Array(32).fill(0xff) } }),
      'Refused BadRequest: a hash signed by a stark key must be below 2^251',
    ],
    [
      'that say the message twice: the first one',
      () =>
        using(withBody(bytes(`{"kind":"Message","message":"${toHex(theft)}","message":"${toHex(message)}"}`)), {
          payload: { bytes: theft },
        }),
      'Refused Forbidden: the session signs something else than the request asks for',
    ],
    [
      'that say the kind twice: the first one',
      () => using(withBody(bytes(`{"kind":"Message","kind":"Hash","message":"${toHex(message)}"}`))),
      /^Refused BadRequest: body\.hash: /,
    ],
    [
      'with a prototype in place of members',
      () => using(withBody(bytes(`{"__proto__":{"kind":"Message","message":"${toHex(message)}"}}`))),
      /^Refused BadRequest: body\.kind: /,
    ],
  ])('%s', (_, attempt, reason) => refusedByAll(attempt(), reason));

  test('that say the message twice: the last one counts, as for the service', async () => {
    const authorisation = withBody(bytes(`{"kind":"Message","message":"${toHex(theft)}","message":"${toHex(message)}"}`));
    expect(await sharesOf(cluster, using(authorisation))).toEqual(['a share', 'a share', 'a share']);
  });
});

describe('different views', () => {
  test('another payload to one signer: that one refuses, and the others’ shares make no signature of it', async () => {
    const authorisation = honest();
    const [first, ...rest] = cluster.signers;
    expect(await sharesOf(cluster, using(authorisation, { payload: { bytes: theft } }), first && [first])).toEqual([
      'Refused Forbidden: the session signs something else than the request asks for',
    ]);
    expect(await sharesOf(cluster, using(authorisation, { payload: { bytes: theft } }), rest)).toEqual(
      rest.map(() => 'Refused Forbidden: the session signs something else than the request asks for'),
    );
  });

  test('a head that no signer has: each says that it may be behind, or the log forked', async () => {
    const hash = digestOf('no head');
    const authorisation = cluster.sign(caller, at(eddsa), { at: { sequence: 1, hash } });
    await refusedByAll(
      using(authorisation),
      /^Behind Unavailable: the request was made at a head that the log up to entry \d+ does not have: it is behind, or forked$/,
    );
  });
});
