/**
 * What operators do at the command line, on a whole instance: requests with `call`, the audit of the authority log, and the recovery of a
 * lost administrator as docs/authority.md has it. In order: each test goes on from the one before.
 */

import { execFile } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { existsSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseEnv, promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { decodeEntry, encodeEntry, entryAfter, headOf } from '../../src/authority/entry.ts';
import { assert } from '../../src/base/errors.ts';
import { freePort, type Instance, officialClient, signersGone, startInstance } from '../support/instance.ts';
import { newDataDir } from '../support/pglite.ts';
import { type Example, exampleOf, expectSigned } from './examples.ts';
import { expectSigns, type Key } from './requests.ts';

const program = new URL('../../src/main.ts', import.meta.url).pathname;
const run = promisify(execFile);
const eddsa = exampleOf('EdDSA', 'ed25519');
const ecdsa = exampleOf('ECDSA', 'secp256k1');

let instance: Instance;
/** The instance's data directory, in which the operator stands. */
let dataDir: string;

/** Always at the same address. */
let env: { readonly PORT: string };

beforeAll(async () => {
  dataDir = await newDataDir();
  env = { PORT: String(await freePort()) };
  instance = await startInstance({ dataDir, env });
});
afterAll(() => instance?.remove());

const at = (...path: readonly string[]) => join(dataDir, ...path);
const write = (file: string, text: string) => writeFileSync(at(file), text);
const read = (file: string) => readFileSync(at(file), 'utf8');

interface Run {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Whatever it comes to. */
function ran(command: string, args: readonly string[]): Promise<Run> {
  return run(command, args, { cwd: dataDir, env: { PATH: process.env.PATH } }).then(
    ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
    ({ code, stdout, stderr }: Run) => ({ code, stdout, stderr }),
  );
}

function said({ code, stdout, stderr }: Run): string {
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return stdout;
}

/** Without credentials. */
const countersign = async (...args: readonly string[]) => said(await ran(process.execPath, [program, ...args]));

/** With those of a file. */
const as = (file: string, ...args: readonly string[]) => ran(process.execPath, [`--env-file=${file}`, program, ...args]);

/** @returns what it says when it refuses; it has said nothing else */
async function refusalOf(running: Promise<Run>): Promise<string> {
  const { code, stdout, stderr } = await running;
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  expect(stderr).toMatch(/^countersign: /);
  return stderr;
}

const refusal = (...args: readonly string[]) => refusalOf(ran(process.execPath, [program, ...args]));

async function call(file: string, method: string, path: string, body?: unknown) {
  return JSON.parse(said(await as(file, 'call', method, path, ...(body === undefined ? [] : [JSON.stringify(body)]))));
}

async function makeKey(file: string, example: Example): Promise<Key> {
  return { ...(await call(file, 'POST', '/keys', example.key)), example };
}

async function signs(file: string, { id, publicKey, example }: Key): Promise<void> {
  expectSigned(await call(file, 'POST', `/keys/${id}/signatures`, example.body('0x')), example, { publicKey });
}

/** As the documents write it: NUMBER:HASH. */
async function signersHeads(file: string): Promise<string[]> {
  const { clusters } = await call(file, 'GET', '/signers');
  return clusters[0].signers.map(({ head }: { head: { sequence: number; hash: string } }) => `${head.sequence}:${head.hash}`);
}

const keys: Key[] = [];

describe('countersign call', () => {
  test('makes keys and signs with them, as the administrator', async () => {
    keys.push(await makeKey('admin.env', eddsa), await makeKey('admin.env', ecdsa));
    for (const key of keys) await signs('admin.env', key);
    const { items } = await call('admin.env', 'GET', '/keys?limit=1');
    expect(items).toHaveLength(1);
  });

  test('takes the credentials as a shell reads them, the newlines of the key as they are written', async () => {
    const shell = (...words: readonly string[]) =>
      ran('sh', ['-c', 'set -a; . ./admin.env; set +a; exec "$@"', 'sh', process.execPath, program, ...words]);
    expect(said(await ran('sh', ['-c', '. ./admin.env; printf %s "$DFNS_PRIVATE_KEY"']))).toContain('KEY-----\\n');
    const [key] = keys;
    assert(key, 'the first test made it');
    const { name } = JSON.parse(said(await shell('call', 'PUT', `/keys/${key.id}`, '{"name":"treasury — höher"}')));
    expect(name).toBe('treasury — höher');
    expect(said(await shell('audit', 'export'))).toMatch(/^\{"sequence":1,/);
  });

  test('makes a permission and a service account, which may do that and no more', async () => {
    const [key] = keys;
    assert(key, 'the first test made it');
    const operations = ['Keys:Signatures:Create'];
    const { id: permissionId } = await call('admin.env', 'POST', '/permissions', { name: 'signs', operations });
    const { publicKey, privateKey } = generateKeyPairSync('ec', {
      namedCurve: 'P-256',
      publicKeyEncoding: { type: 'spki', format: 'pem' },
      privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    });
    const account = { name: 'payer', publicKey, permissionId };
    const { accessTokens } = await call('admin.env', 'POST', '/auth/service-accounts', account);
    const variables = {
      ...instance.admin,
      DFNS_AUTH_TOKEN: accessTokens[0].accessToken,
      DFNS_CRED_ID: accessTokens[0].credId,
      DFNS_PRIVATE_KEY: privateKey,
    };
    const lines = Object.entries(variables).map(([name, value]) => `${name}="${value.replaceAll('\n', '\\n')}"\n`);
    write('payer.env', lines.join(''));
    await signs('payer.env', key);
    expect(await refusalOf(as('payer.env', 'call', 'POST', '/keys', JSON.stringify(eddsa.key)))).toMatch(/^countersign: 403: \S/);
  });

  test('says what is wrong, in a line', async () => {
    expect(await refusal('call', 'GET', '/keys')).toMatch(/DFNS_API_URL \(of admin.env, in the environment\) is missing/);
    expect(await refusalOf(as('admin.env', 'call', 'PATCH', '/keys'))).toMatch(/it is written: countersign call GET\|POST\|PUT\|DELETE/);
    expect(await refusalOf(as('admin.env', 'call', 'POST', '/keys', '{scheme:', 'EdDSA}'))).toMatch(/it is written: countersign call/);
    expect(await refusalOf(as('admin.env', 'call', 'POST', '/keys', '{scheme:'))).toMatch(/the body is not JSON/);
    expect(await refusalOf(as('admin.env', 'call', 'GET', '/keys/key-unknown'))).toMatch(/^countersign: 404: /);
    expect(await refusalOf(as('admin.env', 'call', 'GET', '//127.0.0.1:9/keys'))).toMatch(/is not a path of http:\S+: nothing was sent/);
    write('broken.env', read('admin.env').replace(/BEGIN PRIVATE KEY/, 'BEGIN'));
    expect(await refusalOf(as('broken.env', 'call', 'GET', '/keys'))).toMatch(/the variables of admin.env .* are not what they were/);
  });
});

describe('countersign audit', () => {
  let entries: readonly string[];
  let head: string;
  const verify = (file: string, ...options: readonly string[]) => ['audit', 'verify', file, '--cluster', 'cluster.json', ...options];
  /** What is said of a copy with these lines. */
  const fault = (lines: readonly (string | undefined)[], ...options: readonly string[]) => {
    write('copy.jsonl', lines.map((line) => `${line}\n`).join(''));
    return refusal(...verify('copy.jsonl', ...options));
  };

  test('exports the log, verifies it, and says the head that each signer shows', async () => {
    const text = said(await as('admin.env', 'audit', 'export'));
    write('log.jsonl', text);
    entries = text.trimEnd().split('\n');
    expect(entries).toHaveLength(4); // two keys, a permission, an account
    const shown = await countersign(...verify('log.jsonl'));
    head = /Head (\d+:[0-9a-f]{64})$/m.exec(shown)?.[1] ?? '';
    expect(shown).toMatch(/^4 entries, every one asked for by a credential that was allowed to\. Head 4:/);
    expect(shown).toContain('Compare this head with what a signer shows');
    expect(await signersHeads('admin.env')).toEqual([head, head, head]);
    expect(await countersign(...verify('log.jsonl', '--head', head))).toBe(`${shown.split('\n', 1)[0]}\n`);
  });

  test.each<[string, (lines: string[]) => void, RegExp]>([
    ['altered', (lines) => lines.splice(2, 1, (lines[2] ?? '').replace('"method":"', '"method":"P')), /line 3: entry 3 was altered: \S/],
    ['removed', (lines) => lines.splice(2, 1), /line 3: entry 3 was removed: \S/],
    ['inserted', (lines) => lines.splice(2, 0, forged(lines)), /line 3: entry 3 was inserted: \S/],
    ['repeated', (lines) => lines.splice(2, 0, lines[1] ?? ''), /line 3: entry 3 was inserted: \S/],
    ['swapped with the next', (lines) => lines.splice(2, 2, ...lines.slice(2, 4).reverse()), /line 3: entry 3 was reordered: \S/],
  ])('names the entry that was %s', async (_fault, tamper, reason) => {
    const lines = [...entries];
    tamper(lines);
    expect(await fault(lines)).toMatch(reason);
  });

  /** A request that was made later, put third with number and hash to fit. */
  function forged(lines: readonly string[]): string {
    const [second, last] = [lines[1], lines[3]].map((line) => decodeEntry(line ?? ''));
    assert(second && last && 'authorisation' in last, 'the log has four entries, of requests');
    return encodeEntry(entryAfter(headOf(second), last));
  }

  test('sees that a copy was cut off at the end, if it is told a head', async () => {
    const cut = entries.slice(0, 3);
    expect(await fault(cut, '--head', head)).toMatch(/entry 4 was removed: the log ends with entry 3, and had 4 entries/);
    expect(await countersign(...verify('copy.jsonl'))).toMatch(/^3 entries/);
    expect(await fault(entries, '--head', `3:${'0'.repeat(64)}`)).toMatch(/entry 3 was altered: entry 3 has another hash/);
    expect(await fault(entries, '--head', head.slice(0, -2))).toMatch(/--head is written NUMBER:HASH/);
  });

  test('refuses the log of another cluster, and what is no cluster file', async () => {
    await countersign('cluster', 'init', '--signers', '3', '--threshold', '1', '--out', 'other');
    expect(await refusal('audit', 'verify', 'log.jsonl', '--cluster', 'other/service/cluster.json')).toMatch(/line 1: entry 1 was \w+: \S/);
    expect(await refusal('audit', 'verify', 'log.jsonl', '--cluster', 'log.jsonl')).toMatch(/log.jsonl is not a cluster file: /);
    expect(await refusal('audit', 'verify', 'missing.jsonl', '--cluster', 'cluster.json')).toMatch(/missing.jsonl/);
  });
});

describe('countersign recovery', () => {
  const when = new Date(Date.now() - 60_000).toISOString();
  const sign = (i: number, { key = 'new-root.pem', time = when } = {}) =>
    ['recovery', 'sign', '--data-dir', `signer-${i}`, '--public-key', key, '--at', time] as const;
  const assemble = (...parts: readonly string[]) => ['recovery', 'assemble', '--cluster', 'cluster.json', ...parts] as const;
  const submit = (file: string, env: string) => ['recovery', 'submit', file, '--env', env, '--api', instance.origin] as const;

  /** To the service as it is. */
  async function post(text: string): Promise<{ status: number; body: unknown }> {
    const response = await fetch(`${instance.origin}/authority/recovery`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: text,
    });
    return { status: response.status, body: await response.json() };
  }
  const refused = (status: number, message: RegExp) => ({
    status,
    body: { error: { id: expect.any(String), status, message: expect.stringMatching(message) } },
  });

  test('makes the new credential, its private half for its owner alone', async () => {
    write('new-root.pem', await countersign('recovery', 'key', '--env', 'new-admin.env'));
    expect(read('new-root.pem')).toMatch(/^-----BEGIN PUBLIC KEY-----\n/);
    expect(statSync(at('new-admin.env')).mode & 0o777).toBe(0o600);
    expect(Object.keys(parseEnv(read('new-admin.env')))).toEqual(['DFNS_PRIVATE_KEY']);
    expect(await refusal('recovery', 'key', '--env', 'new-admin.env')).toMatch(/new-admin.env is there already/);
    write('other-root.pem', await countersign('recovery', 'key', '--env', 'other-admin.env'));
  });

  test('is not signed while the signer runs, nor where there is none', async () => {
    expect(await refusal(...sign(1))).toMatch(/the signer's store in signer-1 cannot be opened; is another signer running on it\?/);
    expect(await refusal(...sign(4))).toMatch(/signer-4.* is missing/);
    expect(existsSync(at('signer-4'))).toBe(false);
  });

  test('is signed at two signers, each on its own', async () => {
    expect(await instance.stop()).toBe(0);
    await signersGone(dataDir);
    const parts: Record<string, Parameters<typeof sign>> = {
      'part-1.json': [1],
      'part-2.json': [2],
      'later.json': [2, { time: new Date().toISOString() }],
      'other-key.json': [2, { key: 'other-root.pem' }],
    };
    for (const [file, options] of Object.entries(parts)) write(file, await countersign(...sign(...options)));
    expect(await refusal(...sign(1, { time: 'tomorrow' }))).toMatch(/--at is a date such as/);
    expect(await refusal(...sign(1, { key: 'cluster.json' }))).toMatch(/Accepted public keys: /);
  });

  test('comes together from parts of two signers, for one key, time and head', async () => {
    write('recovery.json', await countersign(...assemble('part-2.json', 'part-1.json')));
    expect(await countersign(...assemble('part-1.json', 'part-2.json'))).toBe(read('recovery.json'));

    const tooFew = /a recovery takes the parts of 2 signers, one each/;
    expect(await refusal(...assemble('part-1.json'))).toMatch(tooFew);
    expect(await refusal(...assemble('part-1.json', 'part-1.json'))).toMatch(tooFew);
    expect(await refusal(...assemble('part-2.json', 'later.json'))).toMatch(tooFew);
    for (const other of ['later.json', 'other-key.json'])
      expect(await refusal(...assemble('part-1.json', other))).toMatch(/the parts are for different credentials or times/);
    write('behind.json', JSON.stringify({ ...JSON.parse(read('part-2.json')), head: `3:${'0'.repeat(64)}` }));
    expect(await refusal(...assemble('part-1.json', 'behind.json'))).toMatch(/the signers' logs stand at different heads \(4:.*, 3:0+\)/);
    expect(await refusal(...assemble('part-1.json', 'cluster.json'))).toMatch(/cluster.json is not what `recovery sign` printed/);
  });

  test('is refused by the service when it is none, as JSON', async () => {
    instance = await startInstance({ dataDir, env });
    const recovery = JSON.parse(read('recovery.json'));
    const [first, second] = recovery.signatures;
    const changed = (change: object) => post(JSON.stringify({ ...recovery, ...change }));
    expect(await post('garbage')).toMatchObject(refused(400, /\S/));
    expect(await post('{}')).toMatchObject(refused(400, /\S/));
    expect(await post('[]')).toMatchObject(refused(400, /\S/));
    expect(await changed({ signatures: [first] })).toEqual(refused(403, /takes the signatures of 2 signers, not of 1/));
    expect(await changed({ signatures: [first, first] })).toEqual(refused(403, /the signers of a recovery differ/));
    expect(await changed({ signatures: [second, first] })).toEqual(refused(403, /in the order of their ids/));
    expect(await changed({ at: recovery.at + 1 })).toEqual(refused(403, /has not signed this recovery/));
    expect(await changed({ publicKey: read('other-root.pem') })).toEqual(refused(403, /has not signed this recovery/));
    const swapped = [
      { ...first, signature: second.signature },
      { ...second, signature: first.signature },
    ];
    expect(await changed({ signatures: swapped })).toEqual(refused(403, /has not signed this recovery/));
    expect(await signersHeads('admin.env')).toEqual(Array(3).fill(expect.stringMatching(/^4:/)));
  });

  test('is submitted with its own private key, and with no other', async () => {
    const wrong = /the private key in other-admin.env is not the one that recovery.json is for/;
    expect(await refusal(...submit('recovery.json', 'other-admin.env'))).toMatch(wrong);
    expect(await refusal(...submit('part-1.json', 'new-admin.env'))).toMatch(/part-1.json is not what `recovery assemble` printed/);
    expect(await countersign(...submit('recovery.json', 'new-admin.env'))).toMatch(/^new-admin.env is the administrator's again/);
    expect(statSync(at('new-admin.env')).mode & 0o777).toBe(0o600);
    expect(Object.keys(parseEnv(read('new-admin.env'))).sort()).toEqual(Object.keys(instance.admin).sort());
  });

  test('is harmless when it is submitted again', async () => {
    const before = read('new-admin.env');
    await countersign(...submit('recovery.json', 'new-admin.env'));
    const stable = (text: string) => ({ ...parseEnv(text), DFNS_AUTH_TOKEN: '' });
    expect(stable(read('new-admin.env'))).toEqual(stable(before));
    expect(await signersHeads('new-admin.env')).toEqual(Array(3).fill(expect.stringMatching(/^5:/)));
  });

  test('makes the new credential the administrator’s, with what was made before', async () => {
    for (const key of keys) await signs('new-admin.env', key);
    const recovered = { ...instance, admin: parseEnv(read('new-admin.env')) as Record<string, string> };
    for (const key of keys) await expectSigns(recovered, key);
    const made = await officialClient(recovered).keys.createKey({ body: ecdsa.key });
    await expectSigns(recovered, { ...made, example: ecdsa });
    await signs('payer.env', keys[0] as Key); // made by the first test
  });

  test('leaves the old credential nothing', async () => {
    const refusedOf = (...args: readonly string[]) => refusalOf(as('admin.env', ...args));
    expect(await refusedOf('call', 'GET', '/keys')).toMatch(/^countersign: 401: /);
    expect(await refusedOf('call', 'POST', '/keys', JSON.stringify(eddsa.key))).toMatch(/^countersign: 401: /);
    const [key] = keys;
    const path = `/keys/${key?.id}/signatures`;
    expect(await refusedOf('call', 'POST', path, JSON.stringify(eddsa.body('0x')))).toMatch(/^countersign: 401: /);
    // Its private key with the new token, too.
    write('mixed.env', read('new-admin.env').replace(/^DFNS_(CRED_ID|PRIVATE_KEY)=.*\n/gm, ''));
    const old = read('admin.env').match(/^DFNS_(CRED_ID|PRIVATE_KEY)=.*\n/gm) ?? [];
    expect(old).toHaveLength(2);
    write('mixed.env', read('mixed.env') + old.join(''));
    expect(await refusalOf(as('mixed.env', 'call', 'POST', '/keys', JSON.stringify(eddsa.key)))).toMatch(/^countersign: 401: /);
  });

  test('is good once: after the next entry it is refused, and changes nothing', async () => {
    const before = read('new-admin.env');
    expect(await refusal(...submit('recovery.json', 'new-admin.env'))).toMatch(/403: .*has not signed this recovery/);
    expect(read('new-admin.env')).toBe(before);
  });

  test('is an entry of the log that verifies like any other', async () => {
    write('log.jsonl', said(await as('new-admin.env', 'audit', 'export')));
    expect(read('log.jsonl').split('\n')[4]).toMatch(/^\{"sequence":5,"previous":"[0-9a-f]{64}","recovery":/);
    const [head = ''] = await signersHeads('new-admin.env');
    const verify = ['audit', 'verify', 'log.jsonl', '--cluster', 'cluster.json', '--head', head];
    expect(await countersign(...verify)).toMatch(/^6 entries, every one asked for/);
  });

  test('stands over a start of the service, which takes new-admin.env for admin.env', async () => {
    renameSync(at('new-admin.env'), at('admin.env'));
    const before = read('admin.env');
    expect(await instance.stop()).toBe(0);
    await signersGone(dataDir);
    instance = await startInstance({ dataDir, env });
    expect(read('admin.env')).toBe(before);
    for (const key of keys) await expectSigns(instance, key);
  });
});
