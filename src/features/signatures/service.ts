/**
 * Signature requests: from the request to a signature that is durable before anybody sees it.
 * @module
 */

import { setTimeout as pause } from 'node:timers/promises';
import { to0x } from '../../base/bytes.ts';
import type { Clock } from '../../base/clock.ts';
import { assert, Refusal } from '../../base/errors.ts';
import { newId } from '../../base/ids.ts';
import { type PageQuery, pageEnd, pageStart } from '../../base/pagination.ts';
import type { Signed, Target, Unsigned } from '../../chains/chain.ts';
import { missingFields, parseRequest } from '../../chains/index.ts';
import type { WalletNetwork } from '../../chains/networks.ts';
import type { Body } from '../../chains/requests.ts';
import type { Coordinator } from '../../coordinator/coordinator.ts';
import type { Signature } from '../../crypto/schemes/scheme.ts';
import type { Networks } from '../../networks/index.ts';
import type { Database } from '../../store/database.ts';
import type { Caller } from '../access/caller.ts';
import { actionOf, authorisationOf, type Context } from '../access/context.ts';
import { auditEntry, recordRefusal } from '../audit/store.ts';
import { type Binding, bodyHashOf, externalIdConflict, findExternalId } from '../idempotency/store.ts';
import type { SigningKey } from '../keys/remembered.ts';
import { type KeyService, referenceOf, requireActive } from '../keys/service.ts';
import type { SignatureRequest, WireSignature } from './contract.ts';
import { shown } from './shown.ts';
import type { NewRequest, RequestRow, SignatureStore } from './store.ts';

/** How long a repeat of a request that is being signed waits for the result. */
const repeatWaitMs = 10_000;
const firstPollMs = 10;
const maxPollMs = 200;

const maxFailedAtOnce = 1000;
/** Of one request's payloads: so many sessions at a time, that those of the last do not wait for all of them, and others get their turn. */
const maxPayloadsAtOnce = 32;
export const abandonedReason = 'the service stopped before the request was signed';

/** The key that signs, and the wallet that the request came through, if one. */
interface Through {
  readonly keyId: string;
  readonly wallet?: { readonly id: string; readonly network: WalletNetwork };
}

interface Asked {
  readonly key: SigningKey;
  readonly wallet: Through['wallet'];
  readonly body: Body;
}

type Claim = Pick<NewRequest, 'organisationId' | 'path' | 'externalId' | 'bodyHash'>;

interface Parsed {
  readonly unsigned: Unsigned;
  readonly filled: Target['filled'] | undefined;
}

interface Of {
  readonly keyId: string;
  readonly walletId?: string;
}

export interface SignatureService {
  create(context: Context, through: Through, body: Body): Promise<SignatureRequest>;
  /** With a wallet, only what came through it. */
  list(caller: Caller, of: Of, query: PageQuery): Promise<{ items: SignatureRequest[]; keyId: string; nextPageToken?: string }>;
  get(caller: Caller, of: Of, signatureId: string): Promise<SignatureRequest>;
  /**
   * Fails what nobody executes any more: a signature may have been made and lost, so signing again is the caller's decision.
   * @param lease.startingReplica the replica that starts, of whose former life nothing is under way; null later on
   */
  failAbandoned(lease: { startingReplica: string | null; leaseSeconds: number }): Promise<void>;
}

