/** `countersign signer …`: a signer's process, and what its operator does with its directory. @module */

import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { parseAddress } from '../../base/address.ts';
import { systemClock } from '../../base/clock.ts';
import { type Environment, readConfig, readKeyEncryption } from '../../config.ts';
import { createLog } from '../../log.ts';
import type { Header } from '../../signer/backup/format.ts';
import { type ProviderName, providers } from '../../signer/keyEncryption/settings.ts';
import { readOpeners, readPassphrase } from '../openers.ts';
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
      from: { type: 'string' },
      recipient: { type: 'string', multiple: true, default: [] },
      'recovery-key': { type: 'string', multiple: true, default: [] },
      'passphrase-file': { type: 'string', multiple: true, default: [] },
      unwitnessed: { type: 'boolean', default: false },
      standby: { type: 'boolean', default: false },
      once: { type: 'boolean', default: false },
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
    case 'backup': {
      const { backUpSigner } = await import('../../signer/backup/write.ts');
      const to = required(values.to, '--to');
      const [passphrase, ...others] = values['passphrase-file'].map(readPassphrase);
      if (others.length > 0) throw new Error('a backup has one passphrase; recovery keys may be several');
      const recipients = { publicKeys: values.recipient.map((file) => readFileSync(file, 'utf8')), passphrase };
      console.log(described(to, await backUpSigner({ dataDir, settings, to, recipients, clock: systemClock })));
      return;
    }
    case 'restore': {
      const { restoreSigner } = await import('../../signer/backup/restore.ts');
      const from = required(values.from, '--from');
      const openers = readOpeners({ recoveryKeys: values['recovery-key'], passphraseFiles: values['passphrase-file'] });
      const { unwitnessed, standby: isStandby } = values;
      if (unwitnessed && isStandby) throw new Error('a standby is witnessed when it is promoted: --unwitnessed is not for it');
      const how = { isWitnessed: !unwitnessed, isStandby, clock: systemClock };
      const restored = await restoreSigner({ dataDir, settings, from, openers, ...how });
      console.log(`${described(from, restored)}\n${isStandby ? standbyRestored : unwitnessed ? '' : signerRestored}`.trimEnd());
      return;
    }
    case 'follow': {
      const { followSigner } = await import('../../signer/follow.ts');
      const stop = new AbortController();
      for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => stop.abort());
      const log = createLog('standby', readConfig(env).logLevel);
      const from = parseAddress(required(values.from, '--from'));
      return followSigner({ dataDir, settings, from, isOnce: values.once, log, stop: stop.signal });
    }
    case 'promote': {
      const { promoteStandby } = await import('../../signer/promote.ts');
      const takeover = await promoteStandby({ dataDir, settings, clock: systemClock });
      console.log(`POST /signers/takeovers ${JSON.stringify(takeover)}`);
      return;
    }
    default:
      throw new Error(`unknown command: signer ${command}`);
  }
}

const signerRestored = `It takes part once enough other signers have witnessed that its log is complete, and in nothing that was authorised before.
The old signer, wherever it is, must never run again. docs/backups.md says what comes next.`;
const standbyRestored = `It is a standby, and does not act: \`countersign signer follow\` keeps it up with the signer that does (docs/standby.md).`;

function described(file: string, { clusterId, signerId, createdAt, keys, sequence }: Header): string {
  const made = new Date(createdAt * 1000).toISOString();
  return `${file}: signer ${signerId} of cluster ${clusterId} as of ${made}; shares of ${keys} keys, ${sequence} entries of the authority log.`;
}

/** @throws {Error} naming those there are */
function providerNamed(name: string | undefined): ProviderName | undefined {
  const found = providers.find((provider) => provider === name);
  if (name !== undefined && found === undefined) throw new Error(`--to is one of ${providers.join(', ')}`);
  return found;
}
