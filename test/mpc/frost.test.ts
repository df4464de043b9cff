import { createPublicKey, verify } from 'node:crypto';
import { ed25519, ed25519_FROST } from '@noble/curves/ed25519.js';
import { schnorr, schnorr_FROST } from '@noble/curves/secp256k1.js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { concat, toBase64Url, utf8 } from '../../src/base/bytes.ts';
import type { Payload } from '../../src/crypto/schemes/scheme.ts';
import { tapTweak } from '../../src/crypto/schemes/taproot.ts';
import { aggregate } from '../../src/mpc/frost/aggregate.ts';
import { type Ciphersuite, ciphersuiteOf } from '../../src/mpc/frost/ciphersuite.ts';
import { type Commitment, commit } from '../../src/mpc/frost/commit.ts';
import { groupCommitment } from '../../src/mpc/frost/groupCommitment.ts';
import { signShare } from '../../src/mpc/frost/sign.ts';
import { evaluate, mod, subsetsOf } from '../../src/mpc/shamir.ts';
import { of } from './memoryParty.ts';
import { keyedCluster, signFrost } from './signing.ts';
import { bytes, haveVectors, readVector, type SigningVector } from './vectors.ts';

const eddsa = ciphersuiteOf('EdDSA/ed25519');
const taproot = ciphersuiteOf('Schnorr/secp256k1');

/** RFC 9591, appendix E.1. */
const rfc9591E1: SigningVector = {
  config: { MIN_PARTICIPANTS: '2' },
  inputs: {
    participant_list: [1, 3],
    group_secret_key: '7b1c33d3f5291d85de664833beb1ad469f7fb6025a0ec78b3a790c6e13a98304',
    verifying_key_key: '15d21ccd7ee42959562fc8aa63224c8851fb3ec85a3faf66040d380fb9738673',
    message: '74657374',
    share_polynomial_coefficients: ['178199860edd8c62f5212ee91eff1295d0d670ab4ed4506866bae57e7030b204'],
    participant_shares: [
      { identifier: 1, participant_share: '929dcc590407aae7d388761cddb0c0db6f5627aea8e217f4a033f2ec83d93509' },
      { identifier: 2, participant_share: 'a91e66e012e4364ac9aaa405fcafd370402d9859f7b6685c07eed76bf409e80d' },
      { identifier: 3, participant_share: 'd3cb090a075eb154e82fdb4b3cb507f110040905468bb9c46da8bdea643a9a02' },
    ],
  },
  round_one_outputs: {
    outputs: [
      {
        identifier: 1,
        hiding_nonce_randomness: '06894e04ee4aceec8619d5f6a0a180e2f47194d2ac306cba586b555e7c48d765',
        binding_nonce_randomness: '40d6f879ff22e22409f7d808fed81f37118e7d3e4af71c0f44c60207553bcbce',
        hiding_nonce: 'ef6599dea4010581a72b3018c37c29a4341d7cab0773e8687ca74dcf14009701',
        binding_nonce: '2baadfa0c69aa60d517ad4751de372a73f9d89cfc39026601f18458cdec12605',
        hiding_nonce_commitment: '9b116f12589591a7e23fe8048059ab10ab48e67739e7a2fb3890f61a7999478c',
        binding_nonce_commitment: 'c39b66b7dfccb122da24f13587f9a08c4347cae70046ca15169adf90ba65854d',
        binding_factor: 'ff960a65374e216a0918729b153466016664fa980d409bc3f308daa7acb30d0d',
      },
      {
        identifier: 3,
        hiding_nonce_randomness: 'fa5d950626782aade9e33fa781376d4888c2d1de7c37518bc248eb818ed0cdde',
        binding_nonce_randomness: '7459a4d14ded0e365b085271be8dc6600d5b88f3978a2174297ffa32001a5afc',
        hiding_nonce: '80f8d9a4b8f9366e1a0b618107c907cd3ee29fa9bb40b4691cc1bde696240005',
        binding_nonce: '2610b664a5a187b4855e87d2ff485bebdf043dc2f161fcd4854cd01dc0276404',
        hiding_nonce_commitment: 'e679a2a971748ccfaabead4dbe8ac1def61275c186c79d471e1e45091ad1e687',
        binding_nonce_commitment: 'b2a942478453fabb6bd3181c56ba657413447b4136e1daea2484d396d1a516b3',
        binding_factor: '279d48ec56f16d234c09ea62f3d02ab776ee38e03f66b20f939f1316e13df10f',
      },
    ],
  },
  round_two_outputs: {
    outputs: [
      { identifier: 1, sig_share: '60997f0142e43e8005027fe5ab7447dac00d22c2d7ddd9571a02613ba7d81c08' },
      { identifier: 3, sig_share: '79390e78bc59699c7af831f8f5fb478ec871a85f561a8641b5670ac4443f720f' },
    ],
  },
  final_output: {
    sig: '154fb694ee7fcb37bf2381d94488c2a84b03b3352ad085feca81ad26d45852b7ecfe971ce4da95c4a95db93ac376b053897fca212ef85f99cf696bffeb178f07',
  },
};

