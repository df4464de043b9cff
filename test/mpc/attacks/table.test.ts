/** Attacks on every message of every protocol: none ends in a signature, a leak, or a share that others do not have. */

import { afterAll, describe, expect, it } from 'vitest';
import { attacksDue, type Message, messages } from './cases.ts';
import { closeSigners } from './signers.ts';
import { table } from './table.ts';

afterAll(closeSigners);

const everyMessage = Object.keys(messages) as Message[];
const of = (message: Message) => table.filter((one) => one.message === message);
const titleOf = ({ attack, name }: { attack: string; name: string }) => (name === '' ? attack : `${attack}: ${name}`);

describe('the table', () => {
  it.each(everyMessage)('has every attack on %s that there can be', (message) => {
    const had = new Set(of(message).map(({ attack }) => attack));
    expect(attacksDue(message).filter((attack) => !had.has(attack))).toEqual([]);
  });

  it('names every case, and no two alike', () => {
    expect(table.length).toBeGreaterThanOrEqual(600);
    const names = table.map((one) => `${one.message} ${titleOf(one)}`);
    expect(names.filter((name, at) => names.indexOf(name) !== at)).toEqual([]);
  });
});

for (const protocol of new Set(everyMessage.map((message) => messages[message].protocol))) {
  describe(protocol, () => {
    for (const message of everyMessage.filter((one) => messages[one].protocol === protocol)) {
      describe(message, () => {
        for (const one of of(message)) it(titleOf(one), one.run);
      });
    }
  });
}
