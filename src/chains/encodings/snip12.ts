/**
 * SNIP-12: typed data of Starknet and its hash, revisions 0 (Pedersen) and 1 (Poseidon). Strict: what could be read in two ways, or would be
 * shown and not signed, is refused.
 *
 *   hash = H('StarkNet Message', H(domain), account, H(message))
 *
 * - A value has every member of its type and no other.
 * - A text that stands for a number is decimal or `0x` hex; any other text is a short string of ASCII. What JavaScript would read as a
 *   number and is neither (' 1', '0b1') is refused.
 * - Texts (`string` of revision 1) are ASCII: how others are cut into words, implementations do not agree on.
 * - In revision 0 a type that is not described is a felt, as it has always been; in revision 1 it is refused.
 *
 * Sources: https://github.com/starknet-io/SNIPs/blob/main/SNIPS/snip-12.md ; verified against starknet.js.
 * @module
 */

import { keccak, pedersen, poseidonHash, poseidonHashMany } from '@scure/starknet';
import { utf8 } from '../../base/bytes.ts';

export interface Snip12Member {
  readonly name: string;
  readonly type: string;
  /** Of what a merkle tree, or which enum. */
  readonly contains?: string | undefined;
}

type Types = Readonly<Record<string, readonly Snip12Member[]>>;
type Value = Readonly<Record<string, unknown>>;

export interface Snip12Data {
  readonly types: Types;
  readonly primaryType: string;
  readonly domain: Value;
  readonly message: Value;
}

interface Revision {
  readonly number: 0 | 1;
  readonly domainType: string;
  readonly hash: (values: readonly bigint[]) => bigint;
  readonly hashPair: (a: bigint, b: bigint) => bigint;
  readonly quoted: (name: string) => string;
  readonly presets: Types;
}

/** 2²⁵¹ + 17·2¹⁹² + 1. */
const prime = 2n ** 251n + 17n * 2n ** 192n + 1n;
const maxTypes = 64;
const maxMembers = 512;
/** Of one document: each is hashed, and a Pedersen hash takes a millisecond. */
const maxValues = 1000;
const maxDepth = 32;
const shortStringChars = 31;

const u128 = { type: 'u128' };
const presets: Types = {
  u256: [
    { name: 'low', ...u128 },
    { name: 'high', ...u128 },
  ],
  TokenAmount: [
    { name: 'token_address', type: 'ContractAddress' },
    { name: 'amount', type: 'u256' },
  ],
  NftId: [
    { name: 'collection_address', type: 'ContractAddress' },
    { name: 'token_id', type: 'u256' },
  ],
};

const legacy: Revision = {
  number: 0,
  domainType: 'StarkNetDomain',
  hash: pedersenOnElements,
  hashPair: (a, b) => BigInt(pedersen(a, b)),
  quoted: (name) => name,
  presets: {},
};
const active: Revision = {
  number: 1,
  domainType: 'StarknetDomain',
  hash: (values) => poseidonHashMany([...values]),
  hashPair: (a, b) => poseidonHash(a, b),
  quoted: (name) => `"${name}"`,
  presets,
};

/** @param account its address @throws {Error} saying what is wrong, and where */
export function snip12Hash(data: Snip12Data, account: bigint): bigint {
  const revision = revisionOf(data);
  requireTypes(data.types, revision);
  const { hashStruct } = encoderOf(data.types, revision);
  return revision.hash([
    shortString('StarkNet Message'),
    hashStruct(revision.domainType, data.domain, 'domain'),
    account,
    hashStruct(data.primaryType, data.message, 'message'),
  ]);
}

/** The hash of a list, its length behind it: what revision 0 and the addresses of contracts are made with. */
export function pedersenOnElements(values: readonly bigint[]): bigint {
  return [...values, BigInt(values.length)].reduce((hash, value) => BigInt(pedersen(hash, value)), 0n);
}

/** Letters as a number: ASCII, 31 of them at most. @throws {Error} */
export function shortString(text: string): bigint {
  if (text.length > shortStringChars || !isAscii(text)) throw new Error(`${JSON.stringify(text)} is no short string`);
  return Array.from(utf8(text)).reduce((value, byte) => (value << 8n) | BigInt(byte), 0n);
}

function revisionOf({ types, domain }: Snip12Data): Revision {
  const said = domain.revision === undefined ? '0' : String(domain.revision);
  if (said === '1' && active.domainType in types) return active;
  if (said === '0' && legacy.domainType in types) return legacy;
  throw new Error('types has StarkNetDomain for revision 0, or StarknetDomain and domain.revision is 1');
}

