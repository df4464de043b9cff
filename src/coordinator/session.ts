/**
 * Drives one protocol in rounds over its signers: asks each for its messages, hands every one what the others sent, until all have ended.
 * It only relays: what must be authentic is signed among the signers, what must be secret is sealed among them.
 * @module
 */

import { randomBytes } from 'node:crypto';
import type { Outcome, Task, Turn } from '../signer/contract.ts';
import { type Link, SignerFailure } from './link.ts';
import { askAll } from './quorum.ts';

/** No protocol of ours has more. */
const maxRounds = 8;

/**
 * @returns how it ended at each signer, by participant number
 * @throws {SignerFailures} naming who failed, and who is blamed
 */
export async function runSession(links: readonly Link[], task: Task): Promise<ReadonlyMap<number, Outcome>> {
  const sessionId = new Uint8Array(randomBytes(32));
  try {
    return await relay(links, sessionId, task);
  } catch (error) {
    // Who waits for the others need not wait until it gives up by itself.
    for (const link of links) link.ask('abandonSession', { sessionId }).catch(() => undefined);
    throw error;
  }
}

async function relay(links: readonly Link[], sessionId: Uint8Array, task: Task): Promise<ReadonlyMap<number, Outcome>> {
  const participants = links.map((link) => link.index);
  let turns = await askAll(links, (link) => link.ask('openSession', { sessionId, participants, task }));
  for (let round = 0; round < maxRounds; round++) {
    const outcomes = outcomesOf(turns);
    if (outcomes !== undefined) return outcomes;
    const sent = turns;
    const name = roundOf(sent);
    turns = await askAll(links, (link) => {
      const received = Object.fromEntries(
        [...sent].filter(([from]) => from !== link.index).map(([from, turn]) => [from, messageFrom(turn, link.index)]),
      );
      return link.ask('continueSession', { sessionId, round: name, received });
    });
  }
  throw new Error(`the session did not end within ${maxRounds} rounds`);
}

/** Everybody's end, once all have come to it. */
function outcomesOf(turns: ReadonlyMap<number, Turn>): ReadonlyMap<number, Outcome> | undefined {
  const ended = [...turns].flatMap(([index, turn]) => ('outcome' in turn ? [[index, turn.outcome] as const] : []));
  if (ended.length === 0) return undefined;
  const unfinished = [...turns].find(([, turn]) => !('outcome' in turn));
  if (unfinished) throw new SignerFailure(unfinished[0], 'Aborted', 'is out of step with the others', [unfinished[0]]);
  return new Map(ended);
}

function roundOf(turns: ReadonlyMap<number, Turn>): string {
  const names = new Set([...turns.values()].map((turn) => ('round' in turn ? turn.round : '')));
  const [name = ''] = names;
  if (names.size !== 1) throw new Error(`the signers are in different rounds: ${[...names].join(', ')}`);
  return name;
}

function messageFrom(turn: Turn, to: number): { toAll: Uint8Array; toMe: Uint8Array } {
  if ('outcome' in turn) throw new Error('a session that ended sends nothing');
  return { toAll: turn.toAll, toMe: turn.toEach[String(to)] ?? new Uint8Array() };
}
