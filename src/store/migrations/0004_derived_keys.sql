-- Master keys, and the children that are derived from them.
alter table keys add column is_master boolean not null default false;
-- The master of a child. No foreign key: records are restored in any order.
alter table keys add column derived_from text;
-- 'm/i/j…'
alter table keys add column derivation_path text;
alter table keys add constraint keys_derivation check ((derived_from is null) = (derivation_path is null));
create unique index keys_children on keys (derived_from, derivation_path) where derived_from is not null;
