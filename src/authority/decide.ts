/** What an authorised request does to the registry. @module */

import { Refusal } from '../base/errors.ts';
import type { Authorisation } from '../crypto/authorisation.ts';
import * as accounts from './accounts.ts';
import { authorise, type Moment, timeOf } from './authorise.ts';
import * as delegation from './delegation.ts';
import type { Caller } from './grants.ts';
import { namesOf } from './ids.ts';
import * as keyExport from './keyExport.ts';
import * as keyImport from './keyImport.ts';
import * as keys from './keys.ts';
import { targetOf } from './parse.ts';
import * as permissions from './permissions.ts';
import type { Change, Registry } from './registry.ts';
import type { RegistryRequest } from './requests.ts';
import type { Rule } from './rule.ts';
import { takeover } from './takeover.ts';
import * as wallets from './wallets.ts';

const rules = {
  createServiceAccount: accounts.creation,
  activateServiceAccount: accounts.activation,
  deactivateServiceAccount: accounts.deactivation,
  deleteServiceAccount: accounts.deletion,
  createPermission: permissions.creation,
  updatePermission: permissions.update,
  archivePermission: permissions.archival,
  createAssignment: permissions.assignment,
  deleteAssignment: permissions.revocation,
  createKey: keys.creation,
  deleteKey: keys.archival,
  importKey: keyImport.asKey,
  exportKey: keyExport.ofKey,
  delegateKey: delegation.ofKey,
  createWallet: wallets.creation,
  importWallet: keyImport.asWallet,
  exportWallet: keyExport.ofWallet,
  delegateWallet: delegation.ofWallet,
  takeOverSigner: takeover,
} as const satisfies Record<RegistryRequest, Rule>;

/** @throws {Refusal} for a request without authority, against a rule, or that changes no registry */
export function decide(
  registry: Registry,
  authorisation: Authorisation,
  moment: Moment,
): { readonly caller: Caller; readonly changes: readonly Change[] } {
  const caller = authorise(registry, authorisation, moment);
  const { binding, body } = authorisation;
  const ground = { registry, caller, names: namesOf(authorisation), at: timeOf(binding) };
  for (const rule of Object.values(rules)) {
    const target = targetOf(rule.request, binding);
    if (target !== undefined) return { caller, changes: rule.decide(ground, target, body) };
  }
  throw new Refusal('Forbidden', `${binding.method} ${binding.path} changes no registry`);
}
