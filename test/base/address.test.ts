import { expect, test } from 'vitest';
import { type Address, addressText, parseAddress } from '../../src/base/address.ts';

const good: readonly [string, Address, string][] = [
  ['/run/signer.sock', { kind: 'unix', path: '/run/signer.sock' }, 'unix:/run/signer.sock'],
  ['run/a b.sock', { kind: 'unix', path: 'run/a b.sock' }, 'unix:run/a b.sock'],
  ['unix:/run/signer.sock', { kind: 'unix', path: '/run/signer.sock' }, 'unix:/run/signer.sock'],
  ['tls://signer-1.example:7001', { kind: 'tls', host: 'signer-1.example', port: 7001 }, 'tls://signer-1.example:7001'],
  ['tls://10.0.0.1:0', { kind: 'tls', host: '10.0.0.1', port: 0 }, 'tls://10.0.0.1:0'],
  ['tls://[fd00::1]:7001', { kind: 'tls', host: 'fd00::1', port: 7001 }, 'tls://[fd00::1]:7001'],
];

test.each(good)('%s is an address', (text, address, written) => {
  expect(parseAddress(text)).toEqual(address);
  expect(addressText(address)).toBe(written);
  expect(parseAddress(written)).toEqual(address);
});

const bad = [
  '',
  'unix:',
  'tls://host',
  'tls://host:65536',
  'tls://:7001',
  'tls://a b:7001',
  'tls://u@host:1',
  'tls://host:7001/x',
  'tcp://host:7001',
  '//host/share',
  'unix://host/x',
  'a\0b',
];

test.each(bad)('%j is none', (text) => {
  expect(() => parseAddress(text)).toThrow(/is not an address: write unix:\/path, or tls:\/\/host:port/);
});