export function createSignatureService(parts: {
  database: Database;
  store: SignatureStore;
  keys: KeyService;
  coordinator: Coordinator;
  networks: Networks;
  clock: Clock;
  replicaId: string;
}): SignatureService {
  const { database, store, keys, coordinator, networks, clock, replicaId } = parts;

  /**
   * What the caller left to the service. A repeat is not filled in anew: it is answered with what was signed, of which this is part.
   * @returns undefined where nothing is left out, or nobody can say it: then the format names it
   */
  async function filledFor(
    body: Body,
    key: SigningKey,
    walletNetwork: WalletNetwork | undefined,
    claim: Claim,
  ): Promise<Target['filled'] | undefined> {
    if ((await missingFields(body, key, { walletNetwork })).length === 0) return undefined;
    const bound = await boundBy(claim);
    if (bound === undefined) return networks.fill(body, key, { walletNetwork });
    const first = await store.find(bound.entityId);
    assert(first?.details, 'a request whose fields were filled in has them');
    return first.details as Target['filled']; // as the format gave them
  }

  /** What has the externalId. @throws {Refusal} Conflict when that is another request */
  async function boundBy({ organisationId, path, externalId, bodyHash }: Claim): Promise<Binding | undefined> {
    if (externalId === null) return undefined;
    const bound = await findExternalId(database, { organisationId, path, externalId });
    if (bound !== undefined && bound.bodyHash !== bodyHash) throw externalIdConflict('signature', { id: bound.entityId, externalId });
    return bound;
  }

  /** Signs a request that has begun. Whatever fails leaves it Failed, and what failed is thrown. */
  async function execute(context: Context, request: NewRequest, key: SigningKey, parsed: Parsed): Promise<SignatureRequest> {
    const { signatures, signedData, txHash } = await sign(context, key, parsed).catch((error: unknown) => fail(request, error));
    const dateSigned = new Date(clock());
    const outcome = { signatures, ...(signedData && { signedData }), ...(txHash !== undefined && { expectedTxHash: txHash }) };
    if (!(await store.move('sign', { id: request.id, date: dateSigned, ...outcome }))) {
      throw new Refusal('Unavailable', 'the request was given up meanwhile', { details: { signatureId: request.id, keyId: key.id } });
    }
    return shown({
      ...request,
      status: 'Signed',
      reason: null,
      signatures,
      signedData: signedData ?? null,
      datePolicyResolved: request.dateRequested,
      dateSigned,
      dateConfirmed: null,
    });
  }

  async function sign(context: Context, key: SigningKey, { unsigned, filled }: Parsed) {
    const authorisation = authorisationOf(context);
    const signatures: Signature[] = [];
    while (signatures.length < unsigned.payloads.length) {
      const from = signatures.length;
      const some = unsigned.payloads.slice(from, from + maxPayloadsAtOnce);
      const asked = some.map((payload, i) =>
        coordinator.sign({ key: referenceOf(key), payload, payloadIndex: from + i, filled, authorisation }),
      );
      signatures.push(...(await Promise.all(asked)));
    }
    return wireOf(signatures, unsigned.assemble(signatures));
  }

  async function fail({ id, keyId }: NewRequest, error: unknown): Promise<never> {
    const isRefusal = error instanceof Refusal;
    await store.move('fail', { id, date: new Date(clock()), reason: isRefusal ? error.message : 'Internal Server Error' });
    if (!isRefusal || error.code !== 'Unavailable') throw error;
    throw new Refusal('Unavailable', error.message, { details: { signatureId: id, keyId }, cause: error });
  }

  /** The answer to a request that did not begin: because its externalId has one already, or else because its key is used no more. */
  async function repeated(caller: Caller, request: NewRequest): Promise<SignatureRequest> {
    const bound = await boundBy(request);
    if (bound === undefined) {
      requireActive(await keys.require(caller, request.keyId));
      throw new Refusal('Conflict', 'the key was in no state to be signed with; ask again');
    }
    return shown(await settled(bound.entityId));
  }

  /** The request as it is when it is no longer being signed, or when that takes too long. */
  async function settled(id: string): Promise<RequestRow> {
    for (let [pollMs, waitedMs] = [firstPollMs, 0]; ; pollMs = Math.min(2 * pollMs, maxPollMs)) {
      const row = await store.find(id);
      assert(row, 'an externalId is bound together with its request');
      if (row.status !== 'Executing' || waitedMs >= repeatWaitMs) return row;
      await pause(pollMs);
      waitedMs += pollMs;
    }
  }

  return {
    async create(context, { keyId, wallet }, body) {
      const key = await keys.requireForSigning(context.caller, keyId);
      const claim = claimOf(context, { key, wallet, body });
      const filled = await filledFor(body, key, wallet?.network, claim);
      const unsigned = await parseRequest(body, key, { walletNetwork: wallet?.network, filled });
      const request = newRequest(context, { key, wallet, body, unsigned, claim, executingBy: replicaId, now: new Date(clock()) });
      const action = actionOf(context);
      const audit = auditEntry({ caller: context.caller, action, date: request.dateRequested, requestId: context.requestId });

      const beginning = await store.begin({ audit, request });
      if (beginning === 'actionUsed') throw new Refusal('UserActionUsed');
      action.spent = true;
      if (beginning === 'begun') return execute(context, request, key, { unsigned, filled });
      try {
        return await repeated(context.caller, request);
      } catch (error) {
        if (error instanceof Refusal) await recordRefusal(database, audit.nonce, error.message);
        throw error;
      }
    },

    async list(caller, { keyId, walletId = null }, query) {
      await keys.require(caller, keyId);
      const filter = { list: 'signatures', keyId, walletId };
      const rows = await store.list({ keyId, walletId }, pageStart(query, filter));
      const { rows: page, ...rest } = pageEnd(rows, query, filter, ({ dateRequested, id }) => ({ date: dateRequested, id }));
      return { items: page.map(shown), ...rest, keyId };
    },

    async get(caller, { keyId, walletId }, signatureId) {
      await keys.require(caller, keyId);
      const row = await store.find(signatureId);
      if (row?.keyId !== keyId || (walletId !== undefined && row.walletId !== walletId)) {
        const of = walletId === undefined ? { keyId } : { walletId };
        throw new Refusal('NotFound', 'Signature', { details: { signatureId, ...of, orgId: caller.organisationId } });
      }
      return shown(row);
    },

    async failAbandoned(lease) {
      let found: readonly string[];
      do {
        found = await store.findAbandoned({ ...lease, take: maxFailedAtOnce });
        const date = new Date(clock());
        await Promise.all(found.map((id) => store.move('abandon', { id, date, reason: abandonedReason })));
      } while (found.length === maxFailedAtOnce);
    },
  };
}

