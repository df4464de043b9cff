/**
 * The official examples of export and import, by the official client against a running instance: the shares are put together, and split, by
 * code of the test's own.
 */

import { createHash } from 'node:crypto';
import { ed25519 } from '@noble/curves/ed25519.js';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { toBigInt } from '../../src/base/bytes.ts';
import { shareProtocols } from '../../src/base/keyTypes.ts';
import { type Instance, officialClient, signerPids, startInstance } from '../support/instance.ts';
import { newDataDir } from '../support/pglite.ts';
import { handedIn, newOwner, newTravelPair, type Owner, publicKeyOfScalar, recombined } from '../support/travellingKeys.ts';
import { exampleOf, examples, expectSigned, hash } from './examples.ts';

let instance: Instance;
let client: ReturnType<typeof officialClient>;
beforeAll(async () => {
  instance = await startInstance({ dataDir: await newDataDir(), env: { CLUSTER_SIGNERS: '4' } });
  client = officialClient(instance);
});
afterAll(() => instance?.remove());

const signersOf = async () => (await client.signers.listSigners()).clusters[0]?.signers ?? [];
const supportedSchemes = Object.entries(shareProtocols).flatMap(([keyType, protocols]) =>
  protocols.map((protocol) => ({ protocol, curve: keyType.split('/')[1] as Owner['curve'] })),
);
/** Each type that signs, once. */
const types = examples.filter(
  ({ key }, at) => examples.findIndex((other) => other.key.scheme === key.scheme && other.key.curve === key.curve) === at,
);

function protocolOf({ scheme, curve }: (typeof examples)[number]['key']) {
  return shareProtocols[`${scheme}/${curve}` as keyof typeof shareProtocols][0];
}

describe('a wallet', () => {
  test('is exported with an encryption key, and reassembled locally', async () => {
    const pair = newTravelPair();
    const wallet = await client.wallets.createWallet({ body: { network: 'KeyECDSA' } });
    const body = { encryptionKey: pair.encryptionKey, supportedSchemes };
    const answer = await client.wallets.exportWallet({ walletId: wallet.id, body });
    expect(answer).toMatchObject({ publicKey: wallet.signingKey.publicKey, protocol: 'CGGMP24', curve: 'secp256k1', minSigners: 2 });
    expect(answer.encryptedKeyShares).toHaveLength(4);
    recombined(pair, answer);
    await expect(client.wallets.generateSignature({ walletId: wallet.id, body: { kind: 'Hash', hash } })).rejects.toMatchObject({
      httpStatus: 400,
      message: 'the key was exported: it is used here no more',
    });
  });

  test('is imported: the signers are listed, the key is split and encrypted to them, and the wallet signs with it', async () => {
    const owner = newOwner('secp256k1');
    const body = {
      ...handedIn(owner, await signersOf(), 3),
      protocol: 'CGGMP21' as const,
      network: 'KeyECDSA' as const,
      name: 'From home',
    };
    const wallet = await client.wallets.importWallet({ body });
    expect(wallet).toMatchObject({ network: 'KeyECDSA', name: 'From home', signingKey: { publicKey: owner.publicKey } });
    expectSigned(
      await client.wallets.generateSignature({ walletId: wallet.id, body: { kind: 'Hash', hash } }),
      exampleOf('ECDSA', 'secp256k1'),
      wallet.signingKey,
    );
  });
});

describe.runIf(process.platform === 'linux')('with a signer that hangs', () => {
  const send = (signal: NodeJS.Signals) => {
    for (const pid of signerPids(instance.dataDir, 4)) process.kill(pid, signal);
  };
  afterEach(() => send('SIGCONT'));

  test('a key is exported without it; one that is handed in waits until it is back', async () => {
    const signers = await signersOf();
    const { key } = exampleOf('EdDSA', 'ed25519');
    const { id: keyId } = await client.keys.createKey({ body: key });
    const owner = newOwner('ed25519');
    send('SIGSTOP');
    const pair = newTravelPair();
    const answer = await client.keys.exportKey({ keyId, body: { encryptionKey: pair.encryptionKey, supportedSchemes } });
    expect(answer.encryptedKeyShares).toHaveLength(3);
    recombined(pair, answer);
    const handIn = () => client.keys.importKey({ body: { ...handedIn(owner, signers, 3), protocol: 'FROST' } });
    await expect(handIn()).rejects.toMatchObject({
      httpStatus: 503,
      message: 'key import needs all 4 signers, each has a share of its own; 3 answer',
    });
    send('SIGCONT');
    expect(await handIn()).toMatchObject({ publicKey: owner.publicKey });
  });
});

