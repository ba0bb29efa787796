-- The authority on every action: Temporal waits and drives, these rows decide.

create table actions (
  shop_id text not null references shops (id),
  -- Also the workflow's id.
  action_id text collate "C" not null check (action_id ~ '^[A-Za-z0-9_-]{1,200}$'),
  tool text not null,
  state text not null default 'pending_approval' check (state in (
    'pending_approval', 'approved', 'executed', 'rejected', 'expired', 'cancelled', 'refused', 'failed', 'unknown')),
  issuer text collate "C" not null,
  requester text collate "C" not null,
  actor text collate "C",
  requester_person text collate "C" not null,
  idempotency_key text collate "C",
  digest text not null,
  approver_role text not null,
  -- The sealed plan, as the workflow gets it. Personal fields are encrypted.
  plan jsonb not null,
  result jsonb,
  reason_code text,
  reason_message text,
  requested_at timestamptz not null default now(),
  expires_at timestamptz not null,
  ended_at timestamptz,
  primary key (shop_id, action_id),
  foreign key (shop_id, requester_person) references persons (shop_id, person_id),
  check ((state in ('pending_approval', 'approved')) = (ended_at is null))
);
-- A repeat is the same action for ever: by the caller's key, or, without one, while the same ask is open.
create unique index actions_by_key on actions (shop_id, issuer, requester, tool, idempotency_key)
  where idempotency_key is not null;
create unique index actions_open_by_digest on actions (shop_id, issuer, requester, tool, digest)
  where idempotency_key is null and ended_at is null;
create index actions_open on actions (shop_id, requested_at) where ended_at is null;
call isolate_by_shop('actions', 'select, insert, update');

-- Every vote that arrived, counted or not.
create table ballots (
  shop_id text not null references shops (id),
  action_id text collate "C" not null,
  ballot_no integer not null,
  -- As the ballot named itself; believed only when admitted.
  approver text not null,
  person_id text collate "C",
  decision text not null,
  comment text,
  admitted boolean not null,
  problem text,
  channel text not null check (channel in ('proof', 'code', 'none')),
  -- Of the gateway's proof, which counts once.
  jti text collate "C",
  cast_at timestamptz not null default now(),
  primary key (shop_id, action_id, ballot_no),
  unique (shop_id, jti),
  foreign key (shop_id, action_id) references actions (shop_id, action_id)
);
create unique index ballots_one_per_person on ballots (shop_id, action_id, person_id) where admitted;
call isolate_by_shop('ballots', 'select, insert');

-- Enough persons said yes to this digest under this rule. Consumed once, in the effect's own transaction.
create table approvals (
  shop_id text not null references shops (id),
  action_id text collate "C" not null,
  digest text not null,
  rule_version integer not null,
  approved_by text[] not null,
  granted_at timestamptz not null default now(),
  consumed_at timestamptz,
  primary key (shop_id, action_id),
  foreign key (shop_id, action_id) references actions (shop_id, action_id)
);
call isolate_by_shop('approvals', 'select, insert, update');

-- One-time codes for votes through Temporal: only their hashes.
create table approval_codes (
  shop_id text not null references shops (id),
  code_hash text collate "C" not null,
  action_id text collate "C" not null,
  issuer text collate "C" not null,
  approver text collate "C" not null,
  decision text not null check (decision in ('approve', 'reject')),
  digest text not null,
  issued_at timestamptz not null default now(),
  expires_at timestamptz not null,
  -- Set at the first presentation, whatever came of it.
  used_at timestamptz,
  primary key (shop_id, code_hash),
  foreign key (shop_id, action_id) references actions (shop_id, action_id)
);
call isolate_by_shop('approval_codes', 'select, insert, update');