/** For which externalId the request stands. */
function claimOf(context: Context, { key, wallet, body }: Asked): Claim {
  return {
    organisationId: context.caller.organisationId,
    path: wallet === undefined ? `/keys/${key.id}/signatures` : `/wallets/${wallet.id}/signatures`,
    externalId: body.externalId ?? null,
    bodyHash: body.externalId === undefined ? null : bodyHashOf(actionOf(context).body),
  };
}

function newRequest(
  context: Context,
  { key, wallet, body, unsigned, claim, executingBy, now }: Asked & { unsigned: Unsigned; claim: Claim; executingBy: string; now: Date },
): NewRequest {
  const { caller } = context;
  const received = actionOf(context).body;
  return {
    id: newId('signature'),
    keyId: key.id,
    walletId: wallet?.id ?? null,
    requesterId: caller.userId,
    requesterTokenId: caller.tokenId,
    requestBody: new TextDecoder().decode(received),
    network: wallet?.network ?? body.network ?? null,
    ...claim,
    details: unsigned.details ?? null,
    executingBy,
    dateRequested: now,
  };
}

function wireOf(signatures: readonly Signature[], { encoded, ...rest }: Signed): { signatures: WireSignature[] } & Omit<Signed, 'encoded'> {
  const wire = signatures.map(({ r, s, recid }, i) => {
    const bytes = encoded[i];
    return {
      r: to0x(r),
      s: to0x(s),
      ...(recid === undefined ? {} : { recid }),
      ...(bytes === undefined ? {} : { encoded: to0x(bytes) }),
    };
  });
  return { signatures: wire, ...rest };
}
