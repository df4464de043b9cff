import { authoriseDerivation } from '../../../src/authority/useKey.ts';
import { utf8 } from '../../../src/base/bytes.ts';
import { payloadHashOf } from '../../../src/crypto/authorisation.ts';
import { createWorld } from '../world.ts';
import { bound, type Case, notSigned, thiefTries } from './thief.ts';

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
    ({ use, world, trader, keyId }) => use(world.sign(trader, { method: 'POST', path: `/keys/${keyId}/derive`, body: {} })),
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

thiefTries('requests', onRequests);
