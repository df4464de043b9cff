/**
 * Frames on a byte stream: four bytes of length, big-endian, then that many bytes of UTF-8 JSON.
 * @module
 */

import { concat, utf8 } from './bytes.ts';

/** A frame larger than this is refused on either side: above the largest request body with its base64 and authorisation. */
export const maxFrameBytes = 8 * 1024 * 1024;

export function encodeFrame(message: unknown): Uint8Array {
  const body = utf8(JSON.stringify(message));
  const frame = new Uint8Array(4 + body.length);
  new DataView(frame.buffer).setUint32(0, body.length);
  frame.set(body, 4);
  return frame;
}

/**
 * Reads frames out of chunks as they come.
 * @returns a function that takes a chunk and gives the messages completed by it
 * @throws {Error} from that function, for a frame too large or not JSON: the stream cannot be trusted further
 */
export function frameReader(): (chunk: Uint8Array) => unknown[] {
  const text = new TextDecoder();
  let pending: Uint8Array = new Uint8Array(0);
  return (chunk) => {
    pending = pending.length === 0 ? chunk : concat(pending, chunk);
    const messages: unknown[] = [];
    while (pending.length >= 4) {
      const length = new DataView(pending.buffer, pending.byteOffset).getUint32(0);
      if (length > maxFrameBytes) throw new Error(`a frame of ${length} bytes is above the limit of ${maxFrameBytes}`);
      if (pending.length < 4 + length) break;
      messages.push(JSON.parse(text.decode(pending.subarray(4, 4 + length))));
      pending = pending.subarray(4 + length);
    }
    return messages;
  };
}
