/**
 * What stands before every use of a share: who asks and may they, by this signer's own registry; is what the request asks for what the
 * session does; has it been done before.
 * @module
 */

import type { Registry } from '../authority/registry.ts';
import { authoriseDerivation, authoriseSignature } from '../authority/useKey.ts';
import type { Clock } from '../base/clock.ts';
import type { KeyShare } from '../mpc/keyShare.ts';
import type { SignerAuthority } from './authority.ts';
import type { Params } from './contract.ts';
import type { KeyUse } from './derivedKeys.ts';
import { judgedAt, SignerRefusal } from './errors.ts';
import type { Membership } from './membership.ts';
import { rememberedPayloads, requireOneAnswer, requirePayload } from './payload.ts';
import type { ReplayMemory } from './replayMemory.ts';

/** What every question to sign says. */
export type SignatureUse = Omit<Params<'signEcdsa'>, 'batch' | 'number'>;

export type Typed = Pick<KeyShare, 'keyType'>;

export interface Admission {
  /** By the registry as it stands. @throws {SignerRefusal} for what `judge` refuses */
  judged<T>(judge: (registry: Registry) => T): T;
  /** One that has left deals its shares to those who stay, and does nothing else with them. @throws {SignerRefusal} */
  requireMember(): void;
  /**
   * Judges a signature that a session asks for, and spends its authorisation.
   * @param ready whether what else it takes is at hand: asked before anything is spent
   * @throws {SignerRefusal} @throws {Refusal}
   */
  sign(use: SignatureUse, ready: (key: Typed) => void): Promise<Typed>;
  /** The same for a derivation. */
  derive(use: Params<'derive'>): Promise<void>;
}

export function admission({
  signerId,
  membership,
  authority,
  keys,
  replays,
  clock,
}: {
  signerId: string;
  membership: () => Membership;
  authority: SignerAuthority;
  keys: KeyUse;
  replays: ReplayMemory;
  clock: Clock;
}): Admission {
  const payloadsOf = rememberedPayloads();

  function judged<T>(judge: (registry: Registry) => T): T {
    const { registry } = authority;
    return judgedAt(registry.head, () => judge(registry));
  }

  function requireMember(): void {
    if (!membership().signers.some((member) => member.signerId === signerId))
      throw new SignerRefusal('Refused', 'this signer is not of the cluster, as its log says it');
  }

  function spend({ authorisation }: Pick<SignatureUse, 'authorisation'>, index: number): Promise<void> {
    const { nonce, expiresAt } = authorisation.binding;
    return replays.spend({ nonce, index, expiresAt });
  }

  return {
    judged,
    requireMember,

    async sign(use, ready) {
      const { keyId, epoch, payload, payloadIndex, filled, authorisation } = use;
      const { body, walletNetwork } = judged((registry) => authoriseSignature(registry, authorisation, { keyId, now: clock() }));
      requireMember();
      const key = keys.publicOf(keyId, epoch);
      if (filled !== undefined) requireOneAnswer(key, { signers: membership().signers.length, threshold: membership().threshold });
      const payloads = await payloadsOf(body, key, { walletNetwork, filled });
      requirePayload(payloads, payloadIndex, payload);
      ready(key);
      await spend(use, payloadIndex);
      return key;
    },

    async derive(use) {
      const { keyId, epoch, domain, seed, authorisation } = use;
      judged((registry) => authoriseDerivation(registry, authorisation, { keyId, domain, seed, now: clock() }));
      requireMember();
      keys.publicOf(keyId, epoch); // it is held
      await spend(use, 0);
    },
  };
}
