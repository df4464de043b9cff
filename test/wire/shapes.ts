/** What a test expects where it cannot know the value: the shape that the contract promises (§1.1, §1.2). @module */

import { expect } from 'vitest';

export const anId = (prefix: string) => expect.stringMatching(new RegExp(`^${prefix}-[a-z0-9]{5}-[a-z0-9]{5}-[a-z0-9]{16}$`));
/** Without `0x`. */
export const hexOf = (bytes: number) => expect.stringMatching(new RegExp(`^[0-9a-f]{${2 * bytes}}$`));
export const hex0xOf = (bytes: number) => expect.stringMatching(new RegExp(`^0x[0-9a-f]{${2 * bytes}}$`));
export const aDate = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
/** base64url of 32 bytes. */
export const aCredId = expect.stringMatching(/^[\w-]{43}$/);
