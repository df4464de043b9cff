import { derivedId } from '../../../src/authority/ids.ts';
import { authoriseKeygen } from '../../../src/authority/useKey.ts';
import { utf8 } from '../../../src/base/bytes.ts';
import { otherKeyPair } from '../world.ts';
import { type Case, notSigned, thiefTries } from './thief.ts';

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

thiefTries('authority', onAuthority);
