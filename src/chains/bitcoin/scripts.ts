/**
 * Scripts that a key alone spends, how a signature over each is hashed, and the addresses of scripts.
 *
 * Sources: BIP-141 (segregated witness), BIP-341 and BIP-86 (taproot), BIP-173 and BIP-350 (bech32, bech32m).
 * @module
 */

import { ripemd160 } from '@noble/hashes/legacy.js';
import { sha256 as checksum } from '@noble/hashes/sha2.js';
import { bech32, bech32m, createBase58check } from '@scure/base';
import { concat } from '../../base/bytes.ts';
import { tapTweak } from '../../crypto/schemes/taproot.ts';
import type { NetworkFacts } from '../networks.ts';
import { sha256 } from './transaction.ts';

/** An output script that one signature of the key spends. */
export interface OwnScript {
  readonly script: Uint8Array;
  /** `legacy` does not commit to the amount that is spent, `bip143` to this input's, `taproot` (BIP-341) to all inputs'. */
  readonly hashing: 'legacy' | 'bip143' | 'taproot';
  /** That are signed: the one of an input that names none first. */
  readonly sighashTypes: readonly [number, ...number[]];
  /** Of a script behind a hash. */
  readonly redeemScript?: Uint8Array;
  /** Of a taproot output: empty for a key without scripts. */
  readonly merkleRoot?: Uint8Array;
  /** What stands in the scriptSig of the final transaction, and so in its id. @param signature with its sighash type */
  scriptSig(signature: Uint8Array): Uint8Array;
}

export const sighashTypes = { default: 0x00, all: 0x01, allForkId: 0x41 } as const;

const op = {
  zero: 0x00,
  one: 0x51,
  return: 0x6a,
  dup: 0x76,
  equal: 0x87,
  equalVerify: 0x88,
  hash160: 0xa9,
  hash256: 0xaa,
  checkSig: 0xac,
} as const;
const empty = new Uint8Array(0);

/** RIPEMD-160(SHA-256(public key)), 20 bytes. */
export function hash160(bytes: Uint8Array): Uint8Array {
  return ripemd160(sha256(bytes));
}

/** A push of up to 75 bytes. */
export function push(bytes: Uint8Array): Uint8Array {
  return concat(Uint8Array.of(bytes.length), bytes);
}

/** OP_DUP OP_HASH160 hash OP_EQUALVERIFY OP_CHECKSIG: also what BIP-143 hashes for a witness program of a key. */
export function payToKeyHash(publicKey: Uint8Array): Uint8Array {
  return concat(Uint8Array.of(op.dup, op.hash160), push(hash160(publicKey)), Uint8Array.of(op.equalVerify, op.checkSig));
}

/** OP_0 hash. */
function payToWitnessKeyHash(publicKey: Uint8Array): Uint8Array {
  return concat(Uint8Array.of(op.zero), push(hash160(publicKey)));
}

/** OP_1 output key. */
function payToTaproot(publicKey: Uint8Array, merkleRoot: Uint8Array): Uint8Array {
  return concat(Uint8Array.of(op.one), push(tapTweak(publicKey, merkleRoot).outputKey));
}

export function keyHashScript(publicKey: Uint8Array): OwnScript {
  return {
    script: payToKeyHash(publicKey),
    hashing: 'legacy',
    sighashTypes: [sighashTypes.all],
    scriptSig: (signature) => concat(push(signature), push(publicKey)),
  };
}

/** The same of Bitcoin Cash, where the hash of BIP-143 is for every output. */
export function forkIdScript(publicKey: Uint8Array): OwnScript {
  return { ...keyHashScript(publicKey), hashing: 'bip143', sighashTypes: [sighashTypes.allForkId] };
}

export function witnessKeyHashScripts(publicKey: Uint8Array): readonly [OwnScript, OwnScript] {
  const program = payToWitnessKeyHash(publicKey);
  const common = { hashing: 'bip143', sighashTypes: [sighashTypes.all] } as const;
  return [
    { ...common, script: program, scriptSig: () => empty },
    {
      ...common,
      script: concat(Uint8Array.of(op.hash160), push(hash160(program)), Uint8Array.of(op.equal)),
      redeemScript: program,
      scriptSig: () => push(program),
    },
  ];
}

export function taprootScript(publicKey: Uint8Array, merkleRoot: Uint8Array): OwnScript {
  return {
    script: payToTaproot(publicKey, merkleRoot),
    merkleRoot,
    hashing: 'taproot',
    sighashTypes: [sighashTypes.default, sighashTypes.all],
    scriptSig: () => empty,
  };
}

/** OP_RETURN and nothing: an output that nobody spends. */
export const opReturn = Uint8Array.of(op.return);

type ReadScript =
  | { readonly form: 'keyHash' | 'scriptHash' | 'scriptHash32'; readonly hash: Uint8Array }
  | { readonly form: 'witness'; readonly version: 0 | 1; readonly program: Uint8Array };

/** Of a form that has an address; undefined for every other. Versions of witness programs that mean nothing yet are none. */
export function readScript(script: Uint8Array): ReadScript | undefined {
  const framed = (before: readonly number[], length: number, after: readonly number[]): Uint8Array | undefined => {
    const from = before.length + 1;
    const isFramed =
      script.length === from + length + after.length &&
      [...before, length].every((byte, i) => script[i] === byte) &&
      after.every((byte, i) => script[from + length + i] === byte);
    return isFramed ? script.subarray(from, from + length) : undefined;
  };
  const keyHash = framed([op.dup, op.hash160], 20, [op.equalVerify, op.checkSig]);
  if (keyHash !== undefined) return { form: 'keyHash', hash: keyHash };
  const scriptHash = framed([op.hash160], 20, [op.equal]);
  if (scriptHash !== undefined) return { form: 'scriptHash', hash: scriptHash };
  const scriptHash32 = framed([op.hash256], 32, [op.equal]);
  if (scriptHash32 !== undefined) return { form: 'scriptHash32', hash: scriptHash32 };
  const version0 = framed([op.zero], 20, []) ?? framed([op.zero], 32, []);
  if (version0 !== undefined) return { form: 'witness', version: 0, program: version0 };
  const version1 = framed([op.one], 32, []);
  return version1 && { form: 'witness', version: 1, program: version1 };
}

/** Bitcoin's, Litecoin's and Dogecoin's; undefined for a script without address on that network. */
export function addressOfScript(script: Uint8Array, facts: NetworkFacts['Bitcoin']): string | undefined {
  const read = readScript(script);
  switch (read?.form) {
    case 'keyHash':
      return base58check.encode(concat(Uint8Array.of(facts.p2pkh), read.hash));
    case 'scriptHash':
      return base58check.encode(concat(Uint8Array.of(facts.p2sh), read.hash));
    case 'witness': {
      if (facts.bech32 === undefined) return undefined;
      const code = read.version === 0 ? bech32 : bech32m;
      return code.encode(facts.bech32, [read.version, ...code.toWords(read.program)]);
    }
    default:
      return undefined;
  }
}

const base58check = createBase58check(checksum);
