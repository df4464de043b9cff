-- The registry that the authority log makes (authority/records.ts), as far as it is not the log itself: so that a start does not read the log.
create table authority_records (
  kind     text not null,
  id       text not null,
  -- The entry that made it so; 0 for what the root has from the start. Of what is looked up each version stays, so that a replica reads it as
  -- of the head that it stands at; of what every replica holds in memory, the last.
  sequence bigint not null check (sequence >= 0),
  record   text not null,
  primary key (kind, id, sequence)
);
-- In the order in which they were asked for.
create index authority_records_keys on authority_records (sequence) where kind = 'key';

-- Up to where the records are those of the log.
create table authority_checkpoint (
  singleton boolean primary key default true check (singleton),
  -- authority/records.ts: `recordsVersion`.
  version   integer not null,
  sequence  bigint not null,
  -- Of the registry: unix seconds.
  time      bigint not null
);
