import {
  allocate,
  type Allocation,
  type CartItem,
  type CheckoutRequest,
  goodsOf,
  type PricedLine,
  type Shelf,
  shippingOf,
  totalOf,
} from '../../domain/checkout.ts';
import type { Clock } from '../../domain/clock.ts';
import { type Currency, majorUnits, minorUnits, type Money } from '../../domain/money.ts';
import { priceAt, type Promotion } from '../../domain/prices.ts';
import { Refusal } from '../../domain/refusal.ts';
import type { Sql } from './pools.ts';

/** One product of a cart, priced and found on shelves that are locked. */
export type CartLine = PricedLine & {
  readonly productId: string;
  readonly mangaId: string | null;
  readonly volumeNumber: number | null;
  readonly allocations: readonly (Allocation & { readonly warehouse: string })[];
};

export type Cart = {
  readonly lines: readonly CartLine[];
  readonly shipping: Money;
  readonly total: Money;
  /** Business time at which everything was priced, with the positions locked. */
  readonly at: Date;
};

/** What the columns hold: numeric(14, 2), and numeric(12, 2) for what a line is reduced by. */
const MOST_TOTAL = 999_999_999_999;
const MOST_DISCOUNT = 9_999_999_999;

/**
 * Locks the positions of everything that is wanted, then reads stock, prices and promotions as they are now.
 * @throws {Refusal} stock_not_found, sold_out, price_unavailable, price_changed, not_found, invalid_arguments
 */
export async function priceCart(sql: Sql, request: CheckoutRequest, clock: Clock): Promise<Cart> {
  const wanted = merged(await productsOf(sql, request.items));
  const ids = wanted.map(({ id }) => id);
  const shelves = await lockShelves(sql, ids);
  // After the locks: whoever waited for them into a promotion pays what holds then.
  const at = clock.now();
  const currency = await currencyOf(sql, request.tenant);
  const prices = await pricesOf(sql, ids, at);
  const lines = wanted.map((product) => ({
    ...pricedLine(product, prices.get(product.id), currency, at),
    allocations: allocated(product, shelves.get(product.id)),
  }));
  const shipping = await shippingCost(sql, request.shippingMethod, goodsOf(lines), currency);
  const total = totalOf(lines, shipping);
  assertWritable(lines, total);
  assertExpected(total, request.expectedTotal);
  return { lines, shipping, total, at };
}

type Wanted = {
  readonly id: string;
  readonly sku: string;
  readonly mangaId: string | null;
  readonly volumeNumber: number | null;
  readonly quantity: number;
};

type ProductRow = {
  readonly n: number;
  readonly id: string | null;
  readonly sku: string;
  readonly manga_id: string | null;
  readonly volume_number: number | null;
};

async function productsOf(sql: Sql, items: readonly CartItem[]): Promise<readonly Wanted[]> {
  const { rows } = await sql.query<ProductRow>(
    `select w.n::integer, p.id, coalesce(p.sku, p.name) as sku, p.manga_id, p.volume_number
       from unnest($1::text[], $2::text[], $3::integer[]) with ordinality as w (sku, manga_id, volume_number, n)
       left join products p on case when w.sku is not null then p.sku = w.sku
                                    else p.manga_id = w.manga_id and p.volume_number = w.volume_number end
      order by w.n`,
    [
      items.map((item) => ('sku' in item ? item.sku : null)),
      items.map((item) => ('sku' in item ? null : item.mangaId)),
      items.map((item) => ('sku' in item ? null : item.volumeNumber)),
    ],
  );
  return items.map((item, index) => {
    const row = rows[index];
    if (row === undefined || row.id === null) throw unknownProduct(item);
    const { id, sku, manga_id: mangaId, volume_number: volumeNumber } = row;
    return { id, sku, mangaId, volumeNumber, quantity: item.quantity };
  });
}

function unknownProduct(item: CartItem): Refusal {
  const [name, facts] =
    'sku' in item
      ? [item.sku, { sku: item.sku }]
      : [
          `${item.mangaId} volume ${item.volumeNumber}`,
          { manga_id: item.mangaId, volume_number: item.volumeNumber },
        ];
  return new Refusal('stock_not_found', `This shop does not sell ${name}. Nothing was ordered.`, facts);
}

/** The same product in two lines is one line: its stock must suffice for both. */
function merged(items: readonly Wanted[]): readonly Wanted[] {
  const byId = new Map<string, Wanted>();
  for (const item of items)
    byId.set(item.id, { ...item, quantity: item.quantity + (byId.get(item.id)?.quantity ?? 0) });
  return [...byId.values()];
}

type ShelfRow = Shelf & { readonly productId: string };

/** Lock in one statement, in the order of the key, and read in the next: what a locking statement reads is old. */
async function lockShelves(sql: Sql, ids: readonly string[]): Promise<ReadonlyMap<string, readonly Shelf[]>> {
  await sql.query(
    'select from inventory where product_id = any($1) order by product_id, warehouse_id for update',
    [ids],
  );
  const { rows } = await sql.query<ShelfRow>(
    `select i.product_id as "productId", i.warehouse_id as "warehouseId", w.code as warehouse,
            i.quantity - i.reserved_quantity as sellable
       from inventory i join warehouses w on w.shop_id = i.shop_id and w.id = i.warehouse_id
      where i.product_id = any($1)`,
    [ids],
  );
  const shelves = new Map<string, ShelfRow[]>();
  for (const row of rows) shelves.set(row.productId, [...(shelves.get(row.productId) ?? []), row]);
  return shelves;
}

