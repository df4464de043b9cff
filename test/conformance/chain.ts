/**
 * What every chain must do, written once: random requests that the chain's own library builds are signed and accepted by it; the same
 * request always asks for the same payloads; whatever is malformed is refused, and nothing but refused.
 *
 * `FUZZ_RUNS` makes the random tests longer (`npm run fuzz`), `SEED` repeats a run.
 */

import { describe, expect, test } from 'vitest';
import { fromHex, to0x } from '../../src/base/bytes.ts';
import { Refusal } from '../../src/base/errors.ts';
import type { Signed, Unsigned } from '../../src/chains/chain.ts';
import { parseRequest } from '../../src/chains/index.ts';
import { type Body, signatureRequestBody } from '../../src/chains/requests.ts';
import type { Signature } from '../../src/crypto/schemes/scheme.ts';
import { type Random, randomOf, runSeed } from '../support/random.ts';
import { type LocalSigner, localSigner, type SigningKeyType } from '../support/wholeKey.ts';

export interface ChainCase {
  /** A part of the test's name: 'Transaction, EIP-1559'. */
  readonly name: string;
  readonly keyType: SigningKeyType;
  /** A request as a caller sends it, made with the chain's own library; its sender is the signer. */
  readonly request: (random: Random, signer: LocalSigner) => object | Promise<object>;
  /** The chain's own library accepts it. @throws what it finds wrong */
  readonly verify: (outcome: Outcome) => void | Promise<void>;
  /** The member of the body that is the chain's own encoding, as hex: it is what the malformed requests break. */
  readonly encodedIn?: string;
  /** Truncations at these lengths are whole requests again. */
  readonly mayEndAt?: (length: number, encoded: Uint8Array) => boolean | Promise<boolean>;
  /** A byte more may belong to it: what of the encoding is free text at its end. */
  readonly mayGoOn?: boolean;
}

export interface Outcome {
  readonly body: Body;
  readonly signer: LocalSigner;
  readonly unsigned: Unsigned;
  readonly signatures: readonly Signature[];
  readonly signed: Signed;
}

const runs = Number(process.env.FUZZ_RUNS ?? 200);
const maxMutatedBytes = 600;

/** Registers the tests of a chain. */
export function chainConforms(name: string, cases: readonly ChainCase[]): void {
  const seed = runSeed();
  describe(`${name} conforms`, () => {
    for (const one of cases) {
      describe(one.name, () => {
        test(`${runs} random requests are signed, and its own library accepts them`, async () => {
          for (let run = 0; run < runs; run++) {
            await repeatable(`${seed}/${name}/${one.name}/${run}`, async (random) => {
              const signer = signerOf(one, random);
              await one.verify(await signed(signer, await one.request(random, signer)));
            });
          }
        }, 300_000);

        if (one.encodedIn !== undefined) malformed(name, one, one.encodedIn, seed);
      });
    }
  });
}

/** Parses, signs with the whole key and assembles, as service and signers do together. */
export async function signed(signer: LocalSigner, request: object): Promise<Outcome> {
  const body = signatureRequestBody.parse(request);
  const unsigned = await parseRequest(body, signer.key);
  const again = await parseRequest(structuredClone(body), { ...signer.key });
  expect(again.payloads).toEqual(unsigned.payloads);
  const signatures = unsigned.payloads.map((payload) => signer.sign(payload));
  return { body, signer, unsigned, signatures, signed: unsigned.assemble(signatures) };
}

/** @returns the refusal, or undefined for a request that is signed @throws {Error} whatever is neither */
export async function refusalOf(signer: LocalSigner, request: object): Promise<Refusal | undefined> {
  const parsed = signatureRequestBody.safeParse(request);
  if (!parsed.success) return new Refusal('BadRequest', 'not of the schema');
  try {
    await parseRequest(parsed.data, signer.key);
    return undefined;
  } catch (error) {
    if (error instanceof Refusal && error.status === 400) return error;
    throw error;
  }
}

function malformed(name: string, one: ChainCase, member: string, seed: string): void {
  const each = async (
    label: string,
    work: (random: Random, signer: LocalSigner, encoded: Uint8Array, request: object) => Promise<void>,
  ) => {
    await repeatable(`${seed}/${name}/${one.name}/${label}`, async (random) => {
      const signer = signerOf(one, random);
      const request = await one.request(random, signer);
      const encoded = fromHex(String((request as Record<string, unknown>)[member]));
      if (encoded === undefined) throw new Error(`${member} is not hex`);
      await work(random, signer, encoded, request);
    });
  };
  const withBytes = (request: object, bytes: Uint8Array) => ({ ...request, [member]: to0x(bytes) });

  test('every truncation is refused', async () => {
    await each('truncation', async (_random, signer, encoded, request) => {
      for (let length = 0; length < encoded.length; length++) {
        if (await one.mayEndAt?.(length, encoded)) continue;
        const refusal = await refusalOf(signer, withBytes(request, encoded.subarray(0, length)));
        expect(refusal, `the first ${length} of ${encoded.length} bytes`).toBeInstanceOf(Refusal);
      }
    });
  });

  test('bytes after its end are refused', async () => {
    if (one.mayGoOn) return;
    await each('trailing', async (random, signer, encoded, request) => {
      for (const rest of [Uint8Array.of(0), Uint8Array.of(0xff), random.bytes(32)]) {
        expect(await refusalOf(signer, withBytes(request, Uint8Array.from([...encoded, ...rest])))).toBeInstanceOf(Refusal);
      }
    });
  });

  test('a byte that is another is refused, or makes another request; nothing else happens', async () => {
    await each('mutation', async (random, signer, encoded, request) => {
      const places =
        encoded.length <= maxMutatedBytes ? encoded.keys() : Array.from({ length: maxMutatedBytes }, () => random.int(encoded.length));
      for (const at of places) {
        for (const change of [0x01, 0x80, 1 + random.int(255)]) {
          const mutated = encoded.slice();
          mutated[at] = (mutated[at] ?? 0) ^ change;
          await refusalOf(signer, withBytes(request, mutated));
        }
      }
    });
  }, 120_000);

  test('what is no such thing at all is refused', async () => {
    await each('noise', async (random, signer, _encoded, request) => {
      const noise = [
        ...Array.from({ length: 200 }, () => random.bytes(random.int(300))),
        new Uint8Array(100_000).fill(0xff),
        new Uint8Array(100_000),
      ];
      for (const bytes of noise) await refusalOf(signer, withBytes(request, bytes));
      expect(await refusalOf(signer, withBytes(request, new Uint8Array(0)))).toBeInstanceOf(Refusal);
    });
  });
}

function signerOf({ keyType }: ChainCase, random: Random): LocalSigner {
  const secret = random.bytes(32);
  // Below every curve's order, and not zero.
  secret[0] = 0x01;
  return localSigner(keyType, secret);
}

/** Whatever fails says the seed that brings it back. */
async function repeatable(seed: string, work: (random: Random) => Promise<void>): Promise<void> {
  try {
    await work(randomOf(seed));
  } catch (error) {
    if (error instanceof Error) error.message = `${error.message}\n(SEED=${seed.split('/')[0]}, at ${seed})`;
    throw error;
  }
}
