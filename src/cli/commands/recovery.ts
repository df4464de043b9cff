/**
 * `countersign recovery …`: when the last administrator's credential is lost, the operators of t + 1 signers give the root a new one
 * (docs/authority.md). `key` makes it, `sign` is each operator's part, offline, `assemble` joins the parts to what `submit` sends.
 * @module
 */

import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { parseArgs, parseEnv } from 'node:util';
import { z } from 'zod';
import type { Recovery, RecoveryTerms } from '../../authority/recovery.ts';
import { recoverySchema } from '../../authority/wire.ts';
import { toHex } from '../../base/bytes.ts';
import { type Environment, readKeyEncryption } from '../../config.ts';
import { importCredentialKey } from '../../crypto/assertions.ts';
import { writeVariables } from '../../server/adminEnv.ts';
import { clusterFile } from '../../signer/contract.ts';
import { readAs } from '../files.ts';
import { required } from '../options.ts';

const part = z.object({ signerId: z.string(), signature: z.string(), head: z.string(), publicKey: z.string(), at: z.int() });
type Part = z.output<typeof part>;

const answer = z.object({
  organisationId: z.string(),
  applicationId: z.string(),
  accessToken: z.string(),
  credentialId: z.string(),
});

export async function recovery(args: readonly string[], env: Environment): Promise<void> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      'data-dir': { type: 'string' },
      env: { type: 'string' },
      'public-key': { type: 'string' },
      at: { type: 'string' },
      cluster: { type: 'string' },
      api: { type: 'string' },
    },
  });
  const [command, ...files] = positionals;
  switch (command) {
    case 'key':
      return makeKey(required(values.env, '--env'));
    case 'sign': {
      const { signRecovery } = await import('../../signer/signRecovery.ts');
      const terms = { publicKey: readFileSync(required(values['public-key'], '--public-key'), 'utf8'), at: instant(values.at) };
      const dataDir = required(values['data-dir'], '--data-dir');
      const { head, ...signed } = await signRecovery({ dataDir, settings: readKeyEncryption(env), terms });
      console.log(JSON.stringify({ ...signed, head: `${head.sequence}:${toHex(head.hash)}`, ...terms } satisfies Part, null, 2));
      return;
    }
    case 'assemble': {
      const { threshold } = readAs(clusterFile, required(values.cluster, '--cluster'), 'a cluster file');
      console.log(JSON.stringify(assemble(files.map(readPart), threshold), null, 2));
      return;
    }
    case 'submit':
      return submit({
        file: required(files[0], 'the file that assemble printed'),
        env: required(values.env, '--env'),
        api: required(values.api, '--api'),
      });
    default:
      throw new Error(`unknown command: recovery ${positionals.join(' ')}`);
  }
}

/** The new credential's private half goes into the file, its public half to standard output. */
function makeKey(env: string): void {
  if (existsSync(env)) throw new Error(`${env} is there already`);
  const { privateKey } = generateKeyPairSync('ed25519');
  writeVariables(env, { DFNS_PRIVATE_KEY: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString().trimEnd() });
  process.stdout.write(createPublicKey(privateKey).export({ type: 'spki', format: 'pem' }));
}

/** @throws {Error} when the parts are not of one recovery, or not of t + 1 signers */
export function assemble(parts: readonly Part[], threshold: number): Recovery {
  const [first] = parts;
  if (first === undefined || new Set(parts.map(({ signerId }) => signerId)).size !== threshold + 1 || parts.length !== threshold + 1) {
    throw new Error(`a recovery takes the parts of ${threshold + 1} signers, one each`);
  }
  const { publicKey, at, head } = first;
  if (!parts.every((other) => other.publicKey === publicKey && other.at === at))
    throw new Error('the parts are for different credentials or times');
  const heads = new Set(parts.map((other) => other.head));
  if (heads.size > 1)
    throw new Error(`the signers' logs stand at different heads (${[...heads].join(', ')}): start the service once, so that they agree`);
  if (head === '') throw new Error('the parts name no head');
  const byId = (a: Part, b: Part) => (a.signerId < b.signerId ? -1 : 1);
  return { publicKey, at, signatures: [...parts].sort(byId).map(({ signerId, signature }) => ({ signerId, signature })) };
}

/** Sends nothing, unless `env` holds the key that the recovery is for: it is written anew with what is answered. */
async function submit({ file, env, api }: { file: string; env: string; api: string }): Promise<void> {
  const recovery = readAs(recoverySchema, file, 'what `recovery assemble` printed');
  const privateKey = required(parseEnv(readFileSync(env, 'utf8')).DFNS_PRIVATE_KEY, `DFNS_PRIVATE_KEY in ${env}`);
  if (!createPublicKey(privateKey).equals(importCredentialKey(recovery.publicKey).publicKey))
    throw new Error(`the private key in ${env} is not the one that ${file} is for`);
  const response = await fetch(new URL('/authority/recovery', api), {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(recovery),
  });
  const body: unknown = await response.json();
  if (!response.ok) throw new Error(`${response.status}: ${JSON.stringify(body)}`);
  const root = answer.parse(body);
  writeVariables(env, {
    DFNS_API_URL: new URL(api).origin,
    DFNS_ORG_ID: root.organisationId,
    DFNS_APP_ID: root.applicationId,
    DFNS_AUTH_TOKEN: root.accessToken,
    DFNS_CRED_ID: root.credentialId,
    DFNS_PRIVATE_KEY: privateKey,
  });
  console.log(`${env} is the administrator's again.`);
}

function readPart(file: string): Part {
  return readAs(part, file, 'what `recovery sign` printed');
}

/** Unix seconds of an ISO date. */
function instant(text: string | undefined): RecoveryTerms['at'] {
  const ms = Date.parse(required(text, '--at'));
  if (Number.isNaN(ms)) throw new Error('--at is a date such as 2026-01-31T12:00:00Z');
  return Math.floor(ms / 1000);
}
