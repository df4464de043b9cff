/**
 * Frames on a byte stream: four bytes of length, big-endian, then that many bytes of UTF-8 JSON.
 * @module
 */

/** A frame larger than this is refused on either side: above the largest request body with its base64 and authorisation. */
export const maxFrameBytes = 8 * 1024 * 1024;

const headBytes = 4;

export function encodeFrame(message: unknown): Uint8Array {
  return framesOf([[JSON.stringify(message)]]);
}

/** @param messages their JSON texts, each in pieces one after another */
export function framesOf(messages: readonly (readonly (string | Uint8Array)[])[]): Uint8Array {
  const out = new Uint8Array(messages.reduce((sum, pieces) => sum + headBytes + mostBytesOf(pieces), 0));
  const view = new DataView(out.buffer);
  let end = 0;
  for (const pieces of messages) {
    const start = end + headBytes;
    end = start;
    for (const piece of pieces) {
      if (typeof piece === 'string') end += encoder.encodeInto(piece, out.subarray(end)).written;
      else {
        out.set(piece, end);
        end += piece.length;
      }
    }
    view.setUint32(start - headBytes, end - start);
  }
  return out.subarray(0, end);
}

const encoder = new TextEncoder();

/** UTF-8 has three bytes at most for each unit of a text. */
function mostBytesOf(pieces: readonly (string | Uint8Array)[]): number {
  return pieces.reduce((sum, piece) => sum + (typeof piece === 'string' ? 3 : 1) * piece.length, 0);
}

export interface Frame {
  readonly message: unknown;
  /** What it took on the stream. */
  readonly bytes: number;
}

export interface FrameReader {
  /**
   * Takes a chunk and gives the frames completed by it.
   * @throws {Error} for a frame too large or not JSON: the stream cannot be trusted further
   */
  read(chunk: Uint8Array): Frame[];
  /** Whether a frame has begun that is not complete. */
  readonly isPartial: boolean;
}

/** Reads frames out of chunks as they come, however small: the work is linear in the bytes, and what is kept is one frame at most. */
export function frameReader(): FrameReader {
  const text = new TextDecoder();
  let held: Uint8Array = new Uint8Array(0);
  let heldBytes = 0;

  const hold = (chunk: Uint8Array): Uint8Array => {
    if (heldBytes === 0) return chunk;
    if (heldBytes + chunk.length > held.length) held = grown(held.subarray(0, heldBytes), heldBytes + chunk.length);
    held.set(chunk, heldBytes);
    return held.subarray(0, heldBytes + chunk.length);
  };

  return {
    read(chunk) {
      const stream = hold(chunk);
      const view = new DataView(stream.buffer, stream.byteOffset, stream.length);
      const frames: Frame[] = [];
      let at = 0;
      while (stream.length - at >= headBytes) {
        const length = view.getUint32(at);
        if (length > maxFrameBytes) throw new Error(`a frame of ${length} bytes is above the limit of ${maxFrameBytes}`);
        const end = at + headBytes + length;
        if (end > stream.length) break;
        frames.push({ message: JSON.parse(text.decode(stream.subarray(at + headBytes, end))), bytes: headBytes + length });
        at = end;
      }
      const rest = stream.subarray(at);
      if (heldBytes === 0 || at > 0) held = rest.slice();
      heldBytes = rest.length;
      return frames;
    },
    get isPartial() {
      return heldBytes > 0;
    },
  };
}

/** Twice as large at least, so that many small chunks are not copied over and over. */
function grown(bytes: Uint8Array, least: number): Uint8Array {
  const larger = new Uint8Array(Math.max(2 * bytes.length, least));
  larger.set(bytes);
  return larger;
}
