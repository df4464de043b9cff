/** Signature requests on the wire (contract §5.4). */

import { z } from 'zod';
import { id } from '../../authority/bodies.ts';
import { keyRequests } from '../../authority/requests.ts';
import { pageOf, pageQuery } from '../../base/pagination.ts';
import { networks } from '../../chains/networks.ts';
import { signatureRequestBody } from '../../chains/requests.ts';
import { contract, signed } from '../endpoint.ts';

export const signatureStatuses = ['Pending', 'Executing', 'Signed', 'Confirmed', 'Failed', 'Rejected'] as const;

/** Hex with `0x`; `recid` for ECDSA only. */
export const signatureSchema = z.object({
  r: z.string(),
  s: z.string(),
  recid: z.int().min(0).max(1).exactOptional(),
  encoded: z.string().exactOptional(),
});

export const signatureRequestSchema = z.object({
  id: z.string(),
  keyId: z.string(),
  requester: z.object({ userId: z.string(), tokenId: z.string() }),
  /** As it was received. */
  requestBody: z.record(z.string(), z.unknown()),
  status: z.enum(signatureStatuses),
  reason: z.string().exactOptional(),
  signature: signatureSchema.exactOptional(),
  signatures: z.array(signatureSchema).exactOptional(),
  signedData: z.string().exactOptional(),
  network: z.enum(networks).exactOptional(),
  txHash: z.string().exactOptional(),
  fee: z.string().exactOptional(),
  approvalId: z.string().exactOptional(),
  dateRequested: z.iso.datetime(),
  datePolicyResolved: z.iso.datetime().exactOptional(),
  dateSigned: z.iso.datetime().exactOptional(),
  dateConfirmed: z.iso.datetime().exactOptional(),
  externalId: z.string().exactOptional(),
  details: z.record(z.string(), z.unknown()).exactOptional(),
});

export type SignatureRequest = z.output<typeof signatureRequestSchema>;
export type WireSignature = z.output<typeof signatureSchema>;

const ofKey = keyRequests.createSignature.params;

export const signaturesContract = contract({
  createSignature: {
    ...signed(keyRequests.createSignature),
    params: ofKey,
    summary: 'Have the signers sign a request together',
    body: signatureRequestBody,
    response: signatureRequestSchema,
  },
  listSignatures: {
    method: 'GET',
    path: '/keys/:keyId/signatures',
    summary: 'List the signature requests of a key',
    access: 'Keys:Signatures:Read',
    userAction: false,
    params: ofKey,
    query: pageQuery({ defaultLimit: 50, maxLimit: 200 }),
    response: pageOf(signatureRequestSchema).extend({ keyId: z.string() }),
  },
  getSignature: {
    method: 'GET',
    path: '/keys/:keyId/signatures/:signatureId',
    summary: 'Get a signature request',
    access: 'Keys:Signatures:Read',
    userAction: false,
    params: ofKey.extend({ signatureId: id }),
    response: signatureRequestSchema,
  },
});
