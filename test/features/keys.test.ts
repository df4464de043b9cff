import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { rootIds } from '../../src/authority/root.ts';
import { type SignedHead, verifySignedHead } from '../../src/authority/signedHead.ts';
import { fromHex } from '../../src/base/bytes.ts';
import { Refusal } from '../../src/base/errors.ts';
import { newId } from '../../src/base/ids.ts';
import { keyTypes } from '../../src/base/keyTypes.ts';
import { createTokens } from '../../src/features/access/tokens.ts';
import { createClient } from '../support/client.ts';
import { eachDatabase } from '../support/databases.ts';
import { refusal } from '../support/refusal.ts';
import { handedIn, newOwner, newTravelPair, recombined } from '../support/travellingKeys.ts';
import { type FakeWorld, startWorld } from '../support/world.ts';

const notFound = refusal(404, 'Key not found');

eachDatabase((_, open) => {
  let world: FakeWorld;
  beforeAll(async () => {
    world = await startWorld({ database: await open() });
  });
  afterAll(() => world.stop());

  async function newKey(more: Record<string, unknown> = {}) {
    const { body } = await world.root.call('POST', '/keys', { scheme: 'EdDSA', curve: 'ed25519', ...more });
    return body;
  }

  describe('creating a key', () => {
    test.each(Object.values(keyTypes))('of type $scheme on $curve', async ({ scheme, curve }) => {
      const { status, body } = await world.root.call('POST', '/keys', { scheme, curve, name: 'cold' });
      expect({ status, body }).toEqual({
        status: 200,
        body: {
          id: expect.stringMatching(/^key-[a-z0-9]{5}-[a-z0-9]{5}-[a-z0-9]{16}$/),
          scheme,
          curve,
          publicKey: expect.stringMatching(curve === 'ed25519' ? /^[0-9a-f]{64}$/ : /^0[23][0-9a-f]{64}$/),
          name: 'cold',
          status: 'Active',
          custodial: true,
          dateCreated: expect.any(String),
        },
      });
      const { body: stores } = await world.root.call('GET', '/key-stores');
      expect(await world.root.call('GET', `/keys/${body.id}`)).toEqual({
        status: 200,
        body: { ...body, wallets: [], store: { id: stores.items[0].id, kind: 'Mpc', keyId: body.id } },
      });
    });

    test('in the store that is named', async () => {
      const { body } = await world.root.call('GET', '/key-stores');
      expect(await newKey({ storeId: body.items[0].id })).toMatchObject({ status: 'Active' });
      expect(await world.root.call('POST', '/keys', { scheme: 'DH', curve: 'secp256k1', storeId: 'store-none' })).toMatchObject({
        status: 400,
      });
    });

    test.each([
      ['ECDSA on ed25519', { scheme: 'ECDSA', curve: 'ed25519' }, 'there are no ECDSA keys on ed25519'],
      ['EdDSA on secp256k1', { scheme: 'EdDSA', curve: 'secp256k1' }, 'there are no EdDSA keys on secp256k1'],
      ['Schnorr on stark', { scheme: 'Schnorr', curve: 'stark' }, 'there are no Schnorr keys on stark'],
      ['DH on ed25519', { scheme: 'DH', curve: 'ed25519' }, 'there are no DH keys on ed25519'],
    ])('refuses %s', async (_, body, message) => {
      expect(await world.root.call('POST', '/keys', body)).toMatchObject(refusal(400, message));
    });

    test.each([
      ['an unknown scheme', { scheme: 'RSA', curve: 'secp256k1' }],
      ['no curve', { scheme: 'ECDSA' }],
      ['an empty name', { scheme: 'EdDSA', curve: 'ed25519', name: '' }],
      ['a long name', { scheme: 'EdDSA', curve: 'ed25519', name: 'x'.repeat(101) }],
      ['a hardened path', { scheme: 'EdDSA', curve: 'ed25519', deriveFrom: { keyId: 'key-1', path: "m/0'" } }],
      ['a child that is a master', { scheme: 'EdDSA', curve: 'ed25519', masterKey: true, deriveFrom: { keyId: 'key-1' } }],
      ['delegation from the start and later on', { scheme: 'EdDSA', curve: 'ed25519', delegateTo: 'us-1', delayDelegation: true }],
    ])('refuses %s', async (_, body) => {
      const asked = world.coordinator.asked.createKey;
      expect(await world.root.call('POST', '/keys', body)).toMatchObject({ status: 400 });
      expect(world.coordinator.asked.createKey).toBe(asked);
    });

    test('lets false say what is the case', async () => {
      expect(await newKey({ masterKey: false, delayDelegation: false })).toMatchObject({ status: 'Active' });
    });

    test('says so when the signers cannot, and keeps nothing', async () => {
      const before = await world.root.call('GET', '/keys');
      world.coordinator.before = async () => {
        throw new Refusal('Unavailable', 'too few signers answer');
      };
      expect(await world.root.call('POST', '/keys', { scheme: 'EdDSA', curve: 'ed25519' })).toMatchObject(
        refusal(503, 'too few signers answer'),
      );
      world.coordinator.before = async () => {};
      expect(await world.root.call('GET', '/keys')).toEqual(before);
    });

    test('by one user action twice at once makes one key', async () => {
      const bodyText = '{"scheme":"DH","curve":"secp256k1"}';
      const userAction = await world.root.action('POST', '/keys', bodyText);
      const asked = world.coordinator.asked.createKey;
      const answers = await Promise.all([1, 2, 3].map(() => world.root.send('POST', '/keys', { bodyText, userAction })));
      expect(answers.map(({ status }) => status).sort()).toEqual([200, 400, 400]);
      expect(world.coordinator.asked.createKey).toBe(asked + 1);
    });
  });

  describe('deriving a child key', () => {
    const deriveFrom = (keyId: string, path?: string) => ({ deriveFrom: { keyId, ...(path !== undefined && { path }) } });

    test('shows its master and its path, in every answer', async () => {
      const master = await newKey({ masterKey: true });
      expect(master).toMatchObject({ masterKey: true });
      expect(master).not.toHaveProperty('derivedFrom');
      const asked = world.coordinator.asked.createKey;
      const { status, body: child } = await world.root.call('POST', '/keys', {
        scheme: 'EdDSA',
        curve: 'ed25519',
        name: 'till',
        ...deriveFrom(master.id, 'm/44/0'),
      });
      expect({ status, child }).toEqual({
        status: 200,
        child: {
          id: expect.stringMatching(/^key-/),
          scheme: 'EdDSA',
          curve: 'ed25519',
          publicKey: expect.stringMatching(/^[0-9a-f]{64}$/),
          derivedFrom: { keyId: master.id, path: 'm/44/0' },
          name: 'till',
          status: 'Active',
          custodial: true,
          dateCreated: expect.any(String),
        },
      });
      expect(child.publicKey).not.toBe(master.publicKey);
      expect(world.coordinator.asked.createKey).toBe(asked);
      const { body: stores } = await world.root.call('GET', '/key-stores');
      expect((await world.root.call('GET', `/keys/${child.id}`)).body).toEqual({
        ...child,
        wallets: [],
        store: { id: stores.items[0].id, kind: 'Mpc', keyId: master.id, derivationPath: 'm/44/0' },
      });
      expect((await world.root.call('GET', '/keys?limit=2')).body.items).toEqual([child, master]);
    });

    test('takes the next free index where no path is named, and each path once, under races too', async () => {
      const { id } = await newKey({ masterKey: true });
      await newKey(deriveFrom(id, 'm/1'));
      const made = await Promise.all([1, 2, 3].map(() => newKey(deriveFrom(id))));
      expect(made.map(({ derivedFrom }) => derivedFrom.path).sort()).toEqual(['m/0', 'm/2', 'm/3']);
      expect(new Set(made.map(({ publicKey }) => publicKey)).size).toBe(3);

      const raced = await Promise.all(
        [1, 2, 3].map(() => world.root.call('POST', '/keys', { scheme: 'EdDSA', curve: 'ed25519', ...deriveFrom(id, 'm/9/9') })),
      );
      expect(raced.map(({ status }) => status).sort()).toEqual([200, 409, 409]);
      const [winner] = raced.filter(({ status }) => status === 200);
      expect(raced.find(({ status }) => status === 409)?.body.error).toMatchObject({
        message: `key ${id} has a child at m/9/9 already`,
        details: { keyId: winner?.body.id },
      });
    });

    test('is refused of a key that is no master, is archived, is of another type, or is not there', async () => {
      const [plain, master, gone] = [await newKey(), await newKey({ masterKey: true }), await newKey({ masterKey: true })];
      await world.root.call('DELETE', `/keys/${gone.id}`);
      const create = (body: object) => world.root.call('POST', '/keys', { scheme: 'EdDSA', curve: 'ed25519', ...body });
      expect(await create(deriveFrom(plain.id))).toMatchObject(
        refusal(400, `key ${plain.id} is no master key: no others are derived from it`),
      );
      expect(await create(deriveFrom(gone.id))).toMatchObject(refusal(400, 'the key is archived'));
      expect(await create({ scheme: 'ECDSA', curve: 'secp256k1', ...deriveFrom(master.id) })).toMatchObject(
        refusal(400, `children of key ${master.id} are EdDSA keys on ed25519`),
      );
      expect(await create(deriveFrom('key-none'))).toMatchObject(notFound);
    });

    test('demands Keys:ChildKeys:Create', async () => {
      const { id } = await newKey({ masterKey: true });
      const account = await world.serviceAccount(['Keys:Create']);
      expect(await account.call('POST', '/keys', { scheme: 'EdDSA', curve: 'ed25519', ...deriveFrom(id) })).toMatchObject(
        refusal(403, `ServiceAccount ${account.userId} is not authorized to perform operation (Keys:ChildKeys:Create)`),
      );
    });

    test('whose record was lost: it is made anew', async () => {
      const master = await newKey({ masterKey: true });
      const child = await newKey({ name: 'lost', ...deriveFrom(master.id, 'm/5') });
      await world.database.query('delete from keys where id = any($1::text[])', [[child.id, master.id]]);
      const restarted = await startWorld({ database: world.database, secrets: world.secrets, coordinator: world.coordinator });
      expect((await restarted.root.call('GET', `/keys/${child.id}`)).body).toMatchObject(child);
      expect((await restarted.root.call('GET', `/keys/${master.id}`)).body).toMatchObject(master);
      await restarted.stop();
    });
  });

  describe('listing keys', () => {
    test('goes newest first, page by page', async () => {
      const made = [await newKey(), await newKey(), await newKey()].map(({ id }) => id);
      const first = await world.root.call('GET', '/keys?limit=2');
      expect(first.body.items.map(({ id }: { id: string }) => id)).toEqual([made[2], made[1]]);
      const second = await world.root.call('GET', `/keys?limit=2&paginationToken=${first.body.nextPageToken}`);
      expect(second.body.items[0].id).toBe(made[0]);
    });

    test('with an owner shows what is delegated to that user', async () => {
      expect(await world.root.call('GET', '/keys?owner=nobody')).toEqual({ status: 200, body: { items: [] } });
      const key = await newKey();
      const { userId } = await world.serviceAccount();
      await world.database.query('update keys set delegated_to = $2 where id = $1', [key.id, userId]);
      for (const owner of [userId, 'account']) {
        const { body } = await world.root.call('GET', `/keys?owner=${owner}`);
        expect(body.items).toEqual([{ ...key, custodial: false }]);
      }
    });
  });

  test('an end user sees what is delegated to them, and nothing else', async () => {
    const [own, other] = [await newKey(), await newKey()];
    const user = await endUser(world);
    await world.database.query('update keys set delegated_to = $2 where id = $1', [own.id, user.userId]);
    const { body } = await user.call('GET', '/keys');
    expect(body.items).toEqual([{ ...own, custodial: false }]);
    expect(await user.call('GET', `/keys/${own.id}`)).toMatchObject({ status: 200 });
    for (const path of [`/keys/${other.id}`, `/keys/${other.id}/signatures`]) expect(await user.call('GET', path)).toMatchObject(notFound);
  });

  describe('changing a key', () => {
    test('renames it, and takes the name away', async () => {
      const key = await newKey({ name: 'before' });
      expect((await world.root.call('PUT', `/keys/${key.id}`, { name: 'after' })).body).toEqual({ ...key, name: 'after' });
      const { name: _, ...nameless } = key;
      expect((await world.root.call('PUT', `/keys/${key.id}`, { name: null })).body).toEqual(nameless);
      expect(await world.root.call('PUT', `/keys/${key.id}`, {})).toMatchObject({ status: 400 });
    });

    test('archives it, once', async () => {
      const key = await newKey();
      const { body: archived } = await world.root.call('DELETE', `/keys/${key.id}`);
      expect(archived).toEqual({ ...key, status: 'Archived', dateDeleted: expect.any(String) });
      expect((await world.root.call('DELETE', `/keys/${key.id}`)).body).toEqual(archived);
      expect((await world.root.call('GET', `/keys/${key.id}`)).body).toMatchObject(archived);
    });

    test('an unknown key is not found', async () => {
      for (const [method, path, body] of [
        ['GET', '/keys/key-none', undefined],
        ['GET', `/keys/${'x'.repeat(64)}`, undefined],
        ['PUT', '/keys/key-none', { name: 'x' }],
        ['DELETE', '/keys/key-none', undefined],
        ['POST', '/keys/key-none/derive', { domain: '01', seed: '02' }],
      ] as const) {
        expect(await world.root.call(method, path, body)).toMatchObject(notFound);
      }
      const { body } = await world.root.call('GET', '/keys/key-none');
      expect(body.error.details).toEqual({ keyId: 'key-none', orgId: world.root.organisationId });
    });
  });

  describe('deriving from a DH key', () => {
    test('gives 32 bytes, the same each time, with 0x and without', async () => {
      const { id } = await newKey({ scheme: 'DH', curve: 'secp256k1' });
      const derive = (body: unknown) => world.root.call('POST', `/keys/${id}/derive`, body);
      const first = await derive({ domain: '0x646f6d', seed: '0xAb' });
      expect(first).toEqual({ status: 200, body: { output: expect.stringMatching(/^0x[0-9a-f]{64}$/) } });
      expect(await derive({ domain: '646f6d', seed: 'ab' })).toEqual(first);
      expect((await derive({ domain: '646f6d', seed: '' })).body.output).not.toBe(first.body.output);
    });

    test.each([
      ['an empty domain', { domain: '0x', seed: '01' }],
      ['a domain of 256 bytes', { domain: '01'.repeat(256), seed: '01' }],
      ['what is not hex', { domain: 'xy', seed: '01' }],
      ['half a byte', { domain: '01', seed: '0x1' }],
      ['no seed', { domain: '01' }],
    ])('refuses %s', async (_, body) => {
      const { id } = await newKey({ scheme: 'DH', curve: 'secp256k1' });
      expect(await world.root.call('POST', `/keys/${id}/derive`, body)).toMatchObject({ status: 400 });
    });

    test('is for active DH keys', async () => {
      const other = await newKey();
      const body = { domain: '01', seed: '02' };
      expect(await world.root.call('POST', `/keys/${other.id}/derive`, body)).toMatchObject(
        refusal(400, 'derive is for DH keys; this key is EdDSA'),
      );
      const { id } = await newKey({ scheme: 'DH', curve: 'secp256k1' });
      await world.root.call('DELETE', `/keys/${id}`);
      expect(await world.root.call('POST', `/keys/${id}/derive`, body)).toMatchObject(refusal(400, 'the key is archived'));
    });
  });

  describe('exporting a key', () => {
    const pair = newTravelPair();
    const wanted = { encryptionKey: pair.encryptionKey, supportedSchemes: [{ protocol: 'FROST', curve: 'ed25519' }] };

    test('gives its shares to the holder of the encryption key, and shows that it did', async () => {
      const key = await newKey();
      const { status, body } = await world.root.call('POST', `/keys/${key.id}/export`, wanted);
      expect({ status, body }).toEqual({
        status: 200,
        body: {
          publicKey: key.publicKey,
          protocol: 'FROST',
          curve: 'ed25519',
          minSigners: 2,
          encryptedKeyShares: world.coordinator.cluster.signers.map(({ signerId }) => ({
            signerId,
            encryptedKeyShare: expect.stringMatching(/^[A-Za-z0-9+/]+=*$/),
          })),
        },
      });
      recombined(pair, body);
      const shown = (await world.root.call('GET', `/keys/${key.id}`)).body;
      expect(shown).toMatchObject({ ...key, exported: true, dateExported: expect.any(String) });
      expect((await world.root.call('GET', '/keys?limit=1')).body.items[0]).toMatchObject({
        exported: true,
        dateExported: shown.dateExported,
      });
      const again = await world.root.call('POST', `/keys/${key.id}/export`, wanted);
      expect(recombined(pair, again.body)).toBe(recombined(pair, body));
      expect((await world.root.call('GET', `/keys/${key.id}`)).body.dateExported).toBe(shown.dateExported);
    });

    test('answers by the name of the protocol that was offered', async () => {
      const { id } = await newKey({ scheme: 'ECDSA', curve: 'secp256k1' });
      for (const protocol of ['CGGMP21', 'CGGMP24']) {
        const supportedSchemes = [
          { protocol: 'FROST', curve: 'ed25519' },
          { protocol, curve: 'secp256k1' },
        ];
        const { body } = await world.root.call('POST', `/keys/${id}/export`, { ...wanted, supportedSchemes });
        expect(body).toMatchObject({ protocol, curve: 'secp256k1' });
      }
    });

    test('ends its use: it signs no more, and derives no more; what was signed before is shown', async () => {
      const key = await newKey();
      const sign = (externalId: string) =>
        world.root.call('POST', `/keys/${key.id}/signatures`, { kind: 'Message', message: '00', externalId });
      const { body: signed } = await sign('before');
      await world.root.call('POST', `/keys/${key.id}/export`, wanted);
      const gone = refusal(400, 'the key was exported: it is used here no more');
      expect(await sign('after')).toMatchObject(gone);
      expect(await sign('before')).toEqual({ status: 200, body: signed });
      const dh = await newKey({ scheme: 'DH', curve: 'secp256k1' });
      await world.root.call('POST', `/keys/${dh.id}/export`, {
        ...wanted,
        supportedSchemes: [{ protocol: 'GLOW20_DH', curve: 'secp256k1' }],
      });
      expect(await world.root.call('POST', `/keys/${dh.id}/derive`, { domain: '01', seed: '02' })).toMatchObject(gone);
    });

    test('whose answer was lost is had again; to another encryption key it never goes', async () => {
      const key = await newKey();
      world.coordinator.before = async (what) => {
        if (what === 'exportShares') throw new Refusal('Unavailable', 'export needs 2 of 3 signers; 1 answer');
      };
      expect(await world.root.call('POST', `/keys/${key.id}/export`, wanted)).toMatchObject(
        refusal(503, 'export needs 2 of 3 signers; 1 answer'),
      );
      world.coordinator.before = async () => {};
      const other = { ...wanted, encryptionKey: newTravelPair().encryptionKey };
      expect(await world.root.call('POST', `/keys/${key.id}/export`, other)).toMatchObject(
        refusal(409, 'the key was exported already, to another encryption key'),
      );
      recombined(pair, (await world.root.call('POST', `/keys/${key.id}/export`, wanted)).body);
    });

    test('of two that race to two encryption keys one wins', async () => {
      const { id } = await newKey();
      const pairs = [newTravelPair(), newTravelPair(), newTravelPair()];
      const answers = await Promise.all(
        pairs.map(({ encryptionKey }) => world.root.call('POST', `/keys/${id}/export`, { ...wanted, encryptionKey })),
      );
      expect(answers.map(({ status }) => status).sort()).toEqual([200, 409, 409]);
    });

    test('through its wallet', async () => {
      const { body: wallet } = await world.root.call('POST', '/wallets', { network: 'KeyEdDSA' });
      const { status, body } = await world.root.call('POST', `/wallets/${wallet.id}/export`, wanted);
      expect({ status, publicKey: body.publicKey }).toEqual({ status: 200, publicKey: wallet.signingKey.publicKey });
      recombined(pair, body);
      expect(await world.root.call('POST', `/wallets/${wallet.id}/signatures`, { kind: 'Message', message: '00' })).toMatchObject(
        refusal(400, 'the key was exported: it is used here no more'),
      );
    });

    test('is shown for a record that was lost and made anew', async () => {
      const key = await newKey();
      await world.root.call('POST', `/keys/${key.id}/export`, wanted);
      await world.database.query('delete from keys where id = $1', [key.id]);
      const restarted = await startWorld({ database: world.database, secrets: world.secrets, coordinator: world.coordinator });
      expect((await restarted.root.call('GET', `/keys/${key.id}`)).body).toMatchObject({
        exported: true,
        dateExported: expect.any(String),
      });
      await restarted.stop();
    });
  });

  describe('importing a key', () => {
    function bundleOf(owner = newOwner('ed25519')) {
      return { protocol: 'FROST', ...handedIn(owner, world.coordinator.cluster.signers, 2) };
    }
    const importKey = (body: unknown) => world.root.call('POST', '/keys/import', body);

    test('records it as imported', async () => {
      const { status, body } = await importKey({ ...bundleOf(), name: 'from home', masterKey: true });
      expect({ status, body }).toEqual({
        status: 200,
        body: {
          id: expect.stringMatching(/^key-/),
          scheme: 'EdDSA',
          curve: 'ed25519',
          publicKey: expect.stringMatching(/^[0-9a-f]{64}$/),
          masterKey: true,
          imported: true,
          name: 'from home',
          status: 'Active',
          custodial: true,
          dateCreated: expect.any(String),
        },
      });
      expect((await world.root.call('GET', `/keys/${body.id}`)).body).toMatchObject(body);
      expect((await world.root.call('GET', '/keys?limit=1')).body.items).toEqual([body]);
    });

    test('that is here already is a conflict, also when it is archived, and keeps no record', async () => {
      const bundle = bundleOf();
      const { body: first } = await importKey(bundle);
      const again = refusal(409, 'this key is here already');
      expect(await importKey({ ...bundle, name: 'again' })).toMatchObject(again);
      expect((await importKey(bundle)).body.error.details).toEqual({ keyId: first.id });
      await world.root.call('DELETE', `/keys/${first.id}`);
      expect(await importKey(bundle)).toMatchObject(again);
      const restarted = await startWorld({ database: world.database, secrets: world.secrets, coordinator: world.coordinator });
      expect((await restarted.root.call('GET', '/keys?limit=1')).body.items).toEqual([
        { ...first, status: 'Archived', dateDeleted: expect.any(String) },
      ]);
      await restarted.stop();
    });

    test('of two that race one is here', async () => {
      const bundle = bundleOf();
      const answers = await Promise.all([1, 2, 3].map(() => importKey(bundle)));
      expect(answers.map(({ status }) => status).sort()).toEqual([200, 409, 409]);
    });

    test.each([
      ['a protocol of another curve', { protocol: 'CGGMP24' }, 'keys on ed25519 are not imported by CGGMP24'],
      ['KU23', { protocol: 'KU23' }, 'keys on ed25519 are not imported by KU23'],
      ['more minSigners than signers', { minSigners: 4 }, 'minSigners is from 2 to 3, the number of signers'],
    ])('refuses %s', async (_, more, message) => {
      expect(await importKey({ ...bundleOf(), ...more })).toMatchObject(refusal(400, message));
    });

    test('refuses a share too few, one twice, and one for a stranger', async () => {
      const bundle = bundleOf();
      const [one, two, three] = bundle.encryptedKeyShares;
      const expected = refusal(400, 'encryptedKeyShares: expected one for each of the 3 signers of GET /signers');
      for (const shares of [
        [one, two],
        [one, two, two],
        [one, two, { ...three, signerId: 'stranger' }],
        [one, two, three, three],
      ]) {
        expect(await importKey({ ...bundle, encryptedKeyShares: shares })).toMatchObject(expected);
      }
      expect(await importKey({ ...bundle, encryptedKeyShares: [] })).toMatchObject({ status: 400 });
      expect(await importKey({ ...bundle, encryptedKeyShares: [one, two, { ...three, encryptedKeyShare: '?' }] })).toMatchObject({
        status: 400,
      });
    });

    test('says what the signers made of it', async () => {
      world.coordinator.before = async (what) => {
        if (what === 'importKey') throw new Refusal('BadRequest', 'signer x: its share is not encrypted to it');
      };
      expect(await importKey(bundleOf())).toMatchObject(refusal(400, 'signer x: its share is not encrypted to it'));
      world.coordinator.before = async () => {};
    });

    test('whose record was lost: it is made anew, under its name', async () => {
      const { body: key } = await importKey({ ...bundleOf(), name: 'from home' });
      await world.database.query('delete from keys where id = $1', [key.id]);
      const restarted = await startWorld({ database: world.database, secrets: world.secrets, coordinator: world.coordinator });
      expect((await restarted.root.call('GET', `/keys/${key.id}`)).body).toMatchObject(key);
      await restarted.stop();
    });

    test('for a wallet binds it to a network, once for an externalId', async () => {
      const body = { ...bundleOf(), network: 'KeyEdDSA', name: 'till', externalId: `till ${newId('key')}` };
      const { status, body: wallet } = await world.root.call('POST', '/wallets/import', body);
      expect({ status, wallet }).toMatchObject({ status: 200, wallet: { network: 'KeyEdDSA', name: 'till', externalId: body.externalId } });
      expect((await world.root.call('GET', `/keys/${wallet.signingKey.id}`)).body).toMatchObject({
        imported: true,
        wallets: [{ id: wallet.id }],
      });
      expect((await world.root.call('POST', '/wallets/import', body)).body).toEqual(wallet);
      expect(await world.root.call('POST', '/wallets/import', { ...body, name: 'other' })).toMatchObject({ status: 409 });
    });

    test('for a wallet demands Wallets:Create too, and a key that the network has', async () => {
      const account = await world.serviceAccount(['Keys:Import']);
      const body = { ...bundleOf(), network: 'KeyEdDSA' };
      expect(await account.call('POST', '/wallets/import', body)).toMatchObject(
        refusal(403, `ServiceAccount ${account.userId} is not authorized to perform operation (Wallets:Create)`),
      );
      expect(await world.root.call('POST', '/wallets/import', { ...body, network: 'KeyECDSA' })).toMatchObject({ status: 400 });
    });
  });

  test('delegation is to end users, of whom there are none yet', async () => {
    const key = await newKey({ delayDelegation: true });
    expect(key).toMatchObject({ custodial: true });
    expect(await world.root.call('POST', `/keys/${key.id}/delegate`, { delegateTo: 'us-none' })).toMatchObject(
      refusal(404, 'User not found'),
    );
    expect(await world.root.call('POST', `/keys/${key.id}/delegate`, { userId: world.root.userId })).toMatchObject(
      refusal(400, `keys are delegated to end users; ${world.root.userId} is a ServiceAccount`),
    );
    expect(await world.root.call('POST', '/keys', { scheme: 'EdDSA', curve: 'ed25519', delegateTo: 'us-none' })).toMatchObject(
      refusal(404, 'User not found'),
    );
    const { body: wallet } = await world.root.call('POST', '/wallets', { network: 'KeyEdDSA', delayDelegation: true });
    expect(await world.root.call('POST', `/wallets/${wallet.id}/delegate`, { userId: 'us-none' })).toMatchObject(
      refusal(404, 'User not found'),
    );
  });

  test.each([
    ['POST', '/keys/import', 'Keys:Import'],
    ['POST', '/keys/key-1/export', 'Keys:Export'],
    ['POST', '/keys/key-1/delegate', 'Keys:Delegate'],
  ] as const)('%s %s needs its permission, its user action and its form', async (method, path, operation) => {
    const account = await world.serviceAccount(['Keys:Read']);
    expect(await account.call(method, path, {})).toMatchObject(
      refusal(403, `ServiceAccount ${account.userId} is not authorized to perform operation (${operation})`),
    );
    expect(await world.root.send(method, path, { bodyText: '{}' })).toMatchObject({ status: 403 });
    expect(await world.root.call(method, path, { anything: 1 })).toMatchObject({ status: 400 });
  });

  test('signers are listed in the order of their ids', async () => {
    const { status, body } = await world.root.call('GET', '/signers');
    const ids = world.coordinator.cluster.signers.map(({ signerId }) => signerId);
    const inOrder = ids.sort((a, b) => Buffer.compare(Buffer.from(a, 'base64'), Buffer.from(b, 'base64')));
    expect({ status, clusters: body.clusters.length }).toEqual({ status: 200, clusters: 1 });
    expect(body.clusters[0].signers.map(({ signerId }: { signerId: string }) => signerId)).toEqual(inOrder);
    expect(Buffer.from(body.clusters[0].signers[0].encryptionKey, 'base64')).toHaveLength(34);
  });

  test('a signer that answers shows the head of its authority log, which its identity key has signed', async () => {
    await newKey();
    const { coordinator, secrets } = world;
    const [away] = coordinator.signers;
    if (away === undefined) throw new Error('there are signers');
    away.isUp = false;
    const { body } = await world.root.call('GET', '/signers');
    away.isUp = true;
    const { clusters } = body as { clusters: { signers: { signerId: string; head?: SignedHead }[] }[] };
    const signers = clusters.flatMap((cluster) => cluster.signers);
    expect(signers.flatMap(({ signerId, head }) => (head === undefined ? [signerId] : []))).toEqual([away.signerId]);
    const shown = signers.flatMap(({ signerId, head }) => (head === undefined ? [] : [{ ...head, signerId }]));
    for (const { hash, ...head } of shown) {
      const { registry } = coordinator.signers.find(({ signerId }) => signerId === head.signerId) ?? away;
      const signed = { ...head, hash: fromHex(`${hash}`) ?? new Uint8Array() };
      expect({ sequence: signed.sequence, hash: signed.hash }).toEqual(registry.head);
      expect(verifySignedHead(secrets.root, signed)).toBe(true);
    }
  });

  test('there is one key store', async () => {
    expect(await world.root.call('GET', '/key-stores')).toEqual({
      status: 200,
      body: { items: [{ id: expect.stringMatching(/^store-/), kind: 'Mpc', name: expect.any(String), primary: true }] },
    });
  });
});

