import type { Sql } from '../pools.ts';

/**
 * What the first customer of a mock shop can try a checkout with, beside the method that everybody has: cards that the
 * simulated processor declines, loses the answer of or takes its time with, and a gift card. And two ways to ship.
 */
const METHODS = [
  { suffix: 'declined', kind: 'credit_card', brand: 'visa', four: '0002', ref: 'tok_decline', balance: null },
  { suffix: 'expired', kind: 'credit_card', brand: 'visa', four: '0069', ref: 'tok_expired', balance: null },
  { suffix: 'lost', kind: 'credit_card', brand: 'visa', four: '0119', ref: 'tok_lost', balance: null },
  { suffix: 'hang', kind: 'credit_card', brand: 'visa', four: '0127', ref: 'tok_hang', balance: null },
  { suffix: 'pending', kind: 'credit_card', brand: 'visa', four: '0077', ref: 'tok_pending', balance: null },
  { suffix: 'gift', kind: 'gift_card', brand: null, four: null, ref: null, balance: 50 },
] as const;

/** Factor for amounts that are written for a currency with cents. */
const YEN = 100;

/** Adds what is missing to a shop that the seed has laid out; a repeat changes nothing. */
export async function seedTrialPayments(sql: Sql, shop: string): Promise<void> {
  await sql.query(
    `insert into payment_methods (shop_id, payment_method_id, customer_id, kind, brand, last_four, provider_ref, balance)
     select s.id, 'pm_' || c.customer_id || '_' || r.suffix, c.id, r.kind, r.brand, r.four, r.ref,
            r.balance * case s.currency when 'JPY' then $3 else 1 end
       from shops s
      cross join lateral (select id, customer_id from customers where shop_id = s.id order by id limit 1) c
      cross join jsonb_to_recordset($2::jsonb)
              as r (suffix text, kind text, brand text, four text, ref text, balance numeric)
      where s.id = $1 and s.anchor is not null
         on conflict do nothing`,
    [shop, JSON.stringify(METHODS), YEN],
  );
  await sql.query(
    `insert into shipping_methods (shop_id, code, name, cost, free_from)
     select s.id, r.code, r.name, r.cost * f.factor, r.free_from * f.factor
       from shops s
      cross join lateral (select case s.currency when 'JPY' then $2::numeric else 1 end as factor) f
      cross join (values ('standard', 'Standard', 5, 50), ('express', 'Express', 12, null))
              as r (code, name, cost, free_from)
      where s.id = $1 and s.anchor is not null
         on conflict do nothing`,
    [shop, YEN],
  );
}
