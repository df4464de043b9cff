/**
 * The names of operations (contract §6.2): what a permission grants and an endpoint demands. All of them can be stored; those that an
 * endpoint names are enforced.
 * @module
 */

// biome-ignore format: a list to scan, not a column of 114 lines.
export const operations = [
  'Registry:Addresses:Create', 'Registry:Addresses:Delete', 'Registry:Addresses:Read', 'Registry:Addresses:Update',
  'Registry:ContractSchemas:Create', 'Registry:ContractSchemas:Delete', 'Registry:ContractSchemas:Read', 'Auth:Logs:Read',
  'Auth:Users:Create', 'Auth:Users:Read', 'Auth:Users:Update', 'Auth:Users:Activate', 'Auth:Users:Deactivate', 'Auth:Users:Delete',
  'Auth:ServiceAccounts:Create', 'Auth:ServiceAccounts:Read', 'Auth:ServiceAccounts:Update', 'Auth:ServiceAccounts:Deactivate',
  'Auth:ServiceAccounts:Activate', 'Auth:ServiceAccounts:Delete', 'Auth:Pats:Create', 'Auth:Register:Delegated', 'Auth:Login:Delegated',
  'Auth:Recover:Delegated', 'Agreements:Acceptance:Create', 'Agreements:Acceptance:Read', 'Events:Read', 'Exchanges:Create',
  'Exchanges:Read', 'Exchanges:Delete', 'Exchanges:Deposits:Create', 'Exchanges:Withdrawals:Create', 'FeeSponsors:Create',
  'FeeSponsors:Read', 'FeeSponsors:Update', 'FeeSponsors:Delete', 'FeeSponsors:Use', 'Orgs:Read', 'Orgs:Update', 'Orgs:Settings:Read',
  'Orgs:Settings:Update', 'Permissions:Archive', 'Permissions:Create', 'Permissions:Read', 'Permissions:Update', 'Permissions:Assign',
  'Permissions:Revoke', 'Permissions:Assignments:Read', 'Policies:Archive', 'Policies:Create', 'Policies:Read', 'Policies:Update',
  'Policies:Approvals:Read', 'Policies:Approvals:Approve', 'Signers:ListSigners', 'Stakes:Create', 'Stakes:Read', 'Stakes:Update',
  'Swaps:Create', 'Swaps:Read', 'Payouts:Create', 'Payouts:Read', 'Payouts:Write', 'Allocations:Create', 'Allocations:Update',
  'Allocations:Read', 'Keys:Create', 'Keys:Delete', 'Keys:Read', 'Keys:Update', 'Keys:Reuse', 'Keys:Delegate', 'Keys:Import',
  'Keys:Export', 'Keys:Derive', 'Keys:ChildKeys:Create', 'Keys:Signatures:Create', 'Keys:Signatures:Read', 'KeyStores:Read',
  'KeyStores:Fleets:Create', 'KeyStores:Fleets:Clone', 'KeyStores:ProofOfControl:Create', 'KeyStores:OnchainSignatures:Create',
  'Networks:CantonValidators:Create', 'Networks:CantonValidators:Read', 'Networks:CantonValidators:Update',
  'Networks:CantonValidators:Delete', 'Wallets:Create', 'Wallets:Read', 'Wallets:Update', 'Wallets:Tags:Add', 'Wallets:Tags:Delete',
  'Wallets:Transactions:Create', 'Wallets:Transactions:Read', 'Wallets:Transactions:Abort', 'Wallets:Transfers:Create',
  'Wallets:Transfers:Read', 'Wallets:Transfers:Abort', 'Wallets:Offers:Read', 'Wallets:Offers:Settle', 'Vaults:Create', 'Vaults:Read',
  'Vaults:Update', 'Vaults:Tags:Add', 'Vaults:Tags:Delete', 'Webhooks:Create', 'Webhooks:Read', 'Webhooks:Update', 'Webhooks:Delete',
  'Webhooks:Ping', 'Webhooks:Events:Read', 'Billing:Read', 'Billing:Write', 'Analytics:Read',
] as const;

export type Operation = (typeof operations)[number];

// biome-ignore format: as above.
export const legacyOperations = [
  'Alias:Create', 'Alias:Delete', 'Alias:Read', 'Alias:Update', 'Wallets:GenerateSignature', 'Wallets:BroadcastTransaction',
  'Auth:Action:Sign', 'Auth:Apps:Read', 'Auth:Apps:Create', 'Auth:Apps:Update', 'Auth:Creds:Create', 'Auth:Creds:Read',
  'Auth:Creds:Update', 'Auth:Creds:Code:Create', 'Auth:Types:Application', 'Auth:Types:Employee', 'Auth:Types:EndUser', 'Auth:Types:Pat',
  'Auth:Types:ServiceAccount', 'Auth:Users:Delegate', 'Internal:Auth:Types:Staff', 'PermissionAssignments:Create',
  'PermissionAssignments:Read', 'PermissionAssignments:Revoke',
] as const;

export type LegacyOperation = (typeof legacyOperations)[number];

/** What a legacy name grants today. A legacy name without a row can be stored and grants nothing. */
export const legacyGrants: { readonly [K in LegacyOperation]?: Operation } = {
  'Wallets:GenerateSignature': 'Keys:Signatures:Create',
  'PermissionAssignments:Create': 'Permissions:Assign',
  'PermissionAssignments:Revoke': 'Permissions:Revoke',
  'PermissionAssignments:Read': 'Permissions:Assignments:Read',
};

const names: ReadonlySet<string> = new Set(operations);

export function isOperation(name: string): name is Operation {
  return names.has(name);
}

/** What a stored name grants: itself, what a legacy name stands for today, or nothing. */
export function grantOf(name: string): readonly Operation[] {
  if (isOperation(name)) return [name];
  return grants.get(name) ?? [];
}

const grants: ReadonlyMap<string, readonly Operation[]> = new Map(Object.entries(legacyGrants).map(([name, grant]) => [name, [grant]]));
