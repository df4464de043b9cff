/** JSON from a caller, as a signer reads it too. @module */

import { parseJson as parse } from '../base/json.ts';
import { limits } from './limits.ts';

/** @throws {Refusal} BadRequest when the bytes are not UTF-8 JSON, or nested too deep; TooLarge */
export function parseJson(bytes: Uint8Array): unknown {
  return parse(bytes, { what: 'body', maxBytes: limits.bodyBytes });
}
