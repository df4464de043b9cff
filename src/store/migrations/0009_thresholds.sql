-- So many shares of a key tell nothing. Null: as of the cluster that made the key, which had no others yet.
alter table keys add column threshold bigint;
