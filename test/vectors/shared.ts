/**
 * Published vector files too large for this repository. They lie beside the checkout, in `../shared/vectors`, where the project is
 * developed; elsewhere the suites that read them are skipped, visibly, and each has some values of its own.
 * @module
 */

import { existsSync, readFileSync } from 'node:fs';
import { fromHex } from '../../src/base/bytes.ts';

const directory = new URL('../../../shared/vectors/', import.meta.url);

/** The text of a file, or undefined where the files are absent. */
export function sharedText(path: string): string | undefined {
  const url = new URL(path, directory);
  return existsSync(url) ? readFileSync(url, 'utf8') : undefined;
}

/** A JSON file, of the shape the caller knows it to have, or undefined where the files are absent. */
export function sharedVectors<Shape>(path: string): Shape | undefined {
  const text = sharedText(path);
  return text === undefined ? undefined : (JSON.parse(text) as Shape);
}

/** What all Wycheproof tests have, with what a file adds. */
export type WycheproofTest<Fields> = { tcId: number; comment: string; flags: readonly string[]; result: 'valid' | 'invalid' } & Fields;

/** The tests of a Wycheproof file, each with the fields of its group; undefined where the files are absent. */
export function wycheproof<Group, Fields>(name: string): readonly (Group & WycheproofTest<Fields>)[] | undefined {
  const file = sharedVectors<{ testGroups: readonly (Group & { tests: readonly WycheproofTest<Fields>[] })[] }>(`wycheproof/${name}.json`);
  return file?.testGroups.flatMap(({ tests, ...group }) => tests.map((test) => ({ ...(group as Group), ...test })));
}

/** Hex that the author of a test wrote or a vector file holds. */
export function hex(text: string): Uint8Array {
  const bytes = fromHex(text);
  if (bytes === undefined) throw new Error(`not hex: ${text}`);
  return bytes;
}
