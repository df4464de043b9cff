-- Keys are dealt anew, to fresh shares or to other signers: how often, and when last. Null: the shares are those the key was made with.
alter table keys add column epoch bigint not null default 0;
alter table keys add column date_dealt timestamptz;
-- Somebody asked for it then, and it has not been done yet.
alter table keys add column date_refresh_asked timestamptz;
-- Until then one replica is at it, or has failed to do it.
alter table keys add column refresh_claimed_until timestamptz;