/**
 * The published vectors of the taproot suite sign with the key as it is, made even, without a tweak: something that our suite refuses,
 * so that the tests say so themselves.
 */
const untweakedTaproot: Ciphersuite = {
  ...taproot,
  scheme: {
    ...taproot.scheme,
    verify: (publicKey, payload, { r, s }) => schnorr.verify(concat(r, s), payload.bytes, publicKey.subarray(1)),
  },
  signingKey: (publicKey) => ({ publicKey: publicKey.with(0, 0x02), sign: publicKey[0] === 0x03 ? -1n : 1n, tweak: 0n }),
};

function follows(suite: Ciphersuite, { config, inputs, round_one_outputs, round_two_outputs, final_output }: SigningVector): void {
  const { group } = suite;
  const threshold = Number(config.MIN_PARTICIPANTS) - 1;
  const publicKey = bytes(inputs.verifying_key_key);
  const payload = { bytes: bytes(inputs.message) };
  const f = [inputs.group_secret_key, ...inputs.share_polynomial_coefficients].map((scalar) => group.decodeScalar(bytes(scalar)));
  const secrets = new Map(inputs.participant_shares.map(({ identifier, participant_share }) => [identifier, bytes(participant_share)]));
  expect(group.encodePoint(group.multiplyBase(f[0] ?? 0n))).toEqual(publicKey);
  for (const [i, secret] of secrets) expect(group.encodeScalar(evaluate(f, i, group.order))).toEqual(secret);

  const outputs = new Map(round_one_outputs.outputs.map((output) => [output.identifier, output]));
  const made = new Map(
    inputs.participant_list.map((i) => {
      const { hiding_nonce_randomness, binding_nonce_randomness } = of(outputs, i);
      const random = concat(bytes(hiding_nonce_randomness), bytes(binding_nonce_randomness));
      return [i, commit({ suite, secret: of(secrets, i), random })];
    }),
  );
  const commitments = new Map([...made].map(([i, { commitment }]) => [i, commitment]));
  const key = suite.signingKey(publicKey, payload);
  const { bindingFactors } = groupCommitment({ suite, key, commitments, message: payload.bytes });
  for (const [i, output] of outputs) {
    expect(of(commitments, i)).toEqual({ hiding: bytes(output.hiding_nonce_commitment), binding: bytes(output.binding_nonce_commitment) });
    expect(group.encodeScalar(of(bindingFactors, i))).toEqual(bytes(output.binding_factor));
  }

  const shares = new Map(
    inputs.participant_list.map((index) => {
      const { nonces } = of(made, index);
      return [index, signShare({ suite, index, threshold, secret: of(secrets, index), publicKey, nonces, commitments, payload }).z];
    }),
  );
  expect(shares).toEqual(new Map(round_two_outputs.outputs.map(({ identifier, sig_share }) => [identifier, bytes(sig_share)])));
  const { r, s } = aggregate({ suite, publicKey, verificationShares: new Map(), commitments, shares, payload });
  expect(concat(r, s)).toEqual(bytes(final_output.sig));
}

