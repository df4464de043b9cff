/**
 * What the service may ask of a signer, and what a signer answers: one frame a question, one an answer, matched by number. The bytes
 * inside are base64. The asker is not trusted: every message is parsed by these schemas before anything else looks at it.
 * @module
 */

import { z } from 'zod';
import { importedShares } from '../authority/bodies.ts';
import type { Root } from '../authority/root.ts';
import { clusterChangeSchema, maxEntryChars } from '../authority/wire.ts';
import { toBase64 } from '../base/bytes.ts';
import { type RefusalCode, refusals } from '../base/errors.ts';
import { type KeyType, keyTypes } from '../base/keyTypes.ts';

/** A cluster has at most this many signers. */
export const maxSigners = 15;
/** Presignatures or nonces that are made in one go. */
export const maxBatch = 256;
/** Entries of the authority log in one message, and the characters of all of them. */
export const maxEntriesPerPage = 256;
export const maxPageChars = 2 * 1024 * 1024;
export const maxKeysPerSettlement = 64;
/** Payloads of one request. */
export const maxPayloads = 4096;

const bytes = z.codec(
  z.base64(),
  z.custom<Uint8Array>((value) => value instanceof Uint8Array),
  {
    decode: (text) => new Uint8Array(Buffer.from(text, 'base64')),
    encode: (value) => toBase64(value),
  },
);
const bytes32 = bytes.refine((value) => value.length === 32, 'expected 32 bytes');
const participant = z.int().min(1).max(maxSigners);
const participants = z.array(participant).min(1).max(maxSigners);
/** A map by participant number; JSON has only text for its keys. */
const byParticipant = <S extends z.ZodType>(value: S) => z.record(z.string().regex(/^([1-9]|1[0-5])$/), value);
const id = z.string().min(1).max(64);
/** Counts how often a key was dealt anew: shares of different epochs do not combine. */
export const maxEpoch = 2 ** 32 - 1;
const epoch = z.int().min(0).max(maxEpoch);
/** Of which sharing a share is to be used; absent: of the newest that counts. */
const askedEpoch = epoch.exactOptional();
const signatures = byParticipant(bytes);
const keyType = z.enum(Object.keys(keyTypes) as [KeyType, ...KeyType[]]);

const assertion = z.object({
  kind: z.enum(['Key', 'PasswordProtectedKey', 'Fido2']),
  credId: z.string(),
  clientData: z.string(),
  signature: z.string(),
  algorithm: z.string().exactOptional(),
  authenticatorData: z.string().exactOptional(),
});

/** `crypto/authorisation.ts`, on the wire. */
export const authorisation = z.object({
  binding: z.object({
    method: z.string(),
    path: z.string(),
    payloadHash: z.string(),
    organisationId: z.string(),
    callerId: z.string(),
    nonce: z.string(),
    expiresAt: z.int(),
  }),
  body: bytes,
  assertion,
});

/** What several signers do together in rounds. */
const task = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('seeds') }),
  z.object({ kind: z.literal('keygen'), keyId: id, keyType }),
  /** `shares` as they came with the request, those of the others included: all together they are what the log says. */
  z.object({ kind: z.literal('import'), keyId: id, shares: importedShares }),
  /**
   * From the sharing of epoch `base` to one of epoch `epoch`, held by the signers of the cluster as the authority log names them. The
   * session is among those and the dealers.
   */
  z.object({ kind: z.literal('redeal'), keyId: id, keyType, base: epoch, epoch, dealers: participants }),
  z.object({ kind: z.literal('presign'), curve: z.enum(['secp256k1', 'stark']), count: z.int().min(1).max(maxBatch) }),
]);
export type Task = z.output<typeof task>;

