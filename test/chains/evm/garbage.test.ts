/** Requests whose JSON has anything anywhere: a clear 400 or a signature, never an error of ours. `FUZZ_RUNS` and `SEED` as everywhere. */

import { test } from 'vitest';
import { refusalOf } from '../../conformance/chain.ts';
import { type Random, randomOf, runSeed } from '../../support/random.ts';
import { localSigner } from '../../support/wholeKey.ts';

const runs = 5 * Number(process.env.FUZZ_RUNS ?? 200);
const alice = localSigner('ECDSA/secp256k1', new Uint8Array(32).fill(1));
const address = '0x70997970c51812dc3a010c7d01b50e0d17dc79c8';
const member = (type: string, name: string) => ({ type, name });

const requests: Readonly<Record<string, object>> = {
  'a transaction': {
    kind: 'Transaction',
    network: 'EthereumSepolia',
    transaction: {
      type: 4,
      to: address,
      from: null,
      value: '1',
      data: '0xa9059cbb',
      nonce: 0,
      gasLimit: 21_000,
      maxFeePerGas: '2',
      maxPriorityFeePerGas: '1',
      accessList: [{ address, storageKeys: [`0x${'00'.repeat(32)}`] }],
      authorizationList: [{ chainId: 0, address, nonce: 0, signature: `0x${'01'.repeat(64)}1b` }],
    },
  },
  'a permit': {
    kind: 'Eip712',
    blockchainKind: 'Evm',
    domain: { name: 'Permit2', chainId: 1, verifyingContract: address },
    types: {
      PermitBatchTransferFrom: [
        member('TokenPermissions[]', 'permitted'),
        member('address', 'spender'),
        member('uint256', 'nonce'),
        member('uint256', 'deadline'),
      ],
      TokenPermissions: [member('address', 'token'), member('uint256', 'amount')],
    },
    message: { permitted: [{ token: address, amount: '1' }], spender: address, nonce: 0, deadline: 1 },
  },
  'an authorization': { kind: 'Eip7702', blockchainKind: 'Evm', chainId: 1, nonce: 0, address },
};

const anything: readonly unknown[] = [
  ...[null, true, 0, -1, 1.5, 2 ** 53, Number.MAX_VALUE, '', ' ', '0x', '0x0', '-0', '00', '1e3', `0x${'f'.repeat(65)}`, '9'.repeat(100)],
  ...[
    'toString',
    '__proto__',
    'constructor',
    'uint256',
    'uint',
    'bool[',
    'bytes0',
    'TokenPermissions',
    '\ud800',
    '\u0000',
    'x'.repeat(5000),
  ],
  ...[[], {}, [[]], [null], { length: 1 }, JSON.parse('{"__proto__":{"x":1}}'), { toString: 1 }, address, address.toUpperCase()],
];

/** Some place in it is something else, is gone, or is there under another name too. */
function spoilt(random: Random, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Object.keys(value).length === 0 || random.int(4) === 0) return random.pick(anything);
  if (Array.isArray(value)) {
    const at = random.int(value.length + 1);
    return [...value.slice(0, at), spoilt(random, value[at]), ...value.slice(at + 1)];
  }
  const entries = Object.entries(value);
  const [name, old] = random.pick(entries);
  if (random.int(8) === 0) return Object.fromEntries(entries.filter(([other]) => other !== name));
  if (random.int(8) === 0) return { ...value, [JSON.stringify(random.pick(anything)).replaceAll('"', '')]: old };
  return { ...value, [name]: spoilt(random, old) };
}

test.each(Object.entries(requests))(`${runs} times %s with something else in it`, async (_, request) => {
  const random = randomOf(runSeed());
  for (let run = 0; run < runs; run++) {
    let body: unknown = request;
    for (let times = 1 + random.int(2); times > 0; times--) body = spoilt(random, body);
    try {
      await refusalOf(alice, body as object);
    } catch (cause) {
      throw new Error(`SEED=${random.seed} ${JSON.stringify(body).slice(0, 1000)}`, { cause });
    }
  }
});