describe('Published vectors of FROST', () => {
  it('RFC 9591 E.1: FROST(Ed25519, SHA-512), every value from the randomness to the signature', () => follows(eddsa, rfc9591E1));

  it.skipIf(!haveVectors).each([
    { suite: 'ed25519', file: 'vectors', with: eddsa },
    { suite: 'ed25519', file: 'vectors-big-identifier', with: eddsa },
    { suite: 'secp256k1-tr', file: 'vectors', with: untweakedTaproot },
    { suite: 'secp256k1-tr', file: 'vectors-big-identifier', with: untweakedTaproot },
  ])('ZcashFoundation/frost $suite/$file.json', ({ suite, file, with: ciphersuite }) => follows(ciphersuite, readVector(suite, file)));
});

const clusters = [
  { size: 3, threshold: 1 },
  { size: 4, threshold: 1 },
  { size: 5, threshold: 2 },
  { size: 7, threshold: 2 },
];

describe.each(clusters)('FROST with $size/$threshold', ({ size, threshold }) => {
  const everyone = Array.from({ length: size }, (_, at) => at + 1);
  const sets = [...subsetsOf(everyone, threshold + 1), ...subsetsOf(everyone, threshold + 2), everyone];

  it('Ed25519: every set of t + 1, of t + 2, and everybody, verified by OpenSSL', async () => {
    const keyed = await keyedCluster('EdDSA/ed25519', size, threshold);
    const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: toBase64Url(keyed.publicKey) }, format: 'jwk' });
    for (const set of sets) {
      const message = utf8(`signed by ${set}`);
      const { r, s } = signFrost(eddsa, keyed, set, { bytes: message });
      expect(verify(null, message, key, concat(r, s))).toBe(true);
    }
  });

  it('Schnorr: every set of t + 1, of t + 2, and everybody, verified by noble under the tweaked key', async () => {
    const keyed = await keyedCluster('Schnorr/secp256k1', size, threshold);
    for (const [at, set] of sets.entries()) {
      const payload = {
        bytes: new Uint8Array(32).fill(at + 1),
        taprootMerkleRoot: at % 2 === 0 ? new Uint8Array(0) : new Uint8Array(32).fill(at),
      };
      const { r, s } = signFrost(taproot, keyed, set, payload);
      expect(schnorr.verify(concat(r, s), payload.bytes, tapTweak(keyed.publicKey, payload.taprootMerkleRoot).outputKey)).toBe(true);
    }
  });
});

describe('FROST(Ed25519, SHA-512)', () => {
  it('signs messages of any length, the empty one too', async () => {
    const keyed = await keyedCluster('EdDSA/ed25519', 3, 1);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 700 }), (message) => {
        const { r, s } = signFrost(eddsa, keyed, [2, 3], { bytes: message });
        expect(ed25519.verify(concat(r, s), message, keyed.publicKey)).toBe(true);
      }),
      { numRuns: 30, verbose: 1, examples: [[new Uint8Array(0)]] },
    );
  });
});

