import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { completeAdmin, ensureAdminKey } from '../../src/server/adminEnv.ts';

const directory = mkdtempSync(join(tmpdir(), 'countersign-admin-'));
const file = join(directory, 'admin.env');
const apiUrl = 'http://127.0.0.1:3000';
const rootAccess = { organisationId: 'or-1', applicationId: 'ap-1', userId: 'us-1', accessToken: 'e30.e30.e30', credentialId: 'cred' };
const read = () => parseEnv(readFileSync(file, 'utf8'));
const complete = (rootPublicKey: string, more: Partial<Parameters<typeof completeAdmin>[0]> = {}) =>
  completeAdmin({ file, apiUrl, rootPublicKey, rootAccess, isInstalled: async () => false, ...more });
const installed = async () => true;

beforeEach(() => rmSync(file, { force: true }));
afterAll(() => rmSync(directory, { recursive: true }));

describe('the root’s key', () => {
  test('is made once, for nobody else to read', () => {
    const publicKey = ensureAdminKey(file);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(Object.keys(read())).toEqual(['DFNS_PRIVATE_KEY']);
    expect(createPublicKey(`${read().DFNS_PRIVATE_KEY}`).export({ type: 'spki', format: 'pem' })).toBe(publicKey);
    expect(ensureAdminKey(file)).toBe(publicKey); // the start was cut short
  });

  test('is not that of another cluster', async () => {
    await complete(ensureAdminKey(file));
    expect(() => ensureAdminKey(file)).toThrow('belongs to another cluster');
  });
});

describe('admin.env', () => {
  test('gets what goes with the key, and keeps it', async () => {
    const publicKey = ensureAdminKey(file);
    const { DFNS_PRIVATE_KEY } = read();
    expect(await complete(publicKey)).toBe('admin');
    const written = {
      DFNS_API_URL: apiUrl,
      DFNS_ORG_ID: 'or-1',
      DFNS_APP_ID: 'ap-1',
      DFNS_AUTH_TOKEN: 'e30.e30.e30',
      DFNS_CRED_ID: 'cred',
      DFNS_PRIVATE_KEY,
    };
    expect(read()).toEqual(written);
    expect(await complete(publicKey, { isInstalled: installed })).toBe('admin');
    expect(await complete(publicKey, { apiUrl: 'https://sign.example', isInstalled: installed })).toBe('admin');
    expect(read()).toEqual({ ...written, DFNS_API_URL: 'https://sign.example' });
  });

  test('is completed after the organisation was made, when the start was cut short in between', async () => {
    const publicKey = ensureAdminKey(file);
    expect(await complete(publicKey, { isInstalled: installed })).toBe('admin');
    expect(read()).toMatchObject({ DFNS_ORG_ID: 'or-1' });
  });

  test('is written without the key where that is elsewhere, by the first to start', async () => {
    const publicKey = publicPem();
    expect(await complete(publicKey)).toBe('withoutKey');
    expect(Object.keys(read()).sort()).toEqual(['DFNS_API_URL', 'DFNS_APP_ID', 'DFNS_AUTH_TOKEN', 'DFNS_CRED_ID', 'DFNS_ORG_ID']);
    rmSync(file);
    expect(await complete(publicKey, { isInstalled: installed })).toBe('nothing');
    expect(existsSync(file)).toBe(false);
  });

  test('that holds a credential which has replaced the root’s is left alone', async () => {
    const after = 'DFNS_API_URL="http://127.0.0.1:3000"\nDFNS_ORG_ID="or-1"\nDFNS_AUTH_TOKEN="new"\nDFNS_PRIVATE_KEY="other"\n';
    writeFileSync(file, after);
    expect(await complete(publicPem(), { isInstalled: installed })).toBe('admin');
    expect(readFileSync(file, 'utf8')).toBe(after);
  });

  test('of another cluster, or with the key of another root, is refused and left as it is', async () => {
    ensureAdminKey(file);
    const before = readFileSync(file, 'utf8');
    await expect(complete(publicPem())).rejects.toThrow('is not the one whose public half the cluster has pinned');
    expect(readFileSync(file, 'utf8')).toBe(before);
    const other = complete(ensureAdminKey(file)).then(() =>
      complete(publicPem(), { rootAccess: { ...rootAccess, organisationId: 'or-2' } }),
    );
    await expect(other).rejects.toThrow('its organisation is or-1, here it is or-2');
  });
});

function publicPem(): string {
  return generateKeyPairSync('ed25519').publicKey.export({ type: 'spki', format: 'pem' }).toString();
}
