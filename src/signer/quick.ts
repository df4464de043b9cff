/**
 * The messages of every signature, written and read by hand: the schemas of the contract take ten times as long, at each of the signers.
 * What is read here the schemas would read, to the same values (`test/signer/quick.test.ts` holds them to it). Whatever is not quite as
 * expected, an unknown member included, is not read here, and the schemas say what is to be said of it.
 * @module
 */

import type { Authorisation } from '../crypto/authorisation.ts';
import { type Method, maxBatch, maxEpoch, maxPayloads, maxSigners, type Params, type Result } from './contract.ts';

export type QuickMethod = 'signEcdsa' | 'signFrost';

interface Quick<M extends QuickMethod> {
  /** JSON text. */
  writeParams(params: Params<M>): string;
  readParams(value: unknown): Params<M> | undefined;
}

export const quick: { readonly [M in QuickMethod]: Quick<M> } = {
  signEcdsa: {
    writeParams: ({ batch, number, ...common }) => JSON.stringify({ batch: toText(batch), number, ...written(common) }),
    readParams(value) {
      const read = commonOf(value, 2);
      if (read === undefined) return undefined;
      const { fields, common } = read;
      const batch = bytes32Of(fields.batch);
      const number = countOf(fields.number, maxBatch);
      return batch !== undefined && number !== undefined ? { ...common, batch, number } : undefined;
    },
  },

  signFrost: {
    writeParams({ commitments, ...common }) {
      const texts = Object.entries(commitments).map(([index, { batch, number, hiding, binding }]) => [
        index,
        { batch: toText(batch), number, hiding: toText(hiding), binding: toText(binding) },
      ]);
      return JSON.stringify({ commitments: Object.fromEntries(texts), ...written(common) });
    },
    readParams(value) {
      const read = commonOf(value, 1);
      const commitments = read && commitmentsOf(read.fields.commitments);
      return read && commitments && { ...read.common, commitments };
    },
  },
};

export function isQuick(method: Method): method is QuickMethod {
  return method === 'signEcdsa' || method === 'signFrost';
}

/** As it goes into an answer. */
export function writeResult({ share, R }: Result<QuickMethod>): { share: string; R: string } {
  return { share: toText(share), R: toText(R) };
}

export function readResult(value: unknown): Result<QuickMethod> | undefined {
  const fields = membersOf(value, 2);
  const share = bytesOf(fields?.share);
  const R = bytesOf(fields?.R);
  return share && R && { share, R };
}

type Common = Pick<Params<'signEcdsa'>, 'keyId' | 'epoch' | 'payload' | 'payloadIndex' | 'filled' | 'authorisation'>;
type Fields = Readonly<Record<string, unknown>>;

function written({ keyId, epoch, payload, payloadIndex, filled, authorisation }: Common) {
  const { bytes, taprootMerkleRoot: root } = payload;
  return {
    keyId,
    ...(epoch !== undefined && { epoch }),
    payload: { bytes: toText(bytes), ...(root !== undefined && { taprootMerkleRoot: root === 'untweaked' ? root : toText(root) }) },
    payloadIndex,
    ...(filled && { filled }),
    authorisation: { ...authorisation, body: toText(authorisation.body) },
  };
}

/** @param others how many members there are besides those of every question to sign */
function commonOf(value: unknown, others: number): { fields: Fields; common: Common } | undefined {
  const dealtAnew = membersOf(value, others + 5);
  const fields = dealtAnew ?? membersOf(value, others + 4);
  if (fields === undefined) return undefined;
  const { keyId } = fields;
  const epoch = dealtAnew && countOf(dealtAnew.epoch, maxEpoch);
  const payload = payloadOf(fields.payload);
  const payloadIndex = countOf(fields.payloadIndex, maxPayloads);
  const authorisation = authorisationOf(fields.authorisation);
  const isId = typeof keyId === 'string' && keyId.length >= 1 && keyId.length <= 64;
  if (!isId || payload === undefined || payloadIndex === undefined || authorisation === undefined) return undefined;
  if (dealtAnew !== undefined && epoch === undefined) return undefined;
  return { fields, common: { keyId, ...(epoch !== undefined && { epoch }), payload, payloadIndex, authorisation } };
}

