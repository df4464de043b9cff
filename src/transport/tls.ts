/**
 * Mutual TLS 1.3 (RFC 8446) with pinned keys: a peer is who holds the private key behind a pin of ours. OpenSSL verifies that it holds
 * it; names, dates, issuers and authorities in its certificate mean nothing here. Sessions are not resumed: every connection proves anew.
 * @module
 */

import { constants, type KeyObject, X509Certificate } from 'node:crypto';
import { createServer as createTcpServer, type Socket } from 'node:net';
import { connect, createSecureContext, createServer as createTlsServer, type TLSSocket } from 'node:tls';
import type { TlsAddress } from '../base/address.ts';
import { assert } from '../base/errors.ts';
import { pinOf, selfSignedCertificate } from '../crypto/certificate.ts';
import { connectWithinMs, established, type Transport } from './transport.ts';

export interface TlsOptions {
  readonly address: TlsAddress;
  /** Ours: Ed25519, private. */
  readonly key: KeyObject;
  /** Whom we talk to: names by pin. Pins are public, so how they are compared tells nobody anything. */
  readonly peers: ReadonlyMap<string, string>;
}

/** A silent peer is found out by TCP after this time and ten probes, a second apart. */
const keepAliveMs = 10_000;
/** Handshakes under way at once: with all, and with one address, so that one stranger does not keep everybody out. */
const maxHandshakes = 64;
const maxHandshakesPerAddress = 16;

export function tlsTransport({ address, key, peers }: TlsOptions): Transport {
  const { host, port } = address;
  const security = {
    minVersion: 'TLSv1.3',
    maxVersion: 'TLSv1.3',
    sigalgs: 'ed25519', // the one kind of key there is
    secureOptions: constants.SSL_OP_NO_TICKET,
    key: key.export({ type: 'pkcs8', format: 'pem' }),
    cert: selfSignedCertificate({ privateKey: key, name: 'countersign' }),
  } as const;
  const secureContext = createSecureContext(security); // a server makes its own
  /** Not by authorities, of which there are none: `peerOf` decides. */
  const rejectUnauthorized = false;
  const sockets = { noDelay: true, keepAlive: true, keepAliveInitialDelay: keepAliveMs };

  return {
    async connect() {
      const socket = await established(connect({ ...sockets, secureContext, rejectUnauthorized, host, port }), 'secureConnect');
      const shown = peerOf(socket);
      if (shown !== undefined && peers.has(shown)) return socket;
      socket.destroy();
      throw new Error(`shows another TLS key than the pinned one (pin ${shown ?? 'unreadable'})`);
    },

    listen({ accept, refused }) {
      const handshakes = new Map<string, Socket>();
      const secure = createTlsServer({
        ...security,
        requestCert: true,
        rejectUnauthorized,
        handshakeTimeout: connectWithinMs,
      });
      secure.on('tlsClientError', (error: NodeJS.ErrnoException, socket) => {
        refused(`${socket.remoteAddress ?? 'somebody'} made no TLS handshake (${error.code ?? error.message})`);
        socket.destroy();
      });
      secure.on('secureConnection', (socket) => {
        handshakes.delete(endOf(socket));
        socket.on('error', () => undefined); // 'close' follows
        const shown = peerOf(socket);
        const peer = shown === undefined ? undefined : peers.get(shown);
        if (peer !== undefined) return accept(socket, peer);
        refused(`${socket.remoteAddress} ${shown === undefined ? 'shows no TLS key' : `has a TLS key that is not pinned (pin ${shown})`}`);
        socket.destroy();
      });

      const server = createTcpServer(sockets, (socket) => {
        const sameAddress = [...handshakes.values()].filter(({ remoteAddress }) => remoteAddress === socket.remoteAddress);
        if (handshakes.size >= maxHandshakes || sameAddress.length >= maxHandshakesPerAddress) {
          refused(`${socket.remoteAddress} was not let in: ${handshakes.size} TLS handshakes are under way, ${sameAddress.length} with it`);
          socket.destroy();
          return;
        }
        const end = endOf(socket);
        handshakes.set(end, socket);
        socket.on('error', () => undefined);
        socket.once('close', () => handshakes.delete(end));
        secure.emit('connection', socket);
      });
      return new Promise((resolve, reject) => {
        server.once('error', reject);
        server.listen(port, host, () => {
          server.off('error', reject);
          const bound = server.address();
          assert(bound !== null && typeof bound === 'object', 'a TCP server that listens has a port');
          resolve({
            address: { ...address, port: bound.port },
            close: () =>
              new Promise((closed) => {
                server.close(() => closed());
                for (const socket of handshakes.values()) socket.destroy();
              }),
          });
        });
      });
    },
  };
}

/**
 * The pin of the key that the peer has proved to hold: of its own certificate, the first of those it sent (RFC 8446 §4.4.2). Undefined if
 * it sent none that can be read. Not by `getPeerX509Certificate`, which a client may ask once only: then it gives the next of the chain.
 */
function peerOf(socket: TLSSocket): string | undefined {
  try {
    return pinOf(new X509Certificate(socket.getPeerCertificate().raw).publicKey);
  } catch {
    return undefined;
  }
}

/** The other end of a connection; no two have the same at one time. */
function endOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
}
