import type { ClientBase } from 'pg';
import type { FileSpec, ImportTable } from './columns.ts';
import type { Refusals } from './refusals.ts';
import { stageOf } from './staging.ts';

/** A rule over whole files. `sql` yields the lines that break it, as `at_line`. */
type Check = {
  readonly table: ImportTable;
  /** Other files the statement looks into. Where rows of theirs are missing, it would blame the wrong row. */
  readonly looksInto?: readonly ImportTable[];
  readonly reason: string;
  readonly sql: string;
};

const customers = stageOf('customers');
const variants = stageOf('variants');
const orders = stageOf('orders');
const lines = stageOf('order_lines');
const methods = stageOf('payment_methods');
const payments = stageOf('payments');
const warehouses = stageOf('warehouses');
const inventory = stageOf('inventory');

/** Twelve digits before the point: what a total can hold. */
const TOO_MUCH = '1e12';

/** `known_orders` and `order_sums` are made by `load.ts` before these run. */
const CHECKS: readonly Check[] = [
  {
    table: 'customers',
    reason: 'email: stands on an earlier line',
    sql: repeated(customers, 'email'),
  },
  {
    table: 'customers',
    reason: 'user_id: stands on an earlier line, as user_id or as the customer_id that is its default',
    sql: repeated(customers, 'coalesce(user_id, customer_id)'),
  },
  {
    table: 'customers',
    reason: 'email or user_id: belongs to another customer of this shop',
    sql: `select s.at_line from ${customers} s
            join customers c on c.email = s.email and c.customer_id <> s.customer_id
          union
          select s.at_line from ${customers} s
            join customers c on c.user_id = coalesce(s.user_id, s.customer_id) and c.customer_id <> s.customer_id`,
  },
  {
    table: 'customers',
    looksInto: ['orders', 'order_lines'],
    reason: 'customer_id: its orders add up to more than a total can hold',
    sql: `select s.at_line from ${customers} s
            join (select o.customer_id from ${orders} o join pg_temp.order_sums t using (order_id)
                   group by o.customer_id having sum(abs(t.total)) >= ${TOO_MUCH}) big using (customer_id)`,
  },
  {
    table: 'orders',
    looksInto: ['customers'],
    reason: 'customer_id: not in customers.csv',
    sql: `select s.at_line from ${orders} s
           where not exists (select from ${customers} c where c.customer_id = s.customer_id)`,
  },
  {
    table: 'orders',
    looksInto: ['order_lines'],
    reason: 'order_id: has no line in order_lines.csv',
    sql: `select s.at_line from ${orders} s
           where not exists (select from pg_temp.order_sums t where t.order_id = s.order_id)`,
  },
  {
    table: 'orders',
    reason: 'fulfilled_at: filled for an order that is not delivered',
    sql: `select at_line from ${orders} where fulfilled_at is not null and state <> 'Delivered'`,
  },
  {
    table: 'orders',
    looksInto: ['order_lines'],
    reason: 'discount: more than the order is worth',
    sql: `select s.at_line from ${orders} s join pg_temp.order_sums t using (order_id)
           where t.total < 0 and s.discount > 0`,
  },
  {
    table: 'orders',
    looksInto: ['order_lines'],
    reason: 'order_id: its lines add up to more than a total can hold',
    sql: `select s.at_line from ${orders} s join pg_temp.order_sums t using (order_id) where t.total >= ${TOO_MUCH}`,
  },
  {
    table: 'orders',
    looksInto: ['order_lines'],
    reason: 'total: not the sum of its lines less discount plus shipping',
    sql: `select s.at_line from ${orders} s join pg_temp.order_sums t using (order_id) where s.total <> t.total`,
  },
  {
    table: 'order_lines',
    looksInto: ['orders'],
    reason: 'order_id: not in orders.csv',
    sql: `select s.at_line from ${lines} s
           where not exists (select from ${orders} o where o.order_id = s.order_id)`,
  },
  {
    table: 'order_lines',
    looksInto: ['variants'],
    reason: 'sku: not in variants.csv',
    sql: `select s.at_line from ${lines} s where not exists (select from ${variants} v where v.sku = s.sku)`,
  },
  {
    table: 'order_lines',
    looksInto: ['variants'],
    reason: 'product_id: not that of the sku in variants.csv',
    sql: `select s.at_line from ${lines} s join ${variants} v using (sku) where s.product_id <> v.product_id`,
  },
  {
    table: 'order_lines',
    reason: 'discount: more than the line is worth',
    sql: `select at_line from ${lines} where discount > price * coalesce(quantity, 1)`,
  },
  {
    table: 'payment_methods',
    looksInto: ['customers'],
    reason: 'customer_id: not in customers.csv',
    sql: `select s.at_line from ${methods} s
           where not exists (select from ${customers} c where c.customer_id = s.customer_id)`,
  },
  {
    table: 'payment_methods',
    reason: 'payment_method_id: belongs to another customer of this shop',
    sql: `select s.at_line from ${methods} s
            join payment_methods m using (payment_method_id)
            join customers c on c.id = m.customer_id
           where c.customer_id <> s.customer_id`,
  },
  {
    table: 'payments',
    looksInto: ['orders'],
    reason: 'order_id: not in orders.csv',
    sql: `select s.at_line from ${payments} s
           where not exists (select from ${orders} o where o.order_id = s.order_id)`,
  },
  {
    table: 'payments',
    looksInto: ['orders', 'payment_methods'],
    reason: "payment_method_id: not a payment method of the order's customer in payment_methods.csv",
    sql: `select s.at_line from ${payments} s join ${orders} o using (order_id)
           where s.payment_method_id is not null and not exists (
             select from ${methods} m
              where m.payment_method_id = s.payment_method_id and m.customer_id = o.customer_id)`,
  },
  {
    table: 'inventory',
    looksInto: ['variants'],
    reason: 'sku: not in variants.csv',
    sql: `select s.at_line from ${inventory} s where not exists (select from ${variants} v where v.sku = s.sku)`,
  },
  {
    table: 'inventory',
    looksInto: ['warehouses'],
    reason: 'warehouse: neither in warehouses.csv nor in the shop',
    sql: `select s.at_line from ${inventory} s
           where not exists (select from ${warehouses} w where w.warehouse = s.warehouse)
             and not exists (select from warehouses w where w.code = s.warehouse)`,
  },
  {
    table: 'inventory',
    reason: 'reserved: more than quantity',
    sql: `select at_line from ${inventory} where reserved > quantity`,
  },
];

