/**
 * Where a signer is reached: `unix:/path` (or a bare path), or `tls://host:port`. Browser-safe.
 * @module
 */

export type Address = UnixAddress | TlsAddress;

export interface UnixAddress {
  readonly kind: 'unix';
  readonly path: string;
}

export interface TlsAddress {
  readonly kind: 'tls';
  /** A name or an IP address, an IPv6 one without brackets. */
  readonly host: string;
  /** 0 to listen on any that is free. */
  readonly port: number;
}

/** @throws {Error} saying what an address looks like */
export function parseAddress(text: string): Address {
  const tls = /^tls:\/\/(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9._-]+)):(\d{1,5})$/.exec(text);
  if (tls !== null) {
    const [, ipv6, name, digits] = tls;
    const port = Number(digits);
    if (port <= 65_535) return { kind: 'tls', host: ipv6 ?? name ?? '', port };
  } else {
    const path = text.replace(/^unix:/, '');
    if (path !== '' && !/^\w+:\/\/|^\/\/|\0/.test(path)) return { kind: 'unix', path };
  }
  throw new Error(`${JSON.stringify(text)} is not an address: write unix:/path, or tls://host:port`);
}

/** As `parseAddress` reads it. */
export function addressText(address: Address): string {
  if (address.kind === 'unix') return `unix:${address.path}`;
  return `tls://${address.host.includes(':') ? `[${address.host}]` : address.host}:${address.port}`;
}
