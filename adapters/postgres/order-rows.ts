import { minorUnits } from '../../domain/money.ts';
import type {
  Delivery,
  HistoryStep,
  Order,
  OrderLine,
  OrderPayment,
  OrderState,
  Shipment,
} from '../../domain/orders.ts';

/** The changes of state of the order `o`, oldest first, as one value. */
export const HISTORY = `
       (select coalesce(json_agg(json_build_object('from', t.from_status, 'to', t.to_status, 'at', t.at,
                 'cause', t.cause, 'inferred', t.inferred) order by t.at, t.id), '[]')
          from order_status_history t where t.shop_id = o.shop_id and t.order_id = o.id)`;

/**
 * Everything of an order in one row. `o` is the order, `c` its customer, `s` its shop. Amounts come as text: as
 * JSON numbers they would pass through floating point before anybody knows the currency. Notes, addresses and
 * phone numbers stay where they are.
 */
export const ORDER = `
select o.order_id, o.status, o.source_status, o.order_date as created_at, o.fulfilled_date,
       c.customer_id, c.user_id, c.name as customer_name, c.email as customer_email, s.currency,
       o.total_amount::text, o.discount_applied::text, o.shipping_cost::text, o.payment_method,
       (select coalesce(json_agg(json_build_object(
                 'line_no', l.line_no, 'sku', coalesce(p.sku, ''), 'product', p.name, 'manga_id', p.manga_id,
                 'volume_number', p.volume_number, 'quantity', l.quantity,
                 'unit_price', l.unit_price::text, 'discount', l.discount::text) order by l.line_no), '[]')
          from order_items l join products p on p.shop_id = l.shop_id and p.id = l.product_id
         where l.shop_id = o.shop_id and l.order_id = o.id) as lines,
       (select coalesce(json_agg(json_build_object(
                 'carrier', h.carrier, 'tracking_number', h.tracking_number,
                 'promised_delivery', h.promised_delivery, 'estimated_delivery', h.estimated_delivery)
                 order by h.shipped_at, h.id), '[]')
          from shipments h where h.shop_id = o.shop_id and h.order_id = o.id) as shipments,
       (select coalesce(json_agg(json_build_object(
                 'kind', y.kind, 'amount', y.amount::text, 'method', m.kind) order by y.seq), '[]')
          from order_payments y
          left join payment_methods m on m.shop_id = y.shop_id and m.id = y.payment_method_id
         where y.shop_id = o.shop_id and y.order_id = o.id) as payments,
       (select json_build_object('status', d.status, 'note', d.note,
                 'driver', case when r.id is not null
                                then json_build_object('name', r.name, 'status', r.status) end)
          from deliveries d left join drivers r on r.shop_id = d.shop_id and r.id = d.driver_id
         where d.shop_id = o.shop_id and d.order_id = o.id
         order by d.scheduled_for desc nulls last, d.id desc limit 1) as delivery,${HISTORY} as history`;

export type OrderRow = {
  readonly order_id: string;
  readonly status: OrderState;
  readonly source_status: string | null;
  readonly created_at: Date;
  readonly fulfilled_date: Date | null;
  readonly customer_id: string;
  readonly user_id: string;
  readonly customer_name: string;
  readonly customer_email: string;
  readonly currency: string;
  readonly total_amount: string;
  readonly discount_applied: string;
  readonly shipping_cost: string;
  readonly payment_method: string | null;
  readonly lines: readonly LineJson[];
  readonly shipments: readonly ShipmentJson[];
  readonly payments: readonly {
    readonly kind: OrderPayment['kind'];
    readonly amount: string;
    readonly method: string | null;
  }[];
  readonly delivery: Delivery | null;
  readonly history: readonly HistoryStep[];
};

type LineJson = {
  readonly line_no: number;
  readonly sku: string;
  readonly product: string;
  readonly manga_id: string | null;
  readonly volume_number: number | null;
  readonly quantity: number;
  readonly unit_price: string;
  readonly discount: string;
};

type ShipmentJson = {
  readonly carrier: string | null;
  readonly tracking_number: string | null;
  readonly promised_delivery: string | null;
  readonly estimated_delivery: string | null;
};

export function orderOf(row: OrderRow): Order {
  const minor = (decimal: string) => minorUnits(decimal, row.currency);
  return {
    orderId: row.order_id,
    state: row.status,
    sourceStatus: row.source_status,
    createdAt: row.created_at.toISOString(),
    fulfilledAt: row.fulfilled_date?.toISOString() ?? null,
    customerId: row.customer_id,
    userId: row.user_id,
    customerName: row.customer_name,
    customerEmailMasked: maskEmail(row.customer_email),
    currency: row.currency,
    totalMinor: minor(row.total_amount),
    discountAppliedMinor: minor(row.discount_applied),
    shippingCostMinor: minor(row.shipping_cost),
    paymentMethod: row.payment_method,
    lines: row.lines.map((line) => lineOf(line, minor)),
    shipments: row.shipments.map(shipmentOf),
    payments: row.payments.map(({ kind, amount, method }) => ({ kind, amountMinor: minor(amount), method })),
    delivery: row.delivery,
    history: row.history.map(stepOf),
  };
}

/** j***@example.com: enough to recognise one's own, too little to write to. */
function maskEmail(email: string): string {
  const at = email.lastIndexOf('@');
  return at < 1 ? '***' : `${email.slice(0, 1)}***${email.slice(at)}`;
}

function lineOf(line: LineJson, minor: (decimal: string) => number): OrderLine {
  return {
    lineNo: line.line_no,
    sku: line.sku,
    product: line.product,
    mangaId: line.manga_id,
    volumeNumber: line.volume_number,
    quantity: line.quantity,
    unitPriceMinor: minor(line.unit_price),
    discountMinor: minor(line.discount),
  };
}

function shipmentOf(shipment: ShipmentJson): Shipment {
  return {
    carrier: shipment.carrier,
    trackingNumber: shipment.tracking_number,
    promisedDelivery: instantOf(shipment.promised_delivery),
    estimatedDelivery: instantOf(shipment.estimated_delivery),
  };
}

/** Postgres writes times into JSON its own way. */
export function stepOf(step: HistoryStep): HistoryStep {
  return { ...step, at: new Date(step.at).toISOString() };
}

function instantOf(text: string | null): string | null {
  return text === null ? null : new Date(text).toISOString();
}
