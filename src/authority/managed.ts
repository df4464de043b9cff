/** The permissions every organisation has from the start (contract §6.3). @module */

import type { Operation } from './operations.ts';

export type Managed = 'FullAdmin' | 'DefaultEndUser';

const endUserOperations: readonly Operation[] = [
  'Wallets:Read',
  'Keys:Read',
  'Keys:Signatures:Create',
  'Keys:Signatures:Read',
  'Wallets:Transactions:Create',
  'Wallets:Transactions:Read',
  'Wallets:Transfers:Create',
  'Wallets:Transfers:Read',
];

export const managedPermissions = {
  /** Grants every operation, those of the future included: so it lists none. Immutable. */
  FullAdmin: { name: 'ManagedFullAdminAccess', operations: [] },
  /** Given to each new end user. Its operations may be changed. */
  DefaultEndUser: { name: 'ManagedDefaultEndUserAccess', operations: endUserOperations },
} as const satisfies Record<Managed, { name: string; operations: readonly Operation[] }>;
