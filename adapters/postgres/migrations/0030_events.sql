-- The transactional outbox. An event is written in the transaction of the change it tells about; one drainer gives
-- it a position; consumers read positions and keep a cursor each. Nobody reads "rows with a greater id": a lower
-- id can commit after a higher one.

-- Insert only: what was said stays said. No foreign key to shops: some rows ride on the audit row of a call, which is
-- written for callers of unknown shops, too, and must not fail.
create table event_outbox (
  shop_id text collate "C" not null check (shop_id ~ '^[A-Za-z0-9_-]{1,64}$'),
  -- Unique per shop, so that a repeat writes nothing.
  event_id text collate "C" not null check (length(event_id) between 1 and 400),
  topic text collate "C" not null check (topic ~ '^[a-z][a-z0-9_]{0,63}$'),
  version integer not null check (version > 0),
  -- What stays in order among its like.
  key text collate "C" not null check (length(key) between 1 and 400),
  payload jsonb not null check (jsonb_typeof(payload) = 'object'),
  happened_at timestamptz not null,
  -- The order of the rows of one transaction, and of transactions that waited for each other's locks.
  seq bigint generated always as identity,
  written_at timestamptz not null default clock_timestamp(),
  primary key (shop_id, event_id)
);
call isolate_by_shop('event_outbox', 'select, insert');
create trigger event_outbox_append_only before update or delete or truncate on event_outbox
  for each statement execute function refuse_change();

-- What has no position yet.
create table event_queue (
  shop_id text collate "C" not null,
  seq bigint not null,
  event_id text collate "C" not null,
  primary key (shop_id, seq),
  foreign key (shop_id, event_id) references event_outbox (shop_id, event_id)
);
create index event_queue_in_order on event_queue (seq);
call isolate_by_shop('event_queue', 'select, insert');
create policy system_drains on event_queue for delete to countersign_system using (true);
grant delete on event_queue to countersign_system;

-- A notification takes a lock that all notifying commits share until they are on disk. So what nobody waits for, the
-- analytics of stock checks, rings no bell and is found by the drainer's next look.
create function enqueue_event() returns trigger language plpgsql as $$
begin
  insert into event_queue (shop_id, seq, event_id) select shop_id, seq, event_id from written;
  if exists (select from written where topic <> 'stock_check_event') then
    perform pg_notify('countersign_events', '');
  end if;
  return null;
end $$;
create trigger event_outbox_enqueue after insert on event_outbox
  referencing new table as written for each statement execute function enqueue_event();

-- The last position given: one row, locked by whoever gives the next, so that positions are dense.
create table event_head (
  only_row boolean primary key default true check (only_row),
  position bigint not null
);
insert into event_head (position) values (0);
grant select, update on event_head to countersign_system;

-- The log: positions grow by one, over all shops.
create table event_log (
  shop_id text collate "C" not null,
  position bigint not null check (position > 0),
  event_id text collate "C" not null,
  published_at timestamptz not null default clock_timestamp(),
  primary key (shop_id, event_id),
  foreign key (shop_id, event_id) references event_outbox (shop_id, event_id),
  -- No position twice. A unique key would have to start with the shop, and positions are common to all.
  constraint event_log_position_once exclude using btree (position with =)
);
call isolate_by_shop('event_log', 'select');
create policy system_publishes on event_log for insert to countersign_system with check (true);
grant insert on event_log to countersign_system;
create trigger event_log_append_only before update or delete or truncate on event_log
  for each statement execute function refuse_change();

-- How far each consumer has come. Belongs to no shop, since positions do not; only the system role sees it.
create table event_cursors (
  consumer text collate "C" primary key check (consumer ~ '^[a-z][a-z0-9_.:-]{0,99}$'),
  position bigint not null check (position >= 0),
  moved_at timestamptz not null default clock_timestamp()
);
grant select, insert, update on event_cursors to countersign_system;
