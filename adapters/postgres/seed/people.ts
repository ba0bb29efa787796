import type { Dice } from './dice.ts';
import { after, type CustomerRow } from './shop-data.ts';

type Place = { readonly city: string; readonly country: string; readonly streets: readonly string[] };

export type Town = {
  readonly first: readonly string[];
  readonly last: readonly string[];
  readonly places: readonly Place[];
  /** Country code of telephone numbers. */
  readonly dial: string;
};

export const AMERICA: Town = {
  first: ['Ava', 'Ben', 'Chloe', 'Daniel', 'Emma', 'Felix', 'Grace', 'Hugo', 'Isla', 'James', 'Kate', 'Liam'],
  last: ['Adams', 'Brooks', 'Carter', 'Diaz', 'Evans', 'Foster', 'Garcia', 'Hughes', 'Ito', 'Jones'],
  places: [
    { city: 'Chicago', country: 'USA', streets: ['Lake Street', 'Oak Avenue', 'Cedar Lane'] },
    { city: 'Seattle', country: 'USA', streets: ['Pine Street', 'Harbor Road', 'Union Way'] },
    { city: 'Austin', country: 'USA', streets: ['Elm Drive', 'River Road', 'Congress Avenue'] },
    { city: 'Toronto', country: 'Canada', streets: ['King Street', 'Queen Street', 'Bay Street'] },
  ],
  dial: '+1',
};

export const JAPAN: Town = {
  first: ['葵', '蓮', '陽菜', '湊', '結衣', '樹', '凛', '大翔'],
  last: ['佐藤', '鈴木', '高橋', '田中', '伊藤', '渡辺', '山本', '中村'],
  places: [
    { city: '東京', country: 'Japan', streets: ['千代田区神田', '新宿区西新宿', '中野区中野'] },
    { city: '大阪', country: 'Japan', streets: ['北区梅田', '中央区難波'] },
    { city: '名古屋', country: 'Japan', streets: ['中区栄', '熱田区神宮'] },
  ],
  dial: '+81',
};

/** A customer with every field filled, who joined `joinedDays` before the anchor. */
export function person(
  id: {
    readonly customerId: string;
    readonly userId?: string;
    readonly name?: string;
    readonly email?: string;
  },
  town: Town,
  { anchor, joinedDays, dice }: { readonly anchor: string; readonly joinedDays: number; readonly dice: Dice },
): CustomerRow {
  const place = dice.pick(town.places);
  const name = id.name ?? `${dice.pick(town.first)} ${dice.pick(town.last)}`;
  return {
    customerId: id.customerId,
    userId: id.userId ?? id.customerId,
    name,
    email: id.email ?? `${id.customerId.replace('_', '.')}@example.com`,
    phone: `${town.dial} 555 ${dice.digits(4)}`,
    address: `${dice.int(1, 400)} ${dice.pick(place.streets)}`,
    city: place.city,
    country: place.country,
    paysWith: dice.pick(['credit_card', 'paypal'] as const),
    createdAt: after(anchor, -joinedDays, 9),
  };
}
