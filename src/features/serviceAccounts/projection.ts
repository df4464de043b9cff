/** What the API shows of service accounts, from the changes of the authority log. @module */

import type { CreateServiceAccount } from '../../authority/bodies.ts';
import { parseBody, targetOf } from '../../authority/parse.ts';
import { registryRequests } from '../../authority/requests.ts';
import type { Authorisation } from '../../crypto/authorisation.ts';
import type { Projection } from '../authority/projection.ts';
import { bodyHashOf, claimExternalId } from '../idempotency/store.ts';
import { endCredential, insertAccount, insertCredential, putAccount } from './store.ts';

const { createServiceAccount } = registryRequests;
/** What the first account is called: no request has named it. */
export const rootName = 'root';

export const serviceAccountsProjection: Pick<Projection, 'account' | 'credential'> = {
  async account(tx, record, origin) {
    const { organisationId, authorisation } = origin;
    const wanted = authorisation && creationIn(authorisation);
    const name = authorisation === undefined ? rootName : wanted?.name;
    if (name !== undefined) await insertAccount(tx, record, { ...origin, name });
    await putAccount(tx, record, origin);
    if (authorisation === undefined || wanted?.externalId === undefined) return;
    const { externalId } = wanted;
    const bodyHash = bodyHashOf(authorisation.body);
    await claimExternalId(tx, { organisationId, path: createServiceAccount.path, externalId, entityId: record.id, bodyHash });
  },

  credential: (tx, record, origin) => (record.isActive ? insertCredential(tx, record, origin) : endCredential(tx, record.uuid)),
};

/** What the log does not keep of an account: names and externalIds decide nothing. */
function creationIn({ binding, body }: Authorisation): CreateServiceAccount | undefined {
  return targetOf(createServiceAccount, binding) && parseBody(createServiceAccount.body, body);
}
