/**
 * Which instance of its signer this directory is. A signer has one that acts; its standby is another, which becomes the acting one by a
 * takeover in the authority log (`authority/takeover.ts`). The one that was replaced learns it from its own log, and never acts again.
 * @module
 */

import { z } from 'zod';
import { decodeEntry } from '../authority/entry.ts';
import { takeoverIn } from '../authority/takeover.ts';
import { utf8 } from '../base/bytes.ts';
import { maxEntriesPerPage } from './contract.ts';
import { SignerRefusal } from './errors.ts';
import { putSecret, readSecret } from './secrets.ts';
import type { SignerSnapshot, SignerStore } from './store.ts';

const state = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('standby') }),
  /** `takeover`: the number of the entry by which it took over, once its log has it. */
  z.object({ kind: z.literal('acting'), number: z.int().min(0), takeover: z.int().min(1).exactOptional() }),
  z.object({ kind: z.literal('replaced'), by: z.int().min(1) }),
]);
export type InstanceState = z.output<typeof state>;

export interface Instance {
  /** The entry by which it took over; `awaited` until its log has it; `none` for the first instance of a signer. */
  readonly takeover: number | 'awaited' | 'none';
  /** Looks for takeovers of this signer among entries that its log has taken. */
  saw(texts: readonly string[]): void;
  /** @throws {SignerRefusal} Refused, when it was replaced */
  guard(): void;
}

const name = 'instance';

export function readInstance(store: SignerSnapshot, keyEncryptionKey: Uint8Array): InstanceState {
  const plain = readSecret(store, keyEncryptionKey, name);
  return plain === undefined ? { kind: 'acting', number: 0 } : state.parse(JSON.parse(new TextDecoder().decode(plain)));
}

/** Durable when it returns. */
export function writeInstance(store: SignerStore, keyEncryptionKey: Uint8Array, as: InstanceState): void {
  putSecret(store, keyEncryptionKey, { name, plain: utf8(JSON.stringify(as)) });
}

/** @throws {Error} for a standby, and for one that was replaced */
export function openInstance({
  store,
  keyEncryptionKey,
  signerId,
  onReplaced,
}: {
  store: SignerStore;
  keyEncryptionKey: Uint8Array;
  signerId: string;
  onReplaced: (reason: Error) => void;
}): Instance {
  let now = readInstance(store, keyEncryptionKey);

  function become(next: InstanceState): void {
    writeInstance(store, keyEncryptionKey, next);
    now = next;
  }

  function saw(texts: readonly string[]): void {
    for (const text of texts) {
      const entry = decodeEntry(text);
      const taken = takeoverIn(entry);
      if (now.kind !== 'acting' || taken?.signerId !== signerId) continue;
      if (taken.instance > now.number) become({ kind: 'replaced', by: taken.instance });
      else if (taken.instance === now.number && now.takeover === undefined) become({ ...now, takeover: entry.sequence });
    }
    if (now.kind === 'replaced') onReplaced(replaced(now.by));
  }

  // It may have been killed between taking an entry and reading it.
  const sequence = store.log.last()?.sequence ?? 0;
  const latest = store.log.read(Math.max(1, sequence - maxEntriesPerPage + 1), maxEntriesPerPage);
  saw(latest.map(({ text }) => text));
  if (now.kind === 'standby')
    throw new Error('this directory is a standby’s: `countersign signer follow` keeps it up, `promote` makes it act');
  if (now.kind === 'replaced') throw replaced(now.by);

  return {
    get takeover() {
      return now.kind !== 'acting' || now.number === 0 ? 'none' : (now.takeover ?? 'awaited');
    },
    saw,
    guard() {
      if (now.kind === 'replaced') throw new SignerRefusal('Refused', replaced(now.by).message);
    },
  };
}

function replaced(by: number): Error {
  return new Error(`instance ${by} of this signer has taken over: this one never acts again`);
}
