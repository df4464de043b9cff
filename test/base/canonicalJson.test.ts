import { expect, test } from 'vitest';
import { canonicalJson } from '../../src/base/canonicalJson.ts';

test('the order of members does not matter, at any depth', () => {
  const a = JSON.parse('{"b":[{"y":1,"x":"é"}],"a":null}');
  const b = JSON.parse('{ "a": null, "b": [ { "x": "\\u00e9", "y": 1.0 } ] }');
  expect(canonicalJson(a)).toBe('{"a":null,"b":[{"x":"é","y":1}]}');
  expect(canonicalJson(b)).toBe(canonicalJson(a));
});

test('the order of elements, types and names do', () => {
  const texts = ['[1,2]', '[2,1]', '["1",2]', '{"a":1}', '{"A":1}', '{"a":true}', '{}', '[]', 'null', '""', '0'];
  expect(new Set(texts.map((text) => canonicalJson(JSON.parse(text)))).size).toBe(texts.length);
});

test('a member named __proto__ is a member', () => {
  expect(canonicalJson(JSON.parse('{"__proto__":{"a":1}}'))).toBe('{"__proto__":{"a":1}}');
});

test('nesting has a bound', () => {
  const nested = (depth: number) => JSON.parse('['.repeat(depth) + ']'.repeat(depth));
  expect(canonicalJson(nested(64))).toHaveLength(128);
  expect(() => canonicalJson(nested(66))).toThrow('JSON may be nested 64 levels deep');
});
