import { inTransaction, type Pools, type Sql } from '../pools.ts';
import { listForeignKeys, listTables, type ForeignKey } from './catalog.ts';

/** One rule that the data must keep, and how many rows break it, over all shops. */
export type CheckResult = { readonly check: string; readonly violations: number };

/** Rules that no constraint can hold, because they span rows or tables. Each counts what breaks it. */
const RULES: Readonly<Record<string, string>> = {
  order_total_is_lines_less_discount_plus_shipping: `
    select count(*) from orders o
     where o.total_amount <> o.shipping_cost - o.discount_applied + (
       select coalesce(sum(i.quantity * i.unit_price - i.discount), 0) from order_items i
        where i.shop_id = o.shop_id and i.order_id = o.id)`,
  order_has_lines: `
    select count(*) from orders o
     where not exists (select from order_items i where i.shop_id = o.shop_id and i.order_id = o.id)`,
  customer_total_orders_is_count: `
    select count(*) from customers c
     where c.total_orders <> (
       select count(*) from orders o where o.shop_id = c.shop_id and o.user_id = c.user_id)`,
  customer_total_spent_is_sum_of_orders_that_hold: `
    select count(*) from customers c
     where c.total_spent <> (
       select coalesce(sum(o.total_amount), 0) from orders o
        where o.shop_id = c.shop_id and o.user_id = c.user_id and o.status not in ('Cancelled', 'Refunded'))`,
  order_status_is_the_last_of_its_history: `
    select count(*) from orders o
      join (select distinct on (shop_id, order_id) shop_id, order_id, to_status
              from order_status_history order by shop_id, order_id, at desc, id desc) h
        on h.shop_id = o.shop_id and h.order_id = o.id
     where h.to_status <> o.status`,
  refunds_are_covered_by_payments: `
    select count(*) from (
      select from order_payments group by shop_id, order_id
      having sum(case kind when 'refund' then -amount else amount end) < 0) overdrawn`,
  reserved_stock_is_on_hand: `
    select count(*) from inventory where reserved_quantity not between 0 and quantity`,
  stock_has_a_cost: `
    select count(*) from inventory i join shops s on s.id = i.shop_id
     where s.anchor is not null and i.quantity > 0 and i.cost_per_unit is null`,
  seeded_product_has_stock_records: `
    select count(*) from products p join shops s on s.id = p.shop_id
     where s.anchor is not null
       and not exists (select from inventory i where i.shop_id = p.shop_id and i.product_id = p.id)`,
  purchase_order_numbers_were_given_out: `
    select count(*) from purchase_orders p join shops s on s.id = p.shop_id where p.po_id > s.last_po_id`,
  constraints_are_validated: `
    select count(*) from pg_constraint
     where connamespace = 'public'::regnamespace and not convalidated`,
};

/**
 * Counts what breaks the rules, in one snapshot over all shops: totals, stock, histories, and every foreign
 * key once more, which also finds what was loaded around the constraints.
 *
 * @throws {Error} a table whose rows are hidden from the check: it would pass without having looked.
 */
export async function checkData(pools: Pick<Pools, 'system'>): Promise<readonly CheckResult[]> {
  return inTransaction(pools.system, async (sql) => {
    await sql.query('set transaction isolation level repeatable read, read only');
    const hidden = (await listTables(sql)).filter(({ readable }) => !readable).map(({ name }) => name);
    if (hidden.length > 0) throw new Error(`countersign_system cannot read all of: ${hidden.join(', ')}.`);
    const keys = (await listForeignKeys(sql)).map((key) => [
      `foreign_key ${key.child}.${key.name}`,
      orphans(key),
    ]);
    const results: CheckResult[] = [];
    for (const [check, statement] of [...Object.entries(RULES), ...keys]) {
      results.push({ check: check ?? '', violations: await count(sql, statement ?? '') });
    }
    return results;
  });
}

function orphans({ child, parent, columns, references }: ForeignKey): string {
  const filled = columns.map((column) => `c.${column} is not null`).join(' and ');
  const match = columns.map((column, i) => `p.${references[i]} = c.${column}`).join(' and ');
  return `select count(*) from ${child} c where ${filled} and not exists (select from ${parent} p where ${match})`;
}

async function count(sql: Sql, statement: string): Promise<number> {
  const { rows } = await sql.query<{ count: string }>(statement);
  return Number(rows[0]?.count);
}
