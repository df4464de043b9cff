import { describe, expect, it } from 'vitest';
import { anchorFor, anchorOf, nonceAt } from '../../src/authority/head.ts';

const head = { sequence: 3, hash: Uint8Array.from({ length: 32 }, (_, i) => i) };

describe('a nonce', () => {
  it('is half random, and half names the head it was made at', () => {
    const nonce = nonceAt(head, new Uint8Array(16).fill(255));
    expect(nonce).toBe('_____________________wABAgMEBQYHCAkKCwwNDg8');
    expect(anchorOf(nonce)).toBe(anchorFor(head));
    expect(() => nonceAt(head, new Uint8Array(15))).toThrow('a nonce is half random');
  });

  it.each(['', 'x', '_____________________wABAgMEBQYHCAkKCwwNDg8=', '_____________________wABAgMEBQYHCAkKCwwNDg9', '!'.repeat(43)])(
    'is not %j',
    (text) => {
      expect(anchorOf(text)).toBeUndefined();
    },
  );
});
