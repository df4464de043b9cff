-- The first schema. Words as in docs/terminology.md; dates are kept in whole milliseconds; ids are those of the wire.
-- "date_…" columns are what the wire shows. Nothing here is secret: no private key, no share, no access token.

create table organisations (
  id             text primary key,
  -- What clients are configured with as their application.
  application_id text not null,
  date_created   timestamptz not null
);

-- Exactly one row: replicas that start together on an empty database race for it, and the winner makes the organisation.
create table installation (
  singleton       boolean primary key default true check (singleton),
  organisation_id text not null references organisations deferrable initially deferred
);

-- The authority log: every request that changed who may do what, in order, each with the signature of the credential that asked for it.
-- Each signer has the same log. What users, tokens, credentials, permissions, assignments and the status of keys are, follows from it.
create table authority_log (
  sequence      bigint primary key check (sequence > 0),
  hash          bytea not null unique check (octet_length(hash) = 32),
  -- Its one text: authority/entry.ts.
  entry         text not null,
  -- [{"at", "signerId", "signature"}]: the signers that vouch for the head with this entry, t + 1 or more. None for an entry that was
  -- taken over with a later one, whose vouchers are also its own.
  vouchers      json not null,
  -- Later than that of the entry before.
  date_accepted timestamptz not null
);

-- The entry that signers are being asked for: at most one. What a crash has left here is settled before the next is proposed.
create table authority_proposal (
  singleton  boolean primary key default true check (singleton),
  entry      text not null,
  request_id text
);

-- People and service accounts. A deleted one stays, for what it has done.
create table users (
  id                 text primary key,
  organisation_id    text not null references organisations,
  kind               text not null check (kind in ('CustomerEmployee', 'EndUser')),
  is_service_account boolean not null,
  username           text not null,
  is_active          boolean not null,
  date_created       timestamptz not null,
  date_deleted       timestamptz,
  check (date_deleted is null or not is_active),
  check (not is_service_account or kind = 'CustomerEmployee')
);
create index users_listed on users (organisation_id, is_service_account, date_created desc, id desc) where date_deleted is null;

-- What a bearer token stands for. The token itself is a signed text that names this row; whether it is good, this row says.
create table tokens (
  id              text primary key,
  organisation_id text not null references organisations,
  user_id         text not null references users,
  kind            text not null check (kind in ('ServiceAccount', 'Token')),
  name            text not null,
  is_active       boolean not null,
  date_created    timestamptz not null,
  date_expires    timestamptz not null
);
create index tokens_of_user on tokens (user_id);

create table credentials (
  uuid            text primary key,
  organisation_id text not null references organisations,
  user_id         text not null references users,
  -- The one token whose user actions this credential signs; null for a credential of the user's own.
  token_id        text references tokens,
  -- The authenticator's own id.
  cred_id         text not null,
  kind            text not null check (kind in ('Key', 'PasswordProtectedKey', 'Fido2', 'RecoveryKey')),
  name            text not null,
  -- PEM.
  public_key      text not null,
  is_active       boolean not null,
  date_created    timestamptz not null,
  unique (organisation_id, cred_id)
);
create index credentials_of_user on credentials (user_id);

create table permissions (
  id              text primary key,
  organisation_id text not null references organisations,
  name            text not null,
  -- Empty for full admin access, which grants every operation there is.
  operations      text[] not null,
  managed         text check (managed in ('FullAdmin', 'DefaultEndUser')),
  is_archived     boolean not null default false,
  date_created    timestamptz not null,
  date_updated    timestamptz not null,
  unique (organisation_id, name),
  unique (organisation_id, managed),
  check (managed is null or not is_archived)
);
create index permissions_listed on permissions (organisation_id, date_created desc, id desc);

create table permission_assignments (
  id              text primary key,
  organisation_id text not null references organisations,
  permission_id   text not null references permissions,
  -- A user, a service account, or one token of theirs.
  identity_id     text not null,
  date_created    timestamptz not null,
  date_updated    timestamptz not null,
  date_revoked    timestamptz
);
create unique index permission_assignments_in_force on permission_assignments (identity_id, permission_id) where date_revoked is null;
create index permission_assignments_listed on permission_assignments (permission_id, date_created desc, id desc) where date_revoked is null;

