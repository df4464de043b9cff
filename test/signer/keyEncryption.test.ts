/** A key-encryption key at rest, by every provider: it comes back to the signer that it was wrapped for, and to nobody else. */

import { randomBytes } from 'node:crypto';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { assert, reasonsOf } from '../../src/base/errors.ts';
import { readKeyEncryption } from '../../src/config.ts';
import { native, portable } from '../../src/crypto/argon2id.ts';
import { openKeyEncryptionKey } from '../../src/signer/keyEncryption/open.ts';
import { rewrap, rotate } from '../../src/signer/keyEncryption/rewrap.ts';
import { initialiseSigner } from '../../src/signer/process.ts';
import { type FakeKms, startKms } from '../support/kms.ts';
import { type SoftHsm, startSoftHsm } from '../support/softhsm.ts';
import { type FakeVault, startVault } from '../support/vault.ts';
import { createCluster, type TestCluster, type TestKey, type TestSigner } from './cluster.ts';
import { sharesOf } from './shares.ts';

type Variables = Readonly<Record<string, string>>;

let vault: FakeVault;
let kms: FakeKms;
let hsm: SoftHsm | { readonly reason: string };
const kept = { ...process.env };

beforeAll(async () => {
  [vault, kms, hsm] = await Promise.all([startVault({ keys: ['signer-1', 'signer-2'] }), startKms(), startSoftHsm()]);
  // The AWS client and the module read the environment themselves.
  Object.assign(process.env, { AWS_ACCESS_KEY_ID: kms.accessKeyId, AWS_SECRET_ACCESS_KEY: kms.secretAccessKey, AWS_REGION: kms.region });
  if ('env' in hsm) Object.assign(process.env, hsm.env);
}, 240_000);
afterAll(async () => {
  for (const name of Object.keys(process.env)) if (!(name in kept)) delete process.env[name];
  Object.assign(process.env, kept);
  if ('remove' in hsm) hsm.remove();
  await Promise.all([vault.close(), kms.close()]);
});

function newDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'countersign-kek-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}
const keyFile = (dataDir: string) => join(dataDir, 'key-encryption.key');
const textOf = (dataDir: string) => readFileSync(keyFile(dataDir), 'utf8');
const formOf = (dataDir: string) => JSON.parse(textOf(dataDir));
const alter = (dataDir: string, change: object) =>
  writeFileSync(keyFile(dataDir), JSON.stringify({ ...formOf(dataDir), ...change }), { mode: 0o600 });
const open = (dataDir: string, variables: Variables) => openKeyEncryptionKey(dataDir, readKeyEncryption(variables));
/** What it says when it refuses. */
const refusal = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => Promise.reject(new Error('it did not refuse')),
    (error) => reasonsOf(error).join(': '),
  );

const passphrase = { KEY_ENCRYPTION: 'passphrase', KEY_ENCRYPTION_PASSPHRASE: 'correct horse battery staple' };
const ofVault = () => ({ KEY_ENCRYPTION: 'vault', VAULT_ADDR: vault.address, VAULT_TOKEN: vault.token, VAULT_TRANSIT_KEY: 'signer-1' });
const ofKms = () => ({ KEY_ENCRYPTION: 'aws-kms', AWS_KMS_KEY: kms.keys[0] ?? '', AWS_KMS_ENDPOINT: kms.endpoint });
function ofHsm(): Variables {
  assert('module' in hsm, 'there is a token');
  return { KEY_ENCRYPTION: 'pkcs11', PKCS11_MODULE: hsm.module, PKCS11_TOKEN: hsm.token, PKCS11_PIN: hsm.pin, PKCS11_KEY: 'signer-1' };
}
/** Skips, saying so, where this machine has no token. */
function needToken(skip: (note: string) => void): void {
  if ('reason' in hsm) skip(`no PKCS#11 token: ${hsm.reason}`);
}

