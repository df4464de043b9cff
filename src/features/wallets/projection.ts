/** What the API shows of wallets, from the changes of the authority log. @module */

import type { CreateWallet } from '../../authority/bodies.ts';
import { parseBody, targetOf } from '../../authority/parse.ts';
import { registryRequests } from '../../authority/requests.ts';
import { assert } from '../../base/errors.ts';
import type { Authorisation } from '../../crypto/authorisation.ts';
import type { Projection } from '../authority/projection.ts';
import { bodyHashOf, claimExternalId } from '../idempotency/store.ts';
import { insertWallet } from './store.ts';

const { createWallet, importWallet } = registryRequests;

export const walletsProjection: Pick<Projection, 'wallet'> = {
  /** Names, externalIds and tags decide nothing: only the request that made the wallet says them. */
  async wallet(tx, wallet, { organisationId, date, authorisation }) {
    assert(authorisation, 'a wallet is made by a request for one');
    const { name = null, externalId = null, tags = [] } = wantedBy(authorisation);
    await insertWallet(tx, wallet, { organisationId, date, name, externalId, tags: [...new Set(tags)] });
    if (externalId === null) return;
    const bodyHash = bodyHashOf(authorisation.body);
    await claimExternalId(tx, { organisationId, path: createWallet.path, externalId, entityId: wallet.id, bodyHash });
  },
};

function wantedBy({ binding, body }: Authorisation): Pick<CreateWallet, 'name' | 'externalId' | 'tags'> {
  return targetOf(importWallet, binding) ? parseBody(importWallet.body, body) : parseBody(createWallet.body, body);
}
