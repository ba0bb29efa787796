-- What the sweep of orders looks for, over all shops: unpaid orders, and events that nobody has judged
-- (order_events_unjudged). Both are few, since they are left quickly.
create index orders_unpaid on orders (shop_id, id)
  where status in ('Placed', 'PaymentPending') and payment_due_at is not null;
