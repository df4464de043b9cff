/** Plain HTTP, without any client's help: what is sent is what a test says, and a refusal is looked at to the letter. @module */

import { expect } from 'vitest';
import type { Client } from '../support/client.ts';
import type { Instance } from '../support/instance.ts';
import { administrator } from './accounts.ts';

export interface Sent {
  /** Of the administrator, when left out; '' sends no header. */
  readonly authorization?: string;
  readonly userAction?: string;
  readonly body?: string | Uint8Array<ArrayBuffer>;
  readonly contentType?: string;
}

export interface Refused {
  readonly status: number;
  readonly message: string;
  readonly details?: object;
}

export const unauthorised: Refused = { status: 401, message: 'Not Authorized.' };
export const noAction: Refused = { status: 403, message: 'user action signature is missing or invalid' };
export const used: Refused = { status: 400, message: 'user action has already been used' };
export const badRequest = (message: string): Refused => ({ status: 400, message });

export const bearer = ({ credentials }: Client) => `Bearer ${credentials.accessToken}`;

/** One request as it is. @returns its error, when that has the shape of contract §1.5 and the id of its header */
export async function refused(instance: Instance, method: string, path: string, sent: Sent = {}): Promise<Refused> {
  const { authorization = bearer(administrator(instance)), userAction, body, contentType = 'application/json' } = sent;
  const answer = await fetch(new URL(path, instance.origin), {
    method,
    headers: {
      ...(authorization === '' ? {} : { authorization }),
      ...(userAction === undefined ? {} : { 'x-dfns-useraction': userAction }),
      ...(body === undefined ? {} : { 'content-type': contentType }),
    },
    ...(body === undefined ? {} : { body }),
  });
  expect(answer.headers.get('content-type')).toMatch(/^application\/json/);
  const { error, ...rest } = JSON.parse(await answer.text());
  const { id, ...shown } = error;
  expect([rest, id, shown.status]).toEqual([{}, answer.headers.get('x-request-id'), answer.status]);
  return shown;
}

/** One that its caller has signed, and that is refused all the same. */
export async function refusedSigned(
  instance: Instance,
  caller: Client,
  method: 'POST' | 'PUT' | 'DELETE',
  path: string,
  body: unknown = {},
): Promise<Refused> {
  const bodyText = typeof body === 'string' ? body : JSON.stringify(body);
  const userAction = await caller.action(method, path, bodyText);
  return refused(instance, method, path, { authorization: bearer(caller), userAction, body: bodyText });
}
