-- Checkout: order, payment intent and stock in one transaction; what is charged and given back follows durably.

-- When an unpaid order is given up: real time, whatever business time is. Null for orders of before, and imported ones.
alter table orders add column payment_due_at timestamptz;

-- What the provider knows the method by (its token); null: by our own id.
alter table payment_methods add column provider_ref text collate "C";
alter table payment_methods add constraint balance_is_no_debt check (balance >= 0);

-- What a customer may choose for the parcel. An order that names none ships free.
create table shipping_methods (
  shop_id text not null references shops (id),
  code text collate "C" not null,
  name text not null,
  cost numeric(14, 2) not null check (cost >= 0),
  -- Free for goods worth this much; null: never.
  free_from numeric(14, 2) check (free_from >= 0),
  primary key (shop_id, code)
);
call isolate_by_shop('shipping_methods', 'select, insert, update, delete');

-- What an order is to be paid with, once. Its id is the provider's idempotency key.
--   requires_charge  written by checkout; nobody has been asked for money. Left by asking, or by the order's end.
--   charging         the provider is being asked, or its answer was lost: unknown. Left by what it says, now or when asked again.
--   pending          the provider took it and will say later. Left by its callback, or by asking again.
--   succeeded        the money is ours. Left by a refund, or when the order was cancelled meanwhile.
--   declined         the provider said no. Left only when it contradicts itself and has charged after all.
--   cancelled        the order ended and nobody charged anything. Left as above.
--   refund_due       we hold money that must go back. Left when the provider has given it back.
--   refunded         it has.
create table payment_intents (
  shop_id text not null references shops (id),
  intent_id text collate "C" not null check (intent_id ~ '^pi_[A-Za-z0-9_-]{1,60}$'),
  order_id bigint not null,
  payment_method_id bigint not null,
  -- Who settles it: `card` over HTTP, `gift_card` in this database.
  provider text not null check (provider in ('card', 'gift_card')),
  amount numeric(14, 2) not null check (amount >= 0),
  currency text not null check (currency ~ '^[A-Z]{3}$'),
  state text not null default 'requires_charge' check (state in (
    'requires_charge', 'charging', 'pending', 'succeeded', 'declined', 'cancelled', 'refund_due', 'refunded')),
  -- The provider's own ids.
  charge_ref text,
  refund_ref text,
  -- Code from the provider adapter's fixed list, when declined.
  decline_code text,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (shop_id, intent_id),
  unique (shop_id, order_id),
  foreign key (shop_id, order_id) references orders (shop_id, id) on delete cascade,
  foreign key (shop_id, payment_method_id) references payment_methods (shop_id, id)
);
create index payment_intents_by_method on payment_intents (shop_id, payment_method_id);
create trigger payment_intents_touch before update on payment_intents
  for each row execute function touch_updated_at();
call isolate_by_shop('payment_intents', 'select, insert, update');

-- An intent's money moves in once and out once, whoever writes it down first.
alter table order_payments add column intent_id text collate "C";
alter table order_payments add constraint order_payments_of_an_intent
  foreign key (shop_id, intent_id) references payment_intents (shop_id, intent_id);
create unique index order_payments_once on order_payments (shop_id, intent_id, kind) where intent_id is not null;

-- Which warehouse gave which units. `returned_at`: they are back on its shelf.
create table order_allocations (
  shop_id text not null references shops (id),
  order_id bigint not null,
  line_no integer not null,
  product_id bigint not null,
  warehouse_id bigint not null,
  quantity integer not null check (quantity > 0),
  returned_at timestamptz,
  primary key (shop_id, order_id, line_no, warehouse_id),
  foreign key (shop_id, order_id, line_no) references order_items (shop_id, order_id, line_no) on delete cascade,
  foreign key (shop_id, product_id) references products (shop_id, id),
  foreign key (shop_id, warehouse_id) references warehouses (shop_id, id)
);
create index order_allocations_by_position on order_allocations (shop_id, product_id, warehouse_id);
call isolate_by_shop('order_allocations', 'select, insert, update');

-- A repeat of a checkout is the same order for ever.
create table checkout_keys (
  shop_id text not null references shops (id),
  customer_id bigint not null,
  idempotency_key text collate "C" not null,
  -- SHA-256 of the request: the same key with another request is refused.
  request_hash text not null,
  order_id bigint,
  created_at timestamptz not null default now(),
  primary key (shop_id, customer_id, idempotency_key),
  foreign key (shop_id, customer_id) references customers (shop_id, id) on delete cascade,
  foreign key (shop_id, order_id) references orders (shop_id, id) on delete cascade
);
create index checkout_keys_by_order on checkout_keys (shop_id, order_id);
call isolate_by_shop('checkout_keys', 'select, insert, update');

-- What payment providers told us, and what came of it: every callback, counted or not.
create table payment_callbacks (
  shop_id text not null references shops (id),
  provider text collate "C" not null,
  -- The provider's id of the event: a repeat writes nothing.
  event_id text collate "C" not null,
  intent_id text collate "C" not null,
  outcome text not null check (outcome in ('succeeded', 'declined', 'pending', 'refunded')),
  verdict text not null check (verdict in ('applied', 'known', 'late', 'contradictory', 'mismatch', 'unknown_intent')),
  received_at timestamptz not null default now(),
  primary key (shop_id, provider, event_id)
);
create index payment_callbacks_by_intent on payment_callbacks (shop_id, intent_id);
call isolate_by_shop('payment_callbacks', 'select, insert');
