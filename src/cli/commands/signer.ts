/** `countersign signer …`: a signer's process, and what its operator does with its directory. @module */

import { parseArgs } from 'node:util';
import { parseAddress } from '../../base/address.ts';
import { type Environment, readConfig, readKeyEncryption } from '../../config.ts';
import { createLog } from '../../log.ts';
import { type ProviderName, providers } from '../../signer/keyEncryption/settings.ts';
import { required } from '../options.ts';

export async function signer(args: readonly string[], env: Environment): Promise<void> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      'data-dir': { type: 'string' },
      socket: { type: 'string' },
      listen: { type: 'string' },
      to: { type: 'string' },
      rotate: { type: 'boolean', default: false },
    },
  });
  const command = positionals.join(' ');
  const dataDir = required(values['data-dir'], '--data-dir');
  const settings = readKeyEncryption(env);
  switch (command) {
    case '': {
      const { runSigner } = await import('../../signer/process.ts');
      if (values.socket !== undefined && values.listen !== undefined) throw new Error('a signer listens at --socket or --listen, not both');
      const address = parseAddress(required(values.listen ?? values.socket, '--socket or --listen'));
      return runSigner({ dataDir, settings, address, log: createLog('signer', readConfig(env).logLevel) });
    }
    case 'init': {
      const { initialiseSigner } = await import('../../signer/process.ts');
      console.log(JSON.stringify(await initialiseSigner(dataDir, settings)));
      return;
    }
    case 'renew-tls': {
      const { renewSignerTlsKey } = await import('../../signer/process.ts');
      console.log(JSON.stringify(await renewSignerTlsKey(dataDir, settings)));
      return;
    }
    case 'rewrap': {
      const { rewrap, rotate } = await import('../../signer/keyEncryption/rewrap.ts');
      const change = values.rotate ? rotate : rewrap;
      const { from, to } = await change({ dataDir, to: providerNamed(values.to), settings });
      console.log(
        `${values.rotate ? 'Another key-encryption key; it' : 'The key-encryption key'} was kept by ${from}, and is by ${to} now.`,
      );
      return;
    }
    default:
      throw new Error(`unknown command: signer ${command}`);
  }
}

/** @throws {Error} naming those there are */
function providerNamed(name: string | undefined): ProviderName | undefined {
  const found = providers.find((provider) => provider === name);
  if (name !== undefined && found === undefined) throw new Error(`--to is one of ${providers.join(', ')}`);
  return found;
}
