/**
 * Metrics in the text format of Prometheus, on a port of their own: they are nobody's secret, but nobody's business either, so that port is
 * for the operator's network alone. Off unless METRICS_PORT says where.
 * @module
 */

import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { Coordinator } from '../coordinator/coordinator.ts';
import type { Meter } from '../coordinator/meter.ts';

export interface Metrics {
  readonly meter: Meter;
  /** From when on the depth of the pools is shown. */
  watch(coordinator: Pick<Coordinator, 'pools'>): void;
  /** Of one answer. @param answer.route the template, not the path */
  answered(answer: { readonly method: string; readonly route: string; readonly status: number; readonly seconds: number }): void;
  /** All of them, as text. */
  text(): Promise<string>;
  readonly contentType: string;
}

/** Seconds: from a tenth of a millisecond to ten seconds. */
const buckets = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

export function createMetrics(): Metrics {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  let pools: Coordinator['pools'] = () => [];

  new Gauge({
    name: 'countersign_pool_depth',
    help: 'What is made ahead and unused: ECDSA presignatures, nonces of EdDSA and Schnorr (of all signers together).',
    labelNames: ['pool'],
    registers,
    collect() {
      this.reset();
      for (const { pool, depth } of pools()) this.inc({ pool }, depth);
    },
  });
  const refill = new Histogram({
    name: 'countersign_pool_refill_seconds',
    help: 'How long the signers took to make one batch ahead; the count is that of the refills.',
    labelNames: ['pool'],
    buckets,
    registers,
  });
  const dry = new Counter({
    name: 'countersign_pool_dry_total',
    help: 'Signatures that found nothing made ahead and waited until it was made.',
    labelNames: ['pool'],
    registers,
  });
  const stage = new Histogram({
    name: 'countersign_signature_stage_seconds',
    help: 'The way of a signature: begin (statement), pool (what is made ahead), signers, combine (and verify), move (statement).',
    labelNames: ['stage'],
    buckets,
    registers,
  });
  const signatures = new Counter({
    name: 'countersign_signatures_total',
    help: 'Signatures that the signers were asked for, by key type and outcome.',
    labelNames: ['key_type', 'outcome'],
    registers,
  });
  const answers = new Histogram({
    name: 'countersign_http_answer_seconds',
    help: 'From the head of a request to the end of its answer, by route.',
    labelNames: ['method', 'route', 'status'],
    buckets,
    registers,
  });

  return {
    meter: {
      pool: (pool) => ({ refilled: (seconds) => refill.observe({ pool }, seconds), foundDry: () => dry.inc({ pool }) }),
      stage: (name, seconds) => stage.observe({ stage: name }, seconds),
      signature: (keyType, outcome) => signatures.inc({ key_type: keyType, outcome }),
    },
    watch(coordinator) {
      pools = () => coordinator.pools();
    },
    answered: ({ method, route, status, seconds }) => answers.observe({ method, route, status }, seconds),
    text: () => registry.metrics(),
    contentType: registry.contentType,
  };
}

export interface MetricsListening {
  readonly address: string;
  close(): Promise<void>;
}

const requestMs = 5_000;
const maxConnections = 16;

/** `GET /metrics`, and nothing else. @throws {Error} when the port is taken */
export async function serveMetrics(
  { text, contentType }: Metrics,
  { host, port }: { host: string; port: number },
): Promise<MetricsListening> {
  const server = createServer({ requestTimeout: requestMs }, (request, response) => {
    request.resume();
    if (request.method !== 'GET' || request.url !== '/metrics') {
      response.writeHead(404, { 'content-type': 'text/plain' }).end('GET /metrics\n');
      return;
    }
    text().then(
      (body) => response.writeHead(200, { 'content-type': contentType, 'cache-control': 'no-store' }).end(body),
      () => response.writeHead(500).end(),
    );
  });
  server.maxConnections = maxConnections;
  await listening(server, { host, port });
  const { address, port: bound } = server.address() as AddressInfo; // of a server that listens on a port
  return {
    address: `http://${address.includes(':') ? `[${address}]` : address}:${bound}/metrics`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function listening(server: Server, at: { host: string; port: number }): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(at, resolve);
  });
}