describe.each<[string, () => Variables]>([
  ['passphrase', () => passphrase],
  ['pkcs11', ofHsm],
  ['aws-kms', ofKms],
  ['vault', ofVault],
])('%s', (provider, variables) => {
  test('wraps a new signer’s key, and gives it back', async ({ skip }) => {
    if (provider === 'pkcs11') needToken(skip);
    const dataDir = newDirectory();
    const made = await initialiseSigner(dataDir, readKeyEncryption(variables()));
    expect(formOf(dataDir)).toMatchObject({ version: 1, provider, clusterId: '', signerId: made.signerId, generation: 1 });
    expect(statSync(keyFile(dataDir)).mode & 0o777).toBe(0o600);
    const key = await open(dataDir, variables());
    expect(key).toHaveLength(32);
    const stands = textOf(dataDir);
    for (const encoding of ['hex', 'base64', 'latin1'] as const) expect(stands).not.toContain(Buffer.from(key).toString(encoding));
    expect(await initialiseSigner(dataDir, readKeyEncryption(variables()))).toEqual(made);
  });

  test('gives it back for the same cluster, signer and generation only', async ({ skip }) => {
    if (provider === 'pkcs11') needToken(skip);
    const dataDir = newDirectory();
    await initialiseSigner(dataDir, readKeyEncryption(variables()));
    const form = formOf(dataDir);
    const wrapped = Buffer.from(form.wrapped, 'base64');
    const flipped = Buffer.from(wrapped);
    flipped[flipped.length - 1] = (flipped.at(-1) ?? 0) ^ 1;
    const cut = wrapped.subarray(0, 20);
    for (const change of [
      { clusterId: 'cl-another' },
      { signerId: 'another' },
      { generation: 2 },
      { wrapped: flipped.toString('base64') },
      { wrapped: cut.toString('base64') },
      { wrapped: '' },
    ]) {
      alter(dataDir, { ...form, ...change });
      expect(await refusal(open(dataDir, variables())), JSON.stringify(change)).toMatch(/key-encryption.key was not unwrapped by /);
    }
    alter(dataDir, form);
    await open(dataDir, variables());
  });

  test('says which of its settings is missing', async ({ skip }) => {
    if (provider === 'pkcs11') needToken(skip);
    const dataDir = newDirectory();
    await initialiseSigner(dataDir, readKeyEncryption(variables()));
    expect(await refusal(open(dataDir, provider === 'aws-kms' ? { AWS_KMS_ENDPOINT: 'http://127.0.0.1:9' } : {}))).toMatch(
      {
        passphrase: /KEY_ENCRYPTION_PASSPHRASE_FILE or KEY_ENCRYPTION_PASSPHRASE is not set/,
        pkcs11: /PKCS11_MODULE is not set/,
        'aws-kms': /ECONNREFUSED/,
        vault: /VAULT_ADDR is not set/,
      }[provider] ?? /never/,
    );
  });
});

