import { describe, expect, it } from 'vitest';
import { utf8 } from '../../src/base/bytes.ts';
import { Abort } from '../../src/base/errors.ts';
import { encryptTo } from '../../src/crypto/box.ts';
import { clusterOf } from './memoryParty.ts';

const cluster = clusterOf(3);
const [session, otherSession] = [new Uint8Array(32).fill(1), new Uint8Array(32).fill(2)];
const as = (participant: number, sessionId = session) => cluster.identity(participant).inSession(sessionId);
const text = utf8('a message');

describe('An identity signature', () => {
  const signature = as(1).sign('round', text);

  it('is verified by everybody, as its signer’s', () => {
    for (const participant of [1, 2, 3]) expect(as(participant).verify(1, 'round', text, signature)).toBe(true);
  });

  it.each([
    { what: 'another message', good: () => as(2).verify(1, 'round', utf8('another'), signature) },
    { what: 'another round', good: () => as(2).verify(1, 'round2', text, signature) },
    { what: 'another sender', good: () => as(2).verify(3, 'round', text, signature) },
    { what: 'another session', good: () => as(2, otherSession).verify(1, 'round', text, signature) },
    { what: 'a stranger', good: () => as(2).verify(9, 'round', text, signature) },
    { what: 'a cut signature', good: () => as(2).verify(1, 'round', text, signature.subarray(1)) },
    { what: 'an empty signature', good: () => as(2).verify(1, 'round', text, new Uint8Array(0)) },
  ])('does not pass for $what', ({ good }) => {
    expect(good()).toBe(false);
  });
});

describe('A sealed box', () => {
  const box = as(1).sealTo(2, 'round', text);

  it('opens for its receiver', () => {
    expect(new Uint8Array(as(2).openFrom(1, 'round', box))).toEqual(text);
  });

  it.each([
    { what: 'for another receiver', open: () => as(3).openFrom(1, 'round', box), culprit: 1 },
    { what: 'as another sender’s', open: () => as(2).openFrom(3, 'round', box), culprit: 3 },
    { what: 'in another round', open: () => as(2).openFrom(1, 'round2', box), culprit: 1 },
    { what: 'in another session', open: () => as(2, otherSession).openFrom(1, 'round', box), culprit: 1 },
    { what: 'when empty', open: () => as(2).openFrom(1, 'round', new Uint8Array(0)), culprit: 1 },
  ])('does not open $what', ({ open, culprit }) => {
    const attempt = () => open();
    expect(attempt).toThrow(Abort);
    expect(attempt).toThrow(`participant ${culprit}`);
  });

  it('does not open with any byte altered', () => {
    for (let at = 0; at < box.length; at++) {
      expect(() => as(2).openFrom(1, 'round', box.with(at, (box[at] ?? 0) ^ 0x40))).toThrow(Abort);
    }
  });

  it('does not open as what somebody outside has sealed', () => {
    expect(() => cluster.identity(2).open(box)).toThrow();
    expect(() => cluster.identity(2).open(box.subarray(64))).toThrow();
    const transportKey = cluster.directory.get(2)?.transportKey ?? new Uint8Array();
    expect(new Uint8Array(cluster.identity(2).open(encryptTo(transportKey, text, new Uint8Array())))).toEqual(text);
  });

  it('is never the same twice', () => {
    expect(as(1).sealTo(2, 'round', text)).not.toEqual(as(1).sealTo(2, 'round', text));
  });

  it('is not made for a stranger', () => {
    expect(() => as(1).sealTo(9, 'round', text)).toThrow('in the directory');
  });
});