describe('an imported key', () => {
  test.each(types.flatMap((example) => [2, 3, 4].map((minSigners) => ({ ...example, example, minSigners }))))(
    'of $key.scheme on $key.curve, split for any $minSigners of 4, signs, and is exported as what it was',
    async ({ example, minSigners }) => {
      const { key } = example;
      const owner = newOwner(key.curve);
      const body = { ...handedIn(owner, await signersOf(), minSigners), protocol: protocolOf(key) };
      const imported = await client.keys.importKey({ body });
      expect(imported).toMatchObject({ ...key, publicKey: owner.publicKey, imported: true });
      expectSigned(await client.keys.generateSignature({ keyId: imported.id, body: example.body('0x') }), example, imported);
      const pair = newTravelPair();
      const answer = await client.keys.exportKey({ keyId: imported.id, body: { encryptionKey: pair.encryptionKey, supportedSchemes } });
      expect(answer.minSigners).toBe(2);
      expect(recombined(pair, answer)).toBe(owner.secret);
    },
  );

  test('of an ed25519 seed is the key of that seed', async () => {
    const seed = ed25519.utils.randomSecretKey();
    const digest = new Uint8Array(createHash('sha512').update(seed).digest()).slice(0, 32);
    digest[0] = (digest[0] ?? 0) & 248;
    digest[31] = ((digest[31] ?? 0) & 127) | 64;
    const secret = toBigInt(digest.reverse()) % ed25519.Point.Fn.ORDER;
    const owner: Owner = { curve: 'ed25519', secret, publicKey: publicKeyOfScalar('ed25519', secret) };
    const key = await client.keys.importKey({ body: { ...handedIn(owner, await signersOf(), 3), protocol: 'FROST' } });
    expect(key.publicKey).toBe(Buffer.from(ed25519.getPublicKey(seed)).toString('hex'));
    expectSigned(
      await client.keys.generateSignature({ keyId: key.id, body: exampleOf('EdDSA', 'ed25519').body('0x') }),
      exampleOf('EdDSA', 'ed25519'),
      key,
    );
  });

  test('that was asked for as a master has children that sign', async () => {
    const example = exampleOf('EdDSA', 'ed25519');
    const owner = newOwner('ed25519');
    const master = await client.keys.importKey({ body: { ...handedIn(owner, await signersOf(), 2), protocol: 'FROST', masterKey: true } });
    expect(master).toMatchObject({ masterKey: true, imported: true });
    const child = await client.keys.createKey({ body: { ...example.key, deriveFrom: { keyId: master.id } } });
    expectSigned(await client.keys.generateSignature({ keyId: child.id, body: example.body('0x') }), example, child);
  });

  test('with a share that is not the one it says is refused, naming the signer', async () => {
    const owner = newOwner('ed25519');
    const signers = await signersOf();
    const body = handedIn(owner, signers, 2, (share, number) =>
      number === 2 ? { ...share, secret_share: { ...share.secret_share, scalar: '1'.padStart(64, '0') } } : share,
    );
    await expect(client.keys.importKey({ body: { ...body, protocol: 'FROST' } })).rejects.toMatchObject({
      httpStatus: 400,
      message: `signer ${body.encryptedKeyShares[1]?.signerId}: the share of signer number 2 does not belong to its public share`,
    });
    const key = await client.keys.importKey({ body: { ...handedIn(owner, signers, 2), protocol: 'FROST' } });
    expect(key.publicKey).toBe(owner.publicKey);
    await expect(client.keys.importKey({ body: { ...handedIn(owner, signers, 3), protocol: 'FROST' } })).rejects.toMatchObject({
      httpStatus: 409,
      message: 'this key is here already',
    });
  });
});
