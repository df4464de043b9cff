/** Service and signer over both transports: the same table of tests, then what only TLS can be asked. */

import { execFileSync } from 'node:child_process';
import { generateKeyPairSync, type KeyObject, X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { connect as connectTcp, createServer as createTcpServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { connect as connectTls, createServer as createTlsServer, type TLSSocket } from 'node:tls';
import fc from 'fast-check';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { type Address, parseAddress } from '../../src/base/address.ts';
import { encodeFrame, frameReader, maxFrameBytes } from '../../src/base/frames.ts';
import { type Link, openLink } from '../../src/coordinator/link.ts';
import { pinOf, selfSignedCertificate } from '../../src/crypto/certificate.ts';
import { listen } from '../../src/signer/listen.ts';
import { transportTo } from '../../src/transport/create.ts';
import type { Listening, Transport } from '../../src/transport/transport.ts';

const newKey = (): KeyObject => generateKeyPairSync('ed25519').privateKey;
const serviceKey = newKey();
const signerKey = newKey();
/** Pinned by nobody. */
const stranger = newKey();
const directory = mkdtempSync(join(tmpdir(), 'countersign-transport-'));

/** What a test has opened; closed after it, the last first. */
const opened: (() => unknown)[] = [];
afterEach(async () => {
  vi.useRealTimers();
  for (const close of opened.splice(0).reverse()) await close();
});
const p256 = keyOfAnotherKind();
process.on('exit', () => rmSync(directory, { recursive: true, force: true }));

const signerSide = (address: Address, { key = signerKey, services = [pinOf(serviceKey)] } = {}): Transport =>
  transportTo(address, () => ({ key, peers: new Map(services.map((pin) => [pin, 'service'])) }));
const serviceSide = (address: Address, { key = serviceKey, pin = pinOf(signerKey) } = {}): Transport =>
  transportTo(address, () => ({ key, peers: new Map([[pin, 'signer 2']]) }));

type Answer = (question: { number: number; params: { seed: string } }) => Promise<unknown>;
/** To `derive`: the seed, as the partial. */
const echo: Answer = async ({ number, params }) => ({ number, result: { partial: params.seed } });
const silence: Answer = () => new Promise(() => undefined);

let sockets = 0;
const anyAddress = { unix: () => `unix:${directory}/${++sockets}.sock`, tls: () => 'tls://127.0.0.1:0' };
type Kind = keyof typeof anyAddress;

/** A signer without a signer's insides. */
async function signer(kind: Kind, answer: Answer = echo, at?: Address): Promise<Listening & { reasons: string[] }> {
  const reasons: string[] = [];
  const asked = answer as (question: unknown) => Promise<unknown>;
  const listening = await listen(signerSide(at ?? parseAddress(anyAddress[kind]())), asked, (reason) => reasons.push(reason));
  opened.push(() => listening.close());
  return { ...listening, reasons };
}

function link(transport: Pick<Transport, 'connect'>): Link {
  const made = openLink({ index: 2, transport });
  opened.push(() => made.close());
  return made;
}

async function connection(address: Address, options = {}): Promise<Socket> {
  const socket = await serviceSide(address, options).connect();
  opened.push(() => socket.destroy());
  return socket;
}

const authorisation = {
  binding: { method: 'POST', path: '/', payloadHash: '', organisationId: '', callerId: '', nonce: '', expiresAt: 0 },
  body: new Uint8Array(),
  assertion: { kind: 'Key', credId: '', clientData: '', signature: '' },
} as const;

const ask = async (to: Link, seed: Uint8Array, timeoutMs?: number): Promise<Uint8Array> =>
  (await to.ask('derive', { keyId: 'key', domain: new Uint8Array(), seed, authorisation }, timeoutMs)).partial;
const ping = (to: Link, timeoutMs?: number) => ask(to, Uint8Array.of(1), timeoutMs);
const question = (number: number, seed = '') => ({ number, method: 'derive', params: { seed } });

const down = (message: RegExp) => ({ name: 'SignerFailure', index: 2, code: 'Down', message: expect.stringMatching(message) });

/** Collects messages until there are `count`. */
async function received(socket: Socket, count: number): Promise<unknown[]> {
  const frames = frameReader();
  const messages: unknown[] = [];
  for await (const chunk of socket.iterator({ destroyOnReturn: false })) {
    messages.push(...frames.read(chunk).map(({ message }) => message));
    if (messages.length >= count) break;
  }
  return messages;
}

async function eventually(truth: () => boolean): Promise<void> {
  await vi.waitFor(() => expect(truth()).toBe(true), { timeout: 10_000, interval: 10 });
}

describe.each(['unix', 'tls'] as const)('over %s', (kind) => {
  test('questions are answered, many at a time, each by its own', async () => {
    const { address } = await signer(kind, async (asked) => {
      await pause(Math.random() * 20);
      return echo(asked);
    });
    const to = link(serviceSide(address));
    const seeds = Array.from({ length: 500 }, (_, i) => Uint8Array.of(i >> 8, i & 0xff));
    expect(await Promise.all(seeds.map((seed) => ask(to, seed)))).toEqual(seeds);
    expect(to.likelyUp).toBe(true);
  });

  test('messages of megabytes pass both ways', async () => {
    const { address } = await signer(kind);
    const seed = new Uint8Array(5 * 2 ** 20).fill(7);
    expect(Buffer.compare(await ask(link(serviceSide(address)), seed), seed)).toBe(0);
  });

  test('frames cut at random come out whole', async () => {
    const { address } = await signer(kind);
    const socket = await connection(address);
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.string(), { minLength: 1, maxLength: 5 }),
        fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1 }),
        async (seeds, cuts) => {
          const stream = Buffer.concat(seeds.map((seed, i) => encodeFrame(question(i, seed))));
          const answers = received(socket, seeds.length);
          for (let at = 0, i = 0; at < stream.length; i++) {
            const size = cuts[i % cuts.length] ?? 1;
            socket.write(stream.subarray(at, at + size));
            if (i % 3 === 0) await new Promise(setImmediate);
            at += size;
          }
          expect(await answers).toEqual(seeds.map((partial, number) => ({ number, result: { partial } })));
        },
      ),
      { numRuns: 40 },
    );
  });

  test.each([
    ['a frame above the limit', Uint8Array.of(0x7f, 0, 0, 0), /cut off: a frame of 2130706432 bytes is above the limit/],
    ['a frame that is no JSON', Uint8Array.of(0, 0, 0, 2, 0x7b, 0x5d), /cut off: .*JSON/],
  ])('%s ends the connection, and no other', async (_, bytes, reason) => {
    const { address, reasons } = await signer(kind);
    const other = link(serviceSide(address));
    await ping(other);
    const socket = await connection(address);
    socket.resume().write(bytes);
    await once(socket, 'close');
    expect(reasons).toEqual([expect.stringMatching(reason)]);
    await ping(other);
  });

  test('a question above the frame limit costs the connection, and the next one is asked over another', async () => {
    const { address } = await signer(kind);
    const to = link(serviceSide(address));
    await expect(ask(to, new Uint8Array(maxFrameBytes))).rejects.toMatchObject(down(/lost the connection|closed the connection/));
    await ping(to);
  });

  test('a signer that is not there is down at once', async () => {
    const { address, close } = await signer(kind);
    await close();
    await expect(ping(link(serviceSide(address)))).rejects.toMatchObject(down(/^signer 2: does not answer \((ENOENT|ECONNREFUSED)\)$/));
  });

  test('a silent signer costs a time limit and is named', async () => {
    const { address } = await signer(kind, silence);
    const to = link(serviceSide(address));
    await expect(ping(to, 50)).rejects.toMatchObject(down(/^signer 2: did not answer within 50 ms$/));
    expect(to.likelyUp).toBe(false);
  });

  test('a connection on which a signer stays silent is given up for another', async () => {
    let isSilent = true;
    const { address } = await signer(kind, (asked) => (isSilent ? silence(asked) : echo(asked)));
    const connects = vi.fn(serviceSide(address).connect);
    const to = link({ connect: connects });
    let lost = 0;
    to.onLost(() => lost++);
    await expect(ping(to, 20)).rejects.toMatchObject(down(/did not answer/));
    expect(lost).toBe(0);
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 7_000 });
    await expect(ping(to, 20)).rejects.toMatchObject(down(/did not answer/));
    expect(lost).toBe(1);
    isSilent = false;
    await ping(to);
    expect(connects).toHaveBeenCalledTimes(2);
  });

  test('an answer that comes too late harms nothing', async () => {
    const { address } = await signer(kind, async (asked) => {
      await pause(asked.params.seed === 'AQ==' ? 100 : 0);
      return echo(asked);
    });
    const to = link(serviceSide(address));
    await expect(ping(to, 20)).rejects.toMatchObject(down(/did not answer/));
    await pause(150);
    expect(await ask(to, Uint8Array.of(2))).toEqual(Uint8Array.of(2));
  });

  test.each([
    ['answers what nobody asked', encodeFrame({ number: 77, result: {} }), /nothing was asked under number 77/],
    ['sends frames above the limit', Uint8Array.of(0xff, 0, 0, 0), /above the limit/],
    ['sends what is no answer', encodeFrame('hello'), /sent what is no answer/],
  ])('a signer that %s is cut off and named', async (_, bytes, reason) => {
    const listening = await signerSide(parseAddress(anyAddress[kind]())).listen({
      accept: (socket) => socket.on('data', () => socket.write(bytes)).on('error', () => undefined),
      refused: () => undefined,
    });
    opened.push(() => listening.close());
    await expect(ping(link(serviceSide(listening.address)))).rejects.toMatchObject(down(reason));
  });

  test('a signer that answers twice is cut off', async () => {
    const listening = await signerSide(parseAddress(anyAddress[kind]())).listen({
      accept: (socket) => {
        const frame = encodeFrame({ number: 1, result: { partial: '' } });
        socket.on('data', () => socket.write(Buffer.concat([frame, frame]))).on('error', () => undefined);
      },
      refused: () => undefined,
    });
    opened.push(() => listening.close());
    const to = link(serviceSide(listening.address));
    const lost = new Promise<string>((resolve) => to.onLost(resolve));
    await ping(to);
    expect(await lost).toMatch(/nothing was asked under number 1/);
  });

  test('a signer that was started again is used again', async () => {
    const first = await signer(kind);
    const to = link(serviceSide(first.address));
    let lost = 0;
    to.onLost(() => lost++);
    await ping(to);
    await first.close();
    await eventually(() => lost === 1);
    expect(to.likelyUp).toBe(false);
    await expect(ping(to)).rejects.toMatchObject(down(/does not answer/));
    await signer(kind, echo, first.address);
    await ping(to);
    expect(to.likelyUp).toBe(true);
  });

  test('a signer that stops lets its askers know, and does not wait for those that do not listen', async () => {
    const { address, close } = await signer(kind);
    const deaf = await connection(address);
    deaf.pause();
    await close();
    await expect(serviceSide(address).connect()).rejects.toThrow(/does not answer/);
  });

  test('a link that was closed asks nothing more', async () => {
    const { address } = await signer(kind);
    const to = link(serviceSide(address));
    await ping(to);
    to.close();
    await expect(ping(to)).rejects.toMatchObject(down(/the service is closing/));
  });

  test('more connections than allowed are turned away, and those that stand go on', async () => {
    const { address, reasons } = await signer(kind);
    const to = link(serviceSide(address));
    await ping(to);
    const others: Socket[] = [];
    for (let i = 0; i < 63; i++) others.push(await connection(address));
    const [last] = others;
    last?.write(encodeFrame(question(1)));
    await received(last as Socket, 1);
    const excess = await connection(address);
    excess.resume();
    await once(excess, 'close');
    expect(reasons).toEqual([expect.stringMatching(/was not let in: 64 connections are open/)]);
    await ping(to);
    last?.destroy();
    await eventually(() => last?.closed === true);
    await pause(20);
    await ping(link(serviceSide(address)));
  });

  test('an asker that floods is read no faster than it is answered', async () => {
    let open = 0;
    let most = 0;
    const { address } = await signer(kind, async (asked) => {
      most = Math.max(most, ++open);
      await pause(5);
      open -= 1;
      return echo(asked);
    });
    const socket = await connection(address);
    const count = 30_000;
    const answers = received(socket, count);
    socket.write(Buffer.concat(Array.from({ length: count }, (_, i) => encodeFrame(question(i)))));
    expect((await answers).length).toBe(count);
    expect(most).toBeLessThan(4096 + 2000); // what one more read of the socket may bring
  });

  test('an asker that does not read its answers is not read on', async () => {
    let asked = 0;
    const answer = 'x'.repeat(2 ** 20);
    const { address } = await signer(kind, async ({ number }) => {
      asked += 1;
      return { number, result: answer };
    });
    const socket = await connection(address);
    socket.pause();
    const filler = 'x'.repeat(2 ** 15);
    for (let i = 0; i < 400; i++) socket.write(encodeFrame(question(i, filler)));
    await pause(500);
    expect(asked).toBeLessThan(120);
    expect((await received(socket, 400)).length).toBe(400); // once it reads, all is answered
  });
});

