-- A spent user action is known by its nonce and by nothing else: every signature writes both tables, and each of their indexes costs it.
alter table signature_requests add column nonce text;
update signature_requests r set nonce = a.nonce from audit_log a where a.id = r.audit_id;
alter table signature_requests alter column nonce set not null, drop column audit_id;
drop index audit_log_listed;
alter table audit_log drop column id, drop constraint audit_log_nonce_key, add primary key (nonce);
