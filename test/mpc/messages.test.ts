import { describe, expect, it } from 'vitest';
import { utf8 } from '../../src/base/bytes.ts';
import { Abort } from '../../src/base/errors.ts';
import { cut, cutEvenly, exchangeSigned, reading } from '../../src/mpc/messages.ts';
import { OneUse } from '../../src/mpc/oneUse.ts';
import { clusterOf, of } from './memoryParty.ts';

describe('Fields of a message', () => {
  it('fill it exactly', () => {
    expect(cut(Uint8Array.of(1, 2, 3), [1, 0, 2])).toEqual([Uint8Array.of(1), new Uint8Array(0), Uint8Array.of(2, 3)]);
    expect(cutEvenly(Uint8Array.of(1, 2, 3, 4), 2, 2)).toEqual([Uint8Array.of(1, 2), Uint8Array.of(3, 4)]);
    expect(() => cut(Uint8Array.of(1, 2, 3), [1, 1])).toThrow('3 bytes where 2 are due');
    expect(() => cutEvenly(Uint8Array.of(1, 2, 3), 2, 2)).toThrow('3 bytes where 4 are due');
  });

  it('that do not parse are their sender’s fault, unless somebody else is named already', () => {
    const naming = (thrown: unknown) => {
      try {
        return reading(2, 'round', () => {
          throw thrown;
        });
      } catch (error) {
        return (error as Abort).culprits;
      }
    };
    expect(naming(new Error('too short'))).toEqual([2]);
    expect(naming(new Abort([3], 'another'))).toEqual([3]);
  });
});

describe('A signed round', () => {
  it('gives everybody’s message in the order of participants, own included', async () => {
    const rounds = await clusterOf(4).run((party) => exchangeSigned(party, 'round', utf8(`from ${party.index}`)));
    for (const round of rounds.values()) {
      expect([...round].map(([from, { message }]) => [from, message])).toEqual([1, 2, 3, 4].map((i) => [i, utf8(`from ${i}`)]));
    }
  });

  it('names a participant for which the transport has nothing', async () => {
    const results = await clusterOf(3).settle((party) =>
      exchangeSigned(
        { ...party, exchange: async (...sent) => new Map([...(await party.exchange(...sent))].slice(1)) },
        'round',
        utf8('text'),
      ),
    );
    expect(of(results, 1)).toMatchObject({ status: 'rejected', reason: { culprits: [2] } });
  });
});

describe('A secret that serves once', () => {
  it('is gone when its use begins, and overwritten when it ends', () => {
    const bytes = Uint8Array.of(1, 2, 3);
    const secret = new OneUse('test', bytes);
    secret.spend((given) => {
      expect(given).toEqual(Uint8Array.of(1, 2, 3));
      expect(() => secret.spend(() => undefined)).toThrow('test: used before');
    });
    expect(bytes).toEqual(new Uint8Array(3));
  });

  it('is overwritten also when its use fails, or when it is wiped', () => {
    const [failing, wiped] = [Uint8Array.of(1), Uint8Array.of(2)];
    const secret = new OneUse('test', failing);
    expect(() =>
      secret.spend(() => {
        throw new Error('no');
      }),
    ).toThrow('no');
    new OneUse('test', wiped).wipe();
    expect([...failing, ...wiped]).toEqual([0, 0]);
    expect(() => secret.spend(() => undefined)).toThrow(Abort);
  });
});
