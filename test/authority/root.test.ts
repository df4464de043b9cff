import { createPublicKey } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { isFullAdmin, permits } from '../../src/authority/grants.ts';
import { derivedId, namesOf } from '../../src/authority/ids.ts';
import { genesisOf, initialRegistry, type Root, rootIds } from '../../src/authority/root.ts';
import { toHex } from '../../src/base/bytes.ts';
import { contentOf, createWorld, dawn, keyPair, otherKeyPair } from './world.ts';

const { publicKey } = keyPair(new Uint8Array(32).fill(1));
const root: Root = { clusterId: 'cl-11111-22222-3333333333333333', publicKey, createdAt: dawn, threshold: 1, signers: [] };

describe('the root', () => {
  it('names what comes of it: these values never change', () => {
    expect({ ...rootIds(root), genesis: toHex(genesisOf(root).hash) }).toMatchInlineSnapshot(`
      {
        "applicationId": "ap-lwfed-3mfys-dnyh4od3ngzozxwq",
        "assignmentId": "as-lghit-esgpo-wq00nvuwp1juipi4",
        "credId": "cL-Wq1BLGhXiELRGv0FSwacsRoHXsAxA_6A8ISKFGgg",
        "credentialUuid": "cr-xfh0t-1lq1n-zpcjkpdtarmln3ei",
        "defaultEndUserId": "pm-15d3m-mcbi1-mj5atlc4udijszfv",
        "fullAdminId": "pm-xg1mt-igtab-ylzqanj2yaodwxaz",
        "genesis": "2b4ecae53ca6fd701051e9787a9fb005418c1187581a981adf78c57943607fa6",
        "organisationId": "or-rpuvh-nwlfo-nskum15b2ehzfdna",
        "storeId": "store-wopga-l0303-emyvsohxmlibkpov",
        "tokenId": "to-3dnla-j1rte-tfcp4b13jsa4vcpu",
        "userId": "us-2akl4-5gswy-tox5wrp4bauvrims",
      }
    `);
  });

  it('gives the same names in any form of its PEM', () => {
    const { publicKey: rsa } = otherKeyPair('RSA');
    const pkcs1 = createPublicKey(rsa).export({ type: 'pkcs1', format: 'pem' }).toString();
    expect(rootIds({ ...root, publicKey: publicKey.replaceAll('\n', '\\n') })).toEqual(rootIds(root));
    expect(rootIds({ ...root, publicKey: pkcs1 })).toEqual(rootIds({ ...root, publicKey: rsa }));
  });

  it.each([
    ['cluster', { clusterId: 'cl-11111-22222-3333333333333334' }],
    ['credential', { publicKey: keyPair(new Uint8Array(32).fill(2)).publicKey }],
    ['time', { createdAt: dawn + 1 }],
  ])('gives other names with another %s', (_, other) => {
    const [ours, theirs] = [rootIds(root), rootIds({ ...root, ...other })];
    for (const [name, id] of Object.entries(ours)) expect(Object.values(theirs), name).not.toContain(id);
    expect(genesisOf({ ...root, ...other })).not.toEqual(genesisOf(root));
  });

  it('is a full admin, alone, with the two managed permissions', () => {
    const registry = initialRegistry(root);
    const { userId } = registry.ids;
    expect(isFullAdmin(registry, { userId })).toBe(true);
    expect(permits(registry, { userId }, 'Billing:Write')).toBe(true);
    const { key: _, ...credential } = registry.credentials.get(registry.ids.credId) ?? { key: undefined };
    expect({ ...contentOf(registry), credential }).toMatchObject({
      head: { sequence: 0 },
      accounts: [{ id: userId, status: 'Active', validUntil: dawn + 730 * 86_400 }],
      credentials: [credential],
      assignments: [{ permissionId: registry.ids.fullAdminId, identityId: userId }],
      keys: [],
    });
    expect([...registry.permissions.values()].map(({ name }) => name)).toEqual(['ManagedFullAdminAccess', 'ManagedDefaultEndUserAccess']);
  });

  it('is no key that nobody could hold', () => {
    expect(() => rootIds({ ...root, publicKey: 'x' })).toThrow('Accepted public keys');
  });
});

describe('derived ids', () => {
  const { admin, sign } = createWorld();
  const wanted = { method: 'POST', path: '/keys', body: { scheme: 'EdDSA', curve: 'ed25519' } } as const;
  const authorisation = sign(admin, wanted);

  it('are the same for the same request, whatever the signature', () => {
    const other = { ...authorisation, assertion: { ...authorisation.assertion, signature: 'x' } };
    expect(derivedId('key', other)).toBe(derivedId('key', authorisation));
    expect(derivedId('key', authorisation)).toMatch(/^key-[a-z0-5]{5}-[a-z0-5]{5}-[a-z0-5]{16}$/);
  });

  it('differ by kind, name and request', () => {
    const names = namesOf(authorisation);
    const bodies = [
      derivedId('key', authorisation),
      derivedId('user', authorisation),
      names.id('key', 'second'),
      derivedId('key', sign(admin, wanted)),
    ];
    expect(new Set(bodies.map((id) => id.slice(-27))).size).toBe(4);
    expect(names.credId()).toMatch(/^[A-Za-z0-9_-]{43}$/);
    expect(names.credId('second')).not.toBe(names.credId());
  });
});
