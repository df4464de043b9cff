/**
 * EIP-712: typed structured data and its hash. Strict: whatever could be read in two ways, or would be shown and not signed, is refused.
 *
 * - The primary type is not said: it is the one type that no other refers to.
 * - Names are identifiers, so that no name can pretend to be a part of another type's description.
 * - Types are written in full (`uint256`, not `uint`); no type contains itself.
 * - A value has every member of its type and no other, each in the range of its type.
 * - `EIP712Domain` may be among the types; it must then describe the domain as it is given.
 *
 * Sources: https://eips.ethereum.org/EIPS/eip-712
 * @module
 */

import { keccak_256 } from '@noble/hashes/sha3.js';
import { concat, fromBigInt, fromHex, utf8 } from '../../base/bytes.ts';

export interface Member {
  readonly name: string;
  readonly type: string;
}

export type Types = Readonly<Record<string, readonly Member[]>>;

export interface TypedData {
  readonly types: Types;
  readonly domain: Readonly<Record<string, unknown>>;
  readonly message: Readonly<Record<string, unknown>>;
}

export interface Described {
  readonly digest: Uint8Array;
  readonly primaryType: string;
  /** The primary type and all it refers to, as they are hashed. */
  readonly description: string;
}

const maxTypes = 64;
/** Of all types together. */
const maxMembers = 512;
const maxNameChars = 128;
/** Of arrays of arrays. */
const maxDimensions = 16;
/** Of one document, those in arrays each. */
const maxValues = 10_000;

const domainType = 'EIP712Domain';
const domainMembers: readonly Member[] = [
  { name: 'name', type: 'string' },
  { name: 'version', type: 'string' },
  { name: 'chainId', type: 'uint256' },
  { name: 'verifyingContract', type: 'address' },
  { name: 'salt', type: 'bytes32' },
];

/**
 * @param parseAddress 20 bytes @throws {Error}
 * @throws {Error} saying what is wrong, and where
 */
export function describeTypedData({ types, domain, message }: TypedData, parseAddress: (text: unknown) => Uint8Array): Described {
  const { [domainType]: declared, ...own } = types;
  requireTypes(own);
  const primaryType = primaryTypeOf(own);
  const inDomain = domainMembersOf(domain);
  if (
    declared !== undefined &&
    description(domainType, { [domainType]: declared }) !== description(domainType, { [domainType]: inDomain })
  ) {
    throw new Error(`types.${domainType} does not describe the domain as it is given: ${inDomain.map(({ name }) => name).join(', ')}`);
  }
  const domainEncoder = encoderOf({ [domainType]: inDomain }, parseAddress);
  const encoder = encoderOf(own, parseAddress);
  const digest = keccak_256(
    concat(
      Uint8Array.of(0x19, 0x01),
      domainEncoder.hashStruct(domainType, domain, 'domain'),
      encoder.hashStruct(primaryType, message, 'message'),
    ),
  );
  return { digest, primaryType, description: description(primaryType, own) };
}

/** The fields that the domain has, in the order of the standard. */
function domainMembersOf(domain: TypedData['domain']): readonly Member[] {
  const unknown = Object.keys(domain).find((name) => !domainMembers.some((member) => member.name === name));
  if (unknown !== undefined) throw new Error(`domain.${unknown}: a domain has ${domainMembers.map(({ name }) => name).join(', ')}`);
  return domainMembers.filter(({ name }) => domain[name] !== undefined);
}

interface Type {
  /** Without its arrays. */
  readonly base: string;
  /** From the inside: the length each must have, undefined for any. */
  readonly arrays: readonly (number | undefined)[];
}

/** @throws {Error} */
function parseType(text: string): Type {
  const bracket = text.indexOf('[');
  if (bracket < 0) return { base: text, arrays: [] };
  const suffix = text.slice(bracket);
  const lengths = [...suffix.matchAll(/\[([1-9]\d{0,5})?\]/g)];
  if (lengths.map(([whole]) => whole).join('') !== suffix || lengths.length > maxDimensions) throw new Error(`${quote(text)} is no type`);
  return { base: text.slice(0, bracket), arrays: lengths.map(([, digits]) => (digits === undefined ? undefined : Number(digits))) };
}

