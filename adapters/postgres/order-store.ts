import type pg from 'pg';
import { spellingsOf, meant } from '../../domain/order-ids.ts';
import type { Order, OrderReader, OrderScope } from '../../domain/orders.ts';
import { ORDER, orderOf, type OrderRow } from './order-rows.ts';
import { readInTenant } from './read-in-tenant.ts';

const NEWEST_FIRST = 'order_date desc, id desc';
const OLDEST_FIRST = 'order_date, id';
const NOT_SHIPPED = `status in ('Placed', 'PaymentPending', 'Confirmed', 'Packed')`;

/** Orders in Postgres. Every limit counts orders: it is applied before lines are joined (conflict X-33). */
export function createOrderStore(pool: pg.Pool): OrderReader {
  const select = (tenant: string, from: string, order: string, parameters: readonly unknown[]) =>
    readInTenant(pool, tenant, async (sql): Promise<readonly Order[]> => {
      const { rows } = await sql.query<OrderRow>(
        `${ORDER} from (${from}) o ${JOINS} order by ${qualified(order)}`,
        [...parameters],
      );
      return rows.map(orderOf);
    });
  return {
    find: async (scope, orderId) => {
      const { where, parameters } = within(scope, 2);
      const found = await select(
        scope.tenant,
        `select * from orders where order_id = any($1::text[]) and ${where} order by ${OLDEST_FIRST} limit 10`,
        OLDEST_FIRST,
        [spellingsOf(orderId), ...parameters],
      );
      return meant(orderId, found);
    },
    recent: (scope, limit) => {
      const { where, parameters } = within(scope, 2);
      return select(
        scope.tenant,
        `select * from orders where ${where} order by ${NEWEST_FIRST} limit $1`,
        NEWEST_FIRST,
        [limit, ...parameters],
      );
    },
    upcoming: async (tenant, limit) => {
      const orders = await select(
        tenant,
        `select * from orders where ${NOT_SHIPPED} order by ${OLDEST_FIRST} limit $1`,
        OLDEST_FIRST,
        [limit],
      );
      return { total: await countUpcoming(pool, tenant), orders };
    },
    demand: (tenant, since, until) => demand(pool, tenant, since, until),
    complete: (scope, prefix, limit) => complete(pool, scope, prefix, limit),
  };
}

const JOINS = `
  join customers c on c.shop_id = o.shop_id and c.id = o.customer_id
  join shops s on s.id = o.shop_id`;

function qualified(order: string): string {
  return order.replace(/\b(order_date|id)\b/g, 'o.$1');
}

/** The customer is known by the public id; orders answer to the login that belongs to it. */
function within({ customerId }: OrderScope, next: number): { where: string; parameters: readonly unknown[] } {
  return customerId === undefined
    ? { where: 'true', parameters: [] }
    : {
        where: `user_id = (select user_id from customers where customer_id = $${next})`,
        parameters: [customerId],
      };
}

function countUpcoming(pool: pg.Pool, tenant: string): Promise<number> {
  return readInTenant(pool, tenant, async (sql) => {
    const { rows } = await sql.query<{ total: number }>(
      `select count(*)::integer as total from orders where ${NOT_SHIPPED}`,
    );
    return rows[0]?.total ?? 0;
  });
}

function demand(pool: pg.Pool, tenant: string, since: Date, until: Date) {
  return readInTenant(pool, tenant, async (sql) => {
    const { rows } = await sql.query<{ sku: string; product: string; units: number; orders: number }>(
      `select coalesce(p.sku, '') as sku, p.name as product, sum(l.quantity)::float8 as units,
              count(distinct o.id)::integer as orders
         from orders o
         join order_items l on l.shop_id = o.shop_id and l.order_id = o.id
         join products p on p.shop_id = l.shop_id and p.id = l.product_id
        where o.order_date > $1 and o.order_date <= $2 and o.status <> 'Cancelled'
        group by p.id, p.sku, p.name
        order by units desc, sku`,
      [since, until],
    );
    return rows;
  });
}

function complete(pool: pg.Pool, scope: OrderScope, prefix: string, limit: number) {
  const { where, parameters } = within(scope, 3);
  // What is typed may leave out the prefix that the number is stored with.
  const starts = prefix === '' ? [''] : spellingsOf(prefix);
  return readInTenant(pool, scope.tenant, async (sql) => {
    const { rows } = await sql.query<{ order_id: string }>(
      `select order_id from orders
        where exists (select from unnest($1::text[]) start where starts_with(order_id, start)) and ${where}
        order by order_id limit $2`,
      [starts, limit, ...parameters],
    );
    return rows.map(({ order_id }) => order_id);
  });
}
