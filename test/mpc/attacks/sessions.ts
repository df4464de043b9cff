/**
 * Attacks on sessions of real signers, by the coordinator that relays them: every round of every protocol in rounds is asked twice, too early,
 * for another, without a message, under a name that is taken, and of a signer that was started again.
 * @module
 */

import { randomBytes } from 'node:crypto';
import { expect } from 'vitest';
import { SignerFailure } from '../../../src/coordinator/link.ts';
import type { Outcome, Params, Task, Turn } from '../../../src/signer/contract.ts';
import { idOf } from '../../authority/world.ts';
import type { TestCluster, TestSigner } from '../../signer/cluster.ts';
import { outcomeOf } from '../../signer/shares.ts';
import { handedIn, newOwner } from '../../support/travellingKeys.ts';
import { of } from '../memoryParty.ts';
import type { Attack, Case, Message } from './cases.ts';
import { realSigners } from './signers.ts';
import { corrupt, victim } from './tampering.ts';

type Question = Params<'continueSession'>;
/** How a session ended at one signer, or why it did not. */
type End = Outcome | string;

const protocols: readonly { who?: string; rounds: readonly Message[]; newTask: (cluster: TestCluster) => Promise<Task> }[] = [
  {
    rounds: ['dkg/package', 'dkg/share', 'dkg/confirm'],
    newTask: async (cluster) => ({ kind: 'keygen', keyId: await cluster.requestKey('EdDSA/ed25519'), keyType: 'EdDSA/ed25519' }),
  },
  { rounds: ['seeds/contribute', 'seeds/confirm'], newTask: async () => ({ kind: 'seeds' }) },
  { rounds: ['presign/nonce', 'presign/R'], newTask: async () => ({ kind: 'presign', curve: 'secp256k1', count: 2 }) },
  {
    who: 'real signers that import',
    rounds: ['import/commit', 'import/reveal', 'reshare/deal', 'reshare/confirm'],
    newTask: newImport,
  },
  { who: 'real signers that refresh', rounds: ['reshare/deal', 'reshare/confirm'], newTask: newRefresh },
];

async function newImport(cluster: TestCluster): Promise<Task> {
  const bundle = handedIn(newOwner('ed25519'), cluster.file.signers, 2);
  const made = await cluster.perform(cluster.admin, { method: 'POST', path: '/keys/import', body: { protocol: 'FROST', ...bundle } });
  return { kind: 'import', keyId: idOf(made, 'key'), shares: bundle.encryptedKeyShares };
}

async function newRefresh(cluster: TestCluster): Promise<Task> {
  const { id: keyId, keyType } = await cluster.addKey('EdDSA/ed25519');
  return { kind: 'redeal', keyId, keyType, base: 0, epoch: 1, dealers: [1, 2, 3] };
}

interface Attacked {
  readonly signers: readonly TestSigner[];
  readonly sessionId: Uint8Array;
  readonly task: Task;
  /** Of this round, by participant. */
  readonly questions: Map<number, Question>;
  /** Of the round before. */
  readonly earlier: ReadonlyMap<number, Question> | undefined;
  ask(signer: TestSigner, question: Question): Promise<Turn | string>;
}

/** What is done before the questions of a round are asked, and with what they are asked; as they should be, when undefined. */
type Act = (attacked: Attacked) => Promise<Attacked['ask'] | undefined>;

/** Relays a session as the coordinator does, but for one round. */
async function relayed(cluster: TestCluster, task: Task, at: Message, act: Act): Promise<Map<number, End>> {
  const { signers } = cluster;
  const sessionId = new Uint8Array(randomBytes(32));
  const participants = signers.map(({ index }) => index);
  const ends = new Map<number, End>();
  const ask = (signer: TestSigner, question: Question) => signer.ask('continueSession', question).catch(reasonOf);
  let earlier: ReadonlyMap<number, Question> | undefined;
  let turns = await askedOf(signers, (signer) => signer.ask('openSession', { sessionId, participants, task }).catch(reasonOf));
  for (;;) {
    for (const [index, turn] of turns) {
      if (typeof turn === 'string') ends.set(index, turn);
      else if ('outcome' in turn) ends.set(index, turn.outcome);
    }
    const sent = [...turns].flatMap(([from, turn]) => (typeof turn !== 'string' && 'round' in turn ? [[from, turn] as const] : []));
    const [first] = sent;
    if (first === undefined) return ends;
    const { round } = first[1];
    const questions = new Map(
      sent.map(([to]) => {
        const received = sent
          .filter(([from]) => from !== to)
          .map(([from, { toAll, toEach }]) => [from, { toAll, toMe: toEach[to] ?? none }]);
        return [to, { sessionId, round, received: Object.fromEntries(received) }];
      }),
    );
    const asking = round === at ? ((await act({ signers, sessionId, task, questions, earlier, ask })) ?? ask) : ask;
    turns = await askedOf(
      signers.filter(({ index }) => questions.has(index)),
      (signer) => asking(signer, of(questions, signer.index)),
    );
    earlier = questions;
  }
}

const none = new Uint8Array(0);

async function askedOf<T>(signers: readonly TestSigner[], ask: (signer: TestSigner) => Promise<T>): Promise<Map<number, T>> {
  return new Map(await Promise.all(signers.map(async (signer) => [signer.index, await ask(signer)] as const)));
}

function reasonOf(error: unknown): string {
  if (!(error instanceof SignerFailure)) throw error;
  return `${error.code}: ${error.reason}${error.culprits.length > 0 ? ` [${error.culprits}]` : ''}`;
}

