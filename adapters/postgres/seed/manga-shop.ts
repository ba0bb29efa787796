import { dice as throwDice, type Dice } from './dice.ts';
import {
  draft,
  drawExtras,
  drawLines,
  numbered,
  oldState,
  recent,
  type Draft,
  type Drive,
  type Till,
} from './draw-order.ts';
import { SAGAWA, YAMATO } from './order-life.ts';
import { JAPAN, person } from './people.ts';
import {
  after,
  type CustomerRow,
  type PositionRow,
  type PriceRow,
  type ProductRow,
  type PromotionRow,
  type ShopData,
} from './shop-data.ts';

type Title = {
  readonly mangaId: string;
  readonly name: string;
  readonly author: string;
  readonly publisher: string;
  readonly volumes: number;
  /** Yen, for a volume. */
  readonly price: number;
};

const TITLES: readonly Title[] = [
  { mangaId: 'BER42', name: 'Berserk', author: '三浦建太郎', publisher: '白泉社', volumes: 42, price: 770 },
  {
    mangaId: 'ONE01',
    name: 'ワンピース',
    author: '尾田栄一郎',
    publisher: '集英社',
    volumes: 20,
    price: 572,
  },
  {
    mangaId: 'VIN27',
    name: 'ヴィンランド・サガ',
    author: '幸村誠',
    publisher: '講談社',
    volumes: 12,
    price: 759,
  },
  {
    mangaId: 'SLM31',
    name: 'スラムダンク',
    author: '井上雄彦',
    publisher: '集英社',
    volumes: 10,
    price: 660,
  },
  {
    mangaId: 'YTB15',
    name: 'よつばと！',
    author: 'あずまきよひこ',
    publisher: 'KADOKAWA',
    volumes: 15,
    price: 825,
  },
];

const DRIVERS = [
  { name: '森 健二', status: 'sick' },
  { name: '小林 誠', status: 'on_route' },
  { name: '加藤 美咲', status: 'available' },
  { name: '吉田 大輔', status: 'off_duty' },
] as const;
const SICK_DRIVER = DRIVERS[0].name;
const DRIVE: Drive = { carriers: [YAMATO, SAGAWA], drivers: DRIVERS.slice(1).map(({ name }) => name) };

const CUSTOMERS = 12;
/** Orders of the first customer: more than one page of ten. */
const ORDERS_OF_FIRST = 14;
const OTHER_ORDERS = 28;

/** Positions that tests and documents name: units at each warehouse that carries the volume. */
const FIXED: Readonly<
  Record<string, readonly (readonly [warehouse: string, units: number, level: number])[]>
> = {
  'BER42-42': [
    ['TKY-1', 14, 10],
    ['WH-2', 0, 10],
  ],
  'BER42-01': [['TKY-1', 40, 10]],
  'BER42-03': [
    ['TKY-1', 22, 10],
    ['WH-2', 6, 20],
  ],
  // Sold out everywhere.
  'BER42-13': [['TKY-1', 0, 10]],
};

type Volume = ProductRow & { readonly mangaId: string; readonly volumeNumber: number };

/** Document 000's shop: manga volumes, three warehouses in three regions, and late order 88213. */
export function mangaShop(anchor: string): ShopData {
  const dice = throwDice(42);
  const products = TITLES.flatMap((title) => volumesOf(title));
  const customers = mangaCustomers(anchor, dice);
  const late = lateOrder(anchor, dice);
  return {
    shop: { id: 'manga', name: '漫画堂 Mangado', currency: 'JPY' },
    warehouses: [
      {
        code: 'TKY-1',
        city: 'Tokyo',
        region: 'JP',
        addressLine: '1-1 Marunouchi',
        postalCode: '100-0005',
        country: 'JP',
      },
      {
        code: 'WH-2',
        city: 'Rotterdam',
        region: 'EU',
        addressLine: 'Waalhaven 19',
        postalCode: '3089 JH',
        country: 'NL',
      },
      {
        code: 'US-1',
        city: 'Los Angeles',
        region: 'US',
        addressLine: '5200 Alameda St',
        postalCode: '90058',
        province: 'CA',
        country: 'US',
      },
    ],
    products,
    positions: products.flatMap((product) => positionsOf(product, dice)),
    prices: pricesOf(products, anchor),
    promotions: promotions(anchor),
    customers,
    drivers: DRIVERS,
    orders: numbered([late, ...drawOrders(products, customers, anchor, dice)], late, 88213, ''),
  };
}