function requireTypes(types: Types): void {
  const names = Object.keys(types);
  const members = Object.values(types).flat();
  if (names.length > maxTypes) throw new Error(`there are more than ${maxTypes} types`);
  if (members.length > maxMembers) throw new Error(`the types have more than ${maxMembers} members`);
  for (const name of names) {
    if (!isIdentifier(name) || isAtomic(name) || isAlias(name)) throw new Error(`${quote(name)} is no name for a type`);
    const seen = new Set<string>();
    for (const member of types[name] ?? []) {
      if (!isIdentifier(member.name)) throw new Error(`types.${name}: ${quote(member.name)} is no name for a member`);
      if (seen.has(member.name)) throw new Error(`types.${name} has ${member.name} twice`);
      seen.add(member.name);
      requireType(member.type, types, `types.${name}.${member.name}`);
    }
  }
  const circular = names.find((name) => referredBy(name, types).has(name));
  if (circular !== undefined) throw new Error(`types.${circular} contains itself`);
}

function requireType(text: string, types: Types, at: string): void {
  const { base } = parseType(text.slice(0, maxNameChars));
  if (text.length <= maxNameChars && (isAtomic(base) || Object.hasOwn(types, base))) return;
  if (isAlias(base)) throw new Error(`${at}: write ${base}256 for ${base}`);
  throw new Error(`${at}: ${quote(text)} is neither a type of Ethereum nor among the types`);
}

/** The one type that no other refers to. */
function primaryTypeOf(types: Types): string {
  const referred = new Set(Object.values(types).flatMap((members) => members.map(({ type }) => parseType(type).base)));
  const [primary, ...others] = Object.keys(types).filter((name) => !referred.has(name));
  if (primary === undefined) throw new Error('no type is the primary one: each is referred to by another');
  if (others.length > 0) throw new Error(`the primary type is not clear: nothing refers to ${[primary, ...others].map(quote).join(', ')}`);
  return primary;
}

/** `encodeType`: the type, then all it refers to, by name. */
function description(name: string, types: Types): string {
  const describe = (one: string) => `${one}(${(types[one] ?? []).map((member) => `${member.type} ${member.name}`).join(',')})`;
  return [name, ...[...referredBy(name, types)].sort()].map(describe).join('');
}

/** The types that it refers to, directly or through others. */
function referredBy(name: string, types: Types): ReadonlySet<string> {
  const reached = new Set<string>();
  const visit = (one: string): void => {
    for (const { type } of types[one] ?? []) {
      const { base } = parseType(type);
      if (Object.hasOwn(types, base)) reached.add(base);
    }
  };
  visit(name);
  for (const one of reached) visit(one); // what is added meanwhile is visited too
  return reached;
}

function encoderOf(types: Types, parseAddress: (text: unknown) => Uint8Array) {
  const typeHashes = new Map<string, Uint8Array>();
  let values = 0;

  function typeHash(name: string): Uint8Array {
    const known = typeHashes.get(name) ?? keccak_256(utf8(description(name, types)));
    typeHashes.set(name, known);
    return known;
  }

  function hashStruct(name: string, value: unknown, at: string): Uint8Array {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Error(`${at}: expected an object of type ${name}`);
    const members = types[name] ?? [];
    const given = value as Readonly<Record<string, unknown>>; // an object, of JSON
    const unknown = Object.keys(given).find((key) => !members.some((member) => member.name === key));
    if (unknown !== undefined) throw new Error(`${at}.${unknown}: type ${name} has no such member, so it would not be signed`);
    const encoded = members.map((member) => {
      const where = `${at}.${member.name}`;
      if (!Object.hasOwn(given, member.name) || given[member.name] === undefined) throw new Error(`${where} is missing`);
      return encode(parseType(member.type), given[member.name], where);
    });
    return keccak_256(concat(typeHash(name), ...encoded));
  }

  /** 32 bytes. */
  function encode({ base, arrays }: Type, value: unknown, at: string): Uint8Array {
    if (++values > maxValues) throw new Error(`there are more than ${maxValues} values`);
    if (arrays.length === 0) {
      return Object.hasOwn(types, base) ? hashStruct(base, value, at) : encodeAtomic(base, value, at, parseAddress);
    }
    const length = arrays.at(-1);
    if (!Array.isArray(value)) throw new Error(`${at}: expected an array`);
    if (length !== undefined && value.length !== length) throw new Error(`${at}: expected ${length} items, found ${value.length}`);
    const element = { base, arrays: arrays.slice(0, -1) };
    return keccak_256(concat(...value.map((item, i) => encode(element, item, `${at}[${i}]`))));
  }

  return { hashStruct };
}

