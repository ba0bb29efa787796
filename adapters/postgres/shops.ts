import type { Pools } from './pools.ts';

/** Every shop there is. */
export async function shopIds({ system }: Pick<Pools, 'system'>): Promise<readonly string[]> {
  const { rows } = await system.query<{ id: string }>('select id from shops order by id');
  return rows.map(({ id }) => id);
}
