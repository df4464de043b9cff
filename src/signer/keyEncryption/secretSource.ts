import { readFileSync, statSync } from 'node:fs';
import { utf8 } from '../../base/bytes.ts';
import { messageOf } from '../../base/errors.ts';
import { requirePrivate } from '../../files.ts';
import { setting } from './provider.ts';
import type { SecretSource } from './settings.ts';

const newline = 0x0a;
/** A pipe gives what it has once. */
const fromPipes = new WeakMap<SecretSource, Uint8Array>();

/**
 * @param variable that holds it; with _FILE after its name, the file's
 * @returns the bytes, without the newline at the end of a file: overwrite them after use
 * @throws {Error} naming the variable, when it is not set, or its file cannot be read, is readable by others, or is empty
 */
export function readSecretSource(source: SecretSource | undefined, variable: string): Uint8Array {
  const found = setting(source, `${variable}_FILE or ${variable}`);
  const secret = 'value' in found ? utf8(found.value) : (fromPipes.get(found)?.slice() ?? fromFile(found, variable));
  if (secret.length === 0) throw new Error(`${variable} is empty`);
  return secret;
}

function fromFile(source: Extract<SecretSource, { file: string }>, variable: string): Uint8Array {
  const { file } = source;
  try {
    requirePrivate(file);
    const bytes = readFileSync(file);
    const end = bytes.at(-1) === newline ? bytes.length - 1 : bytes.length;
    const secret = new Uint8Array(bytes.subarray(0, end));
    bytes.fill(0);
    if (!statSync(file).isFile()) fromPipes.set(source, secret.slice());
    return secret;
  } catch (error) {
    throw new Error(`${variable}_FILE: ${messageOf(error)}`);
  }
}
