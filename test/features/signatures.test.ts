import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { fromHex } from '../../src/base/bytes.ts';
import { Refusal } from '../../src/base/errors.ts';
import { newId } from '../../src/base/ids.ts';
import { schemeOf } from '../../src/crypto/schemes/index.ts';
import { eachDatabase } from '../support/databases.ts';
import { refusal } from '../support/refusal.ts';
import { type FakeWorld, newSecrets, startWorld } from '../support/world.ts';

const hash = '0x031edd7d41651593c5fe5c006fa5752b37fddff7bc4e843aa6af0c950f4b9406';
const hex32 = /^0x[0-9a-f]{64}$/;

eachDatabase((kind, open) => {
  let world: FakeWorld;
  const secrets = newSecrets();
  beforeAll(async () => {
    world = await startWorld({ database: await open(), secrets });
  });
  afterAll(() => world.stop());

  async function newKey(scheme: string, curve: string): Promise<{ id: string; publicKey: string }> {
    const { body } = await world.root.call('POST', '/keys', { scheme, curve });
    return body;
  }
  const pathOf = ({ id }: { id: string }) => `/keys/${id}/signatures`;

  /** Holds back what the signers do until released. */
  function held() {
    const { promise, resolve } = Promise.withResolvers<void>();
    world.coordinator.before = () => promise;
    return () => {
      world.coordinator.before = async () => {};
      resolve();
    };
  }

  describe('a request is signed', () => {
    test.each([
      { scheme: 'ECDSA', curve: 'secp256k1', body: { kind: 'Hash', hash }, encodedBytes: 65 },
      { scheme: 'ECDSA', curve: 'stark', body: { kind: 'Hash', hash }, encodedBytes: 65 },
      { scheme: 'EdDSA', curve: 'ed25519', body: { kind: 'Hash', hash: hash.slice(2).toUpperCase() }, encodedBytes: 64 },
      { scheme: 'EdDSA', curve: 'ed25519', body: { kind: 'Message', message: '0x01000507' }, encodedBytes: 64 },
      { scheme: 'Schnorr', curve: 'secp256k1', body: { kind: 'Hash', hash, taprootMerkleRoot: '' }, encodedBytes: 64 },
      { scheme: 'Schnorr', curve: 'secp256k1', body: { kind: 'Hash', hash, taprootMerkleRoot: '11'.repeat(32) }, encodedBytes: 64 },
    ])('$body.kind with $scheme on $curve', async ({ scheme, curve, body, encodedBytes }) => {
      const key = await newKey(scheme, curve);
      const answer = await world.root.call('POST', pathOf(key), body);
      const isEcdsa = scheme === 'ECDSA';
      expect(answer).toEqual({
        status: 200,
        body: {
          id: expect.stringMatching(/^sig-[a-z0-9]{5}-[a-z0-9]{5}-[a-z0-9]{16}$/),
          keyId: key.id,
          requester: { userId: world.root.userId, tokenId: expect.stringMatching(/^to-/) },
          requestBody: body,
          status: 'Signed',
          signature: {
            r: expect.stringMatching(hex32),
            s: expect.stringMatching(hex32),
            ...(isEcdsa ? { recid: expect.any(Number) } : {}),
            encoded: expect.stringMatching(new RegExp(`^0x[0-9a-f]{${2 * encodedBytes}}$`)),
          },
          dateRequested: expect.any(String),
          datePolicyResolved: expect.any(String),
          dateSigned: expect.any(String),
        },
      });
      const { r, s, recid } = answer.body.signature;
      const payload = {
        bytes: bytesOf('hash' in body ? `${body.hash}` : `${body.message}`),
        ...('taprootMerkleRoot' in body ? { taprootMerkleRoot: bytesOf(`${body.taprootMerkleRoot}`) } : {}),
      };
      const name = `${scheme}/${curve}` as Parameters<typeof schemeOf>[0]; // the rows above are key types that sign
      expect(schemeOf(name).verify(bytesOf(key.publicKey), payload, { r: bytesOf(r), s: bytesOf(s), recid })).toBe(true);
      expect(await world.root.call('GET', `${pathOf(key)}/${answer.body.id}`)).toEqual(answer);
    });

    test('for a network, which the answer names, with its externalId', async () => {
      const key = await newKey('ECDSA', 'secp256k1');
      const body = { kind: 'Hash', hash, network: 'EthereumSepolia', externalId: 'invoice-1', unknown: { kept: true } };
      expect(await world.root.call('POST', pathOf(key), body)).toMatchObject({
        status: 200,
        body: { network: 'EthereumSepolia', externalId: 'invoice-1', requestBody: body },
      });
    });
  });

  describe('a request is refused', () => {
    test.each([
      ['without a kind', 'ECDSA', 'secp256k1', { hash }],
      ['of an unknown kind', 'ECDSA', 'secp256k1', { kind: 'Everything' }],
      ['of a vendor flow', 'ECDSA', 'secp256k1', { kind: 'DfnsSmartAccountTransaction' }],
      ['with a short hash', 'ECDSA', 'secp256k1', { kind: 'Hash', hash: '0x01' }],
      ['with a hash that is not hex', 'ECDSA', 'secp256k1', { kind: 'Hash', hash: 'z'.repeat(64) }],
      ['for a Message with ECDSA', 'ECDSA', 'secp256k1', { kind: 'Message', message: '0x00' }],
      ['for Schnorr without the merkle root', 'Schnorr', 'secp256k1', { kind: 'Hash', hash }],
      ['for a DH key', 'DH', 'secp256k1', { kind: 'Hash', hash }],
      ['for a chain without a module', 'ECDSA', 'secp256k1', { kind: 'Transaction', transaction: '0x00', network: 'Ion' }],
      ['with an externalId with U+0000', 'EdDSA', 'ed25519', { kind: 'Message', message: '', externalId: 'a\0' }],
    ])('%s', async (_, scheme, curve, body) => {
      const key = await newKey(scheme, curve);
      const asked = world.coordinator.asked.sign;
      expect(await world.root.call('POST', pathOf(key), body)).toMatchObject({ status: 400 });
      expect(world.coordinator.asked.sign).toBe(asked);
      expect((await world.root.call('GET', pathOf(key))).body.items).toEqual([]);
    });

    test('for an unknown key', async () => {
      const notFound = refusal(404, 'Key not found');
      expect(await world.root.call('POST', '/keys/key-none/signatures', { kind: 'Hash', hash })).toMatchObject(notFound);
      expect(await world.root.call('GET', '/keys/key-none/signatures')).toMatchObject(notFound);
      expect(await world.root.call('GET', '/keys/key-none/signatures/sig-none')).toMatchObject(notFound);
    });

    test('for an archived key, and the user action is spent', async () => {
      const key = await newKey('EdDSA', 'ed25519');
      await world.root.call('DELETE', `/keys/${key.id}`);
      const bodyText = '{"kind":"Message","message":"00"}';
      const userAction = await world.root.action('POST', pathOf(key), bodyText);
      const send = () => world.root.send('POST', pathOf(key), { bodyText, userAction });
      expect(await send()).toMatchObject(refusal(400, 'the key is archived'));
      expect(await send()).toMatchObject(refusal(400, 'user action has already been used'));
      expect((await world.root.call('GET', pathOf(key))).body.items).toEqual([]);
    });

    test('when the key is archived while its user action is on the way', async () => {
      const key = await newKey('EdDSA', 'ed25519');
      const bodyText = '{"kind":"Message","message":"00"}';
      const actions = await Promise.all(Array.from({ length: 10 }, () => world.root.action('POST', pathOf(key), bodyText)));
      const [archived, ...answers] = await Promise.all([
        world.root.call('DELETE', `/keys/${key.id}`),
        ...actions.map((userAction) => world.root.send('POST', pathOf(key), { bodyText, userAction })),
      ]);
      expect(archived).toMatchObject({ status: 200 });
      const signed = answers.filter(({ status }) => status === 200).map(({ body }) => body.id);
      for (const answer of answers) if (answer.status !== 200) expect(answer).toMatchObject(refusal(400, 'the key is archived'));
      const { items } = (await world.root.call('GET', pathOf(key))).body;
      const shown = items.filter(({ status }: { status: string }) => status === 'Signed').map(({ id }: { id: string }) => id);
      expect(shown.sort()).toEqual(signed.sort());
      // The signers knew of it before the service did.
      for (const { status, reason } of items)
        if (status !== 'Signed') expect({ status, reason }).toEqual({ status: 'Failed', reason: 'the key is archived' });
    });
  });

  describe('when the signers cannot', () => {
    test('the request is Failed, with the reason, and the answer names it', async () => {
      const key = await newKey('EdDSA', 'ed25519');
      world.coordinator.before = async () => {
        throw new Refusal('Unavailable', 'too few signers answer');
      };
      const answer = await world.root.call('POST', pathOf(key), { kind: 'Message', message: '00' });
      world.coordinator.before = async () => {};
      const signatureId = answer.body.error.details.signatureId;
      expect(answer).toMatchObject({
        status: 503,
        body: { error: { message: 'too few signers answer', details: { signatureId, keyId: key.id } } },
      });
      const { body } = await world.root.call('GET', `${pathOf(key)}/${signatureId}`);
      expect(body).toMatchObject({ status: 'Failed', reason: 'too few signers answer' });
      expect(body).not.toHaveProperty('signature');
    });

    test('what breaks inside is told as that, not shown', async () => {
      const key = await newKey('EdDSA', 'ed25519');
      world.coordinator.before = async () => {
        throw new Error('details of the house');
      };
      const answer = await world.root.call('POST', pathOf(key), { kind: 'Message', message: '00' });
      world.coordinator.before = async () => {};
      expect(answer).toMatchObject(refusal(500, 'Internal Server Error'));
      const { body } = await world.root.call('GET', pathOf(key));
      expect(body.items).toMatchObject([{ status: 'Failed', reason: 'Internal Server Error' }]);
    });

    test('a request that was given up meanwhile releases nothing', async () => {
      const key = await newKey('EdDSA', 'ed25519');
      const release = held();
      const answer = world.root.call('POST', pathOf(key), { kind: 'Message', message: '00' });
      await expect.poll(async () => (await world.root.call('GET', pathOf(key))).body.items).toMatchObject([{ status: 'Executing' }]);
      await world.database.query("update signature_requests set status = 'Failed', reason = 'given up' where key_id = $1", [key.id]);
      release();
      expect(await answer).toMatchObject(refusal(503, 'the request was given up meanwhile'));
      const { body } = await world.root.call('GET', pathOf(key));
      expect(body.items).toMatchObject([{ status: 'Failed', reason: 'given up' }]);
    });
  });

  describe('an externalId', () => {
    test('given again with the same body answers the same request', async () => {
      const key = await newKey('EdDSA', 'ed25519');
      const asked = world.coordinator.asked.sign;
      const first = await world.root.call('POST', pathOf(key), '{"kind":"Message","message":"00","externalId":"a"}');
      const again = await world.root.call('POST', pathOf(key), '{ "externalId": "a", "message": "00", "kind": "Message" }');
      expect(again).toEqual(first);
      expect(world.coordinator.asked.sign).toBe(asked + 1);
    });

    test('given again with another body is refused, and names the one there is', async () => {
      const key = await newKey('EdDSA', 'ed25519');
      const body = { kind: 'Message', message: '00', externalId: 'a' };
      const first = await world.root.call('POST', pathOf(key), body);
      expect(await world.root.call('POST', pathOf(key), { ...body, message: '01' })).toEqual({
        status: 409,
        body: {
          error: {
            id: expect.any(String),
            status: 409,
            message: 'Conflicting signature with same externalId',
            details: { duplicate: { id: first.body.id, externalId: 'a' } },
          },
        },
      });
    });

    test('is bound for each key apart', async () => {
      const body = { kind: 'Message', message: '00', externalId: 'a' };
      const [one, other] = [await newKey('EdDSA', 'ed25519'), await newKey('EdDSA', 'ed25519')];
      const ids = [await world.root.call('POST', pathOf(one), body), await world.root.call('POST', pathOf(other), body)];
      expect(new Set(ids.map(({ body: { id } }) => id)).size).toBe(2);
    });

    test('stays bound when the request failed, and when the key is archived', async () => {
      const key = await newKey('EdDSA', 'ed25519');
      const body = { kind: 'Message', message: '00', externalId: 'a' };
      world.coordinator.before = async () => {
        throw new Refusal('Unavailable', 'too few signers answer');
      };
      const failed = await world.root.call('POST', pathOf(key), body);
      world.coordinator.before = async () => {};
      const again = await world.root.call('POST', pathOf(key), body);
      expect(again).toMatchObject({ status: 200, body: { id: failed.body.error.details.signatureId, status: 'Failed' } });
      await world.root.call('DELETE', `/keys/${key.id}`);
      expect(await world.root.call('POST', pathOf(key), body)).toEqual(again);
    });

    test('given by fifty requests at once makes one, and all see it Signed', async () => {
      const key = await newKey('ECDSA', 'secp256k1');
      const body = { kind: 'Hash', hash, externalId: newId('request') };
      const asked = world.coordinator.asked.sign;
      world.coordinator.before = () => new Promise((resolve) => setTimeout(resolve, 100));
      const answers = await Promise.all(Array.from({ length: 50 }, () => world.root.call('POST', pathOf(key), body)));
      world.coordinator.before = async () => {};
      expect(answers).toEqual(Array(50).fill(answers[0]));
      expect(answers[0]).toMatchObject({ status: 200, body: { status: 'Signed' } });
      expect(world.coordinator.asked.sign).toBe(asked + 1);
      expect((await world.root.call('GET', pathOf(key))).body.items).toHaveLength(1);
    });

    test.runIf(kind === 'postgres')('given at two replicas at once makes one', async () => {
      const key = await newKey('EdDSA', 'ed25519');
      const second = await startWorld({ database: world.database, secrets, coordinator: world.coordinator });
      const body = { kind: 'Message', message: '00', externalId: newId('request') };
      const answers = await Promise.all(
        Array.from({ length: 30 }, (_, i) => (i % 2 === 0 ? world : second).root.call('POST', pathOf(key), body)),
      );
      await second.stop();
      expect(answers).toEqual(Array(30).fill(answers[0]));
      expect((await world.root.call('GET', pathOf(key))).body.items).toHaveLength(1);
    });
  });

  test('signature requests are listed newest first, page by page', async () => {
    const key = await newKey('EdDSA', 'ed25519');
    const made = [];
    for (const message of ['00', '01', '02']) made.push((await world.root.call('POST', pathOf(key), { kind: 'Message', message })).body);
    const first = await world.root.call('GET', `${pathOf(key)}?limit=2`);
    expect(first.body).toEqual({ items: [made[2], made[1]], keyId: key.id, nextPageToken: expect.any(String) });
    const second = await world.root.call('GET', `${pathOf(key)}?limit=2&paginationToken=${first.body.nextPageToken}`);
    expect(second.body).toEqual({ items: [made[0]], keyId: key.id });
    const other = await newKey('EdDSA', 'ed25519');
    const foreign = await world.root.call('GET', `${pathOf(other)}?paginationToken=${first.body.nextPageToken}`);
    expect(foreign).toMatchObject({ status: 400 });
  });

  test('a signature request is found under its key only', async () => {
    const [key, other] = [await newKey('EdDSA', 'ed25519'), await newKey('EdDSA', 'ed25519')];
    const { body } = await world.root.call('POST', pathOf(key), { kind: 'Message', message: '00' });
    const notFound = refusal(404, 'Signature not found');
    expect(await world.root.call('GET', `${pathOf(other)}/${body.id}`)).toMatchObject(notFound);
    expect(await world.root.call('GET', `${pathOf(key)}/sig-none`)).toMatchObject(notFound);
  });

  test('two hundred requests at once are all signed, each its own', async () => {
    const key = await newKey('EdDSA', 'ed25519');
    const messages = Array.from({ length: 200 }, (_, i) => i.toString(16).padStart(4, '0'));
    const answers = await Promise.all(messages.map((message) => world.root.call('POST', pathOf(key), { kind: 'Message', message })));
    answers.forEach(({ status, body }, i) => {
      expect({ status, message: body.requestBody.message }).toEqual({ status: 200, message: messages[i] });
      const { r, s } = body.signature;
      const payload = { bytes: bytesOf(`${messages[i]}`) };
      expect(schemeOf('EdDSA/ed25519').verify(bytesOf(key.publicKey), payload, { r: bytesOf(r), s: bytesOf(s) })).toBe(true);
    });
    expect(new Set(answers.map(({ body }) => body.id)).size).toBe(200);
  });
});

function bytesOf(hex: string): Uint8Array {
  return fromHex(hex) ?? expect.fail(`not hex: ${hex}`);
}