function payloadOf(value: unknown): Common['payload'] | undefined {
  const withRoot = membersOf(value, 2);
  if (withRoot !== undefined) {
    const bytes = bytesOf(withRoot.bytes);
    const root = withRoot.taprootMerkleRoot === 'untweaked' ? 'untweaked' : bytesOf(withRoot.taprootMerkleRoot);
    return bytes && root && { bytes, taprootMerkleRoot: root };
  }
  const bytes = bytesOf(membersOf(value, 1)?.bytes);
  return bytes && { bytes };
}

function authorisationOf(value: unknown): Authorisation | undefined {
  const fields = membersOf(value, 3);
  const binding = membersOf(fields?.binding, 7);
  const assertion = membersOf(fields?.assertion, 4) ?? membersOf(fields?.assertion, 5);
  const body = bytesOf(fields?.body);
  if (binding === undefined || assertion === undefined || body === undefined) return undefined;

  const { method, path, payloadHash, organisationId, callerId, nonce, expiresAt } = binding;
  const { kind, credId, clientData, signature, algorithm } = assertion;
  const isBinding =
    isText(method) &&
    isText(path) &&
    isText(payloadHash) &&
    isText(organisationId) &&
    isText(callerId) &&
    isText(nonce) &&
    Number.isSafeInteger(expiresAt);
  const hasAlgorithm = isText(algorithm);
  const isAssertion =
    (kind === 'Key' || kind === 'PasswordProtectedKey') &&
    isText(credId) &&
    isText(clientData) &&
    isText(signature) &&
    (hasAlgorithm || !('algorithm' in assertion || 'authenticatorData' in assertion)) &&
    Object.keys(assertion).length === (hasAlgorithm ? 5 : 4);
  if (!isBinding || !isAssertion) return undefined;
  return {
    binding: { method, path, payloadHash, organisationId, callerId, nonce, expiresAt: Number(expiresAt) },
    body,
    assertion: { kind, credId, clientData, signature, ...(hasAlgorithm && { algorithm }) },
  };
}

function commitmentsOf(value: unknown): Params<'signFrost'>['commitments'] | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  const commitments: Params<'signFrost'>['commitments'] = {};
  for (const [index, one] of Object.entries(value)) {
    const fields = membersOf(one, 4);
    const batch = bytes32Of(fields?.batch);
    const number = countOf(fields?.number, maxBatch);
    const hiding = bytesOf(fields?.hiding);
    const binding = bytesOf(fields?.binding);
    if (String(countOf(Number(index), maxSigners)) !== index || index === '0') return undefined;
    if (batch === undefined || number === undefined || hiding === undefined || binding === undefined) return undefined;
    commitments[index] = { batch, number, hiding, binding };
  }
  return commitments;
}

/** An object of exactly so many members. */
function membersOf(value: unknown, count: number): Fields | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  return Object.keys(value).length === count ? (value as Fields) : undefined; // whatever its members are, they are read as unknown
}

function isText(value: unknown): value is string {
  return typeof value === 'string';
}

function countOf(value: unknown, most: number): number | undefined {
  return Number.isInteger(value) && Number(value) >= 0 && Number(value) <= most ? Number(value) : undefined;
}

const base64 = /^(?:[0-9a-zA-Z+/]{4})*(?:(?:[0-9a-zA-Z+/]{2}==)|(?:[0-9a-zA-Z+/]{3}=))?$/;

function bytesOf(value: unknown): Uint8Array | undefined {
  return typeof value === 'string' && base64.test(value) ? new Uint8Array(Buffer.from(value, 'base64')) : undefined;
}

function bytes32Of(value: unknown): Uint8Array | undefined {
  const bytes = bytesOf(value);
  return bytes?.length === 32 ? bytes : undefined;
}

function toText({ buffer, byteOffset, byteLength }: Uint8Array): string {
  return Buffer.from(buffer, byteOffset, byteLength).toString('base64');
}