function allocated({ sku, quantity }: Wanted, shelves: readonly Shelf[] | undefined) {
  if (shelves === undefined)
    throw new Refusal('stock_not_found', `No warehouse keeps a count of ${sku}. Nothing was ordered.`, {
      sku,
    });
  return allocate(sku, shelves, quantity).map((one) => ({
    ...one,
    warehouse: shelves.find(({ warehouseId }) => warehouseId === one.warehouseId)?.warehouse ?? '',
  }));
}

async function currencyOf(sql: Sql, tenant: string): Promise<Currency> {
  const { rows } = await sql.query<{ currency: string }>('select currency from shops where id = $1', [
    tenant,
  ]);
  if (rows[0] === undefined) throw new Error('A shop with customers has a row.');
  return rows[0].currency;
}

type PriceRow = {
  readonly id: string;
  readonly amount: string | null;
  readonly currency: string;
  readonly discount_pct: string;
  readonly valid_from: Date;
  readonly valid_until: Date;
  readonly promotions: readonly {
    readonly discount_pct: string;
    readonly starts_at: string;
    readonly ends_at: string;
  }[];
};

// A product that has price records costs what the one in force says, and nothing otherwise; one that has none costs
// what the catalogue says.
const PRICES = `
select p.id,
       case when r.id is not null then r.amount
            when not exists (select from prices a where a.shop_id = p.shop_id and a.product_id = p.id) then p.price
       end::text as amount,
       coalesce(r.currency, p.currency) as currency, coalesce(r.discount_pct, 0)::text as discount_pct,
       coalesce(r.valid_from, '-infinity') as valid_from, coalesce(r.valid_until, 'infinity') as valid_until,
       (select coalesce(json_agg(json_build_object('discount_pct', q.discount_pct::text,
                 'starts_at', q.starts_at, 'ends_at', q.ends_at)), '[]')
          from promotions q
         where q.shop_id = p.shop_id and q.product_id = p.id and q.starts_at <= $2 and q.ends_at > $2) as promotions
  from products p
  left join lateral (select * from prices r
                      where r.shop_id = p.shop_id and r.product_id = p.id
                        and r.valid_from <= $2 and r.valid_until > $2
                      order by r.valid_from desc limit 1) r on true
 where p.id = any($1)`;

async function pricesOf(sql: Sql, ids: readonly string[], at: Date): Promise<ReadonlyMap<string, PriceRow>> {
  const { rows } = await sql.query<PriceRow>(PRICES, [ids, at]);
  return new Map(rows.map((row) => [row.id, row]));
}

/** An instant that no clock of ours reaches: a price without an end. */
const NEVER = '9999-12-31T00:00:00.000Z';

function pricedLine(
  { id, sku, mangaId, volumeNumber, quantity }: Wanted,
  price: PriceRow | undefined,
  currency: Currency,
  at: Date,
) {
  if (price === undefined || price.amount === null || price.currency !== currency)
    throw new Refusal('price_unavailable', `${sku} has no price at the moment. Nothing was ordered.`, {
      sku,
    });
  const unitPriceMinor = minorUnits(price.amount, currency);
  const always = { startsAt: new Date(0).toISOString(), endsAt: NEVER };
  const promotions: Promotion[] = [
    ...price.promotions.map((each) => ({
      discountPct: Number(each.discount_pct),
      startsAt: new Date(each.starts_at).toISOString(),
      endsAt: new Date(each.ends_at).toISOString(),
    })),
    { discountPct: Number(price.discount_pct), ...always },
  ];
  const now = priceAt(
    { mangaId: '', volumeNumber: 0, amountMinor: unitPriceMinor, currency, validUntil: NEVER, promotions },
    at,
  );
  return {
    productId: id,
    mangaId,
    volumeNumber,
    quantity,
    unitPriceMinor,
    unitDiscountMinor: unitPriceMinor - now.amountMinor,
  };
}

async function shippingCost(
  sql: Sql,
  code: string | undefined,
  goodsMinor: number,
  currency: Currency,
): Promise<Money> {
  if (code === undefined) return { amountMinor: 0, currency };
  const { rows } = await sql.query<{ cost: string; free_from: string | null }>(
    'select cost::text, free_from::text from shipping_methods where code = $1',
    [code],
  );
  const [method] = rows;
  if (method === undefined)
    throw new Refusal('not_found', 'This shop has no such shipping method. Nothing was ordered.');
  const freeFromMinor = method.free_from === null ? null : minorUnits(method.free_from, currency);
  return shippingOf({ costMinor: minorUnits(method.cost, currency), freeFromMinor }, goodsMinor, currency);
}

function assertWritable(lines: readonly CartLine[], total: Money): void {
  const reduced = Math.max(...lines.map(({ quantity, unitDiscountMinor }) => quantity * unitDiscountMinor));
  const { currency } = total;
  if (
    Number.isSafeInteger(total.amountMinor) &&
    majorUnits(total) <= MOST_TOTAL &&
    majorUnits({ amountMinor: reduced, currency }) <= MOST_DISCOUNT
  )
    return;
  throw new Refusal('invalid_arguments', 'No order is worth that much. Nothing was ordered.');
}

function assertExpected(total: Money, expected: number | undefined): void {
  if (expected === undefined || minorUnits(String(expected), total.currency) === total.amountMinor) return;
  throw new Refusal(
    'price_changed',
    `The order now comes to ${majorUnits(total)} ${total.currency}. Nothing was ordered.`,
    { total: majorUnits(total), currency: total.currency },
  );
}