function requireTypes(types: Types, { presets: taken, quoted }: Revision): void {
  const names = Object.keys(types);
  const members = Object.values(types).flat();
  if (names.length > maxTypes || members.length > maxMembers) throw new Error(`more than ${maxTypes} types, or ${maxMembers} members`);
  const reserved = names.find((name) => Object.hasOwn(taken, name));
  if (reserved !== undefined) throw new Error(`types.${reserved} is the standard's own`);
  // Where names are not quoted, what separates them is no part of one; where they are, a quote is not.
  const isName = (name: string) => (quoted('') === '' ? /^[^\s(),:*]+$/.test(name) : /^[^"*(),:]+$/.test(name));
  const wrong = [...names, ...members.map(({ name }) => name)].find((name) => !isName(name));
  if (wrong !== undefined) throw new Error(`${JSON.stringify(wrong)} is no name`);
}

function encoderOf(types: Types, revision: Revision) {
  const { hash, hashPair, presets: known } = revision;
  // Without a prototype, so that `constructor` is no type.
  const allTypes: Types = Object.assign(Object.create(null), types, known);
  const typeHashes = new Map<string, bigint>();
  let values = 0;

  function typeHash(name: string): bigint {
    const found = typeHashes.get(name) ?? selectorOf(describe(name, allTypes, revision));
    typeHashes.set(name, found);
    return found;
  }

  function hashStruct(name: string, value: unknown, path: string, depth = 0): bigint {
    const members = allTypes[name];
    if (members === undefined) throw new Error(`${path}: there is no type ${name}`);
    if (depth > maxDepth) throw new Error(`${path} is nested deeper than ${maxDepth}`);
    const record = recordOf(value, path);
    const unknown = Object.keys(record).find((key) => !members.some((member) => member.name === key));
    if (unknown !== undefined) throw new Error(`${path}.${unknown} is not in type ${name}, so that it would not be signed`);
    return hash([typeHash(name), ...members.map((member) => encode(member, record[member.name], `${path}.${member.name}`, depth))]);
  }

  function encode({ type, contains }: Pick<Snip12Member, 'type' | 'contains'>, value: unknown, path: string, depth: number): bigint {
    if (++values > maxValues) throw new Error(`there are more than ${maxValues} values`);
    if (type.endsWith('*')) {
      return hash(listOf(value, path).map((item, i) => encode({ type: type.slice(0, -1) }, item, `${path}[${i}]`, depth + 1)));
    }
    if (type in allTypes) return hashStruct(type, value, path, depth + 1);
    if (type === 'merkletree') return merkleRoot(contains, value, path, depth);
    if (type === 'selector') return selector(value, path);
    if (revision.number === 0) return felt(value, path);
    switch (type) {
      case 'enum':
        return encodeEnum(contains, value, path, depth);
      case 'string':
        return hash(textWords(value, path));
      case 'i128': {
        const number = integerOf(value, path, -(2n ** 127n), 2n ** 127n);
        return number < 0n ? prime + number : number;
      }
      case 'u128':
      case 'timestamp':
        return integerOf(value, path, 0n, 2n ** 128n);
      case 'ClassHash':
      case 'ContractAddress':
        return integerOf(value, path, 0n, prime);
      case 'felt':
      case 'shortstring':
        return felt(value, path);
      case 'bool':
        if (typeof value !== 'boolean') throw new Error(`${path} is true or false`);
        return value ? 1n : 0n;
      default:
        throw new Error(`${path}: there is no type ${type}`);
    }
  }

  function merkleRoot(contains: string | undefined, value: unknown, path: string, depth: number): bigint {
    if (contains === undefined || contains.endsWith('*'))
      throw new Error(`${path}: a merkletree says what it contains, and that is no list`);
    let level = listOf(value, path).map((leaf, i) => encode({ type: contains }, leaf, `${path}[${i}]`, depth + 1));
    if (level.length === 0) throw new Error(`${path} has no leaves`);
    while (level.length > 1) {
      const pairs = Array.from({ length: Math.ceil(level.length / 2) }, (_, i) => [level[2 * i] ?? 0n, level[2 * i + 1] ?? 0n] as const);
      level = pairs.map(([a, b]) => (a < b ? hashPair(a, b) : hashPair(b, a)));
    }
    return level[0] ?? 0n;
  }

  function encodeEnum(contains: string | undefined, value: unknown, path: string, depth: number): bigint {
    const variants = allTypes[contains ?? ''];
    const [[name, given] = ['', []], ...others] = Object.entries(recordOf(value, path));
    const index = variants?.findIndex((variant) => variant.name === name) ?? -1;
    const variant = variants?.[index];
    if (variant === undefined || others.length > 0) throw new Error(`${path} is one of the variants of ${contains}`);
    const subtypes = tupleOf(variant.type);
    if (subtypes === undefined) throw new Error(`types.${contains}.${name}: the type of a variant stands in parentheses`);
    const items = listOf(given, `${path}.${name}`);
    if (items.length !== subtypes.length) throw new Error(`${path}.${name} has ${subtypes.length} values`);
    const encoded = subtypes.map((type, i) => encode({ type }, items[i], `${path}.${name}[${i}]`, depth + 1));
    // A variant without values hashes one empty word, as it is written `()`.
    return hash([BigInt(index), ...(subtypes.length === 0 ? [0n] : encoded)]);
  }

  return { hashStruct };
}

/** The type and all it refers to, those in the order of their names. @throws {Error} */
function describe(name: string, types: Types, { quoted, number }: Revision): string {
  const described = (one: string) => {
    const members = (types[one] ?? []).map((member) => {
      const type = member.type === 'enum' && number === 1 ? (member.contains ?? '') : member.type;
      const tuple = tupleOf(type);
      return `${quoted(member.name)}:${tuple === undefined ? quoted(type) : `(${tuple.map(quoted).join(',')})`}`;
    });
    return `${quoted(one)}(${members.join(',')})`;
  };
  return [name, ...[...dependenciesOf(name, types, number)].filter((one) => one !== name).sort()].map(described).join('');
}

function dependenciesOf(name: string, types: Types, revision: 0 | 1, found: Set<string> = new Set()): Set<string> {
  if (found.has(name) || types[name] === undefined) return found;
  found.add(name);
  for (const { type, contains } of types[name]) {
    const named = revision === 1 && type === 'enum' ? [contains ?? ''] : ((revision === 1 ? tupleOf(type) : undefined) ?? [type]);
    for (const one of named) dependenciesOf(one.replace(/\*$/, ''), types, revision, found);
  }
  return found;
}

/** The types in parentheses: none for `()`. */
function tupleOf(type: string): readonly string[] | undefined {
  if (!/^\(.*\)$/.test(type)) return undefined;
  return type === '()' ? [] : type.slice(1, -1).split(',');
}

/** starknet_keccak: Keccak-256, its last 250 bits. */
function selectorOf(text: string): bigint {
  return keccak(utf8(text));
}

function selector(value: unknown, path: string): bigint {
  if (typeof value !== 'string' || value === '') throw new Error(`${path} is the name of a function, or its selector in hex`);
  return /^0x[0-9a-f]+$/i.test(value) ? integerOf(value, path, 0n, prime) : selectorOf(value);
}

/** A number, or a short string. */
function felt(value: unknown, path: string): bigint {
  if (typeof value === 'boolean') return value ? 1n : 0n;
  if (typeof value !== 'string' || isNumeral(value)) return integerOf(value, path, 0n, prime);
  if (value !== '' && isReadAsNumber(value)) throw new Error(`${path}: ${JSON.stringify(value)} could be a number or a text`);
  return shortString(value);
}

function isReadAsNumber(text: string): boolean {
  try {
    BigInt(text);
    return true;
  } catch {
    return false;
  }
}

function integerOf(value: unknown, path: string, least: bigint, below: bigint): bigint {
  const isWhole =
    (typeof value === 'number' && Number.isSafeInteger(value)) || (typeof value === 'string' && isNumeral(value.replace(/^-/, '')));
  if (!isWhole) throw new Error(`${path} is a whole number, decimal or 0x hex`);
  const number = typeof value === 'string' && value.startsWith('-') ? -BigInt(value.slice(1)) : BigInt(value as string | number);
  if (number < least || number >= below) throw new Error(`${path} is out of range`);
  return number;
}

function isNumeral(text: string): boolean {
  return text.length <= 80 && /^(\d+|0x[0-9a-f]+)$/i.test(text);
}

/** A ByteArray of Cairo: how many whole words of 31 bytes, those, the rest, its length. */
function textWords(value: unknown, path: string): readonly bigint[] {
  if (typeof value !== 'string' || !isAscii(value)) throw new Error(`${path} is a text of ASCII`);
  const words = Array.from({ length: Math.ceil(value.length / shortStringChars) }, (_, i) =>
    value.slice(shortStringChars * i, shortStringChars * (i + 1)),
  );
  const whole = words.filter((word) => word.length === shortStringChars);
  const rest = words.find((word) => word.length < shortStringChars) ?? '';
  return [BigInt(whole.length), ...whole.map(shortString), shortString(rest), BigInt(rest.length)];
}

function isAscii(text: string): boolean {
  return Array.from(text).every((character) => character.charCodeAt(0) < 0x80);
}

function recordOf(value: unknown, path: string): Value {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Error(`${path} is an object`);
  return value as Value; // neither null nor a list
}

function listOf(value: unknown, path: string): readonly unknown[] {
  if (!Array.isArray(value)) throw new Error(`${path} is a list`);
  if (value.length > maxValues) throw new Error(`there are more than ${maxValues} values`);
  return value;
}
