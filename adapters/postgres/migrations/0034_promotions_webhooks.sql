-- Promotions that can be withdrawn, every change of which is told; and what carriers told us, kept before it is read.

alter table promotions
  -- Public id. It says nothing of how many there are, here or in another shop.
  add column promotion_id text collate "C" not null
    default 'prm_' || left(replace(gen_random_uuid()::text, '-', ''), 16)
    check (promotion_id ~ '^prm_[A-Za-z0-9]{1,60}$'),
  -- Counts the changes of the row, as part of the ids of the events that tell of them.
  add column revision integer not null default 1,
  -- Real time.
  add column written_at timestamptz not null default now(),
  -- Business time, like the promotion's own. From then on `ends_at` is when it really ends, and never before
  -- `starts_at`: one that was withdrawn before it began runs for no time at all.
  add column withdrawn_at timestamptz,
  add column planned_end timestamptz,
  -- The action that wrote it; null where it came with seed, import or by hand.
  add column action_id text collate "C",
  add column withdrawn_by text collate "C",
  add constraint promotions_public_id unique (shop_id, promotion_id),
  -- One action writes once, whatever goes wrong above.
  add constraint promotions_once unique (shop_id, action_id),
  drop constraint promotions_check,
  add constraint promotions_run check (starts_at < ends_at or (withdrawn_at is not null and starts_at = ends_at)),
  add constraint promotions_withdrawal check ((withdrawn_at is null) = (planned_end is null));

create function count_revision() returns trigger language plpgsql as $$
begin
  new.revision := old.revision + 1;
  return new;
end $$;
create trigger promotions_revision before update on promotions
  for each row when (old.* is distinct from new.*) execute function count_revision();

-- Told in the transaction of the change, by whatever means it is made. A promotion that moves to another product
-- concerns both. One that goes with its product concerns nobody: the price goes, too.
create function tell_promotion_changes() returns trigger language plpgsql as $$
begin
  if tg_op in ('INSERT', 'UPDATE') then
    insert into event_outbox (shop_id, event_id, topic, version, key, payload, happened_at)
    select n.shop_id, 'promotion_changed:' || n.promotion_id || ':' || n.revision, 'promotion_changed', 1,
           'product:' || n.product_id,
           jsonb_build_object('promotion_id', n.promotion_id, 'manga_id', p.manga_id, 'volume_number', p.volume_number),
           clock_timestamp()
      from written n join products p on p.shop_id = n.shop_id and p.id = n.product_id
     order by n.id
    on conflict do nothing;
  end if;
  if tg_op in ('UPDATE', 'DELETE') then
    insert into event_outbox (shop_id, event_id, topic, version, key, payload, happened_at)
    select o.shop_id, 'promotion_changed:' || o.promotion_id || ':' || o.revision || ':left', 'promotion_changed', 1,
           'product:' || o.product_id,
           jsonb_build_object('promotion_id', o.promotion_id, 'manga_id', p.manga_id, 'volume_number', p.volume_number),
           clock_timestamp()
      from gone o join products p on p.shop_id = o.shop_id and p.id = o.product_id
     where tg_op = 'DELETE' or not exists (select from promotions s where s.shop_id = o.shop_id and s.id = o.id
                                              and s.product_id = o.product_id)
     order by o.id
    on conflict do nothing;
  end if;
  return null;
end $$;
create trigger promotions_written after insert on promotions
  referencing new table as written for each statement execute function tell_promotion_changes();
create trigger promotions_changed after update on promotions
  referencing old table as gone new table as written for each statement execute function tell_promotion_changes();
create trigger promotions_removed after delete on promotions
  referencing old table as gone for each statement execute function tell_promotion_changes();

-- Those that were there before are told of once, too, so that each has its timer. The owner works for all shops at
-- once here, which its own policies would forbid; they hold again before anybody else sees the tables.
alter table promotions no force row level security;
alter table products no force row level security;
alter table event_outbox no force row level security;
alter table event_queue no force row level security;
insert into event_outbox (shop_id, event_id, topic, version, key, payload, happened_at)
select q.shop_id, 'promotion_changed:' || q.promotion_id || ':' || q.revision, 'promotion_changed', 1,
       'product:' || q.product_id,
       jsonb_build_object('promotion_id', q.promotion_id, 'manga_id', p.manga_id, 'volume_number', p.volume_number),
       clock_timestamp()
  from promotions q join products p on p.shop_id = q.shop_id and p.id = q.product_id;
alter table promotions force row level security;
alter table products force row level security;
alter table event_outbox force row level security;
alter table event_queue force row level security;

-- What carriers pushed.
--   received    kept at the door, with the event that has it read. Left by reading it.
--   applied     read, and every order of the parcel was told. Final; the body, which may name people, is dropped.
--   unmatched   no shipment of the shop has the number. Left when one is written: received again.
--   unreadable  signed by the carrier, and of no shape that we know. Final; the body stays for people to look at.
create table webhook_receipts (
  shop_id text collate "C" not null references shops (id),
  id bigint generated by default as identity,
  -- As in the address it came to.
  carrier text collate "C" not null check (carrier ~ '^[a-z0-9_-]{1,40}$'),
  -- The sender's id of the event, or the hash of the body where it has none: a repeat is the same receipt.
  event_id text collate "C" not null check (length(event_id) between 1 and 300),
  received_at timestamptz not null default clock_timestamp(),
  body text,
  -- Capital letters and digits only; null where none was found.
  tracking_number text collate "C",
  state text not null default 'received' check (state in ('received', 'applied', 'unmatched', 'unreadable')),
  -- What the newest scan in it says.
  parcel_state text,
  scanned_at timestamptz,
  -- How often it was given to be read again.
  turn integer not null default 0,
  primary key (shop_id, id),
  unique (shop_id, carrier, event_id)
);
create index webhook_receipts_by_number on webhook_receipts (shop_id, tracking_number);
call isolate_by_shop('webhook_receipts', 'select, insert');
grant update (body, state, parcel_state, scanned_at, turn) on webhook_receipts to countersign_write;

create index shipments_by_bare_number on shipments
  (shop_id, upper(regexp_replace(tracking_number, '[^A-Za-z0-9]', '', 'g')));

-- A parcel can be scanned before its shipment is written here. Whoever reads a receipt holds its row, so that one of
-- the two sees the other. At the end of the transaction, since only then the shipment can be found.
create function reread_receipts() returns trigger language plpgsql as $$
begin
  with again as (
    update webhook_receipts set state = 'received', turn = turn + 1
     where shop_id = new.shop_id and state in ('received', 'unmatched')
       and tracking_number = upper(regexp_replace(new.tracking_number, '[^A-Za-z0-9]', '', 'g'))
    returning shop_id, id, turn)
  insert into event_outbox (shop_id, event_id, topic, version, key, payload, happened_at)
  select shop_id, 'webhook:' || id || ':' || turn, 'carrier_webhook_received', 1, 'webhook:' || id,
         jsonb_build_object('receipt', id::text), clock_timestamp()
    from again order by id;
  return null;
end $$;
create constraint trigger shipments_reread_on_insert after insert on shipments
  deferrable initially deferred
  for each row when (new.tracking_number is not null) execute function reread_receipts();
create constraint trigger shipments_reread_on_update after update on shipments
  deferrable initially deferred
  for each row when (new.tracking_number is distinct from old.tracking_number and new.tracking_number is not null)
  execute function reread_receipts();
