/**
 * Backups as an operator makes and uses them: of signers that run and sign meanwhile; a signer's host lost and replaced; and the keys whole,
 * on a machine without a network.
 */

import { execFile } from 'node:child_process';
import { createHash, createPrivateKey, createPublicKey, sign, verify } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import { ed25519 } from '@noble/curves/ed25519.js';
import { schnorr, secp256k1 } from '@noble/curves/secp256k1.js';
import { HDKey } from '@scure/bip32';
import { WIF } from '@scure/btc-signer';
import * as starknet from '@scure/starknet';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { assert } from '../../src/base/errors.ts';
import { type Instance, officialClient, signerPids, startInstance } from '../support/instance.ts';
import { newDataDir } from '../support/pglite.ts';
import { exampleOf } from '../wire/examples.ts';
import { expectSigns, type Key, newKeys } from '../wire/requests.ts';

const program = new URL('../../src/main.ts', import.meta.url).pathname;
const run = promisify(execFile);
const passphrase = 'a passphrase in a safe';
const directory = mkdtempSync(join(tmpdir(), 'countersign-backup-'));
const at = (file: string) => join(directory, file);

let instance: Instance;
let keys: Key[];
let masterId: string;
let child: { id: string; publicKey: string };

/** Whatever it comes to. In an environment without anything, credentials and proxies included. */
async function ran(args: readonly string[], wrapper: readonly string[] = []): Promise<{ code: number; stdout: string; stderr: string }> {
  const [command, ...rest] = [...wrapper, process.execPath, program, ...args];
  assert(command, 'there is a command');
  return run(command, rest, { cwd: directory, env: { PATH: process.env.PATH } }).then(
    ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
    ({ code, stdout, stderr }) => ({ code, stdout, stderr }),
  );
}
async function countersign(...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await ran(args);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return stdout;
}
async function refusal(...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await ran(args);
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  return stderr;
}
const allUp = async () => (await fetch(`${instance.origin}/readyz`)).ok;
const signerDir = (i: number) => join(instance.dataDir, `signer-${i}`);

beforeAll(async () => {
  instance = await startInstance({ dataDir: await newDataDir() });
  const types = [
    exampleOf('ECDSA', 'secp256k1'),
    exampleOf('EdDSA', 'ed25519'),
    exampleOf('Schnorr', 'secp256k1'),
    exampleOf('ECDSA', 'stark'),
  ];
  keys = await newKeys(instance, types);
  const client = officialClient(instance);
  const master = await client.keys.createKey({ body: { scheme: 'ECDSA', curve: 'secp256k1', masterKey: true } });
  masterId = master.id;
  child = await client.keys.createKey({ body: { scheme: 'ECDSA', curve: 'secp256k1', deriveFrom: { keyId: master.id, path: 'm/3/5' } } });
  writeFileSync(at('passphrase'), `${passphrase}\n`, { mode: 0o600 });
  writeFileSync(at('recovery.pem'), await countersign('recover', 'key', '--out', 'recovery.key'));
});
afterAll(async () => {
  await instance?.remove();
  rmSync(directory, { recursive: true, force: true });
});

describe('signer backup', () => {
  test('is made while the signer signs, for a key, a passphrase or both', async () => {
    expect(statSync(at('recovery.key')).mode & 0o777).toBe(0o600);
    const [eddsa] = keys.filter(({ example }) => example.key.scheme === 'EdDSA');
    assert(eddsa, 'one is');
    let stop = false;
    let signatures = 0;
    const signing = (async () => {
      for (; !stop; signatures++) await expectSigns(instance, eddsa);
    })();
    const backup = (i: number, ...recipients: readonly string[]) =>
      countersign('signer', 'backup', '--data-dir', signerDir(i), '--to', `${i}.backup`, ...recipients);
    expect(await backup(1, '--recipient', 'recovery.pem')).toMatch(
      /^1.backup: signer \S+ of cluster cl-\S+ as of \S+; shares of 5 keys, 6 entries/,
    );
    await backup(2, '--passphrase-file', 'passphrase');
    await backup(3, '--recipient', 'recovery.pem', '--passphrase-file', 'passphrase');
    stop = true;
    await signing;
    expect(signatures).toBeGreaterThan(0);
  });

  test('says what is wrong', async () => {
    const backup = (...args: readonly string[]) => refusal('signer', 'backup', '--data-dir', signerDir(1), ...args);
    expect(await backup('--to', 'none.backup')).toMatch(/is for a recovery key \(--recipient\) or a passphrase/);
    expect(await backup('--to', '1.backup', '--recipient', 'recovery.pem')).toMatch(/1.backup is there already/);
    expect(await backup('--recipient', 'recovery.pem')).toMatch(/--to is missing/);
    writeFileSync(at('open'), passphrase, { mode: 0o644 });
    expect(await backup('--to', 'none.backup', '--passphrase-file', 'open')).toMatch(/open is readable by others/);
    expect(existsSync(at('none.backup'))).toBe(false);
  });
});

