import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { copyOf, verifyCopy } from '../../src/authority/auditVerify.ts';
import { decodeEntry, type Entry, encodeEntry, entryAfter, headOf } from '../../src/authority/entry.ts';
import { apply } from '../../src/authority/log.ts';
import { genesisOf, initialRegistry, type Root } from '../../src/authority/root.ts';
import { verifyLog } from '../../src/authority/verifyLog.ts';
import { utf8 } from '../../src/base/bytes.ts';
import { attempts, worldAfter } from './history.ts';
import { contentOf, createWorld } from './world.ts';

const foreign = worldAfter([], 'foreign').entries;
const choice = fc.nat(10_000);

/** Hashed anew, as somebody would who has the text but no credential. */
function rechained(root: Root, entries: readonly Entry[]): Entry[] {
  let head = genesisOf(root);
  return entries.map((entry) => {
    const again = entryAfter(head, entry);
    head = headOf(again);
    return again;
  });
}

/** The same signature, said otherwise: an Ed25519 credential has its own digest, so naming one changes nothing. */
function reworded(entry: Entry): Entry {
  if (!('authorisation' in entry)) return entry;
  const { authorisation } = entry;
  return { ...entry, authorisation: { ...authorisation, assertion: { ...authorisation.assertion, algorithm: 'SHA256' } } };
}

describe('any history', () => {
  it('makes the same registry in every instance, live and read later', () => {
    fc.assert(
      fc.property(attempts, (tried) => {
        const world = worldAfter(tried);
        const second = initialRegistry(world.root);
        for (const entry of world.entries) apply(second, decodeEntry(encodeEntry(entry)), 'replay');
        const read = verifyCopy(world.root, copyOf(world.entries), world.registry.head);
        expect(contentOf(second)).toEqual(contentOf(world.registry));
        expect(read.ok && contentOf(read.registry)).toEqual(contentOf(world.registry));
        expect(contentOf(worldAfter(tried).registry)).toEqual(contentOf(world.registry));
      }),
      { numRuns: 20 },
    );
  });
});

interface Change {
  readonly entries: readonly Entry[];
  readonly sequence: number;
  readonly faults: readonly string[];
}

/** What may be done to a log: `at` and `other` are numbers of entries, from 1. */
const changes: Record<string, (log: { root: Root; entries: readonly Entry[]; at: number; other: number }) => Change | undefined> = {
  drop: ({ entries, at }) => ({ entries: entries.toSpliced(at - 1, 1), sequence: at, faults: ['removed'] }),

  'drop the first ones': ({ entries, at }) => ({ entries: entries.slice(at), sequence: 1, faults: ['removed'] }),

  truncate: ({ entries, at }) => ({ entries: entries.slice(0, at - 1), sequence: at, faults: ['removed'] }),

  'insert again': ({ entries, at, other }) => ({
    entries: entries.toSpliced(at - 1, 0, ...entries.slice(other - 1, other)),
    sequence: at === other ? at + 1 : at,
    faults: ['inserted'],
  }),

  'append again': ({ entries, at }) => ({
    entries: [...entries, ...entries.slice(at - 1, at)],
    sequence: entries.length + 1,
    faults: ['inserted'],
  }),

  'insert of another cluster': ({ entries, at, other }) => ({
    entries: entries.toSpliced(at - 1, 0, ...foreign.slice(other % 3, (other % 3) + 1)),
    sequence: at,
    faults: ['inserted'],
  }),

  'replace by one of another cluster': ({ entries, at, other }) => ({
    entries: entries.toSpliced(at - 1, 1, ...foreign.slice(other % 3, (other % 3) + 1)),
    sequence: at,
    faults: ['inserted'],
  }),

  'splice from another cluster': ({ entries, at }) => ({
    entries: [...entries.slice(0, at - 1), ...foreign],
    sequence: at,
    faults: ['inserted'],
  }),

  swap: ({ entries, at, other }) => {
    const [low, high] = [Math.min(at, other), Math.max(at, other)];
    if (low === high) return undefined;
    const swapped = entries.map((entry, i) => (i === low - 1 ? entries[high - 1] : i === high - 1 ? entries[low - 1] : entry) ?? entry);
    return { entries: swapped, sequence: low, faults: ['reordered'] };
  },

  'reword what no signature covers': ({ entries, at }) => ({
    entries: entries.map((entry, i) => (i === at - 1 ? reworded(entry) : entry)),
    sequence: at,
    faults: ['altered'],
  }),

  'drop and hash anew': ({ root, entries, at }) => ({
    entries: rechained(root, entries.toSpliced(at - 1, 1)),
    sequence: at,
    // Altered: the account that the removed entry made is unknown to the next.
    faults: at === entries.length ? ['removed'] : ['rewritten', 'altered'],
  }),

  'swap neighbours and hash anew': ({ root, entries, at }) => {
    const [a, b] = entries.slice(at - 1, at + 1);
    if (a === undefined || b === undefined) return undefined;
    return { entries: rechained(root, entries.toSpliced(at - 1, 2, b, a)), sequence: at, faults: ['rewritten', 'altered'] };
  },

  'reword and hash anew': ({ root, entries, at }) => ({
    entries: rechained(
      root,
      entries.map((entry, i) => (i === at - 1 ? reworded(entry) : entry)),
    ),
    sequence: at === entries.length ? at : at + 1,
    faults: at === entries.length ? ['altered'] : ['rewritten'],
  }),
};

