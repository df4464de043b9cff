/**
 * A caller left nonce, gas and fees of a transaction to the service, and a thief has the service: within bounds it may choose them, once,
 * and nothing else.
 */

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseRequest } from '../../src/chains/index.ts';
import { signatureRequestBody } from '../../src/chains/requests.ts';
import type { Authorisation } from '../../src/crypto/authorisation.ts';
import { createCluster, type TestCluster, type TestKey, type Wanted } from '../signer/cluster.ts';
import { outcomeOf, setUpSeeds, sharesOf } from '../signer/shares.ts';

const to = '0x70997970c51812dc3a010c7d01b50e0d17dc79c8';
const thief = '0x5fbdb2315678afecb367f032d93f642f64180aa3';
const transaction = { to, value: '1', gasLimit: 21_000 };
const filled = { nonce: '7', maxFeePerGas: '2000000000', maxPriorityFeePerGas: '1' };
const refused = (reason: string) => [reason, reason, reason];

const bodyOf = (fields: object) => ({ kind: 'Transaction', network: 'EthereumSepolia', transaction: fields });

async function started(size: { signers: number; threshold: number }) {
  const cluster = await createCluster(size);
  await setUpSeeds(cluster.signers);
  return { cluster, key: await cluster.addKey('ECDSA/secp256k1') };
}

/** The caller's word, and what the thief makes of it. */
function attemptIn({ cluster, key }: { cluster: TestCluster; key: TestKey }) {
  const wanted = (fields: object): Wanted => ({ method: 'POST', path: `/keys/${key.id}/signatures`, body: bodyOf(fields) });
  return {
    authorised: (fields: object = transaction) => cluster.sign(cluster.admin, wanted(fields)),
    /** @param claimed what the thief says that it signs, where that is not what its fields come to */
    async shares(
      authorisation: Authorisation,
      fields: Readonly<Record<string, string>>,
      { of = transaction as object, claimed = fields } = {},
    ) {
      const { payloads } = await parseRequest(signatureRequestBody.parse(bodyOf(of)), key, { filled: claimed });
      const [payload] = payloads;
      if (payload === undefined) throw new Error('there is a payload');
      return sharesOf(cluster, { key, payload, filled: fields, authorisation });
    },
  };
}

describe('of three signers', () => {
  let attempt: ReturnType<typeof attemptIn>;
  let cluster: TestCluster;
  beforeAll(async () => {
    const made = await started({ signers: 3, threshold: 1 });
    cluster = made.cluster;
    attempt = attemptIn(made);
  });
  afterAll(() => cluster?.close());

  test('each takes part with fields within the bounds', async () => {
    expect(await attempt.shares(attempt.authorised(), filled)).toEqual(refused('a share'));
  });

  test('none takes part twice, whatever the fields are the second time', async () => {
    const authorisation = attempt.authorised();
    expect(await attempt.shares(authorisation, filled)).toEqual(refused('a share'));
    expect(await attempt.shares(authorisation, { ...filled, nonce: '8' })).toEqual(
      refused('Refused UserActionUsed: user action has already been used'),
    );
  });

  test.each<[string, Readonly<Record<string, string>>, string]>([
    [
      'a fee beyond the bound',
      { ...filled, maxFeePerGas: String(10n ** 18n) },
      'Refused BadRequest: expected a transaction: the fee may come to',
    ],
    ['no fee', { nonce: '7' }, 'Refused BadRequest: expected a transaction: maxPriorityFeePerGas, maxFeePerGas missing'],
    ['a nonce that is no number', { ...filled, nonce: '1e3' }, 'Refused BadRequest: expected a transaction: nonce: it is missing'],
  ])('none takes part with %s', async (_, fields, reason) => {
    const said = await attempt.shares(attempt.authorised(), fields, { claimed: filled });
    expect(said).toEqual(refused(expect.stringContaining(reason) as unknown as string));
  });

  test('none takes a field of the thief’s for one that the caller said', async () => {
    const elsewhere = { ...transaction, to: thief };
    const said = await attempt.shares(attempt.authorised(), { ...filled, to: thief, value: '9' }, { of: elsewhere, claimed: filled });
    expect(said).toEqual(refused('Refused Forbidden: the session signs something else than the request asks for'));
  });
});

test('of five signers, one of which may be corrupt, two sets have only one in common: nothing is left to the service', async () => {
  const { cluster, key } = await started({ signers: 5, threshold: 1 });
  try {
    const authorisation = cluster.sign(cluster.admin, { method: 'POST', path: `/keys/${key.id}/signatures`, body: bodyOf(transaction) });
    const question = {
      keyId: key.id,
      batch: new Uint8Array(32),
      number: 0,
      payload: { bytes: new Uint8Array(32) },
      payloadIndex: 0,
      filled,
      authorisation,
    };
    for (const signer of cluster.signers) {
      expect(await outcomeOf(signer.ask('signEcdsa', question))).toBe(
        'Refused BadRequest: a cluster of 5 signers, 1 of which may be corrupt, signs no transaction that leaves fields to the service: say them all',
      );
    }
  } finally {
    cluster.close();
  }
});
