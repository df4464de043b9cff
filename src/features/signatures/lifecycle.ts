/**
 * The life of a signature request: which states an event leaves, which it reaches, which date it stamps.
 *
 *   Pending → Executing → Signed → Confirmed
 *      ↓          ↓          ↓
 *   Rejected    Failed     Failed
 *
 * Without a policy that holds it a request begins as Executing.
 * @module
 */

import type { signatureStatuses } from './contract.ts';

export type SignatureStatus = (typeof signatureStatuses)[number];

interface Transition {
  readonly from: readonly SignatureStatus[];
  readonly to: SignatureStatus;
  /** A column. */
  readonly stamps?: string;
}

export const lifecycle = {
  approve: { from: ['Pending'], to: 'Executing', stamps: 'date_policy_resolved' },
  reject: { from: ['Pending'], to: 'Rejected', stamps: 'date_policy_resolved' },
  sign: { from: ['Executing'], to: 'Signed', stamps: 'date_signed' },
  confirm: { from: ['Signed'], to: 'Confirmed', stamps: 'date_confirmed' },
  /** Its replica is gone. A request that was signed after all stays so: it may have been answered. */
  abandon: { from: ['Executing'], to: 'Failed' },
  fail: { from: ['Pending', 'Executing', 'Signed'], to: 'Failed' },
} as const satisfies Record<string, Transition>;

export type SignatureEvent = keyof typeof lifecycle;

export function transition(event: SignatureEvent): Transition {
  return lifecycle[event];
}
