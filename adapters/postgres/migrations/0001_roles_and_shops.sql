-- Isolation first: every later table goes through isolate_by_shop. The roles themselves exist before the
-- first migration (adapters/postgres/roles.ts), because creating them needs more than their owner has.

grant usage on schema public to countersign_read, countersign_write, countersign_system;

-- Forces row-level security on a table and grants what each role may do there.
-- `write_may`: privileges of countersign_write, for example 'select, insert'.
-- Reads see one shop, writes touch one shop; countersign_system reads every shop, for cross-shop jobs and
-- backups, and writes nowhere unless a migration adds a named policy and a grant of its own.
create procedure isolate_by_shop(target regclass, write_may text, shop_column name default 'shop_id')
language plpgsql as $$
declare
  own_shop constant text :=
    format('%I = nullif(current_setting(''countersign.shop_id'', true), '''')', shop_column);
begin
  execute format('alter table %s enable row level security', target);
  execute format('alter table %s force row level security', target);
  execute format(
    'create policy own_shop on %s to countersign_read, countersign_write using (%s) with check (%s)',
    target, own_shop, own_shop);
  execute format('create policy system_reads_all on %s for select to countersign_system using (true)', target);
  execute format('grant select on %s to countersign_read, countersign_system', target);
  execute format('grant %s on %s to countersign_write', write_may, target);
end $$;

-- The same for a view: the caller's own rights and policies decide what it shows.
create procedure open_view(target regclass)
language plpgsql as $$
begin
  execute format('alter view %s set (security_invoker = true)', target);
  execute format('grant select on %s to countersign_read, countersign_write, countersign_system', target);
end $$;

create function touch_updated_at() returns trigger language plpgsql as $$
begin
  new.updated_at := now();
  return new;
end $$;

create function touch_last_updated() returns trigger language plpgsql as $$
begin
  new.last_updated := now();
  return new;
end $$;

create table shops (
  id text primary key check (id ~ '^[A-Za-z0-9_-]{1,64}$'),
  name text not null,
  -- ISO 4217. Every amount of the shop is in it; a price may name another.
  currency text not null check (currency ~ '^[A-Z]{3}$'),
  -- The day the mock data was laid out around (the first seed's), null for a shop that was not seeded.
  anchor date,
  -- Counts the shop's purchase orders, so that PO numbers of one shop say nothing about another's.
  last_po_id bigint not null default 1000,
  created_at timestamptz not null default now()
);
call isolate_by_shop('shops', 'select, insert', 'id');
grant update (name, anchor, last_po_id) on shops to countersign_write;
