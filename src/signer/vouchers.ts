/** Vouchers as a signer keeps them beside its log. @module */

import { z } from 'zod';
import type { SignedHead } from '../authority/signedHead.ts';
import { vouchers } from './contract.ts';

/** Parsed here, trusted nowhere: whoever uses them verifies them again. */
export function vouchersFrom(text: string | null): SignedHead[] {
  return text === null ? [] : vouchers.parse(JSON.parse(text));
}

export function vouchersText(heads: readonly SignedHead[]): string {
  return JSON.stringify(z.encode(vouchers, [...heads]));
}