describe('signer restore', () => {
  test('brings a lost signer back into the running cluster, and all keys sign', async () => {
    const [pid] = signerPids(instance.dataDir, 1);
    assert(pid, 'it runs');
    process.kill(pid, 'SIGKILL');
    rmSync(signerDir(1), { recursive: true });
    const restore = ['signer', 'restore', '--data-dir', signerDir(1), '--from', '1.backup'];
    expect(await refusal(...restore)).toMatch(/none of the keys and passphrases given opens it; it is for recovery key 0[23]/);
    expect(existsSync(signerDir(1))).toBe(false);
    expect(await countersign(...restore, '--recovery-key', 'recovery.key')).toMatch(/The old signer, wherever it is, must never run again/);
    expect(await refusal(...restore, '--recovery-key', 'recovery.key')).toMatch(/is there already, and not empty/);

    // The supervisor starts it again. The making of a key, too, has the others witness it first.
    for (let tries = 0; signerPids(instance.dataDir, 1).length === 0 || !(await allUp()); tries++) {
      if (tries > 120) throw new Error(instance.output());
      await pause(250);
    }
    await pause(1_000); // what they say in the very second of its return witnesses nothing
    keys.push(...(await newKeys(instance, [exampleOf('EdDSA', 'ed25519')])));
    // It signs nothing that may have been authorised before.
    const [ecdsa] = keys;
    assert(ecdsa, 'ECDSA takes all three');
    for (let tries = 0; ; tries++) {
      const outcome = await expectSigns(instance, ecdsa).then(
        () => 'signed',
        (error: Error) => error.message,
      );
      if (outcome === 'signed') break;
      if (tries > 120) throw new Error(`${outcome}\n${instance.output()}`);
      await pause(500);
    }
    for (const key of keys) await expectSigns(instance, key);
  });
});

interface Recovered {
  readonly keyId: string;
  readonly keyType: string;
  readonly publicKey: string;
  readonly privateKey: { readonly hex: string; readonly wif?: string; readonly xprv?: string; readonly expanded?: string };
}
/** The last key is younger than the backups. */
const backedUp = () => keys.slice(0, -1).map(({ id }) => id);
const recoveredIn = (file: string): readonly Recovered[] => JSON.parse(readFileSync(at(file), 'utf8')).keys;
const bytesOf = (hex: string) => new Uint8Array(Buffer.from(hex, 'hex'));

