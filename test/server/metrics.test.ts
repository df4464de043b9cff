/** What `GET /metrics` shows of an instance that signs, and what it does not. */

import { afterAll, beforeAll, expect, test } from 'vitest';
import { freePort, type Instance, officialClient, startInstance } from '../support/instance.ts';

let instance: Instance;
let metricsUrl: string;
beforeAll(async () => {
  const port = String(await freePort());
  metricsUrl = `http://127.0.0.1:${port}/metrics`;
  instance = await startInstance({ env: { METRICS_PORT: port } });
});
afterAll(() => instance?.remove());

/** Samples by name and labels. */
async function samples(): Promise<ReadonlyMap<string, number>> {
  const response = await fetch(metricsUrl);
  expect(response.status).toBe(200);
  expect(response.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/);
  const lines = (await response.text()).split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ') + 1))]));
}

test('counts signatures, the stages of their way, and what is made ahead', async () => {
  const client = officialClient(instance);
  const ids = [];
  for (const body of [
    { scheme: 'ECDSA', curve: 'secp256k1' },
    { scheme: 'EdDSA', curve: 'ed25519' },
  ] as const) {
    const { id } = await client.keys.createKey({ body });
    ids.push(id);
    for (let i = 0; i < 3; i++) await client.keys.generateSignature({ keyId: id, body: { kind: 'Hash', hash: '11'.repeat(32) } });
  }

  const shown = await samples();
  for (const keyType of ['ECDSA/secp256k1', 'EdDSA/ed25519']) {
    expect(shown.get(`countersign_signatures_total{key_type="${keyType}",outcome="signed"}`)).toBe(3);
    expect(shown.get(`countersign_pool_depth{pool="${keyType}"}`)).toBeGreaterThan(0);
    expect(shown.get(`countersign_pool_refill_seconds_count{pool="${keyType}"}`)).toBeGreaterThan(0);
    expect(shown.get(`countersign_pool_dry_total{pool="${keyType}"}`)).toBeGreaterThan(0);
  }
  for (const stage of ['begin', 'pool', 'signers', 'combine', 'move']) {
    expect(shown.get(`countersign_signature_stage_seconds_count{stage="${stage}"}`)).toBe(6);
    expect(shown.get(`countersign_signature_stage_seconds_sum{stage="${stage}"}`)).toBeGreaterThan(0);
  }
  const answer = 'method="POST",route="/keys/:keyId/signatures",status="200"';
  expect(shown.get(`countersign_http_answer_seconds_count{${answer}}`)).toBe(6);
  expect(shown.get('process_cpu_seconds_total')).toBeGreaterThan(0);

  const text = await (await fetch(metricsUrl)).text();
  for (const id of [...ids, instance.admin.DFNS_ORG_ID, instance.admin.DFNS_CRED_ID]) expect(text).not.toContain(id);
});

test('what is no route makes no labels', async () => {
  for (const path of ['/nothing', '/nothing/else?x=y']) expect((await fetch(`${instance.origin}${path}`)).status).toBe(404);
  const names = [...(await samples()).keys()].join('\n');
  expect(names).not.toContain('nothing');
  expect(names).toContain('route="*"');
});

test('its port has nothing else, and the API has no metrics', async () => {
  for (const [method, url] of [
    ['GET', metricsUrl.replace('/metrics', '/')],
    ['GET', metricsUrl.replace('/metrics', '/keys')],
    ['POST', metricsUrl],
    ['GET', `${instance.origin}/metrics`],
  ] as const) {
    expect((await fetch(url, { method })).status).toBe(404);
  }
});
