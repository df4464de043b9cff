import { toBase64Url, utf8 } from '../../../src/base/bytes.ts';
import { challengeOf } from '../../../src/crypto/authorisation.ts';
import { assertionBy } from '../world.ts';
import { asserted, type Case, notSigned, thiefTries } from './thief.ts';

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

thiefTries('assertions', onAssertions);
