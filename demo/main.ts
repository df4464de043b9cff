/**
 * `npm run demo`: a fresh instance in a temporary directory; the official client creates a key of each type and signs with it; independent
 * libraries verify. Leaves nothing behind.
 */

import { createHash, createPublicKey, randomBytes, verify } from 'node:crypto';
import type { DfnsApiClient } from '@dfns/sdk';
import { schnorr, secp256k1 } from '@noble/curves/secp256k1.js';
import * as starknet from '@scure/starknet';
import { officialClient, startInstance } from '../test/support/instance.ts';

type Sig = { r: string; s: string; recid?: number | undefined };
interface Example {
  readonly key: { scheme: 'ECDSA' | 'EdDSA' | 'Schnorr'; curve: 'secp256k1' | 'stark' | 'ed25519' };
  readonly request: (prefix: string) => Parameters<DfnsApiClient['keys']['generateSignature']>[0]['body'];
  readonly verifier: string;
  verifies(publicKey: Uint8Array, signature: Sig): boolean;
}

const hash = '031edd7d41651593c5fe5c006fa5752b37fddff7bc4e843aa6af0c950f4b9406';
const message = solanaMessage();
const bytes = (hex: string): Uint8Array => new Uint8Array(Buffer.from(hex.replace(/^0x/, ''), 'hex'));
const compact = ({ r, s }: Sig): Uint8Array => new Uint8Array([...bytes(r), ...bytes(s)]);

const hashRequest = (prefix: string) => ({ kind: 'Hash', hash: prefix + hash }) as const;
const examples: readonly Example[] = [
  {
    key: { scheme: 'ECDSA', curve: 'secp256k1' },
    request: hashRequest,
    verifier: '@noble/curves',
    verifies: (publicKey, signature) => {
      const recovered = secp256k1.recoverPublicKey(new Uint8Array([signature.recid ?? 9, ...compact(signature)]), bytes(hash), {
        prehash: false,
      });
      return (
        secp256k1.verify(compact(signature), bytes(hash), publicKey, { prehash: false, lowS: true }) &&
        Buffer.from(recovered).equals(publicKey)
      );
    },
  },
  {
    key: { scheme: 'ECDSA', curve: 'stark' },
    request: hashRequest,
    verifier: '@scure/starknet',
    verifies: (publicKey, signature) => starknet.verify(compact(signature), bytes(hash), publicKey, { format: 'compact' }),
  },
  {
    key: { scheme: 'EdDSA', curve: 'ed25519' },
    request: hashRequest,
    verifier: 'node:crypto',
    verifies: (publicKey, signature) => verify(null, bytes(hash), ed25519Key(publicKey), compact(signature)),
  },
  {
    key: { scheme: 'EdDSA', curve: 'ed25519' },
    request: (prefix) => ({ kind: 'Message', message: prefix + message }),
    verifier: 'node:crypto',
    verifies: (publicKey, signature) => verify(null, bytes(message), ed25519Key(publicKey), compact(signature)),
  },
  {
    key: { scheme: 'Schnorr', curve: 'secp256k1' },
    request: (prefix) => ({ kind: 'Hash', hash: prefix + hash, taprootMerkleRoot: '' }),
    verifier: '@noble/curves',
    verifies: (publicKey, signature) => schnorr.verify(compact(signature), bytes(hash), taprootOutputKey(publicKey)),
  },
];

console.log('Starting a fresh instance: the service, three signers, an embedded database …');
const beganAt = performance.now();
const instance = await startInstance();
try {
  console.log(`Ready at ${instance.origin} after ${(performance.now() - beganAt).toFixed(0)} ms.\n`);
  const client = officialClient(instance);
  const rows = [];
  for (const example of examples) rows.push(...(await show(client, example)));
  rows.push(await showDerivation(client));
  console.table(rows);
  const failed = rows.filter((row) => row.verified !== 'yes').length;
  console.log(failed === 0 ? 'Every signature verifies.' : `${failed} did not verify.`);
  process.exitCode = failed === 0 ? 0 : 1;
} finally {
  await instance.stop();
  await instance.remove();
}

