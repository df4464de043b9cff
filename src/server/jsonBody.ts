/**
 * JSON from a caller: its nesting is bounded before it is parsed, so that nothing after has to fear depth.
 * @module
 */

import { Refusal } from '../base/errors.ts';
import { limits } from './limits.ts';

/** @throws {Refusal} BadRequest when the bytes are not UTF-8 JSON, or nested too deep */
export function parseJson(bytes: Uint8Array): unknown {
  if (bytes.length === 0) return undefined;
  if (depthOf(bytes) > limits.jsonDepth) throw new Refusal('BadRequest', `the body is nested deeper than ${limits.jsonDepth}`);
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (cause) {
    throw new Refusal('BadRequest', 'the body is not valid JSON', { cause });
  }
}

const [quote, backslash] = [0x22, 0x5c];
const opening: ReadonlySet<number> = new Set([0x5b, 0x7b]);
const closing: ReadonlySet<number> = new Set([0x5d, 0x7d]);

/** The deepest nesting, outside of strings; of what is not JSON, some number. */
function depthOf(bytes: Uint8Array): number {
  let [depth, deepest, inString] = [0, 0, false];
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at] ?? 0;
    if (inString) {
      if (byte === backslash) at++;
      else if (byte === quote) inString = false;
    } else if (byte === quote) inString = true;
    else if (opening.has(byte)) deepest = Math.max(deepest, ++depth);
    else if (closing.has(byte)) depth--;
  }
  return deepest;
}