describe('recover', () => {
  const openers = ['--recovery-key', 'recovery.key', '--passphrase-file', 'passphrase'];

  test('rebuilds all keys from two backups, on a machine without a network, and says what that means', async () => {
    const isolated = process.getuid?.() === 0 && existsSync('/usr/bin/unshare') ? ['unshare', '--net'] : [];
    const { code, stdout, stderr } = await ran(['recover', '--out', 'keys.json', ...openers, '1.backup', '2.backup'], isolated);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/WARNING: keys.json holds 6 private keys, WHOLE/);
    expect(statSync(at('keys.json')).mode & 0o777).toBe(0o600);
    const recovered = recoveredIn('keys.json');
    expect(recovered.map(({ keyId }) => keyId)).toEqual([...backedUp(), masterId, child.id].sort());
    for (const { privateKey } of recovered) expect(stdout).not.toContain(privateKey.hex);
  });

  test('gives keys that others’ libraries sign with, under the public keys of the service', async () => {
    const recovered = recoveredIn('keys.json');
    const digest = new Uint8Array(32).fill(7);
    for (const { id, publicKey, example } of keys.slice(0, -1)) {
      const found = recovered.find(({ keyId }) => keyId === id);
      assert(found, 'every key is there');
      expect(found.publicKey).toBe(publicKey);
      const { hex, wif, expanded } = found.privateKey;
      const secret = bytesOf(hex);
      switch (`${example.key.scheme} ${example.key.curve}`) {
        case 'ECDSA secp256k1':
          expect(Buffer.from(secp256k1.getPublicKey(secret)).toString('hex')).toBe(publicKey);
          expect(secp256k1.verify(secp256k1.sign(digest, secret), digest, bytesOf(publicKey))).toBe(true);
          expect(WIF().decode(wif ?? '')).toEqual(secret);
          expect(opensslVerifies(secret, publicKey)).toBe(true);
          break;
        case 'Schnorr secp256k1':
          expect(schnorr.verify(schnorr.sign(digest, secret), digest, bytesOf(publicKey).subarray(1))).toBe(true);
          break;
        case 'ECDSA stark':
          expect(Buffer.from(starknet.getPublicKey(hex, true)).toString('hex')).toBe(publicKey);
          break;
        case 'EdDSA ed25519':
          expect(ed25519.verify(signExpanded(bytesOf(expanded ?? ''), digest), digest, bytesOf(publicKey))).toBe(true);
          break;
        default:
          throw new Error('a type that nobody has tried');
      }
    }
  });

  test('gives a master that wallets derive the same children from', () => {
    const recovered = recoveredIn('keys.json');
    const [master, derived] = [masterId, child.id].map((id) => recovered.find(({ keyId }) => keyId === id));
    assert(master?.privateKey.xprv && derived, 'both are there');
    const wallet = HDKey.fromExtendedKey(master.privateKey.xprv);
    expect(Buffer.from(wallet.publicKey ?? []).toString('hex')).toBe(master.publicKey);
    const there = wallet.derive('m/3/5');
    expect(Buffer.from(there.publicKey ?? []).toString('hex')).toBe(child.publicKey);
    expect(Buffer.from(there.privateKey ?? []).toString('hex')).toBe(derived.privateKey.hex);
  });

  test('rebuilds one key alone, when that is what is asked for', async () => {
    await countersign('recover', '--out', 'one.json', '--key', child.id, ...openers, '3.backup', '2.backup');
    expect(recoveredIn('one.json').map(({ publicKey }) => publicKey)).toEqual([child.publicKey]);
  });

  test('refuses fewer than t + 1 backups, one twice, those it cannot open, and to overwrite', async () => {
    const recover = (...args: readonly string[]) => refusal('recover', '--out', 'none.json', ...args);
    expect(await recover(...openers, '1.backup')).toMatch(/2 of the cluster's 3 signers hold a key: 1 backups are too few/);
    expect(await recover(...openers, '1.backup', '1.backup')).toMatch(/two of the backups are of one signer/);
    expect(await recover('--recovery-key', 'recovery.key', '1.backup', '2.backup')).toMatch(
      /2.backup: none of the keys and passphrases given/,
    );
    expect(await recover(...openers, '1.backup', 'recovery.pem')).toMatch(/recovery.pem: it is not a backup of a signer/);
    expect(await recover(...openers, '--key', 'key-none', '1.backup', '2.backup')).toMatch(
      /none of the backups has a share of key key-none/,
    );
    expect(existsSync(at('none.json'))).toBe(false);
    expect(await refusal('recover', '--out', 'keys.json', ...openers, '1.backup', '2.backup')).toMatch(/keys.json is there already/);
  });
});

/** OpenSSL signs with it, under the public half. */
function opensslVerifies(secret: Uint8Array, publicKey: string): boolean {
  const point = secp256k1.Point.fromHex(publicKey).toBytes(false);
  const jwk = {
    kty: 'EC',
    crv: 'secp256k1',
    d: Buffer.from(secret).toString('base64url'),
    x: Buffer.from(point.subarray(1, 33)).toString('base64url'),
    y: Buffer.from(point.subarray(33)).toString('base64url'),
  };
  const message = Buffer.from('a message');
  return verify(
    'sha256',
    message,
    createPublicKey({ key: jwk, format: 'jwk' }),
    sign('sha256', message, createPrivateKey({ key: jwk, format: 'jwk' })),
  );
}

/** RFC 8032 §5.1.6, from step 2 on: with noble's arithmetic. */
function signExpanded(expanded: Uint8Array, message: Uint8Array): Uint8Array {
  const { Point } = ed25519;
  const { Fn } = Point;
  const littleEndian = (bytes: Uint8Array) => Fn.create(BigInt(`0x${Buffer.from(bytes).reverse().toString('hex')}`));
  const hash = (...parts: readonly Uint8Array[]) => littleEndian(createHash('sha512').update(Buffer.concat(parts)).digest());
  const [scalar, prefix] = [littleEndian(expanded.subarray(0, 32)), expanded.subarray(32)];
  const r = hash(prefix, message);
  const R = Point.BASE.multiply(r).toBytes();
  const k = hash(R, Point.BASE.multiply(scalar).toBytes(), message);
  return new Uint8Array(Buffer.concat([R, Fn.toBytes(Fn.add(r, Fn.mul(k, scalar)))]));
}
