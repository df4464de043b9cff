/** The two statements of the signing path, timed. @module */

import { type Meter, timed } from '../../coordinator/meter.ts';
import type { SignatureStore } from './store.ts';

export function meteredStore(store: SignatureStore, meter: Meter): SignatureStore {
  return {
    ...store,
    begin: (attempt) => timed(meter, 'begin', () => store.begin(attempt)),
    move: (event, move) => (event === 'sign' ? timed(meter, 'move', () => store.move(event, move)) : store.move(event, move)),
  };
}
