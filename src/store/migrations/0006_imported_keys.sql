-- Keys that came from elsewhere. A key is here once, under whichever id it came.
alter table keys add column is_imported boolean not null default false;
create unique index keys_public_key on keys (organisation_id, public_key);