describe('FROST(secp256k1, SHA-256)-TR', () => {
  it('signs whatever the parities of P, Q and R', async () => {
    const seen = new Set<string>();
    for (let key = 0; key < 4; key++) {
      const keyed = await keyedCluster('Schnorr/secp256k1', 3, 1);
      for (let request = 0; request < 6; request++) {
        const payload = { bytes: new Uint8Array(32).fill(request), taprootMerkleRoot: new Uint8Array(32).fill(request) };
        const { r, s } = signFrost(taproot, keyed, [1, 2], payload);
        const { outputKey, outputKeyIsOdd, internalKeyIsOdd } = tapTweak(keyed.publicKey, payload.taprootMerkleRoot);
        expect(schnorr.verify(concat(r, s), payload.bytes, outputKey)).toBe(true);
        seen.add(`${internalKeyIsOdd}/${outputKeyIsOdd}`);
      }
    }
    expect(seen.size).toBeGreaterThan(1);
  });

  it('signs with the internal key itself where that is asked for, be its y odd or even, and only then', async () => {
    for (let key = 0; key < 8; key++) {
      const keyed = await keyedCluster('Schnorr/secp256k1', 3, 1);
      const payload: Payload = { bytes: new Uint8Array(32).fill(key), taprootMerkleRoot: 'untweaked' };
      const { r, s } = signFrost(taproot, keyed, [1, 3], payload);
      expect(schnorr.verify(concat(r, s), payload.bytes, keyed.publicKey.subarray(1))).toBe(true);
      const { outputKey } = tapTweak(keyed.publicKey, new Uint8Array(0));
      expect(schnorr.verify(concat(r, s), payload.bytes, outputKey)).toBe(false);
    }
  });

  it.each([
    { name: 'without a merkle root', payload: { bytes: new Uint8Array(32) } },
    { name: 'with a merkle root of 31 bytes', payload: { bytes: new Uint8Array(32), taprootMerkleRoot: new Uint8Array(31) } },
    { name: 'with a digest of 31 bytes', payload: { bytes: new Uint8Array(31), taprootMerkleRoot: new Uint8Array(0) } },
  ] as { name: string; payload: Payload }[])('refuses a request $name', async ({ payload }) => {
    const keyed = await keyedCluster('Schnorr/secp256k1', 3, 1);
    expect(() => signFrost(taproot, keyed, [1, 3], payload)).toThrow(/taproot merkle root|digest/);
  });
});

describe('Signing sets of our signers and noble’s', () => {
  /** Noble signs with the key as it is given: for taproot, with shares and commitments that are tweaked already. */
  const oracles = [
    { keyType: 'EdDSA/ed25519', suite: eddsa, frost: ed25519_FROST },
    { keyType: 'Schnorr/secp256k1', suite: taproot, frost: schnorr_FROST },
  ] as const;

  it.each(oracles)(
    '$keyType: every mixed pair signs, and both sides aggregate to the same signature',
    async ({ keyType, suite, frost }) => {
      const { group } = suite;
      for (let round = 0; round < 4; round++) {
        const { keys, publicKey } = await keyedCluster(keyType, 3, 1);
        const payload = { bytes: new Uint8Array(32).fill(7 + round), taprootMerkleRoot: new Uint8Array(0) };
        const key = suite.signingKey(publicKey, payload);
        const id = (i: number) => frost.Identifier.fromNumber(i);
        const tweakedShare = (i: number) =>
          group.encodeScalar(mod(key.sign * group.decodeScalar(of(keys, i).secret) + key.tweak, group.order));
        const tweakedPoint = (i: number) => group.encodePoint(group.multiplyBase(group.decodeScalar(tweakedShare(i))));
        const pub = {
          signers: { min: 2, max: 3 },
          commitments: [key.publicKey],
          verifyingShares: Object.fromEntries([1, 2, 3].map((i) => [id(i), tweakedPoint(i)])),
        };

        for (const [ours, theirs] of [
          [1, 2],
          [2, 1],
          [1, 3],
          [3, 2],
        ] as const) {
          const secret = { identifier: id(theirs), signingShare: tweakedShare(theirs) };
          const their = frost.commit(secret);
          const our = commit({ suite, secret: of(keys, ours).secret });
          const commitments = new Map<number, Commitment>([
            [ours, our.commitment],
            [theirs, { hiding: their.commitments.hiding, binding: their.commitments.binding }],
          ]);
          const list = [{ identifier: id(ours), ...our.commitment }, their.commitments];
          const input = { suite, index: ours, threshold: 1, secret: of(keys, ours).secret, publicKey, nonces: our.nonces };
          const ourShare = signShare({ ...input, commitments, payload }).z;
          const theirShare = frost.signShare(secret, pub, their.nonces, list, payload.bytes);

          const shares = new Map([
            [ours, ourShare],
            [theirs, theirShare],
          ]);
          const { r, s } = aggregate({
            suite,
            publicKey,
            verificationShares: of(keys, 1).verificationShares,
            commitments,
            shares,
            payload,
          });
          expect(frost.aggregate(pub, list, payload.bytes, { [id(ours)]: ourShare, [id(theirs)]: theirShare })).toEqual(concat(r, s));
        }
      }
    },
  );
});
