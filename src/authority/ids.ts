/**
 * Identifiers that follow from what asked for them, so that nobody who relays a request chooses them: hashes of the challenge, which
 * commits to the request, or of the root.
 * @module
 */

import { createHash } from 'node:crypto';
import { lengthPrefixed, toBase64Url, utf8 } from '../base/bytes.ts';
import { type IdKind, idFrom } from '../base/ids.ts';
import { type Authorisation, challengeOf } from '../crypto/authorisation.ts';

/** Everything that one origin gives names to. */
export interface Names {
  /** @param name tells apart several of one kind */
  id(kind: IdKind, name?: string): string;
  /** A credential's own id: base64url of 32 bytes (contract §1.1). */
  credId(name?: string): string;
}

/** @param domain what kind of origin; `origin` the bytes that make it the one it is */
export function namesFrom(domain: string, ...origin: readonly Uint8Array[]): Names {
  const hash = (...name: readonly string[]) =>
    createHash('sha256')
      .update(lengthPrefixed(utf8(domain), ...origin, ...name.map(utf8)))
      .digest();
  return {
    id: (kind, name = '') => idFrom(kind, hash(kind, name)),
    credId: (name = '') => toBase64Url(hash('credId', name)),
  };
}

/** What an action names. The same whichever of its credential's signatures came with it. */
export function namesOf({ binding }: Pick<Authorisation, 'binding'>): Names {
  return namesFrom('countersign/authority/action/v1', utf8(challengeOf(binding)));
}

/** The identifier of what this action creates. */
export function derivedId(kind: IdKind, authorisation: Pick<Authorisation, 'binding'>, name = ''): string {
  return namesOf(authorisation).id(kind, name);
}
