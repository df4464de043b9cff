/** The service's way to each signer: by its unix socket, or by TLS under the pins of the cluster file. @module */

import type { KeyObject } from 'node:crypto';
import { existsSync } from 'node:fs';
import { type Address, addressText } from '../base/address.ts';
import { ConfigError } from '../config.ts';
import { type ClusterFile, currentOf } from '../signer/contract.ts';
import { transportTo } from '../transport/create.ts';
import type { Transport } from '../transport/transport.ts';
import { readKeyFile } from './keyFile.ts';

/**
 * @param addresses in the order of the signers that are there now
 * @throws {ConfigError} when they do not fit the cluster, or what TLS needs is missing
 */
export function signerTransports(
  addresses: readonly Address[],
  { cluster, tlsKeyFile }: { cluster: ClusterFile; tlsKeyFile: string },
): Transport[] {
  const { signers } = currentOf(cluster);
  if (addresses.length !== signers.length)
    throw new ConfigError(`SIGNERS: names ${addresses.length} signers, the cluster has ${signers.length}`);
  let key: KeyObject | undefined;
  return signers.map(({ index, tlsPin }, i) => {
    const address = addresses[i] as Address; // as many as signers
    return transportTo(address, () => {
      if (tlsPin === undefined) throw new ConfigError(`CLUSTER_FILE: signer ${index} has no tlsPin, needed for ${addressText(address)}`);
      key ??= tlsKeyOf(tlsKeyFile);
      return { key, peers: new Map([[tlsPin, `signer ${index}`]]) };
    });
  });
}

function tlsKeyOf(file: string): KeyObject {
  if (!existsSync(file)) throw new ConfigError(`TLS_KEY_FILE: there is no key at ${file}; \`countersign service init\` makes one`);
  return readKeyFile(file);
}
