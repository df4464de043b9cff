/** Refreshing keys: the same keys, under fresh shares, so that shares taken at different times are of no use together. @module */

import { z } from 'zod';
import { keyRequests } from '../../authority/requests.ts';
import { contract } from '../endpoint.ts';

const progress = z.object({
  /** Keys that wait for it. */
  due: z.int().min(0),
  /** Why the last one that was tried waits still. */
  reason: z.string().exactOptional(),
});

export type Progress = z.output<typeof progress>;

export const refreshContract = contract({
  refreshKeys: {
    method: 'POST',
    path: '/cluster/refresh',
    summary: 'Have the signers deal all keys anew, or one: it happens in the background, while keys are used',
    access: 'Keys:Update',
    userAction: true,
    body: z.object({ keyId: keyRequests.deriveKey.params.shape.keyId.exactOptional() }),
    response: progress,
  },
  getRefresh: {
    method: 'GET',
    path: '/cluster/refresh',
    summary: 'How many keys wait to be dealt anew',
    access: 'Keys:Read',
    userAction: false,
    response: progress,
  },
});