describe('a passphrase', () => {
  test('may come from a file of its owner’s alone, whose last newline does not count', async () => {
    const dataDir = newDirectory();
    const file = join(dataDir, 'passphrase');
    writeFileSync(file, `${passphrase.KEY_ENCRYPTION_PASSPHRASE}\n`, { mode: 0o600 });
    const signer = join(dataDir, 'signer');
    await initialiseSigner(signer, readKeyEncryption({ KEY_ENCRYPTION: 'passphrase', KEY_ENCRYPTION_PASSPHRASE_FILE: file }));
    expect(await open(signer, passphrase)).toHaveLength(32);
    writeFileSync(join(dataDir, 'open'), 'correct horse battery staple', { mode: 0o644 });
    expect(await refusal(open(signer, { KEY_ENCRYPTION_PASSPHRASE_FILE: join(dataDir, 'open') }))).toMatch(/is readable by others/);
    expect(await refusal(open(signer, { KEY_ENCRYPTION_PASSPHRASE_FILE: join(dataDir, 'none') }))).toMatch(
      /KEY_ENCRYPTION_PASSPHRASE_FILE: ENOENT/,
    );
  });

  test('that is another opens nothing, and is not repeated', async () => {
    const dataDir = newDirectory();
    await initialiseSigner(dataDir, readKeyEncryption(passphrase));
    const said = await refusal(open(dataDir, { KEY_ENCRYPTION_PASSPHRASE: 'correct horse battery stapler' }));
    expect(said).toMatch(/the passphrase is another, or what it opens was altered/);
    expect(said).not.toContain('horse');
  });

  test('is not taken when it is short, and leaves no half-made signer behind', async () => {
    const dataDir = newDirectory();
    const short = readKeyEncryption({ KEY_ENCRYPTION: 'passphrase', KEY_ENCRYPTION_PASSPHRASE: 'elevenchars' });
    expect(await refusal(initialiseSigner(dataDir, short))).toMatch(/has 12 characters or more/);
    expect(existsSync(keyFile(dataDir))).toBe(false);
    await initialiseSigner(dataDir, readKeyEncryption(passphrase));
  });

  test('costs what the file says, and no file makes it cost without bound', async () => {
    const dataDir = newDirectory();
    await initialiseSigner(dataDir, readKeyEncryption(passphrase));
    const { parameters } = formOf(dataDir);
    expect(parameters).toMatchObject({ kdf: 'argon2id', memoryKiB: 262_144, passes: 3, lanes: 4 });
    alter(dataDir, { parameters: { ...parameters, memoryKiB: 2 ** 30 } });
    expect(await refusal(open(dataDir, passphrase))).toMatch(/memoryKiB/);
    alter(dataDir, { parameters: { ...parameters, passes: 2 } });
    expect(await refusal(open(dataDir, passphrase))).toMatch(/the passphrase is another/);
  });

  test('becomes a key as RFC 9106 has it, by Node and by noble alike', async () => {
    const cost = { memoryKiB: 64, passes: 2, lanes: 3 };
    for (const size of [0, 1, 12, 200]) {
      const [secret, salt] = [randomBytes(size), randomBytes(16)];
      expect(await portable(secret, salt, cost)).toEqual(await native(secret, salt, cost));
    }
  });
});

describe('vault', () => {
  const made = async () => {
    const dataDir = newDirectory();
    await initialiseSigner(dataDir, readKeyEncryption(ofVault()));
    return dataDir;
  };

  test('that denies, is sealed, sends elsewhere or babbles: the signer does not start, and says why', async () => {
    const dataDir = await made();
    expect(await refusal(open(dataDir, { ...ofVault(), VAULT_TOKEN: 'another' }))).toMatch(
      /refuses to decrypt with transit\/signer-1: 403 permission denied/,
    );
    onTestFinished(() => vault.be('well'));
    for (const [mood, reason] of [
      ['sealed', /: 503 Vault is sealed/],
      ['redirecting', /does not answer: .*redirect/],
      ['babbling', /the answer is not one of the transit engine/],
    ] as const) {
      vault.be(mood);
      expect(await refusal(open(dataDir, ofVault()))).toMatch(reason);
    }
  });

  test('that is not there, or is silent, is not waited for without end', async () => {
    const dataDir = await made();
    expect(await refusal(open(dataDir, { ...ofVault(), VAULT_ADDR: 'http://127.0.0.1:9' }))).toMatch(
      /http:\/\/127.0.0.1:9 does not answer: .*ECONNREFUSED|bad port/,
    );
    vault.be('silent');
    onTestFinished(() => vault.be('well'));
    expect(await refusal(open(dataDir, ofVault()))).toMatch(/does not answer: .*timeout/);
  });

  test('gets its token over TLS, or on this machine, and not otherwise', async () => {
    const dataDir = await made();
    expect(await refusal(open(dataDir, { ...ofVault(), VAULT_ADDR: 'http://vault.example:8200' }))).toMatch(/VAULT_ADDR must be https/);
  });

  test('key that is another does not unwrap', async () => {
    const dataDir = await made();
    const form = formOf(dataDir);
    alter(dataDir, { parameters: { ...form.parameters, key: 'signer-2' } });
    expect(await refusal(open(dataDir, ofVault()))).toMatch(/400 cipher: message authentication failed/);
    const asked = vault.asked.length;
    alter(dataDir, { parameters: { ...form.parameters, key: '../../sys/seal' } });
    expect(await refusal(open(dataDir, ofVault()))).toMatch(/was not unwrapped by vault/);
    expect(vault.asked).toHaveLength(asked);
  });
});

