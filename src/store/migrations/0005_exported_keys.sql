-- When the export of a key was asked for; from then on it signs no more.
alter table keys add column date_exported timestamptz;
