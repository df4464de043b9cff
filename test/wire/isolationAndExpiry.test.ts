/** What takes days, or a second organisation, over real HTTP: the service in this process, with a clock that a test turns. */

import { rmSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openDatabase } from '../../src/store/open.ts';
import type { Client } from '../support/client.ts';
import { newDataDir } from '../support/pglite.ts';
import { type FakeWorld, startWorld } from '../support/world.ts';
import { hash } from './examples.ts';
import { noAction } from './plain.ts';

let now = Date.now();
let dataDir: string;
let world: FakeWorld;
let other: Client;
beforeAll(async () => {
  dataDir = await newDataDir();
  world = await startWorld({ database: await openDatabase({ dataDir }), clock: () => now });
  other = await world.organisation();
});
afterAll(async () => {
  await world?.stop();
  await world?.database.close();
  rmSync(dataDir, { recursive: true });
});

test('what belongs to the other organisation is answered as what does not exist, word for word', async () => {
  const { body: key } = await world.root.call('POST', '/keys', { scheme: 'EdDSA', curve: 'ed25519' });
  const { body: signature } = await world.root.call('POST', `/keys/${key.id}/signatures`, { kind: 'Hash', hash });
  const requests = [
    ['GET', `/keys/${key.id}`],
    ['DELETE', `/keys/${key.id}`],
    ['POST', `/keys/${key.id}/signatures`, { kind: 'Hash', hash }],
    ['GET', `/keys/${key.id}/signatures/${signature.id}`],
    ['GET', `/auth/service-accounts/${world.root.userId}`],
  ] as const;
  const ids = [key.id, signature.id, world.root.userId];
  const unknown = (text: string) => ids.reduce((replaced, id) => replaced.replaceAll(id, `none-${ids.indexOf(id)}`), text);
  for (const [method, path, body] of requests) {
    const [foreign, missing] = [await other.call(method, path, body), await other.call(method, unknown(path), body)];
    for (const answer of [foreign, missing]) delete answer.body.error.id;
    expect(foreign.status, path).toBe(404);
    expect(JSON.parse(unknown(JSON.stringify(foreign)))).toEqual(missing);
  }
});

const wait = (seconds: number) => {
  now += seconds * 1000;
};
const refusal = (status: number, message: string) => ({ status, body: { error: { id: expect.any(String), status, message } } });
const bodyText = '{"scheme":"EdDSA","curve":"ed25519"}';

test('a challenge serves for five minutes', async () => {
  const { root } = world;
  const asked = JSON.stringify({ userActionPayload: bodyText, userActionHttpMethod: 'POST', userActionHttpPath: '/keys' });
  const { body } = await root.send('POST', '/auth/action/init', { bodyText: asked });
  const signed = JSON.stringify({ challengeIdentifier: body.challengeIdentifier, firstFactor: root.assertion(body.challenge) });
  const complete = () => root.send('POST', '/auth/action', { bodyText: signed });
  wait(299);
  expect(await complete()).toEqual({ status: 200, body: { userAction: expect.any(String) } });
  wait(2);
  expect(await complete()).toEqual(refusal(400, 'Challenge token is not valid.'));
});

test('a user action serves for the five minutes of its challenge', async () => {
  const { root } = world;
  const early = await root.action('POST', '/keys', bodyText);
  const late = await root.action('POST', '/keys', bodyText);
  wait(299);
  expect(await root.send('POST', '/keys', { bodyText, userAction: early })).toMatchObject({ status: 200 });
  wait(2);
  expect(await root.send('POST', '/keys', { bodyText, userAction: late })).toEqual(refusal(403, noAction.message));
  expect(await root.send('POST', '/keys', { bodyText, userAction: early })).toEqual(refusal(403, noAction.message));
});

test('a token serves for the days it was given', async () => {
  const account = await world.serviceAccount(['Keys:Read']);
  expect(await account.send('GET', '/keys')).toMatchObject({ status: 200 });
  wait(730 * 24 * 60 * 60 + 1);
  expect(await account.send('GET', '/keys')).toEqual(refusal(401, 'Not Authorized.'));
});