/** A head of the authority log, and one that its signer vouches for (`authority/signedHead.ts`). */
const head = z.object({ sequence: z.int().min(0), hash: bytes32 });
const signedHead = head.extend({ at: z.int().min(0), signerId: z.string().max(64), signature: z.string().max(128) });
export const vouchers = z.array(signedHead).max(maxSigners);
const entryText = z.string().max(maxEntryChars);
const entryPage = z
  .array(entryText)
  .max(maxEntriesPerPage)
  .refine((texts) => texts.reduce((chars, text) => chars + text.length, 0) <= maxPageChars, `at most ${maxPageChars} characters`);

const payload = z.object({ bytes, taprootMerkleRoot: z.union([z.literal('untweaked'), bytes]).exactOptional() });
/** What the caller left to the service to fill in (`Target.filled`). */
const filled = z.record(z.string().max(32), z.string().max(128)).refine((fields) => Object.keys(fields).length <= 16, 'at most 16 fields');
/** Which of the request's payloads. */
const payloadIndex = z.int().min(0).max(maxPayloads);
const commitment = z.object({ hiding: bytes, binding: bytes });
const numberInBatch = z.int().min(0).max(maxBatch);

/** What is public of a sharing. */
const sharing = {
  epoch,
  threshold: z.int().min(1).max(maxSigners),
  publicKey: bytes,
  verificationShares: byParticipant(bytes),
  chainCode: bytes32,
};

/** The end of a session, by the task's kind. */
const outcome = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('seeds'), seeds: z.string() }),
  z.object({ kind: z.literal('keygen'), ...sharing }),
  /** Everybody's confirmations, and this signer's acknowledgement that it has seen them: `confirmShare`. */
  z.object({ kind: z.literal('redeal'), ...sharing, confirmations: signatures, acknowledgement: bytes }),
  z.object({ kind: z.literal('presign'), batch: bytes32, commitments: z.array(bytes) }),
]);
export type Outcome = z.output<typeof outcome>;

/** One turn of a session: messages for the others, or the end. */
const turn = z.union([z.object({ round: z.string(), toAll: bytes, toEach: byParticipant(bytes) }), z.object({ outcome })]);
export type Turn = z.output<typeof turn>;