interface ShownRow {
  readonly key: string;
  readonly request: string;
  readonly 'create key, ms': string;
  readonly 'sign, ms': string;
  readonly result: string;
  readonly 'verified by': string;
  readonly verified: string;
}

/** One key, its request with `0x` and without. Times are of the whole flow: challenge, its signature, the request. */
async function show(client: DfnsApiClient, { key, request, verifier, verifies }: Example): Promise<ShownRow[]> {
  const [created, createMs] = await timed(() => client.keys.createKey({ body: key }));
  const rows: ShownRow[] = [];
  for (const prefix of ['0x', '']) {
    const body = request(prefix);
    const [answer, signMs] = await timed(() => client.keys.generateSignature({ keyId: created.id, body }));
    const good = answer.status === 'Signed' && answer.signature !== undefined && verifies(bytes(created.publicKey), answer.signature);
    rows.push({
      key: `${key.scheme} ${key.curve}`,
      request: `${body.kind}, ${prefix === '' ? 'bare hex' : '0x hex'}`,
      'create key, ms': createMs.toFixed(1),
      'sign, ms': signMs.toFixed(1),
      result: `r ${answer.signature?.r.slice(0, 14)}…`,
      'verified by': verifier,
      verified: good ? 'yes' : 'NO',
    });
  }
  return rows;
}

/** A DH key gives the same output whichever signers evaluate it; each of their parts comes with a proof that the coordinator checks. */
async function showDerivation(client: DfnsApiClient): Promise<ShownRow> {
  const [created, createMs] = await timed(() => client.keys.createKey({ body: { scheme: 'DH', curve: 'secp256k1' } }));
  const body = { domain: `0x${Buffer.from('countersign/demo').toString('hex')}`, seed: `0x${randomBytes(16).toString('hex')}` };
  const [{ output }, deriveMs] = await timed(() => client.keys.deriveKey({ keyId: created.id, body }));
  const again = await client.keys.deriveKey({ keyId: created.id, body });
  return {
    key: 'DH secp256k1',
    request: 'derive',
    'create key, ms': createMs.toFixed(1),
    'sign, ms': deriveMs.toFixed(1),
    result: `${output.slice(0, 16)}…`,
    'verified by': 'same output twice',
    verified: output === again.output ? 'yes' : 'NO',
  };
}

async function timed<T>(work: () => Promise<T>): Promise<[T, number]> {
  const since = performance.now();
  const result = await work();
  return [result, performance.now() - since];
}

function ed25519Key(publicKey: Uint8Array) {
  return createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: Buffer.from(publicKey).toString('base64url') }, format: 'jwk' });
}

/** BIP-341: Q = lift_x(P) + H_TapTweak(P) · G, for a key without scripts. */
function taprootOutputKey(publicKey: Uint8Array): Uint8Array {
  const x = publicKey.slice(1);
  const tag = createHash('sha256').update('TapTweak').digest();
  const tweak = BigInt(`0x${createHash('sha256').update(tag).update(tag).update(x).digest('hex')}`);
  const internal = secp256k1.Point.fromBytes(new Uint8Array([2, ...x]));
  return internal.add(secp256k1.Point.BASE.multiply(tweak)).toBytes(true).slice(1);
}

/** A legacy Solana message of 400 bytes: header, five accounts, a blockhash, one instruction with data to fill. */
function solanaMessage(): string {
  const accounts = Array.from({ length: 5 }, (_, i) => Buffer.alloc(32, i + 1));
  const blockhash = Buffer.alloc(32, 0xbb);
  const head = Buffer.concat([Buffer.from([1, 0, 3, 5]), ...accounts, blockhash, Buffer.from([1, 4, 4, 0, 1, 2, 3])]);
  const data = 400 - head.length - 2;
  return Buffer.concat([head, Buffer.from([(data & 0x7f) | 0x80, data >> 7]), Buffer.alloc(data, 0x2a)]).toString('hex');
}
