/** `countersign service init`: the key by which signers on other machines know this service. @module */

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { pinOf } from '../../crypto/certificate.ts';
import { createKeyFile, readKeyFile } from '../../server/keyFile.ts';
import type { PublicService } from '../../signer/contract.ts';
import { required } from '../options.ts';

export function service(args: readonly string[]): void {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: { 'data-dir': { type: 'string' }, name: { type: 'string', default: 'service' } },
  });
  const command = positionals.join(' ');
  if (command !== 'init') throw new Error(`unknown command: service ${command}`);
  console.log(JSON.stringify(makeService(required(values['data-dir'], '--data-dir'), values.name)));
}

/** Makes the service's TLS key in `dataDir`, or finds it. @returns what the cluster file says of it */
export function makeService(dataDir: string, name: string): PublicService {
  const file = join(dataDir, 'tls.key');
  return { name, tlsPin: pinOf(existsSync(file) ? readKeyFile(file) : createKeyFile(file)) };
}
