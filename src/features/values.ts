/** Values that occur in the contracts of several features. PostgreSQL text holds every character but U+0000. @module */

import { z } from 'zod';

/** Of an entity, in a path or a body. Any text of that length is let through: one that names nothing is not found (contract §1.1). */
export const id = z
  .string()
  .min(1)
  .max(64)
  .transform((text) => text.replaceAll('\0', '\uFFFD'));

/** What people call a thing. */
export const name = z.string().min(1).max(100).refine(isStorable, 'must not contain U+0000');

/** The caller's own id of what is created (contract §1.6). */
export const externalId = z.string().min(1).max(64).refine(isStorable, 'must not contain U+0000');

export function isStorable(text: string): boolean {
  return !text.includes('\0');
}
