-- The schema of the store's own tests.
create table things (
  id text primary key,
  date_created timestamptz not null,
  amount bigint not null,
  bytes bytea not null,
  tags text[] not null,
  content jsonb not null
);

create table marks (number bigint primary key);
