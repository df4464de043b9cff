import { expect, it } from 'vitest';
import { toHex, utf8 } from '../../src/base/bytes.ts';
import { remembered } from '../../src/crypto/remembered.ts';

it('What is made of the same bytes is made once, from other memory too', () => {
  let made = 0;
  const of = remembered(10, (bytes: Uint8Array) => ({ text: toHex(bytes), number: ++made }));
  const first = of(Uint8Array.of(1, 2, 0xff));
  expect(of(Uint8Array.of(0, 1, 2, 0xff).subarray(1))).toBe(first);
  expect(of(Uint8Array.of(1, 2, 0xfe))).toEqual({ text: '0102fe', number: 2 });
});

it('Parts are told apart by where they end', () => {
  const of = remembered(10, (...parts: readonly Uint8Array[]) => parts.map(toHex).join());
  const cuts = [['ab', ''], ['a', 'b'], ['', 'ab'], ['ab'], ['1:a'], ['a', '1:b'], ['a1:b', '']].map((parts) => parts.map(utf8));
  for (const parts of [...cuts, ...cuts]) expect(of(...parts)).toBe(parts.map(toHex).join());
});

it('What throws is made again, and undefined is remembered like anything', () => {
  let made = 0;
  const of = remembered(10, (bytes: Uint8Array) => {
    made++;
    if (bytes.length === 0) throw new Error('of nothing');
  });
  for (const _ of [1, 2]) expect(() => of(new Uint8Array(0))).toThrow('of nothing');
  expect(made).toBe(2);
  for (const _ of [1, 2]) of(Uint8Array.of(1));
  expect(made).toBe(3);
});

it('It holds as many as it may, and lets go of the first', () => {
  const asked: number[] = [];
  const of = remembered(2, (bytes: Uint8Array) => asked.push(bytes[0] ?? 0));
  for (const value of [1, 2, 1, 3, 2, 1]) of(Uint8Array.of(value));
  expect(asked).toEqual([1, 2, 3, 1]);
});