describe('a log that was changed is refused, and the first entry that is wrong is named', () => {
  it.each(Object.entries(changes))('%s', (_, change) => {
    fc.assert(
      fc.property(attempts, choice, choice, (tried, first, second) => {
        const { root, entries, registry } = worldAfter(tried);
        const changed = change({ root, entries, at: 1 + (first % entries.length), other: 1 + (second % entries.length) });
        if (changed === undefined) return;
        const { problem } = verifyLog(root, changed.entries, registry.head);
        expect(problem).toMatchObject({ sequence: changed.sequence });
        expect(changed.faults).toContain(problem?.fault);
      }),
      { numRuns: 20 },
    );
  });

  it('flip one bit of its text', () => {
    fc.assert(
      fc.property(attempts, choice, choice, fc.nat(7), (tried, first, second, bit) => {
        const { root, entries, registry } = worldAfter(tried);
        const lines = entries.map((entry) => utf8(`${encodeEntry(entry)}\n`));
        const at = first % lines.length;
        const line = lines[at] ?? new Uint8Array();
        const index = second % line.length;
        lines[at] = line.with(index, (line[index] ?? 0) ^ (1 << bit));
        const text = lines.map((bytes) => new TextDecoder().decode(bytes)).join('');
        const isLastNewline = at === lines.length - 1 && index === line.length - 1;
        expect(verifyCopy(root, text, registry.head)).toMatchObject({ ok: false, sequence: at + 1 });
        if (!isLastNewline) expect(verifyCopy(root, text)).toMatchObject({ ok: false, line: at + 1, sequence: at + 1, fault: 'altered' });
      }),
      { numRuns: 100 },
    );
  });
});

describe('a copy of a log', () => {
  const world = createWorld();
  for (let i = 0; i < 4; i++) world.addKey();
  const text = copyOf(world.entries);

  it('is good as it was written, with a head to reach or without, and with what came after that head', () => {
    const early = { sequence: 2, hash: world.registry.hashAt(2) ?? new Uint8Array() };
    for (const head of [undefined, world.registry.head, early, genesisOf(world.root)]) {
      expect(verifyCopy(world.root, text, head)).toMatchObject({ ok: true, head: world.registry.head });
    }
    expect(verifyCopy(world.root, '')).toMatchObject({ ok: true, head: { sequence: 0 } });
  });

  it('is named with the line where it is wrong', () => {
    const lines = text.split('\n');
    const copy = (changed: readonly string[]) => verifyCopy(world.root, changed.join('\n'), world.registry.head);
    expect(copy(lines.toSpliced(1, 0, ''))).toEqual({
      ok: false,
      line: 2,
      sequence: 2,
      fault: 'inserted',
      reason: 'the entry is not JSON',
    });
    expect(copy(lines.toSpliced(2, 1, '{}'))).toMatchObject({ ok: false, line: 3, sequence: 3, fault: 'altered' });
    expect(copy(lines.toSpliced(1, 1))).toEqual({
      ok: false,
      line: 2,
      sequence: 2,
      fault: 'removed',
      reason: 'entry 3 does not follow entry 1',
    });
    expect(copy(lines.slice(0, 3))).toMatchObject({
      line: 4,
      sequence: 4,
      fault: 'removed',
      reason: 'the log ends with entry 3, and had 4 entries',
    });
  });

  it('of another root is of none of its entries', () => {
    const { root } = createWorld('other');
    expect(verifyCopy(root, text)).toMatchObject({ ok: false, line: 1, sequence: 1, fault: 'inserted' });
    expect(verifyCopy({ ...world.root, createdAt: world.root.createdAt + 1 }, text)).toMatchObject({ ok: false, sequence: 1 });
  });

  it('of a fork is not the one of this head', () => {
    const { head } = world.registry;
    const fork = { ...head, hash: new Uint8Array(32) };
    expect(verifyCopy(world.root, text, fork)).toMatchObject({ ok: false, sequence: 4, fault: 'altered' });
  });

  it('says up to where it is proven, when it was hashed anew', () => {
    const log = rechained(world.root, world.entries.toSpliced(2, 1));
    expect(verifyLog(world.root, log).problem?.reason).toBe(
      'the request was made at a head that the log up to entry 2 does not have: it is behind, or forked; the entries up to 1 are proven by those after them, the following up to here are not',
    );
  });
});
