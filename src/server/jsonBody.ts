/** JSON from a caller: of the type and in the form that it says, then read as a signer reads it too. @module */

import { Refusal } from '../base/errors.ts';
import { parseJson } from '../base/json.ts';
import { limits } from './limits.ts';

export interface Body {
  readonly bytes: Uint8Array;
  readonly headers: { readonly 'content-type'?: string | undefined; readonly 'content-encoding'?: string | undefined };
}

const jsonType = /^application\/json *(?:;|$)/i;

/**
 * @returns undefined when there is no body
 * @throws {Refusal} UnsupportedMediaType when the bytes are said to be something else; BadRequest when they are not UTF-8 JSON, or nested
 * too deep; TooLarge
 */
export function readJson({ bytes, headers }: Body): unknown {
  if (bytes.length === 0) return undefined;
  const { 'content-type': type = 'application/json', 'content-encoding': encoding = 'identity' } = headers;
  if (!jsonType.test(type)) throw new Refusal('UnsupportedMediaType', 'the body must be application/json');
  if (encoding !== 'identity') throw new Refusal('UnsupportedMediaType', 'the body must not be compressed');
  return parseJson(bytes, { what: 'body', maxBytes: limits.bodyBytes });
}