function repeated(stage: string, key: string): string {
  // Grouping finds out cheaply that there is nothing to find; only then are lines numbered.
  return `select at_line from (
            select at_line, row_number() over (partition by ${key} order by at_line) as nth
              from ${stage} where (${key}) in (select ${key} from ${stage} group by ${key} having count(*) > 1)
          ) numbered where nth > 1`;
}

const keyCheck = ({ table, key }: FileSpec): Check => ({
  table,
  reason: `${key.join(' and ')}: ${key.length > 1 ? 'stand' : 'stands'} on an earlier line`,
  sql: repeated(stageOf(table), key.join(', ')),
});

/** Runs every rule over the staged files; `names` are the files there are, and every stage exists. */
export async function checkStages(
  sql: ClientBase,
  specs: readonly FileSpec[],
  names: ReadonlyMap<ImportTable, string>,
  refusals: Refusals,
): Promise<void> {
  const isWhole = (table: ImportTable) => !refusals.files.has(names.get(table) ?? '');
  const whole = new Set(specs.map(({ table }) => table).filter(isWhole));
  const checks = specs.flatMap((spec) => [
    keyCheck(spec),
    ...CHECKS.filter(({ table }) => table === spec.table),
  ]);
  for (const { table, looksInto = [], reason, sql: statement } of checks) {
    const file = names.get(table);
    if (file === undefined || !looksInto.every((other) => whole.has(other))) continue;
    const { rows } = await sql.query<{ at_line: number }>(`${statement} order by at_line`);
    for (const { at_line } of rows) refusals.add(file, at_line, reason);
  }
}
