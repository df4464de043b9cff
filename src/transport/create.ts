/** The transport of an address. @module */

import type { KeyObject } from 'node:crypto';
import type { Address } from '../base/address.ts';
import { tlsTransport } from './tls.ts';
import type { Transport } from './transport.ts';
import { unixTransport } from './unix.ts';

/** @param credentials asked for only where TLS needs them */
export function transportTo(
  address: Address,
  credentials: () => { readonly key: KeyObject; readonly peers: ReadonlyMap<string, string> },
): Transport {
  return address.kind === 'unix' ? unixTransport(address.path) : tlsTransport({ address, ...credentials() });
}