describe('aws-kms', () => {
  const made = async () => {
    const dataDir = newDirectory();
    await initialiseSigner(dataDir, readKeyEncryption(ofKms()));
    return dataDir;
  };

  test('hears whose key it is', async () => {
    const dataDir = await made();
    const { signerId } = formOf(dataDir);
    expect(kms.contexts.at(-1)).toEqual({ 'countersign:cluster': '-', 'countersign:signer': signerId, 'countersign:generation': '1' });
  });

  test('that denies, or has the key disabled: the signer does not start, and says why', async () => {
    const dataDir = await made();
    onTestFinished(() => kms.be('well'));
    kms.be('denying');
    expect(await refusal(open(dataDir, ofKms()))).toMatch(/AccessDeniedException: User: x is not authorized/);
    kms.be('disabled');
    expect(await refusal(open(dataDir, ofKms()))).toMatch(/DisabledException: .* is disabled/);
  });

  test('that knows the caller by another secret refuses', async () => {
    const dataDir = await made();
    process.env.AWS_SECRET_ACCESS_KEY = 'another';
    onTestFinished(() => {
      process.env.AWS_SECRET_ACCESS_KEY = kms.secretAccessKey;
    });
    expect(await refusal(open(dataDir, ofKms()))).toMatch(/InvalidSignatureException/);
  });

  test('that is silent is not waited for without end', async () => {
    const dataDir = await made();
    kms.be('silent');
    onTestFinished(() => kms.be('well'));
    expect(await refusal(open(dataDir, ofKms()))).toMatch(/TimeoutError|AbortError/);
  });

  test('key that is another does not unwrap', async () => {
    const dataDir = await made();
    alter(dataDir, { parameters: { key: kms.keys[1] } });
    expect(await refusal(open(dataDir, ofKms()))).toMatch(/InvalidCiphertextException/);
  });
});

