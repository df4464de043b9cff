/**
 * Whether the target a user action was bound to is the target of the request (contract §3.6): the direct client binds the path without
 * its query, the delegated client with it, and either may have percent-encoded what the wire carries plain, or the other way round.
 * @module
 */

/** @param url the raw request target, with its query if it has one */
export function sameTarget(bound: string, url: string): boolean {
  if (bound === url || bound === pathOf(url)) return true;
  return same(decoded(bound), decoded(url)) || same(decoded(bound), decoded(pathOf(url)));
}

function pathOf(url: string): string {
  const at = url.indexOf('?');
  return at < 0 ? url : url.slice(0, at);
}

/** Segment by segment and parameter by parameter, so that an encoded `/`, `?` or `&` never becomes a separator. */
function decoded(target: string): readonly string[] | undefined {
  const path = pathOf(target);
  const query = new URLSearchParams(target.slice(path.length));
  try {
    return [...path.split('/').map(decodeURIComponent), '?', ...[...query].flat()];
  } catch {
    return undefined; // not percent-encoding: equals nothing but itself
  }
}

function same(a: readonly string[] | undefined, b: readonly string[] | undefined): boolean {
  return a !== undefined && b !== undefined && a.length === b.length && a.every((part, i) => part === b[i]);
}
