/** What the API shows of keys, from the changes of the authority log. @module */

import type { Projection } from '../authority/projection.ts';
import { giveKeyTo, markExported, moveKey } from './store.ts';

export const keysProjection: Pick<Projection, 'key'> = {
  /** One that is asked for is shown when its shares are made, and not before. */
  async key(tx, { id, status, exported, delegatedTo }, { date }) {
    if (status === 'Archived') await moveKey(tx, id, 'archive', date);
    if (exported !== undefined) await markExported(tx, id, date);
    if (delegatedTo !== undefined) await giveKeyTo(tx, id, delegatedTo);
  },
};
