/** Files that commands are given, read strictly. @module */

import { readFileSync } from 'node:fs';
import type { z } from 'zod';
import { messageOf } from '../base/errors.ts';

/** @param what it should be, in the words of the error. @throws {Error} naming the file, when it is missing or something else */
export function readAs<S extends z.ZodType>(schema: S, file: string, what: string): z.output<S> {
  try {
    return schema.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch (error) {
    throw new Error(`${file} is not ${what}: ${messageOf(error)}`);
  }
}
