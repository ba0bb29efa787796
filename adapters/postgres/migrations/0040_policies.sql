-- The registry of policies: the authority on what each version says and which one stands. The index only finds them.

create table policy_documents (
  shop_id text collate "C" not null references shops (id),
  doc_id text collate "C" not null check (doc_id ~ '^[a-z0-9][a-z0-9-]{0,63}$'),
  -- Where the source holds it: a file that has a problem is not a file that was deleted.
  source_key text not null,
  primary key (shop_id, doc_id)
);
call isolate_by_shop('policy_documents', 'select, insert, update');

create table policy_versions (
  shop_id text collate "C" not null,
  doc_id text collate "C" not null,
  -- Grows by one; an older text that comes back is a new version.
  seq integer not null check (seq > 0),
  content_hash text not null check (content_hash ~ '^[0-9a-f]{12}$'),
  title text not null,
  source_url text not null,
  kind text not null,
  audience text not null check (audience in ('customer', 'staff')),
  language text not null,
  -- As written: a day, or an instant.
  effective_from text,
  own_end text,
  questions jsonb not null check (jsonb_typeof(questions) = 'array'),
  body text not null,
  staged_at timestamptz not null default clock_timestamp(),
  -- The source was last seen to hold it.
  verified_at timestamptz not null,
  -- A part of what the source held when it was last read.
  at_source boolean not null default true,
  -- May be quoted since; null: nobody has been shown it.
  released_at timestamptz,
  -- A part of the live publication, and how it stands there.
  is_listed boolean not null default false,
  effective_to text,
  superseded_at timestamptz,
  -- Taken out of the index that answers for today.
  removed_at timestamptz,
  primary key (shop_id, doc_id, seq),
  foreign key (shop_id, doc_id) references policy_documents (shop_id, doc_id)
);
call isolate_by_shop('policy_versions', 'select, insert');
-- What a version says is never changed.
grant update (verified_at, at_source, released_at, is_listed, effective_to, superseded_at, removed_at)
  on policy_versions to countersign_write;
create index policy_versions_to_remove on policy_versions (shop_id, superseded_at)
  where superseded_at is not null and removed_at is null;

-- What was published together. Belongs to no shop, since builds of the index do not; only the system role sees it.
create table policy_publications (
  number bigint primary key check (number > 0),
  state text not null
    check (state in ('building', 'checked', 'refused', 'live', 'replaced', 'withdrawn', 'abandoned')),
  build text not null,
  record text not null,
  digest text not null,
  embedder text not null,
  golden jsonb not null default '[]',
  began_at timestamptz not null,
  live_at timestamptz,
  ended_at timestamptz
);
create unique index policy_publications_one_live on policy_publications (state) where state = 'live';
grant select, insert, update on policy_publications to countersign_system;

create table policy_publication_versions (
  shop_id text collate "C" not null,
  publication bigint not null,
  doc_id text collate "C" not null,
  seq integer not null,
  primary key (shop_id, publication, doc_id, seq),
  foreign key (shop_id, doc_id, seq) references policy_versions (shop_id, doc_id, seq)
);
call isolate_by_shop('policy_publication_versions', 'select');
create policy system_publishes on policy_publication_versions for insert to countersign_system with check (true);
grant insert on policy_publication_versions to countersign_system;

-- What is asked of the keeper of policies, and what came of it. Whoever can send its workflow a signal can make it look
-- here, and no more.
create table policy_runs (
  id text primary key check (id ~ '^[a-z0-9-]{1,64}$'),
  kind text not null check (kind in ('sync', 'ingest', 'rebuild', 'accept', 'rollback')),
  -- Of a rollback: the publication to go back to; null: the one before.
  target bigint references policy_publications (number),
  requested_by text not null check (length(requested_by) between 1 and 200),
  requested_at timestamptz not null,
  publication bigint references policy_publications (number),
  -- For people who wait for it.
  progress text not null default '' check (length(progress) <= 500),
  -- What reading the source came to.
  report jsonb not null default '[]',
  outcome jsonb,
  ended_at timestamptz
);
create index policy_runs_open on policy_runs (requested_at) where ended_at is null;
grant select, insert, update, delete on policy_runs to countersign_system;
