import type { ToolBodies } from '../../catalog/index.ts';
import type { Cache } from '../../domain/cache.ts';
import type { StockReader, VolumeStock } from '../../domain/stock.ts';
import { factsOf } from '../facts.ts';
import { from, type Sided } from '../from.ts';
import { volumeKey } from './keys.ts';

const NOTE = 'For information only: the count is up to 10 seconds old and nothing is reserved.';

export function checkStock(cache: Cache, stock: Sided<StockReader>): ToolBodies['check_stock'] {
  return async ({ caller: { tenant }, input: { manga_id, volume_number } }) => {
    const loaded = await cache.read(volumeKey(tenant, manga_id, volume_number), (hint) =>
      from(stock, hint).volumes(tenant, manga_id, volume_number),
    );
    const volumes = loaded.value.map(viewOf);
    const [one] = volumes;
    if (one === undefined) {
      const which = volume_number === undefined ? manga_id : `${manga_id}, volume_number=${volume_number}`;
      const message = `Stock unknown for manga_id=${which}. Do not infer.`;
      return { status: 'not_found', message, manga_id, ...asked(volume_number), ...factsOf(loaded) };
    }
    if (volume_number !== undefined)
      return { status: 'found', ...one, manga_id, note: NOTE, ...factsOf(loaded) };
    const message = volumes.map((each) => `Vol ${each.volume_number}: ${each.message}`).join('\n');
    return { status: 'found', message, manga_id, volumes, note: NOTE, ...factsOf(loaded) };
  };
}

function asked(volumeNumber: number | undefined) {
  return volumeNumber === undefined ? {} : { volume_number: volumeNumber };
}

function viewOf({ volumeNumber, title, sellable, warehouse }: VolumeStock) {
  const quantity = Math.max(sellable, 0);
  const in_stock = quantity > 0;
  return {
    volume_number: volumeNumber,
    title,
    in_stock,
    quantity,
    warehouse: warehouse?.code ?? null,
    ships_from: warehouse?.city ?? null,
    message:
      in_stock && warehouse
        ? `In stock · ${quantity} ${quantity === 1 ? 'unit' : 'units'} · ships from ${warehouse.city}`
        : 'Out of stock',
  };
}