export const methods = {
  /** Who are you. `awaitsWitness`: it came back, see `witness`. `seeds` names the replicated seeds this signer has, the same text at all signers; empty before they are set up. */
  hello: {
    params: z.object({}),
    result: z.object({
      clusterId: z.string(),
      index: participant,
      signerId: z.string(),
      seeds: z.string(),
      head,
      awaitsWitness: z.literal(true).exactOptional(),
    }),
  },

  /** One more entry of the authority log, judged live. `vouchers`: for the head it follows, which stands confirmed by them. */
  append: { params: z.object({ entry: entryText, vouchers }), result: z.object({ head: signedHead }) },
  /** Entries that others have accepted; `vouchers`: of t + 1 signers for the last of them, or, with no entries, for the signer's own head. */
  catchUp: { params: z.object({ entries: entryPage, vouchers }), result: z.object({ head: signedHead }) },
  /**
   * Gives up the last entry if it never came to be: it has expired, and `heads` show that too few other signers have it or ever will.
   */
  release: { params: z.object({ heads: vouchers }), result: z.object({ head: signedHead }) },
  /**
   * Of this signer's log, from number `from` on: as many as fit, up to the last one with vouchers or to the end. `vouchers`: for the last
   * of them; none for an end that is not confirmed.
   */
  entries: {
    params: z.object({ from: z.int().min(1), count: z.int().min(1).max(maxEntriesPerPage) }),
    result: z.object({ entries: entryPage, vouchers }),
  },
  signHead: { params: z.object({}), result: z.object({ head: signedHead }) },
  /**
   * To a signer that came back from a backup, or in another's place: `heads` that others have signed since, which show that its log lacks
   * nothing. Until then it refuses as Unwitnessed, and its own heads have no date.
   */
  witness: { params: z.object({ heads: vouchers }), result: z.object({ head: signedHead }) },

  /** What is public of a key that this signer holds a share of: of the newest sharing that counts. */
  describeKey: { params: z.object({ keyId: id }), result: z.object({ keyType, ...sharing }) },
  /**
   * Which sharings of a key this signer holds. `counting`: the newest that counts, with its threshold; none at a signer that has lost its
   * share. `settled`: the one that no other will take the place of but its successors. `successors`: prepared, and with confirmations if they
   * count.
   */
  describeShares: {
    params: z.object({ keyId: id }),
    result: z.object({
      counting: z.object({ epoch, threshold: z.int().min(1) }).exactOptional(),
      settled: epoch.exactOptional(),
      successors: z.array(z.object({ epoch, everybody: participants, confirmations: signatures.exactOptional() })),
    }),
  },
  /** Keys, in order, after `after`, of which this signer holds a successor that is not settled. */
  unsettledKeys: { params: z.object({ after: z.string().max(64) }), result: z.object({ keyIds: z.array(id) }) },
  /** Shows that everybody has confirmed what was prepared: from now on it counts. Again is harmless. */
  confirmShare: {
    params: z.object({ keyId: id, epoch, confirmations: signatures }),
    result: z.object({ acknowledgement: bytes }),
  },
  /** Shows that it counts everywhere: the shares before it end. Again is harmless. */
  settleShares: {
    params: z.object({
      keys: z
        .array(z.object({ keyId: id, epoch, acknowledgements: signatures }))
        .min(1)
        .max(maxKeysPerSettlement),
    }),
    result: z.object({}),
  },

  openSession: { params: z.object({ sessionId: bytes32, participants, task }), result: turn },
  continueSession: {
    params: z.object({ sessionId: bytes32, round: z.string(), received: byParticipant(z.object({ toAll: bytes, toMe: bytes })) }),
    result: turn,
  },
  /** Gives a session up that others cannot go on with: what it was about may be begun again. */
  abandonSession: { params: z.object({ sessionId: bytes32 }), result: z.object({}) },
  /** FROST, round one, ahead: nonces that serve one signature each, with any key of the type. `batch`, of the signer's making, names them. */
  commit: {
    params: z.object({ keyType: z.enum(['EdDSA/ed25519', 'Schnorr/secp256k1']), count: z.int().min(1).max(maxBatch) }),
    result: z.object({ batch: bytes32, commitments: z.array(commitment) }),
  },
  /** FROST, round two, with the commitments of all who sign; each finds the name of its own nonces beside its own commitment. `R`: of the signature, for whoever combines. */
  signFrost: {
    params: z.object({
      keyId: id,
      epoch: askedEpoch,
      payload,
      payloadIndex,
      filled: filled.exactOptional(),
      commitments: byParticipant(commitment.extend({ batch: bytes32, number: numberInBatch })),
      authorisation,
    }),
    result: z.object({ share: bytes, R: bytes }),
  },
  signEcdsa: {
    params: z.object({
      keyId: id,
      epoch: askedEpoch,
      batch: bytes32,
      number: numberInBatch,
      payload,
      payloadIndex,
      filled: filled.exactOptional(),
      authorisation,
    }),
    result: z.object({ share: bytes, R: bytes }),
  },
  /** Own share of a key whose export was asked for, encrypted to whom the entry of the log names (contract §10.1). Again and again. */
  exportShare: { params: z.object({ keyId: id, epoch: askedEpoch }), result: z.object({ box: bytes }) },
  derive: {
    params: z.object({ keyId: id, epoch: askedEpoch, domain: bytes, seed: bytes, authorisation }),
    result: z.object({ partial: bytes }),
  },
} as const satisfies Record<string, { params: z.ZodType; result: z.ZodType }>;

export type Method = keyof typeof methods;
export type Params<M extends Method> = z.output<(typeof methods)[M]['params']>;
export type Result<M extends Method> = z.output<(typeof methods)[M]['result']>;

