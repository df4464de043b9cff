/**
 * JSON from a caller: its nesting is bounded before it is parsed, so that nothing after has to fear depth. Members named `__proto__` or
 * `constructor` become members like any other; no prototype is touched.
 * @module
 */

import { Refusal } from '../base/errors.ts';
import { limits } from './limits.ts';

export interface Body {
  readonly bytes: Uint8Array;
  readonly headers: { readonly 'content-type'?: string | undefined; readonly 'content-encoding'?: string | undefined };
}

/**
 * @returns undefined when there is no body
 * @throws {Refusal} UnsupportedMediaType when the bytes are said to be something else; BadRequest when they are not UTF-8 JSON, or nested
 * too deep
 */
export function readJson({ bytes, headers }: Body): unknown {
  if (bytes.length === 0) return undefined;
  const { 'content-type': type = 'application/json', 'content-encoding': encoding = 'identity' } = headers;
  if (!jsonType.test(type)) throw new Refusal('UnsupportedMediaType', 'the body must be application/json');
  if (encoding !== 'identity') throw new Refusal('UnsupportedMediaType', 'the body must not be compressed');
  return parseJson(bytes);
}

const jsonType = /^application\/json *(?:;|$)/i;

function parseJson(bytes: Uint8Array): unknown {
  if (depthOf(bytes) > limits.jsonDepth) throw new Refusal('BadRequest', `the body is nested deeper than ${limits.jsonDepth}`);
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes));
  } catch {
    // Without its cause, whose message repeats parts of the body.
    throw new Refusal('BadRequest', 'the body is not valid JSON');
  }
}

const [quote, backslash] = [0x22, 0x5c];
const [openBracket, closeBracket, openBrace, closeBrace] = [0x5b, 0x5d, 0x7b, 0x7d];

/** The deepest nesting, outside of strings, reading each byte once; of what is not JSON, some number. UTF-8 hides none of these bytes. */
function depthOf(bytes: Uint8Array): number {
  let [depth, deepest, inString] = [0, 0, false];
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at];
    if (inString) {
      if (byte === backslash) at++;
      else if (byte === quote) inString = false;
    } else if (byte === quote) inString = true;
    else if (byte === openBracket || byte === openBrace) deepest = Math.max(deepest, ++depth);
    else if (byte === closeBracket || byte === closeBrace) depth--;
  }
  return deepest;
}
