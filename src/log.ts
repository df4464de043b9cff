/** Logs: one JSON object a line, on standard error. No bodies, no tokens, no shares: what is not given cannot leak. @module */

import { destination, type Logger, pino, stdSerializers } from 'pino';

export type { Logger };

/** @param name the process: `service`, `signer` */
export function createLog(name: string, level: string): Logger {
  return pino({ name, level, serializers: { error: stdSerializers.err } }, destination(2));
}
