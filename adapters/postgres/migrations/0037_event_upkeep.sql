-- Events that are old and that every consumer has passed are forgotten; and a consumer that stands still says at which
-- event, and can be told to leave out exactly that one.

-- Still nobody changes a row. The system role, and no other, deletes; and even it, or the owner, nothing that is
-- younger than a day or that a consumer has not passed. How long they are kept beyond that is a setting.
drop trigger event_log_append_only on event_log;
create trigger event_log_append_only before update or truncate on event_log
  for each statement execute function refuse_change();
create policy system_forgets on event_log for delete to countersign_system using (true);
grant delete on event_log to countersign_system;

create function refuse_early_forgetting() returns trigger language plpgsql as $$
begin
  if exists (select from gone where published_at > clock_timestamp() - interval '1 day'
                or position > coalesce((select min(position) from event_cursors), 0)) then
    raise exception 'an event is still needed' using errcode = 'restrict_violation';
  end if;
  return null;
end $$;
create trigger event_log_kept after delete on event_log
  referencing old table as gone for each statement execute function refuse_early_forgetting();

-- In the outbox what is queued or in the log is held by the foreign keys of both, and all the rest was forgotten there.
drop trigger event_outbox_append_only on event_outbox;
create trigger event_outbox_append_only before update or truncate on event_outbox
  for each statement execute function refuse_change();
create policy system_forgets on event_outbox for delete to countersign_system using (true);
grant delete on event_outbox to countersign_system;
-- For that foreign key.
create index event_queue_by_event on event_queue (shop_id, event_id);

-- Events that a consumer could not deal with, until its cursor has passed them. Belongs to no shop, like the cursors.
create table event_failures (
  consumer text collate "C" not null check (consumer ~ '^[a-z][a-z0-9_.:-]{0,99}$'),
  position bigint not null check (position > 0),
  attempts integer not null default 1,
  -- Of the last attempt, for operators.
  failure text not null check (length(failure) <= 500),
  failed_at timestamptz not null default clock_timestamp(),
  -- Set when an operator has it left out.
  skipped_at timestamptz,
  primary key (consumer, position)
);
grant select, insert, update, delete on event_failures to countersign_system;