export const question = z.object({ number: z.int(), method: z.enum(Object.keys(methods) as [Method, ...Method[]]), params: z.unknown() });

/**
 * Why a signer said no. Unknown*: it does not have what the question names. StaleShare: it has the key,
 * of another epoch. Refused: it will not; `refusal` says which rule it was. Behind:
 * its authority log lacks what the question stands on. Forked: its log has another history. Unwitnessed: it came back, and others must say
 * first that its log is complete. Aborted: the protocol failed, naming
 * `culprits`. Internal: its own fault. `head`: of its log, where that is what it judged by.
 */
export const refusal = z.object({
  code: z.enum([
    'BadQuestion',
    'UnknownKey',
    'StaleShare',
    'UnknownSession',
    'UnknownPresignature',
    'UnknownNonces',
    'Refused',
    'Behind',
    'Forked',
    'Unwitnessed',
    'Aborted',
    'Busy',
    'Internal',
  ]),
  message: z.string(),
  refusal: z.enum(Object.keys(refusals) as [RefusalCode, ...RefusalCode[]]).exactOptional(),
  head: head.exactOptional(),
  culprits: z.array(participant).exactOptional(),
});
export type RefusalAnswer = z.output<typeof refusal>;

export const answer = z.union([z.object({ number: z.int(), result: z.unknown() }), z.object({ number: z.int(), refusal })]);

/** The name of the cluster file in each signer's own directory. */
export const pinnedClusterFile = 'cluster.json';

/** base64 of SHA-256 over a public key: 32 bytes (`pinOf` in crypto/certificate.ts). */
const tlsPin = z.base64().length(44);

/**
 * What a signer shows of itself when it is made. `signerId`: its Ed25519 identity key, 32 bytes; `encryptionKey`: 0x01 ‖ its transport
 * key, 33 bytes compressed secp256k1 (contract §10.1), as `GET /signers` shows them.
 */
export const publicSigner = z.object({ signerId: z.base64(), encryptionKey: z.base64(), tlsPin: tlsPin.exactOptional() });
export type PublicSigner = z.output<typeof publicSigner>;

/** What all authority comes from: the first administrator's credential (PEM), and when it was pinned (unix seconds). */
export const pinnedRoot = z.object({ publicKey: z.string().min(1).max(4096), createdAt: z.int().min(0) });

/** What a service shows of itself when it is made. `name` is for the signers' logs. */
export const publicService = z.object({ name: z.string().min(1).max(64), tlsPin });
export type PublicService = z.output<typeof publicService>;

const member = z.object({ index: participant, ...publicSigner.shape });

/**
 * The public face of a cluster: written once when it is made, pinned by every signer and read by the service. Over TLS the service knows
 * the signers by their `tlsPin`, and a signer lets in `services` and nobody else; over unix sockets neither is looked at.
 */
export const clusterFile = z.object({
  clusterId: z.string(),
  threshold: z.int().min(1),
  root: pinnedRoot,
  signers: z.array(member).min(3).max(maxSigners),
  services: z.array(publicService).exactOptional(),
  /** Changes of the signers since, each as their operators have signed it; the last says who they are now. */
  changes: z.array(z.object({ ...clusterChangeSchema.shape, signers: z.array(member).min(3).max(maxSigners) })).exactOptional(),
});
export type ClusterFile = z.output<typeof clusterFile>;

/** The cluster with the signers it has now, or is to have when the log has its last change. */
export function currentOf(file: ClusterFile): ClusterFile {
  const { threshold, signers } = file.changes?.at(-1) ?? file;
  return { ...file, threshold, signers };
}

/** The root of the cluster's authority log. */
export function rootOf({ clusterId, root, threshold, signers }: ClusterFile): Root {
  return { clusterId, ...root, threshold, signers: signers.map(({ signerId, index }) => ({ signerId, index })) };
}