/** An end user with a token of their own; there is no route that makes one, and the authority log knows none. */
async function endUser({ database, origin, root, secrets }: FakeWorld) {
  const { organisationId } = root;
  const [userId, tokenId] = [newId('user'), newId('token')];
  const dateIssued = new Date();
  const dateExpires = new Date(Date.now() + 3600_000);
  await database.transaction(async (tx) => {
    await tx.query(
      `insert into users (id, organisation_id, kind, is_service_account, username, is_active, date_created)
       values ($1, $2, 'EndUser', false, 'ada', true, $3)`,
      [userId, organisationId, dateIssued],
    );
    await tx.query(
      `insert into tokens (id, organisation_id, user_id, kind, name, is_active, date_created, date_expires)
       values ($1, $2, $3, 'Token', 'login', true, $4, $5)`,
      [tokenId, organisationId, userId, dateIssued, dateExpires],
    );
  });
  await database.query(
    `insert into permission_assignments (id, organisation_id, permission_id, identity_id, date_created, date_updated)
     values ($1, $2, $3, $4, $5, $5)`,
    [newId('assignment'), organisationId, rootIds(secrets.root).defaultEndUserId, userId, dateIssued],
  );
  const tokens = createTokens({ key: secrets.tokenKey, clock: Date.now });
  const accessToken = tokens.issueBearer({ tokenId, organisationId, userId, username: 'ada', kind: 'Token', dateIssued, dateExpires });
  return { userId, ...createClient(origin, { accessToken, credId: '', privateKey: secrets.rootKey }) };
}