-- Idempotency (contract §1.6): what an externalId has made under a path. Permanent.
create table external_ids (
  organisation_id text not null references organisations,
  path            text not null,
  external_id     text not null,
  entity_id       text not null,
  -- SHA-256 of the canonical JSON of the creating body; null when the id was given later, so that no creation equals it.
  body_hash       text,
  primary key (organisation_id, path, external_id)
);

-- Every user action that was spent. The row is the guard against its second use: `nonce` is unique for ever.
-- No foreign keys: the log says what happened, whatever became of those it names.
create table audit_log (
  id              text primary key,
  nonce           text not null unique,
  organisation_id text not null,
  user_id         text not null,
  token_id        text not null,
  method          text not null,
  -- As the challenge committed to it.
  path            text not null,
  -- SHA-256 of the body bytes, lower-case hex.
  payload_hash    text not null,
  credential_uuid text not null,
  -- As it came over the wire: with the columns above, all it takes to verify the credential's signature again.
  assertion       json not null,
  date_expires    timestamptz not null,
  date_performed  timestamptz not null,
  request_id      text,
  -- Why nothing came of it; null when it had its effect.
  refusal         text
);
create index audit_log_listed on audit_log (organisation_id, date_performed desc, id desc);

create table key_stores (
  id              text primary key,
  organisation_id text not null references organisations,
  kind            text not null check (kind in ('Hsm', 'Mpc', 'OfflineSigner')),
  name            text not null,
  is_primary      boolean not null,
  date_created    timestamptz not null
);
create unique index key_stores_primary on key_stores (organisation_id) where is_primary;

-- Public keys and what the service knows of them. The shares are the signers'.
create table keys (
  id                  text primary key,
  organisation_id     text not null references organisations,
  store_id            text not null references key_stores,
  key_type            text not null
    check (key_type in ('ECDSA/secp256k1', 'ECDSA/stark', 'EdDSA/ed25519', 'Schnorr/secp256k1', 'DH/secp256k1')),
  public_key          bytea not null,
  -- {"<participant>": "<hex of share · base>"}
  verification_shares json not null,
  chain_code          bytea not null check (octet_length(chain_code) = 32),
  name                text,
  status              text not null check (status in ('Active', 'Archived')),
  -- The end user whose key this is; null while it is the organisation's.
  delegated_to        text references users,
  date_created        timestamptz not null,
  date_deleted        timestamptz,
  check ((status = 'Archived') = (date_deleted is not null))
);
create index keys_listed on keys (organisation_id, date_created desc, id desc);
create index keys_delegated on keys (delegated_to) where delegated_to is not null;

-- The service processes on this database. One that has not been seen for a while is gone, and what it was executing has failed.
create table replicas (
  id        text primary key,
  date_seen timestamptz not null
);

-- No foreign keys: the one statement that inserts finds the active key, of its organisation, and the audit row that it has just written.
create table signature_requests (
  id                   text primary key,
  organisation_id      text not null,
  key_id               text not null,
  requester_id         text not null,
  requester_token_id   text not null,
  -- The user action that asked for it.
  audit_id             text not null unique,
  -- The body as received: JSON text.
  request_body         text not null,
  network              text,
  external_id          text,
  status               text not null check (status in ('Pending', 'Executing', 'Signed', 'Confirmed', 'Failed', 'Rejected')),
  reason               text,
  -- The signatures as the wire shows them, one for each payload.
  signatures           json,
  signed_data          bytea,
  -- The replica that executes it; no foreign key, because the replica may be gone.
  executing_by         text,
  date_requested       timestamptz not null,
  date_policy_resolved timestamptz,
  date_signed          timestamptz,
  date_confirmed       timestamptz,
  check (status not in ('Signed', 'Confirmed') or (signatures is not null and date_signed is not null)),
  check (status not in ('Failed', 'Rejected') or reason is not null),
  check (status <> 'Executing' or executing_by is not null)
);
create index signature_requests_listed on signature_requests (key_id, date_requested desc, id desc);
create index signature_requests_executing on signature_requests (executing_by) where status = 'Executing';
