import { boundedMap } from '../base/boundedMap.ts';

/**
 * Remembers what `make` made of public bytes, `max` of them: the same keys come again. What throws is not remembered.
 * @param make of some parts; what it returns is shared by all who ask
 */
export function remembered<P extends readonly Uint8Array[], T>(max: number, make: (...parts: P) => T): (...parts: P) => T {
  const known = boundedMap<string, { readonly made: T }>(max);
  return (...parts) => {
    const name = nameOf(parts);
    const entry = known.get(name) ?? { made: make(...parts) };
    known.set(name, entry);
    return entry.made;
  };
}

const short = Buffer.allocUnsafeSlow(64);

/** Another one for any other parts. */
function nameOf(parts: readonly Uint8Array[]): string {
  let name = '';
  for (const part of parts) {
    const bytes = part.length <= short.length ? short : Buffer.from(part);
    bytes.set(part);
    name += `${part.length}:${bytes.toString('latin1', 0, part.length)}`;
  }
  return name;
}