test('a unix socket is for its user alone', async () => {
  const { address } = await signer('unix');
  expect(address.kind === 'unix' && statSync(address.path).mode & 0o777).toBe(0o600);
});

test('a file that is no socket is not replaced by one', async () => {
  const path = join(directory, 'precious');
  writeFileSync(path, 'data');
  await expect(signer('unix', echo, { kind: 'unix', path })).rejects.toThrow(/is there already and is no socket/);
});

describe('over tls only', () => {
  const portOf = ({ address }: Pick<Listening, 'address'>): number => (address.kind === 'tls' ? address.port : 0);

  /** A server of any kind where the signer should be. */
  async function impostor(server: Server): Promise<Address> {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    opened.push(() => server.close());
    const bound = server.address();
    return { kind: 'tls', host: '127.0.0.1', port: bound !== null && typeof bound === 'object' ? bound.port : 0 };
  }

  const pems = (key: KeyObject) => ({
    key: key.export({ type: 'pkcs8', format: 'pem' }),
    cert: selfSignedCertificate({ privateKey: key, name: 'countersign' }),
  });

  /** What a client of our own making gets to hear: the code of the error, or that it was closed. */
  function outcomeOf(socket: Socket): Promise<string> {
    opened.push(() => socket.destroy());
    return new Promise((resolve) => {
      socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
      socket.on('close', () => resolve('closed'));
      socket.on('data', (chunk) => resolve(`heard ${chunk.length} bytes`));
      socket.on('secureConnect', () => socket.write(encodeFrame(question(1))));
    });
  }

  test('TLS 1.3, by an Ed25519 key, is what is spoken', async () => {
    const { address } = await signer('tls');
    const socket = (await connection(address)) as TLSSocket;
    expect(socket.getProtocol()).toBe('TLSv1.3');
    expect(new X509Certificate(socket.getPeerCertificate().raw).publicKey.asymmetricKeyType).toBe('ed25519');
  });

  test('a service whose pin is unknown is turned away, and its question never read', async () => {
    const answer = vi.fn(echo);
    const { address, reasons } = await signer('tls', answer);
    await expect(ping(link(serviceSide(address, { key: stranger })))).rejects.toMatchObject(
      down(/closed the connection without a word; over TLS: it may not know our pin|lost the connection/),
    );
    expect(reasons).toEqual([`127.0.0.1 has a TLS key that is not pinned (pin ${pinOf(stranger)})`]);
    expect(answer).not.toHaveBeenCalled();
  });

  test('a signer with another key than the pinned one is refused by name, and asked nothing', async () => {
    const heard = vi.fn();
    const other = newKey();
    const listening = await signerSide(parseAddress('tls://127.0.0.1:0'), { key: other }).listen({
      accept: (socket) => socket.on('data', heard),
      refused: () => undefined,
    });
    opened.push(() => listening.close());
    await expect(ping(link(serviceSide(listening.address)))).rejects.toMatchObject(
      down(new RegExp(`^signer 2: shows another TLS key than the pinned one \\(pin ${pinOf(other).replaceAll('+', '\\+')}\\)$`)),
    );
    expect(heard).not.toHaveBeenCalled();
  });

  test('signers are not mixed up: the pin of one does not open the way to another', async () => {
    const { address } = await signer('tls');
    await expect(serviceSide(address, { pin: pinOf(newKey()) }).connect()).rejects.toThrow(/another TLS key than the pinned one/);
  });

  test.each([
    ['without a key', {}, /closed/],
    ['in TLS 1.2', { ...pems(serviceKey), minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2' } as const, /PROTOCOL_VERSION/],
  ])('a client %s is refused', async (_, options, outcome) => {
    const answer = vi.fn(echo);
    const listening = await signer('tls', answer);
    const socket = connectTls({ port: portOf(listening), host: '127.0.0.1', rejectUnauthorized: false, ...options });
    expect(await outcomeOf(socket)).toMatch(outcome);
    await eventually(() => listening.reasons.length === 1);
    expect(answer).not.toHaveBeenCalled();
  });

  test.skipIf(p256 === undefined)('a client with a key of another kind is refused', async () => {
    const listening = await signer('tls');
    const socket = connectTls({ port: portOf(listening), host: '127.0.0.1', rejectUnauthorized: false, ...p256 });
    expect(await outcomeOf(socket)).toMatch(/ERR_SSL|closed|ECONNRESET/);
    await eventually(() => listening.reasons.length === 1);
  });

  test('a pinned certificate behind a stranger’s in the chain opens nothing: a client', async () => {
    const answer = vi.fn(echo);
    const listening = await signer('tls', answer);
    const chain = { key: pems(stranger).key, cert: pems(stranger).cert + pems(serviceKey).cert };
    const socket = connectTls({ port: portOf(listening), host: '127.0.0.1', rejectUnauthorized: false, ...chain });
    expect(await outcomeOf(socket)).toMatch(/closed|ECONNRESET/);
    expect(listening.reasons).toEqual([`127.0.0.1 has a TLS key that is not pinned (pin ${pinOf(stranger)})`]);
    expect(answer).not.toHaveBeenCalled();
  });

  test('a pinned certificate behind a stranger’s in the chain opens nothing: a signer', async () => {
    const chain = { key: pems(stranger).key, cert: pems(stranger).cert + pems(signerKey).cert };
    const address = await impostor(createTlsServer(chain, (socket) => socket.on('error', () => undefined)));
    await expect(ping(link(serviceSide(address)))).rejects.toMatchObject(down(/another TLS key than the pinned one/));
  });

  test('plaintext on the TLS port is refused', async () => {
    const answer = vi.fn(echo);
    const listening = await signer('tls', answer);
    const socket = connectTcp(portOf(listening), '127.0.0.1');
    opened.push(() => socket.destroy());
    const closed = once(socket.on('error', () => undefined).resume(), 'close');
    socket.write(encodeFrame(question(1)));
    await closed;
    expect(listening.reasons).toEqual([expect.stringMatching(/127\.0\.0\.1 made no TLS handshake/)]);
    expect(answer).not.toHaveBeenCalled();
  });

  test('no session is resumed: every connection proves its keys anew', async () => {
    const listening = await signer('tls');
    const options = { port: portOf(listening), host: '127.0.0.1', rejectUnauthorized: false, ...pems(serviceKey) };
    const first = connectTls(options);
    opened.push(() => first.destroy());
    const session = await new Promise<Buffer | undefined>((resolve) => {
      first.once('session', resolve);
      first.once('secureConnect', () => setTimeout(() => resolve(undefined), 300));
    });
    const second = connectTls({ ...options, ...(session && { session }) });
    opened.push(() => second.destroy());
    await once(second, 'secureConnect');
    expect(second.isSessionReused()).toBe(false);
  });

  test.each([
    [
      'speaks only TLS 1.2',
      () => createTlsServer({ ...pems(signerKey), maxVersion: 'TLSv1.2', minVersion: 'TLSv1.2' }),
      /failed the TLS handshake/,
    ],
    [
      'speaks in plaintext',
      () => createTcpServer((socket) => socket.on('error', () => undefined).write('220 welcome\r\n')),
      /failed the TLS handshake/,
    ],
    ['hangs up', () => createTcpServer((socket) => socket.destroy()), /failed the TLS handshake|closed the connection at its start/],
    [
      'says nothing',
      () => createTcpServer((socket) => opened.push(() => socket.destroy())),
      /did not finish the TLS handshake within 2000 ms/,
    ],
  ] as const)('a host in a signer’s place that %s is refused by name', async (_, server, reason) => {
    const address = await impostor(server());
    await expect(ping(link(serviceSide(address)))).rejects.toMatchObject(down(reason));
  });

  test('strangers that begin handshakes and do not go on keep out nobody from another address, and are cut off', async () => {
    const listening = await signer('tls');
    const silent = Array.from({ length: 20 }, () => {
      const socket = connectTcp({ port: portOf(listening), host: '127.0.0.1', localAddress: '127.0.0.9' });
      opened.push(() => socket.destroy());
      return once(socket.on('error', () => undefined).resume(), 'close');
    });
    await Promise.any(silent); // the seventeenth, at once
    expect(listening.reasons[0]).toBe('127.0.0.9 was not let in: 16 TLS handshakes are under way, 16 with it');
    await ping(link(serviceSide(listening.address)));
    await Promise.all(silent);
    expect(listening.reasons.filter((reason) => reason.includes('HANDSHAKE_TIMEOUT')).length).toBe(16);
  });

  test('who sits on the wire sees nothing, and an altered byte ends the connection', async () => {
    const { address } = await signer('tls');
    let isAltering = false;
    const seen: Buffer[] = [];
    const wire = await impostor(
      createTcpServer((near) => {
        const far = connectTcp(portOf({ address }), '127.0.0.1');
        near.on('data', (chunk) => {
          seen.push(chunk);
          const last = chunk.length - 1;
          far.write(isAltering ? Buffer.concat([chunk.subarray(0, last), Uint8Array.of((chunk[last] ?? 0) ^ 1)]) : chunk);
        });
        far.on('data', (chunk) => near.write(chunk));
        for (const [one, other] of [
          [near, far],
          [far, near],
        ] as const)
          one.on('error', () => undefined).on('close', () => other.destroy());
      }),
    );
    const to = link(serviceSide(wire));
    const seed = new Uint8Array(Buffer.from('a seed that nobody else may know'));
    expect(await ask(to, seed)).toEqual(seed);
    expect(Buffer.concat(seen).includes(Buffer.from(seed).toString('base64'))).toBe(false);
    isAltering = true;
    await expect(ask(to, seed)).rejects.toMatchObject(down(/lost the connection|closed the connection/));
    isAltering = false;
    expect(await ask(to, seed)).toEqual(seed);
  });
});

/** A key of another kind than ours with its certificate, made by the openssl program; undefined where there is none. */
function keyOfAnotherKind(): { key: Buffer; cert: Buffer } | undefined {
  const [key, cert] = [join(directory, 'p256.key'), join(directory, 'p256.pem')];
  try {
    execFileSync('openssl', ['ecparam', '-name', 'prime256v1', '-genkey', '-noout', '-out', key], { stdio: 'ignore' });
    execFileSync('openssl', ['req', '-x509', '-key', key, '-subj', '/CN=x', '-days', '2', '-out', cert], { stdio: 'ignore' });
    return { key: readFileSync(key), cert: readFileSync(cert) };
  } catch {
    return undefined;
  }
}
