/**
 * A queue that serves in turns: organisations one after the other, and within each its keys one after the other. Whoever asks a thousand
 * times waits for itself, not everybody for it.
 * @module
 */

/** For whom something is taken. */
export interface Claimant {
  readonly organisationId: string;
  readonly keyId: string;
}

export interface Turns<T> {
  readonly size: number;
  /** At the end of the claimant's own line. */
  add(claimant: Claimant, item: T): void;
  /** The next in turn. */
  next(): T | undefined;
  /** The last of the longest line: who gives way when there are too many. */
  drop(): T | undefined;
  /** All there are, who leave. */
  clear(): readonly T[];
}

export function turns<T>(): Turns<T> {
  /** Lines by key, by organisation; whose turn it was stands last. None is empty. */
  const organisations = new Map<string, Map<string, T[]>>();
  let size = 0;

  const leave = ({ organisationId, keyId }: Claimant, line: readonly T[]): void => {
    size -= 1;
    if (line.length > 0) return;
    const lines = organisations.get(organisationId);
    lines?.delete(keyId);
    if (lines?.size === 0) organisations.delete(organisationId);
  };

  return {
    get size() {
      return size;
    },
    add({ organisationId, keyId }, item) {
      const lines = organisations.get(organisationId) ?? new Map<string, T[]>();
      organisations.set(organisationId, lines);
      const line = lines.get(keyId) ?? [];
      lines.set(keyId, line);
      line.push(item);
      size += 1;
    },
    next() {
      for (const [organisationId, lines] of organisations) {
        for (const [keyId, line] of lines) {
          const item = line.shift();
          toEnd(organisations, organisationId, lines);
          toEnd(lines, keyId, line);
          leave({ organisationId, keyId }, line);
          return item;
        }
      }
      return undefined;
    },
    drop() {
      let longest: { claimant: Claimant; line: T[] } | undefined;
      for (const [organisationId, lines] of organisations) {
        for (const [keyId, line] of lines) {
          if (line.length > (longest?.line.length ?? 0)) longest = { claimant: { organisationId, keyId }, line };
        }
      }
      const item = longest?.line.pop();
      if (longest !== undefined) leave(longest.claimant, longest.line);
      return item;
    },
    clear() {
      const all = [...organisations.values()].flatMap((lines) => [...lines.values()].flat());
      organisations.clear();
      size = 0;
      return all;
    },
  };
}

function toEnd<V>(map: Map<string, V>, key: string, value: V): void {
  map.delete(key);
  map.set(key, value);
}
