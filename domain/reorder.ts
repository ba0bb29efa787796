import { Refusal } from './refusal.ts';
import type { StockPosition } from './stock.ts';

/** Units that still fit the shelf. Reserved units fill it until they ship, so they count here and not in what can be sold. */
export function roomFor(position: StockPosition): number {
  return Math.max(position.maxStock - position.onHand - position.onOrder, 0);
}

/** @throws {Refusal} above_max_stock */
export function assertReorderFits(position: StockPosition, quantity: number): void {
  const room = roomFor(position);
  if (quantity > room) {
    throw new Refusal(
      'above_max_stock',
      `${position.warehouse} has room for ${room} more of ${position.sku}; ${quantity} were asked for.`,
      { room, quantity },
    );
  }
}

/** The position, when the warehouse carries the SKU. @throws {Refusal} stock_not_found */
export function carried(position: StockPosition | undefined, sku: string, warehouse: string): StockPosition {
  if (position === undefined) throw new Refusal('stock_not_found', `${warehouse} does not carry ${sku}.`);
  return position;
}
