/** A signature request as the wire shows it: what is not there is left out. @module */

import { to0x } from '../../base/bytes.ts';
import { isoDate } from '../../base/clock.ts';
import { networks } from '../../chains/networks.ts';
import type { SignatureRequest } from './contract.ts';
import type { RequestRow } from './store.ts';

export function shown(row: RequestRow): SignatureRequest {
  const network = networks.find((name) => name === row.network);
  const requestBody = JSON.parse(row.requestBody);
  return {
    id: row.id,
    keyId: row.keyId,
    requester: { userId: row.requesterId, tokenId: row.requesterTokenId },
    requestBody,
    status: row.status,
    ...(row.reason === null ? {} : { reason: row.reason }),
    ...signaturesOf(row, requestBody),
    ...(row.signedData === null ? {} : { signedData: to0x(row.signedData) }),
    ...(network === undefined ? {} : { network }),
    ...(row.details === null ? {} : { details: { ...row.details } }),
    dateRequested: isoDate(row.dateRequested.getTime()),
    ...dated('datePolicyResolved', row.datePolicyResolved),
    ...dated('dateSigned', row.dateSigned),
    ...dated('dateConfirmed', row.dateConfirmed),
    ...(row.externalId === null ? {} : { externalId: row.externalId }),
  };
}

/** A request that may have several payloads has `signatures`, however many they are; any other has its `signature`. */
function signaturesOf({ signatures }: RequestRow, { kind }: { kind?: unknown }): Pick<SignatureRequest, 'signature' | 'signatures'> {
  if (signatures === null) return {};
  const [first, ...others] = signatures;
  return kind !== 'Psbt' && first !== undefined && others.length === 0 ? { signature: first } : { signatures: [...signatures] };
}

function dated<K extends string>(name: K, date: Date | null): { [N in K]?: string } {
  // An object with the one member K: TypeScript sees a computed name as any string.
  return date === null ? {} : ({ [name]: isoDate(date.getTime()) } as { [N in K]: string });
}