function encodeAtomic(type: string, value: unknown, at: string, parseAddress: (text: unknown) => Uint8Array): Uint8Array {
  const wrong = (expected: string) => new Error(`${at}: expected ${expected}`);
  switch (type) {
    case 'bool':
      if (typeof value !== 'boolean') throw wrong('true or false');
      return fromBigInt(value ? 1n : 0n, 32);
    case 'string':
      if (typeof value !== 'string' || !value.isWellFormed()) throw wrong('a text');
      return keccak_256(utf8(value));
    case 'address':
      try {
        return leftPadded(parseAddress(value));
      } catch (cause) {
        throw new Error(`${at}: ${cause instanceof Error ? cause.message : 'expected an address'}`, { cause });
      }
    case 'bytes':
      return keccak_256(hexValue(value) ?? raise(wrong('hex with 0x')));
  }
  const { bits, signed, bytes } = sized(type) ?? raise(wrong(`a value of type ${type}`));
  if (bytes !== undefined) {
    const fixed = hexValue(value);
    if (fixed?.length !== bytes) throw wrong(`0x and ${bytes} bytes of hex`);
    return concat(fixed, new Uint8Array(32 - bytes));
  }
  const number = integerOf(value);
  const [least, above] = signed ? [-(2n ** BigInt(bits - 1)), 2n ** BigInt(bits - 1)] : [0n, 2n ** BigInt(bits)];
  if (number === undefined || number < least || number >= above) throw wrong(`an integer of type ${type}, above 2^53 as a text`);
  return fromBigInt(BigInt.asUintN(256, number), 32);
}

/** A number, as JSON has it, or as decimal or hexadecimal text; undefined for anything else. */
export function integerOf(value: unknown): bigint | undefined {
  if (typeof value === 'number') return Number.isSafeInteger(value) ? BigInt(value) : undefined;
  if (typeof value !== 'string' || !/^(0|-?[1-9]\d{0,77}|0x[0-9a-fA-F]{1,64})$/.test(value)) return undefined;
  return BigInt(value);
}

function hexValue(value: unknown): Uint8Array | undefined {
  return typeof value === 'string' && value.startsWith('0x') ? fromHex(value) : undefined;
}

function leftPadded(bytes: Uint8Array): Uint8Array {
  return concat(new Uint8Array(32 - bytes.length), bytes);
}

function isAtomic(type: string): boolean {
  return type === 'bool' || type === 'string' || type === 'address' || type === 'bytes' || sized(type) !== undefined;
}

/** Two libraries hash these two ways. */
function isAlias(type: string): boolean {
  return type === 'uint' || type === 'int';
}

/** Of `uint8` … `uint256`, `int8` … `int256`, `bytes1` … `bytes32`. */
function sized(type: string): { bits: number; signed: boolean; bytes?: number } | undefined {
  const [, name, digits] = /^(u?int|bytes)([1-9]\d{0,2})$/.exec(type) ?? [];
  const size = Number(digits);
  if (name === undefined) return undefined;
  if (name === 'bytes') return size <= 32 ? { bits: 8 * size, signed: false, bytes: size } : undefined;
  return size % 8 === 0 && size <= 256 ? { bits: size, signed: name === 'int' } : undefined;
}

function isIdentifier(name: string): boolean {
  return name.length <= maxNameChars && /^[A-Za-z_$][A-Za-z0-9_$]*$/.test(name);
}

function quote(text: string): string {
  return JSON.stringify(text.slice(0, maxNameChars));
}

function raise(error: Error): never {
  throw error;
}
