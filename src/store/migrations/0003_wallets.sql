-- Keys bound to networks. A row may stand before its key does: one whose making came to nothing has no key, and does not show.
create table wallets (
  id              text primary key,
  organisation_id text not null references organisations,
  key_id          text not null,
  network         text not null,
  name            text,
  external_id     text,
  tags            text[] not null,
  date_created    timestamptz not null,
  unique (key_id, network)
);
create index wallets_listed on wallets (organisation_id, date_created desc, id desc);

-- The wallet that a request came through; it shows with the requests of the key too.
alter table signature_requests add column wallet_id text;
create index signature_requests_of_wallet on signature_requests (wallet_id, date_requested desc, id desc) where wallet_id is not null;
