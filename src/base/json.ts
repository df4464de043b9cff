/**
 * JSON from a caller: its nesting is bounded before it is parsed, so that nothing after has to fear depth. One parser for the service and
 * the signers: of members named twice the last counts, for both.
 * @module
 */

import { Refusal } from './errors.ts';

/** How deep objects and arrays may stand in each other. */
export const maxJsonDepth = 64;

/**
 * @param what names it in the refusal: `body`
 * @returns undefined for no bytes
 * @throws {Refusal} TooLarge; BadRequest when the bytes are not UTF-8 JSON, or nested too deep
 */
export function parseJson(bytes: Uint8Array, { what, maxBytes }: { what: string; maxBytes: number }): unknown {
  if (bytes.length === 0) return undefined;
  if (bytes.length > maxBytes) throw new Refusal('TooLarge', `the ${what} may have ${maxBytes} bytes`);
  if (depthOf(bytes) > maxJsonDepth) throw new Refusal('BadRequest', `the ${what} is nested deeper than ${maxJsonDepth}`);
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes));
  } catch {
    // Without its cause, whose message repeats parts of what was read.
    throw new Refusal('BadRequest', `the ${what} is not valid JSON`);
  }
}

const [quote, backslash] = [0x22, 0x5c];
const [openBracket, closeBracket, openBrace, closeBrace] = [0x5b, 0x5d, 0x7b, 0x7d];

/** The deepest nesting, outside of strings, reading each byte once; of what is not JSON, some number. UTF-8 hides none of these bytes. */
function depthOf(bytes: Uint8Array): number {
  let [depth, deepest, inString] = [0, 0, false];
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at] ?? 0;
    if (inString) {
      if (byte === backslash) at++;
      else if (byte === quote) inString = false;
    } else if (byte === quote) inString = true;
    else if (byte === openBracket || byte === openBrace) deepest = Math.max(deepest, ++depth);
    else if (byte === closeBracket || byte === closeBrace) depth--;
  }
  return deepest;
}
