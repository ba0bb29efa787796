import type { Cache } from '../../domain/cache.ts';
import type { LifecycleActivities, OrderLives } from '../../domain/order-life.ts';
import { keysShowing } from '../orders/keys.ts';

/** Judges what was told about one order, and voids every answer that shows it. */
export function judgeOrderEvents(lives: OrderLives, cache: Cache): LifecycleActivities['judge_order_events'] {
  return async (life) => {
    const advanced = await lives.advance(life);
    if (advanced === undefined) return null;
    // Each time, also when nothing was left to judge: an attempt that died after its commit has voided nothing.
    await Promise.all(keysShowing(life.tenant, advanced.touched).map((key) => cache.invalidate(key)));
    return advanced.view;
  };
}
