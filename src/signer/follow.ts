/**
 * A standby keeps up with the signer that acts: it asks it for shares that are new or changed, again and again, until it is told to stop. It
 * answers nobody and listens nowhere.
 * @module
 */

import type { Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { type Address, addressText } from '../base/address.ts';
import { messageOf } from '../base/errors.ts';
import { encodeFrame, frameReader } from '../base/frames.ts';
import { sparingly } from '../base/sparingly.ts';
import { pinOf } from '../crypto/certificate.ts';
import type { Logger } from '../log.ts';
import { transportTo } from '../transport/create.ts';
import { publicSignerOf, readIdentity } from './identity.ts';
import { readInstance } from './instance.ts';
import { openKeyEncryptionKey } from './keyEncryption/open.ts';
import type { KeyEncryptionSettings } from './keyEncryption/settings.ts';
import { type ReplicationAnswer, replicationAnswer, takeShares } from './replication.ts';
import { openSignerStore } from './store.ts';
import { readTlsKey } from './tlsKey.ts';

const askEveryMs = 500;
const retryAfterMs = 1_000;
const answerWithinMs = 5_000;
const reportEveryMs = 10_000;

export interface Follow {
  readonly dataDir: string;
  readonly settings: KeyEncryptionSettings;
  /** Of the signer that acts; over TLS. */
  readonly from: Address;
  /** Ends when it has all that there is now. */
  readonly isOnce: boolean;
  readonly log: Logger;
  readonly stop: AbortSignal;
}

/** @throws {Error} when the directory is not a standby's; with `isOnce`, also when the signer that acts is not reached */
export async function followSigner({ dataDir, settings, from, isOnce, log, stop }: Follow): Promise<void> {
  const keyEncryptionKey = await openKeyEncryptionKey(dataDir, settings);
  const store = openSignerStore(dataDir);
  try {
    if (readInstance(store, keyEncryptionKey).kind !== 'standby')
      throw new Error(`${dataDir} is not a standby's: \`signer restore --standby\` makes one`);
    const identity = readIdentity(store, keyEncryptionKey);
    const holder = { store, keyEncryptionKey, identity, signerId: publicSignerOf(identity).signerId };
    const key = readTlsKey(store, keyEncryptionKey);
    if (key === undefined) throw new Error('this signer has no TLS key: its standby cannot be known to it');
    const transport = transportTo(from, () => ({ key, peers: new Map([[pinOf(key), 'the signer that acts']]) }));
    const lost = sparingly((reason, leftOut) => log.warn({ reason, leftOut }, 'the signer that acts is not followed now'), reportEveryMs);
    let after = 0; // all of it again at each start: what is there already is written over with itself

    while (!stop.aborted) {
      try {
        const connection = await transport.connect();
        try {
          const ask = conversation(connection);
          log.info({ from: addressText(from) }, 'the standby follows');
          for (let number = 1; !stop.aborted; number++) {
            const answer = await ask({ number, after });
            takeShares(holder, answer);
            const isAll = answer.next === after;
            after = answer.next;
            if (isAll && isOnce) return;
            if (isAll) await pause(askEveryMs, undefined, { signal: stop }).catch(() => undefined);
          }
        } finally {
          connection.destroy();
        }
      } catch (error) {
        if (isOnce) throw new Error(`${addressText(from)} ${messageOf(error)}`, { cause: error });
        lost(messageOf(error));
        await pause(retryAfterMs, undefined, { signal: stop }).catch(() => undefined);
      }
    }
  } finally {
    store.close();
    keyEncryptionKey.fill(0);
  }
}

/** Asks over a connection, one question after the other. @throws {Error} whose message goes on from the signer's name */
function conversation(connection: Socket): (question: { number: number; after: number }) => Promise<ReplicationAnswer> {
  const frames = frameReader();
  const chunks: AsyncIterator<Buffer> = connection[Symbol.asyncIterator]();
  return async (question) => {
    const late = setTimeout(() => connection.destroy(new Error(`does not answer within ${answerWithinMs} ms`)), answerWithinMs);
    try {
      connection.write(encodeFrame(question));
      for (;;) {
        const { done, value } = await chunks.next();
        if (done) throw new Error('closed the connection');
        const [frame] = frames.read(value);
        if (frame === undefined) continue;
        const answer = replicationAnswer.safeParse(frame.message);
        if (!answer.success || answer.data.number !== question.number) throw new Error('answers what it was not asked');
        return answer.data;
      }
    } finally {
      clearTimeout(late);
    }
  };
}
