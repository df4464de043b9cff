/**
 * The life of this service process among its replicas: it renews a lease, and settles what those have left behind whose lease has run
 * out. One that comes back late finds its work given up, and releases nothing of it.
 * @module
 */

import type { ReplicaStore } from './store.ts';

const renewalMs = 5_000;
const leaseSeconds = 30;

export interface Replica {
  /** Takes the lease and settles what was left behind. To be awaited before requests are let in. */
  start(): Promise<void>;
  stop(): Promise<void>;
}

/**
 * @param parts.id     kept over restarts, and no other live process has it: what is under its name at the start is its former life's
 * @param parts.alone  whether no other process can have the database open
 * @param parts.settle deals with what gone replicas left behind
 * @param parts.onError a renewal failed; the next one may succeed
 */
export function createReplica(parts: {
  id: string;
  alone: boolean;
  store: ReplicaStore;
  settle: (lease: { startingReplica: string | null; leaseSeconds: number }) => Promise<void>;
  onError: (error: unknown) => void;
}): Replica {
  const { id, alone, store, settle, onError } = parts;
  let timer: NodeJS.Timeout | undefined;
  let renewal: Promise<void> = Promise.resolve();

  async function renew(): Promise<void> {
    try {
      await store.see(id);
      await settle({ startingReplica: null, leaseSeconds });
    } catch (error) {
      onError(error);
    }
    if (timer !== undefined) timer = setTimeout(begin, renewalMs);
  }

  function begin(): void {
    renewal = renew();
  }

  return {
    async start() {
      if (alone) await store.removeAll();
      await store.see(id);
      await settle({ startingReplica: id, leaseSeconds });
      timer = setTimeout(begin, renewalMs);
    },
    async stop() {
      clearTimeout(timer);
      timer = undefined;
      await renewal;
      await store.remove(id);
    },
  };
}
