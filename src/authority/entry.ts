/**
 * The entries of the authority log, and their one text: a line of JSON with its members in this order and nothing between them.
 *
 *   {"sequence":n,"previous":"<hex>","authorisation":{"binding":{…},"body":"<base64url>","assertion":{…}}}
 *   {"sequence":n,"previous":"<hex>","recovery":{"publicKey":"<PEM>","at":n,"signatures":[{"signerId":…,"signature":…}]}}
 *   {"sequence":n,"previous":"<hex>","cluster":{"threshold":n,"signers":[{"index":n,"signerId":…,"encryptionKey":…}],"at":n,"signatures":[…]}}
 *
 * An entry's hash is that of its text, which names the hash before it.
 * @module
 */

import { createHash } from 'node:crypto';
import { z } from 'zod';
import { fromBase64Url, fromHex, lengthPrefixed, toBase64Url, toHex, utf8 } from '../base/bytes.ts';
import { assert, Refusal } from '../base/errors.ts';
import type { Assertion, Authorisation } from '../crypto/authorisation.ts';
import type { ClusterChange } from './cluster.ts';
import type { Head } from './head.ts';
import { maxBodyBytes, parsed } from './parse.ts';
import type { Recovery } from './recovery.ts';
import { assertionSchema, base64Url, bindingSchema, clusterChangeSchema, maxEntryChars, recoverySchema } from './wire.ts';

export { maxEntryChars } from './wire.ts';

interface Position {
  /** From 1. */
  readonly sequence: number;
  /** The hash of the entry before, 32 bytes; before the first, of the root. */
  readonly previous: Uint8Array;
}

/** A request of a caller, with the assertion of the caller's credential. */
export interface ActionEntry extends Position {
  readonly authorisation: Authorisation;
}

/** A new credential for the root, by the operators of the signers. */
export interface RecoveryEntry extends Position {
  readonly recovery: Recovery;
}

/** Other signers, by the operators of those before. */
export interface ClusterEntry extends Position {
  readonly cluster: ClusterChange;
}

export type Entry = ActionEntry | RecoveryEntry | ClusterEntry;

/** What an entry says. */
export type EntryContent = { authorisation: Authorisation } | { recovery: Recovery } | { cluster: ClusterChange };

/** The entry that this would be at this head. */
export function entryAfter({ sequence, hash }: Head, content: EntryContent): Entry {
  return { ...content, sequence: sequence + 1, previous: hash };
}

/** The head of a log that ends with this entry. */
export function headOf(entry: Entry): Head {
  return { sequence: entry.sequence, hash: hashOf(encodeEntry(entry)) };
}

/** Of an entry's text. */
export function hashOf(text: string): Uint8Array {
  const bytes = lengthPrefixed(utf8('countersign/authority/entry/v1'), utf8(text));
  return new Uint8Array(createHash('sha256').update(bytes).digest());
}

export function encodeEntry(entry: Entry): string {
  const position = { sequence: entry.sequence, previous: toHex(entry.previous) };
  if ('recovery' in entry) return JSON.stringify({ ...position, recovery: recoveryOf(entry.recovery) });
  if ('cluster' in entry) return JSON.stringify({ ...position, cluster: clusterOf(entry.cluster) });
  const { binding, body, assertion } = entry.authorisation;
  const { method, path, payloadHash, organisationId, callerId, nonce, expiresAt } = binding;
  return JSON.stringify({
    ...position,
    authorisation: {
      binding: { method, path, payloadHash, organisationId, callerId, nonce, expiresAt },
      body: toBase64Url(body),
      assertion: assertionOf(assertion),
    },
  });
}

/** @throws {Refusal} BadRequest for a text that is no entry, or another text of one */
export function decodeEntry(text: string): Entry {
  if (text.length > maxEntryChars) throw new Refusal('BadRequest', `an entry may have ${maxEntryChars} characters`);
  const { sequence, previous, ...content } = parsed('entry', entrySchema, jsonOf(text));
  const entry: Entry = { sequence, previous: bytesOf(fromHex(previous)), ...contentOf(content) };
  if (encodeEntry(entry) !== text) throw new Refusal('BadRequest', 'the text of the entry is not the canonical one');
  return entry;
}

const position = { sequence: z.int().min(1), previous: z.string().regex(/^[0-9a-f]{64}$/) };

const authorisationText = z.strictObject({
  binding: bindingSchema,
  body: base64Url.max(Math.ceil((maxBodyBytes * 4) / 3)),
  assertion: assertionSchema,
});

const entrySchema = z.union([
  z.strictObject({ ...position, authorisation: authorisationText }),
  z.strictObject({ ...position, recovery: recoverySchema }),
  z.strictObject({ ...position, cluster: clusterChangeSchema }),
]);

type Content = { authorisation: z.output<typeof authorisationText> } | { recovery: Recovery } | { cluster: ClusterChange };

function contentOf(content: Content): EntryContent {
  if ('recovery' in content || 'cluster' in content) return content;
  const { binding, body, assertion } = content.authorisation;
  return { authorisation: { binding, body: bytesOf(fromBase64Url(body)), assertion } };
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new Refusal('BadRequest', 'the entry is not JSON', { cause });
  }
}

function bytesOf(bytes: Uint8Array | undefined): Uint8Array {
  assert(bytes, 'the schema let only bytes through');
  return bytes;
}

/** Callers may pad their base64url; the log does not. */
function assertionOf({ kind, credId, clientData, signature, algorithm }: Assertion) {
  return {
    kind,
    credId,
    clientData: unpadded(clientData),
    signature: unpadded(signature),
    ...(algorithm === undefined ? {} : { algorithm }),
  };
}

function recoveryOf({ publicKey, at, signatures }: Recovery) {
  return { publicKey, at, signatures: signatures.map(({ signerId, signature }) => ({ signerId, signature: unpadded(signature) })) };
}

function clusterOf({ threshold, signers, at, signatures }: ClusterChange) {
  return {
    threshold,
    signers: signers.map(({ index, signerId, encryptionKey }) => ({ index, signerId, encryptionKey })),
    at,
    signatures: signatures.map(({ signerId, signature }) => ({ signerId, signature: unpadded(signature) })),
  };
}

function unpadded(text: string): string {
  const bytes = fromBase64Url(text);
  return bytes === undefined ? text : toBase64Url(bytes);
}
