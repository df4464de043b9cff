/** What the API shows of wallets, from the changes of the authority log. @module */

import { parseBody, targetOf } from '../../authority/parse.ts';
import { registryRequests } from '../../authority/requests.ts';
import { assert } from '../../base/errors.ts';
import type { Projection } from '../authority/projection.ts';
import { bodyHashOf, claimExternalId } from '../idempotency/store.ts';
import { insertWallet } from './store.ts';

const { createWallet } = registryRequests;

export const walletsProjection: Pick<Projection, 'wallet'> = {
  /** Names, externalIds and tags decide nothing: only the request that made the wallet says them. */
  async wallet(tx, wallet, { organisationId, date, authorisation }) {
    assert(authorisation && targetOf(createWallet, authorisation.binding), 'a wallet is made by a request for one');
    const { name = null, externalId = null, tags = [] } = parseBody(createWallet.body, authorisation.body);
    await insertWallet(tx, wallet, { organisationId, date, name, externalId, tags: [...new Set(tags)] });
    if (externalId === null) return;
    const bodyHash = bodyHashOf(authorisation.body);
    await claimExternalId(tx, { organisationId, path: createWallet.path, externalId, entityId: wallet.id, bodyHash });
  },
};
