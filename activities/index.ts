/** The front door of the activities: the body of everything in the catalog, over interfaces alone. */
import type { Bodies } from '../catalog/index.ts';
import type { ActionDesk, Effects } from '../domain/action.ts';
import type { Cache } from '../domain/cache.ts';
import type { CarrierClient, EtaStore } from '../domain/carriers.ts';
import type { Checkout } from '../domain/checkout.ts';
import type { Clock } from '../domain/clock.ts';
import type { LogisticsReader } from '../domain/logistics.ts';
import type { OrderReader } from '../domain/orders.ts';
import type { PriceReader } from '../domain/prices.ts';
import type { PromotionReader } from '../domain/promotions.ts';
import type { Runs } from '../domain/runs.ts';
import type { QuoteStore, ShippingReader } from '../domain/shipping.ts';
import type { StockReader } from '../domain/stock.ts';
import { placeOrder } from './checkout/place-order.ts';
import type { Sided } from './from.ts';
import { checkReorder } from './inventory/check-reorder.ts';
import { checkStock } from './inventory/check-stock.ts';
import { createReorder } from './inventory/create-reorder.ts';
import { getInventoryStatus } from './inventory/get-inventory-status.ts';
import { purchaseOrder, regionStock, warehouses, warehouseStock } from './inventory/resources.ts';
import { createArrivals } from './logistics/arrival.ts';
import {
  deliveriesInFlight,
  drivers,
  getDeliveryStatus,
  listDrivers,
  orderDelivery,
} from './logistics/deliveries.ts';
import { getShippingEstimate } from './logistics/get-shipping-estimate.ts';
import { getOrderDetails } from './orders/get-order-details.ts';
import { getOrderStatus } from './orders/get-order-status.ts';
import { listRecentOrders } from './orders/list-recent-orders.ts';
import { demand7d, orderRecord, upcomingOrders } from './orders/resources.ts';
import { cancelAction } from './platform/cancel-action.ts';
import { completeArgument } from './platform/complete-argument.ts';
import { getActionStatus } from './platform/get-action-status.ts';
import { pendingApprovals } from './platform/resources.ts';
import { policyClause, underTheirClause } from './policies/policy-clause.ts';
import {
  policyDocument,
  policyDocumentAsOf,
  policyDocuments,
  policyOfKind,
  policyVersion,
} from './policies/resources.ts';
import { type PolicyParts, searchPolicies } from './policies/search-policies.ts';
import { getPrice } from './pricing/get-price.ts';
import {
  checkPromotion,
  checkWithdrawal,
  promotions,
  schedulePromotion,
  withdrawPromotion,
} from './pricing/promotions.ts';

/** What the bodies work with. */
export type BodyDeps = {
  readonly cache: Cache;
  readonly stock: Sided<StockReader>;
  readonly orders: Sided<OrderReader>;
  readonly prices: Sided<PriceReader>;
  /** On the primary. */
  readonly promotions: PromotionReader;
  readonly desk: Pick<ActionDesk, 'find' | 'cancel' | 'pending'>;
  readonly effects: Effects;
  readonly checkout: Checkout;
  readonly carriers: CarrierClient;
  readonly etas: EtaStore;
  readonly logistics: LogisticsReader;
  readonly shipping: ShippingReader;
  readonly quotes: QuoteStore;
  /** A word for personal text that is the same for the same text, and tells it to nobody. */
  readonly pseudonym: (tenant: string, text: string) => string;
  readonly policies: Pick<PolicyParts, 'finder' | 'versions' | 'rewrite'>;
  readonly runs: Pick<Runs, 'nudge'>;
  /** Business time: what orders, prices and promotions are dated by. */
  readonly clock: Clock;
  /** Real time: when something was read. */
  readonly realTime: Clock;
};

/** One body for everything in the catalog, by name. One that is missing does not compile. */
export function bodies(deps: BodyDeps): Bodies {
  const { cache, stock, orders, prices, desk, checkout, runs, clock, realTime } = deps;
  const effects = underTheirClause(deps.effects, deps.policies.versions, clock);
  const policies = { ...deps.policies, cache, clock, realTime };
  const arrivals = createArrivals(deps);
  const logistics = { logistics: deps.logistics, arrivals, realTime };
  return {
    cancel_action: cancelAction(desk, runs, realTime),
    check_promotion: checkPromotion(deps.promotions, clock),
    check_reorder: checkReorder(stock.primary),
    check_withdrawal: checkWithdrawal(deps.promotions, clock),
    check_stock: checkStock(cache, stock),
    complete_argument: completeArgument(orders.replica, stock.replica),
    create_reorder: createReorder(effects, cache),
    deliveries_in_flight: deliveriesInFlight(logistics),
    demand_7d: demand7d(cache, orders, clock),
    drivers: drivers(logistics),
    get_action_status: getActionStatus(desk, realTime),
    get_delivery_status: getDeliveryStatus(logistics),
    get_inventory_status: getInventoryStatus(cache, stock),
    get_order_details: getOrderDetails(cache, orders, arrivals),
    get_order_status: getOrderStatus(cache, orders, arrivals),
    get_price: getPrice(cache, prices, clock),
    get_shipping_estimate: getShippingEstimate(deps),
    list_drivers: listDrivers(logistics),
    list_recent_orders: listRecentOrders(cache, orders, arrivals),
    order_delivery: orderDelivery(logistics),
    order_record: orderRecord(cache, orders, arrivals),
    pending_approvals: pendingApprovals(desk, realTime),
    place_order: placeOrder(checkout, cache),
    policy_clause: policyClause(policies),
    policy_document: policyDocument(policies),
    policy_document_as_of: policyDocumentAsOf(policies),
    policy_documents: policyDocuments(policies),
    policy_of_kind: policyOfKind(policies),
    policy_version: policyVersion(policies),
    promotions: promotions(deps.promotions, clock, realTime),
    purchase_order: purchaseOrder(stock.primary, realTime),
    search_policies: searchPolicies(policies),
    schedule_promotion: schedulePromotion(effects, cache, clock),
    region_stock: regionStock(cache, stock),
    upcoming_orders: upcomingOrders(cache, orders),
    warehouse_stock: warehouseStock(cache, stock),
    warehouses: warehouses(cache, stock),
    withdraw_promotion: withdrawPromotion(effects, cache, clock),
  };
}
