-- The record: append only. No role may update, delete or truncate, and a trigger stops even the owner.
-- No foreign key to shops: callers whom no token vouches for are on record, too, under '_unverified'.

create table audit_log (
  shop_id text collate "C" not null check (shop_id ~ '^[A-Za-z0-9_-]{1,64}$'),
  position bigint generated always as identity,
  key text collate "C" not null,
  call_id text collate "C" not null,
  event text not null,
  final boolean not null,
  outcome text not null,
  reason text,
  tool text not null,
  subject text not null,
  actor text,
  customer_id text,
  assurance text,
  input_hash text,
  result_hash text,
  workflow_id text,
  run_id text,
  request_id text,
  transport text,
  details jsonb,
  happened_at timestamptz not null,
  written_at timestamptz not null default clock_timestamp(),
  primary key (shop_id, position),
  -- What makes a repeated append write nothing.
  unique (shop_id, key)
);
-- A call ends once.
create unique index audit_log_one_ending on audit_log (shop_id, call_id) where final;
create index audit_log_by_call on audit_log (shop_id, call_id);
create index audit_log_by_tool on audit_log (shop_id, tool, position desc);
create index audit_log_by_subject on audit_log (shop_id, subject, position desc);
call isolate_by_shop('audit_log', 'select, insert');

-- Rows that the sealer has not seen. A lower position can commit after a higher one, so whoever seals the record
-- takes rows from here and never asks for "positions greater than the last".
create table audit_queue (
  shop_id text collate "C" not null,
  position bigint not null,
  primary key (shop_id, position),
  foreign key (shop_id, position) references audit_log (shop_id, position)
);
call isolate_by_shop('audit_queue', 'select, insert');

create function enqueue_audit() returns trigger language plpgsql as $$
begin
  insert into audit_queue (shop_id, position) select shop_id, position from written;
  return null;
end $$;
create trigger audit_log_enqueue after insert on audit_log
  referencing new table as written for each statement execute function enqueue_audit();

create function refuse_change() returns trigger language plpgsql as $$
begin
  raise exception '% is append only', tg_table_name using errcode = 'restrict_violation';
end $$;
create trigger audit_log_append_only before update or delete or truncate on audit_log
  for each statement execute function refuse_change();
