/** Keys of an instance, and signature requests that are signed for ahead and sent when a test wants them. @module */

import type { Answer, Client } from '../support/client.ts';
import { type Instance, officialClient } from '../support/instance.ts';
import { type Example, expectSigned } from './examples.ts';

export interface Key {
  readonly id: string;
  readonly publicKey: string;
  readonly example: Example;
}

export async function newKeys(instance: Instance, wanted: readonly Example[]): Promise<Key[]> {
  const client = officialClient(instance);
  return Promise.all(wanted.map(async (example) => ({ ...(await client.keys.createKey({ body: example.key })), example })));
}

export async function expectSigns(instance: Instance, key: Key): Promise<void> {
  const answer = await officialClient(instance).keys.generateSignature({ keyId: key.id, body: key.example.body('0x') });
  expectSigned(answer, key.example, key);
}

/** A request that is signed for, and can be sent when a test wants it. */
export interface Prepared {
  readonly key: Key;
  readonly path: string;
  readonly bodyText: string;
  readonly userAction: string;
  readonly externalId: string;
}

export function prepared(root: Client, keys: readonly Key[], count: number): Promise<Prepared[]> {
  return Promise.all(
    Array.from({ length: count }, async (_, i) => {
      const key = keys[i % keys.length] as Key; // there is one at least
      const externalId = `request ${i}`;
      const path = `/keys/${key.id}/signatures`;
      const bodyText = JSON.stringify({ ...key.example.body('0x'), externalId });
      return { key, path, bodyText, externalId, userAction: await root.action('POST', path, bodyText) };
    }),
  );
}

/** Every request of a key, by its externalId. */
export async function recorded(root: Client, keys: readonly Key[]): Promise<Map<string, Answer['body']>> {
  const lists = await Promise.all(keys.map(({ id }) => root.call('GET', `/keys/${id}/signatures?limit=200`)));
  return new Map(lists.flatMap(({ body }) => body.items).map((item) => [item.externalId, item]));
}
