-- Who is who, and who may do what: read at the moment it matters, never taken from a message.

-- A human being of one shop. Approvals count persons, not logins.
create table persons (
  shop_id text not null references shops (id),
  person_id text collate "C" not null,
  created_at timestamptz not null default now(),
  primary key (shop_id, person_id)
);
call isolate_by_shop('persons', 'select, insert');

-- A login. Either a person's, or an agent's, which then needs an owner before it may ask for anything.
create table identities (
  shop_id text not null references shops (id),
  issuer text collate "C" not null,
  subject text collate "C" not null,
  person_id text collate "C",
  owner_person_id text collate "C",
  created_at timestamptz not null default now(),
  primary key (shop_id, issuer, subject),
  foreign key (shop_id, person_id) references persons (shop_id, person_id),
  foreign key (shop_id, owner_person_id) references persons (shop_id, person_id),
  constraint person_or_agent check (person_id is null or owner_person_id is null)
);
call isolate_by_shop('identities', 'select, insert, update');

-- "Acts for": a person who asks on behalf of another; neither may approve what the other asked for.
create table delegations (
  shop_id text not null references shops (id),
  person_id text collate "C" not null,
  for_person_id text collate "C" not null,
  created_at timestamptz not null default now(),
  primary key (shop_id, person_id, for_person_id),
  foreign key (shop_id, person_id) references persons (shop_id, person_id),
  foreign key (shop_id, for_person_id) references persons (shop_id, person_id)
);
call isolate_by_shop('delegations', 'select, insert, delete');

create table grants (
  shop_id text not null references shops (id),
  person_id text collate "C" not null,
  role text collate "C" not null,
  granted_by text not null,
  granted_at timestamptz not null default now(),
  -- A revoked grant stays: nothing that only makes sure of a login may bring it back.
  revoked_at timestamptz,
  primary key (shop_id, person_id, role),
  foreign key (shop_id, person_id) references persons (shop_id, person_id)
);
call isolate_by_shop('grants', 'select, insert, update');