describe('pkcs11', () => {
  const made = async () => {
    const dataDir = newDirectory();
    await initialiseSigner(dataDir, readKeyEncryption(ofHsm()));
    return dataDir;
  };

  test('refuses another PIN, token, key or module', async ({ skip }) => {
    needToken(skip);
    const dataDir = await made();
    const opened = (change: Variables) => refusal(open(dataDir, { ...ofHsm(), ...change }));
    expect(await opened({ PKCS11_PIN: '000000' })).toMatch(/does not take the PIN \(CKR_PIN_INCORRECT/);
    expect(await opened({ PKCS11_TOKEN: 'another' })).toMatch(/it was wrapped by token "countersign", PKCS11_TOKEN is "another"/);
    expect(await opened({ PKCS11_MODULE: '/usr/lib/none.so' })).toMatch(/none\.so/);
    alter(dataDir, { parameters: { ...formOf(dataDir).parameters, key: 'none' } });
    expect(await opened({})).toMatch(/has no AES key labelled "none"/);
  });

  test('needs its binding, and says so', async ({ skip }) => {
    needToken(skip);
    const dataDir = await made();
    const { NODE_PATH: nodePath } = process.env;
    delete process.env.NODE_PATH;
    onTestFinished(() => {
      process.env.NODE_PATH = nodePath;
    });
    expect(await refusal(open(dataDir, ofHsm()))).toMatch(/the package pkcs11js is not installed/);
  });
});

describe('the key file', () => {
  test('from before there were providers opens as it stands', async () => {
    const dataDir = newDirectory();
    const made = await initialiseSigner(dataDir, readKeyEncryption({}));
    expect(readFileSync(keyFile(dataDir))).toHaveLength(32);
    expect(await open(dataDir, passphrase)).toEqual(new Uint8Array(readFileSync(keyFile(dataDir))));
    expect(await initialiseSigner(dataDir, readKeyEncryption(passphrase))).toEqual(made);
  });

  test('that others can read, is missing, or is of no known form is refused', async () => {
    const dataDir = newDirectory();
    await initialiseSigner(dataDir, readKeyEncryption({}));
    writeFileSync(keyFile(dataDir), 'thirty-one bytes are not enough', { mode: 0o600 });
    expect(await refusal(open(dataDir, {}))).toMatch(/must hold 32 bytes or a wrapped key, it holds neither/);
    rmSync(keyFile(dataDir));
    expect(await refusal(open(dataDir, {}))).toMatch(/is missing: without it the shares of this signer cannot be opened/);
    writeFileSync(keyFile(dataDir), randomBytes(32), { mode: 0o640 });
    expect(await refusal(open(dataDir, {}))).toMatch(/is readable by others/);
  });

  test('of a signer whose store is gone is not given to a new signer', async () => {
    const dataDir = newDirectory();
    await initialiseSigner(dataDir, readKeyEncryption(passphrase));
    const before = textOf(dataDir);
    for (const file of ['signer.db', 'signer.db-wal', 'signer.db-shm']) rmSync(join(dataDir, file), { force: true });
    expect(await refusal(initialiseSigner(dataDir, readKeyEncryption(passphrase)))).toMatch(
      /whose store is gone: restore it from a backup/,
    );
    expect(textOf(dataDir)).toBe(before);
  });
});

describe('a cluster’s signer', () => {
  let cluster: TestCluster;
  let key: TestKey;
  const quick = { KEY_ENCRYPTION_PASSPHRASE: 'the first passphrase' };
  beforeAll(async () => {
    cluster = await createCluster();
    key = await cluster.addKey('EdDSA/ed25519');
  });
  afterAll(() => cluster.close());

  const first = (): TestSigner => {
    const [signer] = cluster.signers;
    assert(signer, 'a cluster has signers');
    return signer;
  };
  let signed = 0;
  async function expectSigns(): Promise<void> {
    const payload = { bytes: new Uint8Array([++signed]) };
    const body = { kind: 'Message', message: `0x0${signed}` };
    const authorisation = cluster.sign(cluster.admin, { method: 'POST', path: `/keys/${key.id}/signatures`, body });
    expect(await sharesOf(cluster, { key, payload, authorisation })).toEqual(Array(3).fill('a share'));
  }
  const change = (to: 'file' | 'passphrase' | 'vault' | undefined, variables: Variables) => ({
    dataDir: first().dataDir,
    to,
    settings: readKeyEncryption(variables),
  });

  test('is rewrapped while it runs, from any provider to any, bound to its cluster from then on', async () => {
    const { dataDir } = first();
    const before = await open(dataDir, {});
    await expectSigns();
    expect(await rewrap(change('passphrase', quick))).toEqual({ from: 'file', to: 'passphrase' });
    expect(formOf(dataDir)).toMatchObject({ provider: 'passphrase', clusterId: cluster.file.clusterId, signerId: first().signerId });
    await expectSigns();
    const next = { ...quick, KEY_ENCRYPTION_NEW_PASSPHRASE: 'the second passphrase' };
    expect(await rewrap(change(undefined, next))).toEqual({ from: 'passphrase', to: 'passphrase' });
    expect(await refusal(open(dataDir, quick))).toMatch(/the passphrase is another/);
    const second = { KEY_ENCRYPTION_PASSPHRASE: 'the second passphrase' };
    expect(await rewrap(change('vault', { ...second, ...ofVault() }))).toEqual({ from: 'passphrase', to: 'vault' });
    expect(await open(dataDir, ofVault())).toEqual(before);
    first().restart();
    await expectSigns();
    expect(await rewrap(change('file', ofVault()))).toEqual({ from: 'vault', to: 'file' });
    expect(await open(dataDir, {})).toEqual(before);
  });

  test('keeps what it has when the other provider fails', async () => {
    const before = readFileSync(keyFile(first().dataDir));
    expect(await refusal(rewrap(change('vault', { ...ofVault(), VAULT_TOKEN: 'none' })))).toMatch(/was not wrapped by vault: .*403/);
    expect(readFileSync(keyFile(first().dataDir))).toEqual(before);
    expect(existsSync(`${keyFile(first().dataDir)}.next`)).toBe(false);
  });

  test('is not rewrapped with a key that is not its own, nor for another cluster', async () => {
    const { dataDir } = first();
    const own = readFileSync(keyFile(dataDir));
    writeFileSync(keyFile(dataDir), randomBytes(32));
    expect(await refusal(rewrap(change('vault', ofVault())))).toMatch(
      /the identity in the signer's store is not sealed under this key-encryption key/,
    );
    writeFileSync(keyFile(dataDir), own);
    await rewrap(change('vault', ofVault()));
    const pinned = readFileSync(join(dataDir, 'cluster.json'), 'utf8');
    writeFileSync(join(dataDir, 'cluster.json'), JSON.stringify({ ...JSON.parse(pinned), clusterId: 'cl-another' }));
    expect(await refusal(open(dataDir, ofVault()))).toMatch(/was wrapped for a signer of cluster cl-00000.*is of cl-another/);
    writeFileSync(join(dataDir, 'cluster.json'), pinned);
    await rewrap(change('file', ofVault()));
  });

  test('gets another key while it is stopped, and everything of it opens under that one alone', async () => {
    const { dataDir } = first();
    const before = await open(dataDir, {});
    expect(await refusal(rotate(change(undefined, {})))).toMatch(/is another signer running on it\?/);
    first().stop();
    expect(await rotate(change('passphrase', quick))).toEqual({ from: 'file', to: 'passphrase' });
    expect(formOf(dataDir).generation).toBe(2);
    const after = await open(dataDir, quick);
    expect(after).not.toEqual(before);
    expect(() => first().start(before)).toThrow(/is not sealed under this key-encryption key/);
    first().start(after);
    await expectSigns();
    first().stop();
    await rotate(change('file', quick));
    first().start(await open(dataDir, {}));
    await expectSigns();
  });

  test('that was interrupted while its key changed starts with the key that opens its store', async () => {
    const { dataDir } = first();
    first().stop();
    const before = `${dataDir}-before`;
    cpSync(dataDir, before, { recursive: true });
    await rotate(change(undefined, {}));
    const after = `${dataDir}-after`;
    cpSync(dataDir, after, { recursive: true });
    const [old, next] = [readFileSync(keyFile(before)), readFileSync(keyFile(after))];
    // What a crash leaves: after the next key was written, after the store was sealed anew, after a first key of all was written.
    const states = [
      { store: before, key: old, next, opens: old },
      { store: after, key: old, next, opens: next },
      { store: after, key: undefined, next, opens: next },
    ];
    for (const state of states) {
      rmSync(dataDir, { recursive: true });
      cpSync(state.store, dataDir, { recursive: true });
      rmSync(keyFile(dataDir));
      if (state.key) writeFileSync(keyFile(dataDir), state.key, { mode: 0o600 });
      writeFileSync(`${keyFile(dataDir)}.next`, state.next, { mode: 0o600 });
      if (state.key) expect(await refusal(rewrap(change('vault', ofVault())))).toMatch(/a change of the key was interrupted/);
      const opened = await open(dataDir, {});
      expect(opened).toEqual(new Uint8Array(state.opens));
      expect(existsSync(`${keyFile(dataDir)}.next`)).toBe(false);
      expect(readFileSync(keyFile(dataDir))).toEqual(state.opens);
      first().start(opened);
      await expectSigns();
      first().stop();
    }
    first().start(await open(dataDir, {}));
  });
});
