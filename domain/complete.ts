/** Kinds of id that arguments can be completed with. */
export const COMPLETABLE = ['order_id', 'sku', 'warehouse', 'manga_id', 'purchase_order', 'region'] as const;
export type Completable = (typeof COMPLETABLE)[number];
