import { expect, test } from 'vitest';
import { sameTarget } from '../../src/features/access/target.ts';

test.each([
  ['the path alone', '/keys', '/keys'],
  ['the path without its query (direct client)', '/keys', '/keys?limit=2&owner=a'],
  ['the path with its query (delegated client)', '/keys?limit=2&owner=a', '/keys?limit=2&owner=a'],
  ['a path bound plain and sent encoded', '/keys/a b', '/keys/a%20b'],
  ['a path bound encoded and sent plain', '/keys/key%2Done', '/keys/key-one'],
  ['a query encoded in another way', '/keys?owner=a%20b', '/keys?owner=a+b'],
])('accepts %s', (_, bound, url) => expect(sameTarget(bound, url)).toBe(true));

test.each([
  ['another path', '/keys', '/wallets'],
  ['a path below', '/keys', '/keys/key-1'],
  ['a trailing slash', '/keys/', '/keys'],
  ['another query', '/keys?limit=2', '/keys?limit=3'],
  ['a query that was bound and is not sent', '/keys?force=true', '/keys'],
  ['an encoded slash for a separator', '/keys/a%2Fb', '/keys/a/b'],
  ['an encoded question mark for a query', '/keys%3Fa=b', '/keys?a=b'],
  ['an encoded ampersand for a parameter', '/keys?a=1%26b=2', '/keys?a=1&b=2'],
  ['parameters in another order', '/keys?a=1&b=2', '/keys?b=2&a=1'],
  ['another case', '/Keys', '/keys'],
  ['what is not percent-encoding', '/keys/%zz', '/keys/%ZZ'],
])('refuses %s', (_, bound, url) => expect(sameTarget(bound, url)).toBe(false));
