-- What the sweeps of payments and of promotions look for, over all shops. Unsettled payments are few, since they are
-- left quickly; of promotions only those near a boundary are looked at.
create index payment_intents_unsettled on payment_intents (shop_id, intent_id)
  where state in ('charging', 'pending', 'refund_due');
create index promotions_by_start on promotions (starts_at);
create index promotions_by_end on promotions (ends_at);
