/**
 * The command line: `start` (service and signers on this machine), `serve` (the service alone), `signer` (one signer), and what makes
 * clusters. What is not asked for is not loaded: a signer has no web server in it.
 * @module
 */

import { readConfig } from '../config.ts';

const usage = `countersign start                 the service with its signers, on this machine
countersign serve                 the service alone; its signers run elsewhere (CLUSTER_FILE, SIGNERS, DATABASE_URL)
countersign signer init --data-dir DIR              make a signer's identity and print its public half
countersign signer renew-tls --data-dir DIR         give a signer another TLS key and print its public half
countersign signer rewrap --data-dir DIR [--to file|passphrase|pkcs11|aws-kms|vault] [--rotate]
                                  keep its key-encryption key otherwise, while it runs; --rotate: another key, while it is stopped
                                  (docs/keys-at-rest.md)
countersign signer backup --data-dir DIR --to FILE [--recipient PUBLIC.pem]… [--passphrase-file FILE]
countersign signer restore --data-dir DIR --from FILE [--recovery-key PRIVATE.pem]… [--passphrase-file FILE]… [--unwitnessed | --standby]
                                  a signer, running or not, into a file that only its recipients open; and back (docs/backups.md)
countersign signer follow --data-dir DIR --from ADDRESS [--once]
countersign signer promote --data-dir DIR
                                  a standby: keeps up with its signer; takes its place (docs/standby.md)
countersign recover key --out PRIVATE.pem           make a recovery key and print its public half
countersign recover --out FILE [--key ID]… [--recovery-key PRIVATE.pem]… [--passphrase-file FILE]… BACKUP BACKUP…
                                  whole private keys, from the backups of t + 1 signers; offline (docs/backups.md)
countersign signer --data-dir DIR --socket PATH | --listen ADDRESS
                                  run a signer; an address is unix:/path or tls://host:port
countersign cluster init --signers 3 --threshold 1 --out DIR [--hosts ADDRESS,…] [--root-public-key FILE]
                                  make a cluster of several hosts: a directory for each (docs/cluster.md)
countersign service init --data-dir DIR [--name NAME]
                                  make the service's TLS key and print its public half
countersign cluster assemble --threshold 1 --out FILE --root-public-key FILE PUBLIC.json…
                                  join public halves to a cluster file
countersign cluster change local [--signers N] [--threshold T] [--replace N]…
                                  other signers for the cluster of DATA_DIR, which must be stopped (docs/cluster.md)
countersign cluster change propose --cluster FILE [--signer N=PUBLIC.json]… [--remove N]… [--threshold T]
countersign cluster change sign --data-dir DIR --change FILE
countersign cluster change apply --cluster FILE --change FILE PART.json…
                                  the same on several hosts, by the operators of the signers
countersign cluster refresh --key ID | --all
                                  deal keys anew, to fresh shares (credentials as for call)
countersign call METHOD PATH [JSON]
                                  one request to the API, signed with the credentials of admin.env in the environment
countersign audit export          the authority log, one entry a line (credentials as for call)
countersign audit verify FILE --cluster FILE [--head NUMBER:HASH]
                                  check a copy of it offline, against the pinned root alone
countersign recovery key --env FILE
countersign recovery sign --data-dir DIR --public-key FILE --at TIME
countersign recovery assemble --cluster FILE PART.json…
countersign recovery submit FILE --env FILE --api ORIGIN
                                  a new credential for the root, when the last administrator's is lost (docs/authority.md)
The environment is described in .env.example.`;

/** Runs what the arguments ask for; resolves when it is done. @throws {Error} saying what is wrong, for people */
export async function run(args: readonly string[]): Promise<void> {
  if (args.includes('--help')) return console.log(usage);
  const [first, ...rest] = args;
  if (first === 'cluster' && rest[0] === 'refresh') {
    return (await import('./commands/refresh.ts')).refresh(rest.slice(1), process.env);
  }
  if (first === 'cluster' && rest[0] === 'change') {
    return (await import('./commands/clusterChange.ts')).clusterChange(rest.slice(1), process.env);
  }
  if (first === 'cluster') return (await import('./commands/cluster.ts')).cluster(rest);
  if (first === 'audit') return (await import('./commands/audit.ts')).audit(rest, process.env);
  if (first === 'recovery') return (await import('./commands/recovery.ts')).recovery(rest, process.env);
  if (first === 'call') return (await import('./commands/call.ts')).call(rest, process.env);
  if (first === 'service') return (await import('./commands/service.ts')).service(rest);
  if (first === 'recover') return (await import('./commands/recover.ts')).recover(rest);
  if (first === 'signer') return (await import('./commands/signer.ts')).signer(rest, process.env);
  const config = readConfig(process.env);
  const command = args.join(' ');
  switch (command) {
    case 'start':
      return (await import('../server/start.ts')).start(config);
    case 'serve':
      return (await import('../server/start.ts')).serve(config);
    case 'help':
      console.log(usage);
      return;
    default:
      throw new Error(`unknown command: ${command || '(none)'}\n${usage}`);
  }
}