interface SessionAttack {
  readonly attack: Attack;
  readonly name: string;
  readonly act: (attacked: Attacked, rounds: readonly Message[]) => ReturnType<Act>;
  /** What the victim ends with; undefined where all end well and alike. */
  readonly fails?: RegExp;
  readonly notInFirst?: true;
}

const others = [corrupt, 3];

const attacks: readonly SessionAttack[] = [
  {
    attack: 'duplicated',
    name: 'asked three times at once: one answer of each signer, and all end as if it had been asked once',
    act:
      async ({ ask }) =>
      async (signer, question) => {
        const turns = await Promise.all([ask(signer, question), ask(signer, question), ask(signer, question)]);
        const [answer = '', ...more] = turns.toSorted((a, b) => Number(typeof a === 'string') - Number(typeof b === 'string'));
        for (const reason of more) expect(reason).toMatch(/^BadQuestion: this session does not wait|^UnknownSession/);
        return answer;
      },
  },
  {
    attack: 'reordered',
    name: 'asked for every other round first: refused, and the session goes on',
    async act({ signers, questions, ask }, rounds) {
      for (const signer of signers) {
        const question = of(questions, signer.index);
        for (const round of [...rounds, 'none', ''].filter((other) => other !== question.round)) {
          expect(await ask(signer, { ...question, round })).toBe(`BadQuestion: this session does not wait for round ${round}`);
        }
      }
      return undefined;
    },
  },
  {
    attack: 'reordered',
    name: 'the messages of the round before, again',
    async act({ questions, earlier }) {
      questions.set(victim, { ...of(questions, victim), received: of(earlier ?? questions, victim).received });
      return undefined;
    },
    fails: /^Aborted: .* \[2\]$/,
    notInFirst: true,
  },
  {
    attack: 'dropped',
    name: 'what one signer sent to another: it is named',
    async act({ questions }) {
      const { [corrupt]: _, ...received } = of(questions, victim).received;
      questions.set(victim, { ...of(questions, victim), received });
      return undefined;
    },
    fails: /^Aborted: no message of round .* from 2 \[2\]$/,
  },
  {
    attack: 'wrong sender',
    name: 'what two signers sent, exchanged',
    async act({ questions }) {
      const { received, ...question } = of(questions, victim);
      const [two, three] = others.map((from) => received[from]);
      if (two && three) questions.set(victim, { ...question, received: { [corrupt]: three, 3: two } });
      return undefined;
    },
    fails: /^Aborted: .* \[2\]$/,
  },
  {
    attack: 'repeated id',
    name: 'another session is opened under the name of this one: refused, and this one goes on',
    async act({ signers, sessionId, task }) {
      const question = { sessionId, participants: signers.map(({ index }) => index), task };
      for (const signer of signers) {
        expect(await outcomeOf(signer.ask('openSession', question))).toBe('Refused: a session of this name is open');
      }
      return undefined;
    },
  },
  {
    attack: 'restart',
    name: 'of one signer: the session is gone there, and what it made',
    async act({ signers }) {
      signers[0]?.restart();
      return undefined;
    },
    fails: /^UnknownSession: no session of this name is open$/,
  },
];

/** What a signer keeps of a session that went well: its seeds' name, its share. */
async function keptOf(signer: TestSigner, task: Task): Promise<unknown> {
  if (task.kind === 'seeds') return (await signer.ask('hello', {})).seeds;
  if (task.kind === 'presign') return undefined;
  if (task.kind === 'redeal') return (await signer.ask('describeShares', { keyId: task.keyId })).counting;
  return signer.ask('describeKey', { keyId: task.keyId }).catch(reasonOf);
}

/** Of an end, what everybody says the same: an acknowledgement is each one's own. */
function saidAlike(end: End): string {
  return JSON.stringify(typeof end !== 'string' && end.kind === 'redeal' ? { ...end, acknowledgement: undefined } : end);
}

export const sessions: readonly Case[] = protocols.flatMap(({ who = 'real signers', rounds, newTask }) =>
  rounds.flatMap((message, at) =>
    attacks
      .filter(({ notInFirst }) => at > 0 || !notInFirst)
      .map(({ attack, name, act, fails }) => ({
        message,
        attack,
        name: `between ${who}: ${name}`,
        async run() {
          const cluster = await realSigners();
          const [one] = cluster.signers;
          if (one === undefined) throw new Error('there are three');
          const task = await newTask(cluster);
          const before = await keptOf(one, task);
          const ends = await relayed(cluster, task, message, (attacked) => act(attacked, rounds));

          const said = of(ends, victim);
          if (fails === undefined) {
            expect(new Set([...ends.values()].map(saidAlike)).size).toBe(1);
            expect(said).toMatchObject({ kind: task.kind === 'import' ? 'keygen' : task.kind });
          } else {
            expect(said).toMatch(fails);
            expect(await keptOf(one, task)).toEqual(before);
            // In the last round the others have what it takes: they end well. Before, nobody does.
            const isLast = at === rounds.length - 1;
            for (const other of others) expect(typeof of(ends, other)).toBe(isLast ? 'object' : 'string');
          }
          // Nobody is left with anything that stands in the way of the next session.
          const next = await newTask(cluster);
          const again = await relayed(cluster, next, message, async () => undefined);
          expect([...again.values()].filter((end) => typeof end === 'string')).toEqual([]);
        },
      })),
  ),
);
