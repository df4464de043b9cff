/**
 * One question for one share of a signature: what takes rounds, or needs no message yet, was made ahead and lies here, in memory only, to
 * serve once.
 * @module
 */

import { randomBytes } from 'node:crypto';
import { toHex } from '../base/bytes.ts';
import type { Clock } from '../base/clock.ts';
import { assert } from '../base/errors.ts';
import type { KeyType } from '../base/keyTypes.ts';
import { type Presignature, wipePresignature } from '../mpc/ecdsa/presign.ts';
import { signShare as signShareEcdsa } from '../mpc/ecdsa/sign.ts';
import { commit, type Nonces, wipeNonces } from '../mpc/frost/commit.ts';
import { signShare as signShareFrost } from '../mpc/frost/sign.ts';
import type { KeyShare } from '../mpc/keyShare.ts';
import { type EcdsaCurve, type Protocol, protocols } from '../mpc/protocols.ts';
import type { Seeds } from '../mpc/prss.ts';
import type { Admission, Typed } from './admission.ts';
import type { Handlers } from './answer.ts';
import type { KeyUse } from './derivedKeys.ts';
import { SignerRefusal } from './errors.ts';
import { oneUse } from './oneUse.ts';

/** Longer than the coordinator keeps the names. */
const madeAheadMs = 10 * 60_000;
const maxNonces = 16_384;
const maxPresignatures = 16_384;

const noNonces = 'no such nonces: never made, used, or too old';
const noPresignature = 'no such presignature: never made, used, or too old';

export interface Signing {
  readonly handlers: Pick<Handlers, 'commit' | 'signEcdsa' | 'signFrost'>;
  /** A batch of presignatures, with the seeds they were made of: others may have come since. @returns the batch's name */
  keep(made: readonly Presignature[], seeds: Seeds): Uint8Array;
}

/** @param parts.nonceSecret goes into every nonce beside fresh random bytes: see `commit` */
export function signing({
  index,
  nonceSecret,
  keys,
  admit,
  clock,
}: {
  index: number;
  nonceSecret: Uint8Array;
  keys: KeyUse;
  admit: Admission['sign'];
  clock: Clock;
}): Signing {
  const nonces = oneUse<Nonces>({ max: maxNonces, maxAgeMs: madeAheadMs, clock, wipe: wipeNonces });
  const presignatures = oneUse<{ presignature: Presignature; seeds: Seeds }>({
    max: maxPresignatures,
    maxAgeMs: madeAheadMs,
    clock,
    wipe: ({ presignature }) => wipePresignature(presignature),
  });

  return {
    keep(made, seeds) {
      const [first] = made;
      assert(first, 'a batch holds at least one');
      presignatures.put(
        batchName(first.curve, first.batch),
        made.map((presignature) => ({ presignature, seeds })),
      );
      return first.batch;
    },

    handlers: {
      commit({ keyType, count }) {
        const { suite } = frostOf({ keyType });
        const batch = new Uint8Array(randomBytes(32));
        const made = Array.from({ length: count }, () => commit({ suite, secret: nonceSecret }));
        nonces.put(
          batchName(keyType, batch),
          made.map((one) => one.nonces),
        );
        return { batch, commitments: made.map(({ commitment }) => commitment) };
      },

      async signFrost({ commitments, ...use }) {
        const own = commitments[String(index)];
        if (own === undefined) throw new SignerRefusal('Refused', 'the commitments are without this signer’s own');
        const { batch, number } = own;
        const key = await admit(use, ({ keyType }) => {
          frostOf({ keyType });
          if (!nonces.has(batchName(keyType, batch), number)) throw new SignerRefusal('UnknownNonces', noNonces);
        });
        const taken = nonces.take(batchName(key.keyType, batch), number);
        if (taken === undefined) throw new SignerRefusal('UnknownNonces', noNonces);
        const signed = (share: KeyShare) => {
          const { z, R } = signShareFrost({
            suite: frostOf(key).suite,
            index,
            threshold: share.threshold,
            secret: share.secret,
            publicKey: share.publicKey,
            nonces: taken,
            commitments: new Map(Object.entries(commitments).map(([from, commitment]) => [Number(from), commitment])),
            payload: use.payload,
          });
          return { share: z, R };
        };
        return keys.use(use.keyId, signed, use.epoch);
      },

      async signEcdsa({ batch, number, ...use }) {
        const nameFor = (key: Typed) => batchName(ecdsaOf(key).curve, batch);
        const key = await admit(use, (admitted) => {
          if (!presignatures.has(nameFor(admitted), number)) throw new SignerRefusal('UnknownPresignature', noPresignature);
        });
        const taken = presignatures.take(nameFor(key), number);
        if (taken === undefined) throw new SignerRefusal('UnknownPresignature', noPresignature);
        const signed = (share: KeyShare) =>
          signShareEcdsa({
            curve: ecdsaOf(key).curve,
            seeds: taken.seeds,
            presignature: taken.presignature,
            secret: share.secret,
            publicKey: share.publicKey,
            digest: use.payload.bytes,
          });
        return keys.use(use.keyId, signed, use.epoch);
      },
    },
  };
}

function frostOf({ keyType }: Typed): Extract<Protocol, { family: 'frost' }> {
  const protocol = protocols[keyType];
  if (protocol.family !== 'frost') throw new SignerRefusal('Refused', `a ${keyType} key does not sign by FROST`);
  return protocol;
}

function ecdsaOf({ keyType }: Typed): Extract<Protocol, { family: 'ecdsa' }> {
  const protocol = protocols[keyType];
  if (protocol.family !== 'ecdsa') throw new SignerRefusal('Refused', `a ${keyType} key does not sign ECDSA`);
  return protocol;
}

/** Under another curve or suite the same batch is unknown. */
const batchName = (of: EcdsaCurve | KeyType, batch: Uint8Array): string => `${of}/${toHex(batch)}`;
