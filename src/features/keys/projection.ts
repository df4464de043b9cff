/** What the API shows of keys, from the changes of the authority log. @module */

import type { Projection } from '../authority/projection.ts';
import { moveKey } from './store.ts';

export const keysProjection: Pick<Projection, 'key'> = {
  /** One that is asked for is shown when its shares are made, and not before. */
  async key(tx, { id, status }, { date }) {
    if (status === 'Archived') await moveKey(tx, id, 'archive', date);
  },
};
