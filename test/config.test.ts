/** What the environment says, read and checked. */

import { describe, expect, test } from 'vitest';
import { networks, networkTable } from '../src/chains/networks.ts';
import { readConfig } from '../src/config.ts';

describe('RPC_URL_<NETWORK>', () => {
  test('is the endpoint of the network of this name in capitals', () => {
    const { rpcUrls } = readConfig({ RPC_URL_ETHEREUMSEPOLIA: 'https://node.example/v2/key', RPC_URL_BSC: '', RPC: 'x' });
    expect(rpcUrls).toEqual({ EthereumSepolia: new URL('https://node.example/v2/key') });
  });

  test('can be said of every network with a chain id, each by a name of its own', () => {
    const asked = networks.filter((network) => 'chainId' in networkTable[network] && networkTable[network].kind === 'Evm');
    const env = Object.fromEntries(asked.map((network) => [`RPC_URL_${network.toUpperCase()}`, `http://${network}/`]));
    expect(Object.keys(readConfig(env).rpcUrls).sort()).toEqual([...asked].sort());
  });

  test('that is wrong is named, with every other that is, and without the address', () => {
    const env = {
      RPC_URL_ETHEREU: 'https://a/secret',
      RPC_URL_SOLANA: 'https://a/secret',
      RPC_URL_BSC: 'ftp://a/secret',
      RPC_URL_CELO: 'https://user:secret@a',
      RPC_URL_BASE: 'secret',
      PORT: 'x',
    };
    const wrong = [
      'PORT: Invalid input: expected number, received NaN',
      'RPC_URL_ETHEREU: no such network is asked; RPC_URL_ETHEREUMSEPOLIA is for EthereumSepolia',
      'RPC_URL_SOLANA: no such network is asked; RPC_URL_ETHEREUMSEPOLIA is for EthereumSepolia',
      'RPC_URL_BSC: must be an address, https://… or http://…',
      'RPC_URL_CELO: must hold no user and no password',
      'RPC_URL_BASE: must be an address, https://… or http://…',
    ];
    expect(() => readConfig(env)).toThrow(wrong.join('\n'));
  });
});