function volumesOf({ mangaId, name, author, publisher, volumes, price }: Title): readonly Volume[] {
  return Array.from({ length: volumes }, (_, i) => ({
    sku: `${mangaId}-${String(i + 1).padStart(2, '0')}`,
    name: `${name} Vol. ${i + 1}`,
    category: 'Manga',
    // Later volumes are thicker.
    price: price + 11 * Math.floor(i / 10),
    description: `${name} 第${i + 1}巻、${author}`,
    brand: publisher,
    weight: 0.2,
    dimensions: '18 × 12 × 2 cm',
    mangaId,
    volumeNumber: i + 1,
  }));
}

function positionsOf({ sku, price }: Volume, dice: Dice): readonly PositionRow[] {
  const places = FIXED[sku] ?? drawPlaces(dice);
  return places.map(([warehouse, quantity, reorderLevel]) => ({
    sku,
    warehouse,
    quantity,
    reserved: sku in FIXED || quantity < 10 ? 0 : dice.int(0, 3),
    reorderLevel,
    maxStockLevel: 1000,
    supplier: 'Nippan Wholesale',
    cost: Math.round(price * 0.6),
  }));
}

/** Tokyo carries everything, the others a part; one position in six is low, one in sixteen empty. */
function drawPlaces(dice: Dice): readonly (readonly [string, number, number])[] {
  const units = () => (dice.chance(6) ? 0 : dice.chance(16) ? dice.int(1, 9) : dice.int(15, 90));
  return [
    ['TKY-1', units(), 10] as const,
    ...(dice.chance(45) ? [['WH-2', units(), 10] as const] : []),
    ...(dice.chance(30) ? [['US-1', units(), 10] as const] : []),
  ];
}

/** Every volume's price holds for two years from half a year ago; Berserk was cheaper before. */
function pricesOf(products: readonly Volume[], anchor: string): readonly PriceRow[] {
  const since = after(anchor, -180);
  return products.flatMap(({ sku, price, mangaId }) => [
    ...(mangaId === 'BER42'
      ? [{ sku, amount: price - 44, validFrom: after(anchor, -720), validUntil: since }]
      : []),
    { sku, amount: price, validFrom: since, validUntil: after(anchor, 550) },
  ]);
}

/** Over, running, two running at once, and to come. */
function promotions(anchor: string): readonly PromotionRow[] {
  const row = (sku: string, name: string, discountPct: number, from: number, to: number): PromotionRow => ({
    sku,
    name,
    discountPct,
    startsAt: after(anchor, from),
    endsAt: after(anchor, to),
  });
  return [
    row('SLM31-01', 'Autumn fair', 30, -60, -30),
    row('YTB15-01', 'First volumes', 20, -7, 365),
    row('ONE01-01', 'First volumes', 10, -7, 365),
    row('ONE01-01', 'Anniversary', 25, -2, 120),
    row('VIN27-01', 'Next season', 15, 60, 74),
  ];
}

function mangaCustomers(anchor: string, dice: Dice): readonly CustomerRow[] {
  return Array.from({ length: CUSTOMERS }, (_, i) =>
    person({ customerId: `cust_${1001 + i}` }, JAPAN, { anchor, joinedDays: 420 + dice.int(0, 200), dice }),
  );
}

/** Promised for yesterday, now expected for tomorrow: two days late, because the driver called in sick. */
function lateOrder(anchor: string, dice: Dice): Draft {
  return {
    customerId: 'cust_1002',
    date: after(anchor, -5, 10),
    state: 'Shipped',
    lines: [
      { sku: 'BER42-41', quantity: 1, unitPrice: 814, discount: 0 },
      { sku: 'VIN27-03', quantity: 2, unitPrice: 759, discount: 0 },
    ],
    discountApplied: 0,
    shippingCost: 500,
    shipment: {
      carrier: YAMATO.name,
      trackingNumber: YAMATO.number(dice),
      promised: after(anchor, -1, 12),
      estimated: after(anchor, 1, 12),
    },
    delivery: { driver: SICK_DRIVER, status: 'delayed', note: 'Driver called in sick.' },
  };
}

function drawOrders(
  products: readonly Volume[],
  customers: readonly CustomerRow[],
  anchor: string,
  dice: Dice,
): readonly Draft[] {
  const till: Till = { products, shipping: [0, 350, 500], voucher: 300, unitsPerMajor: 1 };
  const first = customers[0]?.customerId ?? '';
  const others = customers.slice(1).map(({ customerId }) => customerId);
  return Array.from({ length: ORDERS_OF_FIRST + OTHER_ORDERS }, (_, n) => {
    const customerId = n < ORDERS_OF_FIRST ? first : (others[n % others.length] ?? '');
    const when =
      n % 2 === 0
        ? recent(n / 2, anchor, dice)
        : { state: oldState(dice), date: after(anchor, -dice.int(22, 380), dice.int(0, 22)) };
    const lines = drawLines(till, dice);
    return draft({ customerId, ...when, lines, ...drawExtras(till, lines, dice) }, DRIVE, dice);
  });
}
