/**
 * The fields of PSBTs: what stands under which type of key, in which version, and of what length. Types that are not here are nobody's
 * business: they are kept.
 *
 * Sources: BIP-174, BIP-370, BIP-371 (taproot).
 * @module
 */

export type PsbtMap = readonly Pair[];

export interface Pair {
  readonly type: number;
  /** The rest of the key. */
  readonly keyData: Uint8Array;
  readonly value: Uint8Array;
}

export const globalTypes = {
  unsignedTransaction: 0x00,
  extendedKey: 0x01,
  transactionVersion: 0x02,
  fallbackLockTime: 0x03,
  inputCount: 0x04,
  outputCount: 0x05,
  modifiable: 0x06,
  version: 0xfb,
} as const;

export const inputTypes = {
  previousTransaction: 0x00,
  previousOutput: 0x01,
  partialSignature: 0x02,
  sighashType: 0x03,
  redeemScript: 0x04,
  witnessScript: 0x05,
  derivation: 0x06,
  finalScriptSig: 0x07,
  finalWitness: 0x08,
  proofOfReserves: 0x09,
  ripemd160Preimage: 0x0a,
  sha256Preimage: 0x0b,
  hash160Preimage: 0x0c,
  hash256Preimage: 0x0d,
  previousId: 0x0e,
  outputIndex: 0x0f,
  sequence: 0x10,
  timeLock: 0x11,
  heightLock: 0x12,
  taprootSignature: 0x13,
  taprootScriptSignature: 0x14,
  taprootLeafScript: 0x15,
  taprootDerivation: 0x16,
  taprootInternalKey: 0x17,
  taprootMerkleRoot: 0x18,
} as const;

export const outputTypes = {
  redeemScript: 0x00,
  witnessScript: 0x01,
  derivation: 0x02,
  amount: 0x03,
  script: 0x04,
  taprootInternalKey: 0x05,
  taprootTree: 0x06,
  taprootDerivation: 0x07,
} as const;

/** What is known of the pairs of a type. Lengths are in bytes; of a value, any where none are named. */
interface Field {
  readonly key: readonly number[];
  readonly value?: readonly number[];
  /** The only version that has it. */
  readonly version?: 0 | 2;
  readonly isRequired?: true;
}

const alone = [0];
const publicKey = [33, 65];
/** Version and key, then up to 128 hashes. */
const controlBlock = Array.from({ length: 129 }, (_, hashes) => 33 + 32 * hashes);

const fields = {
  global: {
    [globalTypes.unsignedTransaction]: { key: alone, version: 0, isRequired: true },
    [globalTypes.extendedKey]: { key: [78] },
    [globalTypes.transactionVersion]: { key: alone, value: [4], version: 2, isRequired: true },
    [globalTypes.fallbackLockTime]: { key: alone, value: [4], version: 2 },
    [globalTypes.inputCount]: { key: alone, version: 2, isRequired: true },
    [globalTypes.outputCount]: { key: alone, version: 2, isRequired: true },
    [globalTypes.modifiable]: { key: alone, value: [1], version: 2 },
    [globalTypes.version]: { key: alone, value: [4] },
  },
  input: {
    [inputTypes.previousTransaction]: { key: alone },
    [inputTypes.previousOutput]: { key: alone },
    [inputTypes.partialSignature]: { key: publicKey },
    [inputTypes.sighashType]: { key: alone, value: [4] },
    [inputTypes.redeemScript]: { key: alone },
    [inputTypes.witnessScript]: { key: alone },
    [inputTypes.derivation]: { key: publicKey },
    [inputTypes.finalScriptSig]: { key: alone },
    [inputTypes.finalWitness]: { key: alone },
    [inputTypes.proofOfReserves]: { key: alone },
    [inputTypes.ripemd160Preimage]: { key: [20] },
    [inputTypes.sha256Preimage]: { key: [32] },
    [inputTypes.hash160Preimage]: { key: [20] },
    [inputTypes.hash256Preimage]: { key: [32] },
    [inputTypes.previousId]: { key: alone, value: [32], version: 2, isRequired: true },
    [inputTypes.outputIndex]: { key: alone, value: [4], version: 2, isRequired: true },
    [inputTypes.sequence]: { key: alone, value: [4], version: 2 },
    [inputTypes.timeLock]: { key: alone, value: [4], version: 2 },
    [inputTypes.heightLock]: { key: alone, value: [4], version: 2 },
    [inputTypes.taprootSignature]: { key: alone, value: [64, 65] },
    [inputTypes.taprootScriptSignature]: { key: [64], value: [64, 65] },
    [inputTypes.taprootLeafScript]: { key: controlBlock },
    [inputTypes.taprootDerivation]: { key: [32] },
    [inputTypes.taprootInternalKey]: { key: alone, value: [32] },
    [inputTypes.taprootMerkleRoot]: { key: alone, value: [32] },
  },
  output: {
    [outputTypes.redeemScript]: { key: alone },
    [outputTypes.witnessScript]: { key: alone },
    [outputTypes.derivation]: { key: publicKey },
    [outputTypes.amount]: { key: alone, value: [8], version: 2, isRequired: true },
    [outputTypes.script]: { key: alone, version: 2, isRequired: true },
    [outputTypes.taprootInternalKey]: { key: alone, value: [32] },
    [outputTypes.taprootTree]: { key: alone },
    [outputTypes.taprootDerivation]: { key: [32] },
  },
} as const satisfies Record<string, Record<number, Field>>;

/** The value of the only pair of a type without key data. */
export function onlyValue(map: PsbtMap, type: number): Uint8Array | undefined {
  return map.find((pair) => pair.type === type && pair.keyData.length === 0)?.value;
}

/** @throws {Error} for a field that is missing, of the other version, or of another length than its own */
export function requireFields(map: PsbtMap, kind: keyof typeof fields, version: 0 | 2): PsbtMap {
  const known: Readonly<Record<number, Field>> = fields[kind];
  for (const { type, keyData, value } of map) {
    const field = known[type];
    if (field === undefined) continue;
    const name = nameOf(kind, type);
    if (field.version !== undefined && field.version !== version) throw new Error(`${name} is not in version ${version}`);
    if (!field.key.includes(keyData.length)) throw new Error(`${name} has a key of ${keyData.length} bytes`);
    if (field.value !== undefined && !field.value.includes(value.length)) throw new Error(`${name} has a value of ${value.length} bytes`);
  }
  for (const [type, field] of Object.entries(known)) {
    const isMissing = field.isRequired && field.version === version && onlyValue(map, Number(type)) === undefined;
    if (isMissing) throw new Error(`${nameOf(kind, Number(type))} is missing in version ${version}`);
  }
  return map;
}

function nameOf(kind: string, type: number): string {
  return `the ${kind} field 0x${type.toString(16).padStart(2, '0')}`;
}
