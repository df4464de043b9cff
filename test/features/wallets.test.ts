import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eachDatabase } from '../support/databases.ts';
import { refusal } from '../support/refusal.ts';
import { type FakeWorld, startWorld } from '../support/world.ts';

const hash = '11'.repeat(32);
const notFound = refusal(404, 'Wallet not found');

eachDatabase((_, open) => {
  let world: FakeWorld;
  beforeAll(async () => {
    world = await startWorld({ database: await open() });
  });
  afterAll(() => world.stop());

  const call = (method: 'GET' | 'POST' | 'PUT' | 'DELETE', path: string, body?: object) => world.root.call(method, path, body);
  async function newWallet(more: Record<string, unknown> = {}) {
    const { status, body } = await call('POST', '/wallets', { network: 'KeyECDSA', ...more });
    expect({ status, body }).toMatchObject({ status: 200 });
    return body;
  }

  describe('creating a wallet', () => {
    test('makes a key of the type its network has, and shows both', async () => {
      const wallet = await newWallet({ network: 'KeyEdDSA', name: 'till', externalId: 'till-1', tags: ['shop', 'shop', 'cold'] });
      expect(wallet).toEqual({
        id: expect.stringMatching(/^wa-[a-z0-9]{5}-[a-z0-9]{5}-[a-z0-9]{16}$/),
        network: 'KeyEdDSA',
        signingKey: { id: expect.stringMatching(/^key-/), scheme: 'EdDSA', curve: 'ed25519', publicKey: expect.any(String) },
        status: 'Active',
        dateCreated: expect.any(String),
        name: 'till',
        custodial: true,
        externalId: 'till-1',
        tags: ['shop', 'cold'],
      });
      expect(await call('GET', `/wallets/${wallet.id}`)).toEqual({ status: 200, body: wallet });
      const { body: key } = await call('GET', `/keys/${wallet.signingKey.id}`);
      expect(key).toMatchObject({ publicKey: wallet.signingKey.publicKey, wallets: [{ id: wallet.id, network: 'KeyEdDSA' }] });
    });

    test('binds a key that stands, once to each network', async () => {
      const { body: key } = await call('POST', '/keys', { scheme: 'ECDSA', curve: 'secp256k1' });
      const first = await newWallet({ network: 'EthereumSepolia', signingKey: { id: key.id } });
      const second = await newWallet({ network: 'Polygon', signingKey: { id: key.id, scheme: 'ECDSA' } });
      expect([first.signingKey.id, second.signingKey.id]).toEqual([key.id, key.id]);
      expect(await call('POST', '/wallets', { network: 'Polygon', signingKey: { id: key.id } })).toMatchObject(
        refusal(409, `key ${key.id} has a wallet on Polygon already`),
      );
    });

    test('makes the one of several key types that is asked for', async () => {
      const taproot = await newWallet({ network: 'Bitcoin', signingKey: { scheme: 'Schnorr', curve: 'secp256k1' } });
      expect(taproot.signingKey).toMatchObject({ scheme: 'Schnorr', curve: 'secp256k1' });
      expect((await newWallet({ network: 'Bitcoin' })).signingKey).toMatchObject({ scheme: 'ECDSA' });
    });

    test('refuses a key of another type, archived, or not there', async () => {
      const { body: key } = await call('POST', '/keys', { scheme: 'EdDSA', curve: 'ed25519' });
      expect(await call('POST', '/wallets', { network: 'Ethereum', signingKey: { id: key.id } })).toMatchObject(
        refusal(400, `a wallet of Ethereum has a key of ECDSA/secp256k1; key ${key.id} is EdDSA/ed25519`),
      );
      expect(await call('POST', '/wallets', { network: 'Ethereum', signingKey: { scheme: 'Schnorr' } })).toMatchObject(
        refusal(400, 'a wallet of Ethereum has a key of ECDSA/secp256k1'),
      );
      await call('DELETE', `/keys/${key.id}`);
      expect(await call('POST', '/wallets', { network: 'KeyEdDSA', signingKey: { id: key.id } })).toMatchObject(
        refusal(400, 'the key is archived'),
      );
      expect(await call('POST', '/wallets', { network: 'KeyEdDSA', signingKey: { id: 'key-none' } })).toMatchObject(
        refusal(404, 'Key not found'),
      );
    });

    test.each([
      ['of a network without wallets', { network: 'Ton' }, 'wallets of Ton are not offered yet'],
      ['of an unknown network', { network: 'Moon' }, 'network'],
      ['with what is for a new key only', { network: 'KeyECDSA', signingKey: { id: 'key-1', storeId: 'store-1' } }, 'are for a new key'],
      ['with too many tags', { network: 'KeyECDSA', tags: Array.from({ length: 51 }, (_, i) => `tag ${i}`) }, 'tags'],
      ['with an empty name', { network: 'KeyECDSA', name: '' }, 'name'],
    ])('refuses one %s', async (_, body, message) => {
      const asked = world.coordinator.asked.createKey;
      const answer = await call('POST', '/wallets', body);
      expect(answer.status).toBe(400);
      expect(JSON.stringify(answer.body)).toContain(message);
      expect(world.coordinator.asked.createKey).toBe(asked);
    });

    test('takes what each part of it demands, and no Keys:Create', async () => {
      const { body: key } = await call('POST', '/keys', { scheme: 'ECDSA', curve: 'secp256k1' });
      const clerk = await world.serviceAccount(['Wallets:Create', 'Wallets:Read']);
      expect(await clerk.call('POST', '/wallets', { network: 'KeyECDSA' })).toMatchObject({ status: 200 });
      expect(await clerk.call('POST', '/wallets', { network: 'KeyECDSA', signingKey: { id: key.id } })).toMatchObject({ status: 403 });
      expect(await clerk.call('POST', '/wallets', { network: 'KeyECDSA', tags: ['a'] })).toMatchObject({ status: 403 });
    });
  });

  describe('an externalId', () => {
    test('makes one wallet, however often it is asked for', async () => {
      const body = { network: 'KeyECDSA', externalId: 'once' };
      const [first, ...others] = await Promise.all(Array.from({ length: 5 }, () => call('POST', '/wallets', body)));
      expect(others.every((other) => other.status === 200 && other.body.id === first?.body.id)).toBe(true);
      expect(await call('POST', '/wallets', { ...body, name: 'another' })).toMatchObject(
        refusal(409, 'Conflicting wallet with same externalId'),
      );
    });

    test('can be given later, and taken away, but not from another wallet', async () => {
      const [one, two] = [await newWallet(), await newWallet()];
      expect((await call('PUT', `/wallets/${one.id}`, { externalId: 'given', name: 'one' })).body).toMatchObject({
        externalId: 'given',
        name: 'one',
      });
      expect(await call('PUT', `/wallets/${two.id}`, { externalId: 'given' })).toMatchObject({ status: 409 });
      const { body } = await call('PUT', `/wallets/${one.id}`, { externalId: null, name: null });
      expect(Object.keys(body)).not.toContain('externalId');
      expect(Object.keys(body)).not.toContain('name');
    });
  });

  test('lists wallets, newest first, page by page, and none of them for an owner who has none', async () => {
    const made = [await newWallet(), await newWallet()];
    const { body: first } = await call('GET', '/wallets?limit=1');
    expect(first.items).toEqual([made[1]]);
    const { body: next } = await call('GET', `/wallets?limit=1&paginationToken=${first.nextPageToken}`);
    expect(next.items).toEqual([made[0]]);
    expect((await call('GET', '/wallets?owner=us-none')).body.items).toEqual([]);
    expect((await call('GET', '/wallets?ownerId=us-none')).body.items).toEqual([]);
    expect(await call('GET', `/wallets?limit=1&owner=x&paginationToken=${first.nextPageToken}`)).toMatchObject({ status: 400 });
  });

  test('tags are added once, in order, and taken off', async () => {
    const wallet = await newWallet({ tags: ['a'] });
    expect(await call('PUT', `/wallets/${wallet.id}/tags`, { tags: ['b', 'a', 'c', 'b'] })).toEqual({ status: 200, body: {} });
    expect((await call('GET', `/wallets/${wallet.id}`)).body.tags).toEqual(['a', 'b', 'c']);
    expect(await call('DELETE', `/wallets/${wallet.id}/tags`, { tags: ['b', 'none'] })).toEqual({ status: 200, body: {} });
    expect((await call('GET', `/wallets/${wallet.id}`)).body.tags).toEqual(['a', 'c']);
    const many = (from: number) => Array.from({ length: 50 }, (_, i) => `tag ${from + i}`);
    for (const from of [0, 50, 100])
      expect(await call('PUT', `/wallets/${wallet.id}/tags`, { tags: many(from) })).toMatchObject({ status: 200 });
    expect(await call('PUT', `/wallets/${wallet.id}/tags`, { tags: many(150) })).toMatchObject(refusal(400, 'a wallet may have 200 tags'));
  });

  describe('signing through a wallet', () => {
    test('answers with the wallet and its network, and shows with the key', async () => {
      const wallet = await newWallet({ network: 'EthereumSepolia' });
      const { status, body } = await call('POST', `/wallets/${wallet.id}/signatures`, { kind: 'Hash', hash, externalId: 'pay' });
      expect({ status, body }).toMatchObject({
        status: 200,
        body: {
          status: 'Signed',
          walletId: wallet.id,
          keyId: wallet.signingKey.id,
          network: 'EthereumSepolia',
          signature: { recid: expect.any(Number) },
        },
      });
      expect((await call('GET', `/wallets/${wallet.id}/signatures/${body.id}`)).body).toEqual(body);
      expect((await call('GET', `/wallets/${wallet.id}/signatures`)).body).toEqual({ items: [body], keyId: wallet.signingKey.id });
      const { walletId: _, ...ofKey } = body;
      expect((await call('GET', `/keys/${wallet.signingKey.id}/signatures/${body.id}`)).body).toEqual(ofKey);
      const again = await call('POST', `/wallets/${wallet.id}/signatures`, { kind: 'Hash', hash, externalId: 'pay' });
      expect(again).toEqual({ status: 200, body });
    });

    test('shows what came through it, and not what came through the key or another wallet', async () => {
      const wallet = await newWallet();
      const other = await newWallet({ network: 'Ethereum', signingKey: { id: wallet.signingKey.id } });
      const { body } = await call('POST', `/keys/${wallet.signingKey.id}/signatures`, { kind: 'Hash', hash });
      const { body: through } = await call('POST', `/wallets/${wallet.id}/signatures`, { kind: 'Hash', hash });
      expect((await call('GET', `/wallets/${wallet.id}/signatures`)).body.items).toEqual([through]);
      expect(await call('GET', `/wallets/${wallet.id}/signatures/${body.id}`)).toMatchObject(refusal(404, 'Signature not found'));
      expect(await call('GET', `/wallets/${other.id}/signatures/${through.id}`)).toMatchObject(refusal(404, 'Signature not found'));
      expect((await call('GET', `/keys/${wallet.signingKey.id}/signatures`)).body.items).toHaveLength(2);
    });

    test('refuses a request for another network', async () => {
      const wallet = await newWallet({ network: 'Polygon' });
      expect(await call('POST', `/wallets/${wallet.id}/signatures`, { kind: 'Message', message: '00', network: 'Ethereum' })).toMatchObject(
        refusal(400, 'the wallet is of Polygon, the request is for Ethereum'),
      );
    });

    test('ends with the key', async () => {
      const wallet = await newWallet();
      await call('DELETE', `/keys/${wallet.signingKey.id}`);
      expect((await call('GET', `/wallets/${wallet.id}`)).body).toMatchObject({ status: 'Archived', dateDeleted: expect.any(String) });
      expect(await call('POST', `/wallets/${wallet.id}/signatures`, { kind: 'Hash', hash })).toMatchObject(
        refusal(400, 'the key is archived'),
      );
    });
  });

  test('an unknown wallet is not found, on every route', async () => {
    const routes = [
      ['GET', '', undefined],
      ['PUT', '', { name: 'x' }],
      ['PUT', '/tags', { tags: ['x'] }],
      ['DELETE', '/tags', { tags: ['x'] }],
      ['POST', '/signatures', { kind: 'Hash', hash }],
      ['GET', '/signatures', undefined],
      ['GET', '/signatures/sig-1', undefined],
    ] as const;
    for (const [method, rest, body] of routes) expect(await call(method, `/wallets/wa-none${rest}`, body)).toMatchObject(notFound);
  });
});
