import type { Cache } from '../../domain/cache.ts';
import type { LifecycleActivities, LifeOf, OrderLives } from '../../domain/order-life.ts';
import { keysShowing } from '../orders/keys.ts';

/** Judges what was told about one order, and voids every answer that shows it. */
export function judgeOrderEvents(lives: OrderLives, cache: Cache): LifecycleActivities['judge_order_events'] {
  return async (life) => {
    if (!isLife(life)) return null;
    const advanced = await lives.advance(life);
    if (advanced === undefined) return null;
    // Each time, also when nothing was left to judge: an attempt that died after its commit has voided nothing.
    await Promise.all(keysShowing(life.tenant, advanced.touched).map((key) => cache.invalidate(key)));
    return advanced.view;
  };
}

/** A workflow that somebody started by hand was given whatever they liked. */
function isLife(said: unknown): said is LifeOf {
  if (typeof said !== 'object' || said === null || !('tenant' in said) || !('order' in said)) return false;
  const { tenant, order } = said;
  return (
    typeof tenant === 'string' &&
    /^[A-Za-z0-9_-]{1,64}$/.test(tenant) &&
    typeof order === 'string' &&
    /^\d{1,18}$/.test(order)
  );
}
