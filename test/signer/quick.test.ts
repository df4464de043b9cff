/** The messages of every signature, by hand and by the schemas: the same text, the same values, and nothing by hand that the schemas refuse. */

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { methods, type Params } from '../../src/signer/contract.ts';
import { type QuickMethod, quick, readResult, writeResult } from '../../src/signer/quick.ts';

const bytes = fc.uint8Array({ maxLength: 80 });
const bytes32 = fc.uint8Array({ minLength: 32, maxLength: 32 });
const text = fc.string({ maxLength: 80 });

/** All that the contract has. */
const rare = fc.record(
  {
    keyId: fc.string({ minLength: 1, maxLength: 64 }),
    epoch: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
    payload: fc.record(
      { bytes, taprootMerkleRoot: fc.oneof(bytes, fc.constant('untweaked' as const)) },
      { requiredKeys: ['bytes'], noNullPrototype: true },
    ),
    payloadIndex: fc.integer({ min: 0, max: 4096 }),
    filled: fc.dictionary(fc.string({ maxLength: 20 }), text, { maxKeys: 3, noNullPrototype: true }),
    authorisation: fc.record(
      {
        binding: fc.record(
          {
            method: text,
            path: text,
            payloadHash: text,
            organisationId: text,
            callerId: text,
            nonce: text,
            expiresAt: fc.integer({ min: -(2 ** 53) + 1, max: 2 ** 53 - 1 }),
          },
          { noNullPrototype: true },
        ),
        body: bytes,
        assertion: fc.record(
          {
            kind: fc.constantFrom('Key' as const, 'PasswordProtectedKey' as const, 'Fido2' as const),
            credId: text,
            clientData: text,
            signature: text,
            algorithm: text,
            authenticatorData: text,
          },
          { requiredKeys: ['kind', 'credId', 'clientData', 'signature'], noNullPrototype: true },
        ),
      },
      { noNullPrototype: true },
    ),
  },
  { requiredKeys: ['keyId', 'payload', 'payloadIndex', 'authorisation'], noNullPrototype: true },
);
/** Of what is asked for by hand. */
const usual = rare.map(({ filled: _, authorisation, ...question }) => {
  const { authenticatorData: __, ...assertion } = authorisation.assertion;
  return { ...question, authorisation: { ...authorisation, assertion: { ...assertion, kind: 'Key' as const } } };
});
const common = fc.oneof({ weight: 1, arbitrary: rare }, { weight: 3, arbitrary: usual });
const number = fc.integer({ min: 0, max: 256 });
const commitment = fc.record({ batch: bytes32, number, hiding: bytes, binding: bytes }, { noNullPrototype: true });
const index = fc.integer({ min: 1, max: 15 }).map(String);

const questions = {
  signEcdsa: fc.tuple(common, fc.record({ batch: bytes32, number })).map(([a, b]) => ({ ...a, ...b })),
  signFrost: fc
    .tuple(common, fc.dictionary(index, commitment, { noNullPrototype: true }))
    .map(([a, commitments]) => ({ ...a, commitments })),
} satisfies { [M in QuickMethod]: fc.Arbitrary<Params<M>> };

/** What stands in the place of any member. */
const anything = fc.oneof(
  fc.constantFrom(null, '', 'AA', 'AAA=', 'AAB=', 'A A=', '====', -1, 0.5, 1e300, 4097, 'untweaked', [], {}, true),
  fc.string({ maxLength: 5 }),
  bytes.map((value) => Buffer.from(value).toString('base64')),
);

describe.each(['signEcdsa', 'signFrost'] as const)('%s', (method) => {
  const schema: z.ZodType = methods[method].params;
  const arbitrary: fc.Arbitrary<Params<QuickMethod>> = questions[method];
  const write = (params: Params<QuickMethod>) => quick[method].writeParams(params as never);
  const read = (value: unknown) => quick[method].readParams(value);

  test('is written as the schema writes it', () => {
    fc.assert(
      fc.property(arbitrary, (params) => {
        expect(JSON.parse(write(params))).toEqual(JSON.parse(JSON.stringify(z.encode(schema, params))));
      }),
    );
  });

  test('is read to what was written, unless it is for the schema to read', () => {
    let readByHand = 0;
    fc.assert(
      fc.property(arbitrary, (params) => {
        const value = read(JSON.parse(write(params)));
        if (value === undefined) {
          const { assertion } = params.authorisation;
          expect('filled' in params || assertion.kind === 'Fido2' || 'authenticatorData' in assertion).toBe(true);
        } else {
          readByHand += 1;
          expect(value).toEqual(params);
        }
      }),
    );
    expect(readByHand).toBeGreaterThan(20);
  });

  test('with anything changed in it is read as the schema reads it, or not at all', () => {
    fc.assert(
      fc.property(arbitrary, fc.nat(), fc.constantFrom('replace', 'remove', 'add'), anything, (params, at, change, other) => {
        const value: unknown = JSON.parse(write(params));
        const places = placesIn(value);
        const [holder, name] = places[at % places.length] ?? [];
        if (holder === undefined || name === undefined) return;
        if (change === 'remove') delete holder[name];
        else holder[change === 'add' ? `${name}x` : name] = other;
        const byHand = read(value);
        if (byHand === undefined) return;
        const bySchema = schema.safeParse(value);
        expect(bySchema.error).toBeUndefined();
        expect(byHand).toEqual(bySchema.data);
      }),
      { numRuns: 2000 },
    );
  });

  test('is not what is no object', () => {
    for (const value of [null, undefined, 1, 'x', [], [[]], {}]) expect(read(value)).toBeUndefined();
  });
});

test('an answer is written and read as the schemas do it', () => {
  const schema = methods.signFrost.result;
  fc.assert(
    fc.property(bytes, bytes, (share, R) => {
      expect(writeResult({ share, R })).toEqual(z.encode(schema, { share, R }));
      expect(readResult(writeResult({ share, R }))).toEqual({ share, R });
    }),
  );
  for (const value of [{}, { share: 'AA==' }, { share: 'AA==', R: 'A' }, { share: 'AA==', R: 'AA==', more: 1 }, null, 'AA==']) {
    expect(readResult(value)).toBeUndefined();
  }
});

type Holder = Record<string, unknown>;

/** Every member of the value, however deep. */
function placesIn(value: unknown): readonly (readonly [Holder, string])[] {
  if (typeof value !== 'object' || value === null) return [];
  const holder = value as Holder;
  return Object.keys(holder).flatMap((name) => [[holder, name] as const, ...placesIn(holder[name])]);
}
