/** The front door of the catalog: everything the platform knows about tools, resources and prompts. */
import type { PromptSpec, ResourceBody, ResourceSpec, Server, ToolBody, ToolSpec } from './define.ts';
import { checkReorder } from './inventory/check-reorder.ts';
import { checkStock } from './inventory/check-stock.ts';
import { createReorder } from './inventory/create-reorder.ts';
import { getInventoryStatus } from './inventory/get-inventory-status.ts';
import { purchaseOrder, regionStock, warehouses, warehouseStock } from './inventory/resources.ts';
import { getDeliveryStatus } from './logistics/get-delivery-status.ts';
import { getShippingEstimate } from './logistics/get-shipping-estimate.ts';
import { listDrivers } from './logistics/list-drivers.ts';
import { deliveriesInFlight, drivers, orderDelivery } from './logistics/resources.ts';
import { getOrderDetails } from './orders/get-order-details.ts';
import { getOrderStatus } from './orders/get-order-status.ts';
import { listRecentOrders } from './orders/list-recent-orders.ts';
import { placeOrder } from './orders/place-order.ts';
import { demand7d, orderRecord, upcomingOrders } from './orders/resources.ts';
import { cancelAction } from './platform/cancel-action.ts';
import { completeArgument } from './platform/complete-argument.ts';
import { getActionStatus } from './platform/get-action-status.ts';
import { pendingApprovals } from './platform/resources.ts';
import { policyClause } from './policies/policy-clause.ts';
import {
  policyDocument,
  policyDocumentAsOf,
  policyDocuments,
  policyOfKind,
  policyVersion,
} from './policies/resources.ts';
import { searchPolicies } from './policies/search-policies.ts';
import { checkPromotion, checkWithdrawal } from './pricing/checks.ts';
import { getPrice } from './pricing/get-price.ts';
import { promotions } from './pricing/resources.ts';
import { schedulePromotion } from './pricing/schedule-promotion.ts';
import { withdrawPromotion } from './pricing/withdraw-promotion.ts';
import { prompts } from './prompts/prompts.ts';

const listed = [
  cancelAction,
  checkStock,
  createReorder,
  getActionStatus,
  getDeliveryStatus,
  getInventoryStatus,
  getOrderDetails,
  getOrderStatus,
  getPrice,
  getShippingEstimate,
  listDrivers,
  listRecentOrders,
  schedulePromotion,
  searchPolicies,
  withdrawPromotion,
] as const;

const internal = [
  checkPromotion,
  checkReorder,
  checkWithdrawal,
  completeArgument,
  placeOrder,
  policyClause,
] as const;

const readable = [
  warehouseStock,
  warehouses,
  regionStock,
  purchaseOrder,
  orderRecord,
  upcomingOrders,
  demand7d,
  deliveriesInFlight,
  drivers,
  orderDelivery,
  pendingApprovals,
  promotions,
  policyDocuments,
  policyDocument,
  policyDocumentAsOf,
  policyVersion,
  policyOfKind,
] as const;

type Known = (typeof listed)[number] | (typeof internal)[number];
type Readable = (typeof readable)[number];

/** One body per tool, each typed by its own schemas. A missing or extra one does not compile. */
export type ToolBodies = { [T in Known as T['name']]: ToolBody<T> };
/** One body per resource. */
export type ResourceBodies = { [R in Readable as R['name']]: ResourceBody<R> };
export type Bodies = ToolBodies & ResourceBodies;

/** What clients may be told of, by name. */
export const tools: readonly ToolSpec[] = listed;
/** Reads of the platform's own; never listed, never called by name from outside. */
export const internalTools: readonly ToolSpec[] = internal;
export const resources: readonly ResourceSpec[] = readable;
export { prompts };

/** Listed tools by name. What is not in it is unknown to every client. */
export const catalog: ReadonlyMap<string, ToolSpec> = new Map(listed.map((tool) => [tool.name, tool]));

/** Everything that has a body, by the body's name: tools, internal reads and resources. */
export const specs: ReadonlyMap<string, ToolSpec | ResourceSpec> = new Map(
  [...listed, ...internal, ...readable].map((spec) => [spec.name, spec]),
);

/** Tools of one server, the platform's among them; of all servers without a name. */
export function toolsOf(server?: Server): readonly ToolSpec[] {
  return ofServer(tools, server);
}

export function resourcesOf(server?: Server): readonly ResourceSpec[] {
  return ofServer(resources, server);
}

export function promptsOf(server?: Server): readonly PromptSpec[] {
  return ofServer(prompts, server);
}

function ofServer<S extends { readonly server: Server }>(all: readonly S[], server?: Server): readonly S[] {
  return server === undefined ? all : all.filter((one) => one.server === server || one.server === 'platform');
}

export { mayUse } from './access.ts';
export { sortArguments } from './arguments.ts';
export { personalPaths } from './field.ts';
export { INSTRUCTIONS } from './instructions.ts';
export { COMPLETION_SCOPES } from './platform/complete-argument.ts';
export { listedInputSchema, wireOutputSchema } from './schemas.ts';
