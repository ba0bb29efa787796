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
import { MOCK_PRODUCTS } from './mock-products.ts';
import { UPS } from './order-life.ts';
import { AMERICA, person } from './people.ts';
import { after, type CustomerRow, type PositionRow, type ProductRow, type ShopData } from './shop-data.ts';

const CUSTOMERS = 100;
const ORDERS = 200;
/** Customers who have not bought anything for months. */
const DORMANT = 20;
const RECENT_ORDERS = 40;
const RED_SHIRT = 'CLO-001';

const DRIVERS = [
  { name: 'Maria Lopez', status: 'on_route' },
  { name: 'Tom Becker', status: 'available' },
  { name: 'Aisha Khan', status: 'off_duty' },
] as const;

const DRIVE: Drive = { carriers: [UPS], drivers: DRIVERS.map(({ name }) => name) };
const TILL: Till = { products: MOCK_PRODUCTS, shipping: [0, 4.99, 9.99], voucher: 5, unitsPerMajor: 100 };
/** The worked example counts red shirts, so chance sells none near the anchor. */
const TILL_WITHOUT_RED: Till = { ...TILL, products: MOCK_PRODUCTS.filter(({ sku }) => sku !== RED_SHIRT) };

/**
 * Document 002's mock shop: 50 products in 5 categories, 100 customers, 200 orders, and its worked examples:
 * 15 red shirts for 450.00 in the Monday-to-Sunday week before the anchor; John Doe (`cust_123`) with 15
 * orders for 2,500.00, the last of them `ord_456`; stock worth 125,000.00 with one product running low.
 */
export function mockShop(anchor: string): ShopData {
  const dice = throwDice(123);
  const customers = mockCustomers(anchor, dice);
  const others = customers.filter(({ customerId }) => customerId !== 'cust_123').map((c) => c.customerId);
  const last = lastOrder(anchor, dice);
  const drafts = [...johnsOrders(anchor, dice), last, ...redShirtOrders(anchor, others.slice(DORMANT), dice)];
  const drawn = Array.from({ length: ORDERS - drafts.length }, (_, n) => drawOrder(n, others, anchor, dice));
  return {
    shop: { id: 'shop_123', name: 'Corner & Co.', currency: 'USD' },
    warehouses: [
      {
        code: 'WH-1',
        city: 'Newark',
        region: 'US-East',
        addressLine: '120 Port St',
        postalCode: '07114',
        province: 'NJ',
        country: 'US',
      },
      {
        code: 'WH-2',
        city: 'Reno',
        region: 'US-West',
        addressLine: '4895 Longley Ln',
        postalCode: '89502',
        province: 'NV',
        country: 'US',
      },
    ],
    products: MOCK_PRODUCTS.map((product) => describe(product, dice)),
    positions: positions(dice),
    prices: [],
    promotions: [],
    customers,
    drivers: DRIVERS,
    orders: numbered([...drafts, ...drawn], last, 456, 'ord_'),
  };
}

function describe(
  { sku, name, category, price, brand }: (typeof MOCK_PRODUCTS)[number],
  dice: Dice,
): ProductRow {
  return {
    sku,
    name,
    category,
    price,
    brand,
    description: `${name} by ${brand}.`,
    weight: dice.int(2, 60) / 10,
    dimensions: `${dice.int(5, 60)} × ${dice.int(5, 40)} × ${dice.int(1, 30)} cm`,
  };
}

function positions(dice: Dice): readonly PositionRow[] {
  return MOCK_PRODUCTS.flatMap(({ sku, units, cost, brand }) =>
    Object.entries(units).map(([warehouse, quantity]) => ({
      sku,
      warehouse,
      quantity,
      reserved: quantity > 15 ? dice.int(0, 3) : 0,
      reorderLevel: 10,
      maxStockLevel: 1000,
      supplier: `${brand} Wholesale`,
      cost,
    })),
  );
}

function mockCustomers(anchor: string, dice: Dice): readonly CustomerRow[] {
  return Array.from({ length: CUSTOMERS }, (_, i) => {
    const customerId = `cust_${101 + i}`;
    const john = { customerId, userId: 'user_123', name: 'John Doe', email: 'john@example.com' };
    const joinedDays = 420 + dice.int(0, 300);
    return person(customerId === 'cust_123' ? john : { customerId }, AMERICA, { anchor, joinedDays, dice });
  });
}

/** Headphones at 150.00 and yoga mats at 22.50, fourteen of each: with `ord_456`, 2,500.00. */
const JOHN_BOUGHT: readonly (readonly [headphones: number, mats: number])[] = [
  [1, 0],
  [0, 2],
  [2, 1],
  [1, 1],
  [1, 1],
  [0, 1],
  [2, 0],
  [1, 2],
  [1, 1],
  [1, 1],
  [2, 0],
  [0, 2],
  [1, 1],
  [1, 1],
];

function johnsOrders(anchor: string, dice: Dice): readonly Draft[] {
  return JOHN_BOUGHT.map(([headphones, mats], i) => {
    const lines = [
      { sku: 'ELE-001', quantity: headphones, unitPrice: 150, discount: 0 },
      { sku: 'SPO-001', quantity: mats, unitPrice: 22.5, discount: 0 },
    ].filter(({ quantity }) => quantity > 0);
    return delivered('cust_123', after(anchor, -(30 + 26 * i), 16), lines, dice);
  });
}

function lastOrder(anchor: string, dice: Dice): Draft {
  const lines = [
    { sku: 'HOM-001', quantity: 1, unitPrice: 45, discount: 0 },
    { sku: 'HOM-002', quantity: 1, unitPrice: 40, discount: 0 },
  ];
  return delivered('cust_123', after(anchor, -2, 15), lines, dice);
}

/** Fifteen red shirts, Monday to Friday of the week before the anchor's. */
function redShirtOrders(anchor: string, customers: readonly string[], dice: Dice): readonly Draft[] {
  const daysSinceMonday = (new Date(`${anchor}T00:00:00Z`).getUTCDay() + 6) % 7;
  return [3, 2, 5, 1, 4].map((quantity, day) =>
    delivered(
      customers[day] ?? '',
      after(anchor, day - 7 - daysSinceMonday, 11),
      [{ sku: RED_SHIRT, quantity, unitPrice: 30, discount: 0 }],
      dice,
    ),
  );
}

function delivered(customerId: string, date: string, lines: Draft['lines'], dice: Dice): Draft {
  return draft(
    { customerId, date, lines, state: 'Delivered', discountApplied: 0, shippingCost: 0 },
    DRIVE,
    dice,
  );
}

/** The n-th order of chance: first one for each customer, the dormant ones' long ago; the last ones recent. */
function drawOrder(n: number, customers: readonly string[], anchor: string, dice: Dice): Draft {
  const customerId = customers[n] ?? dice.pick(customers.slice(DORMANT));
  const fresh = n - (ORDERS - 20 - RECENT_ORDERS);
  const when =
    fresh >= 0
      ? recent(fresh, anchor, dice)
      : {
          state: oldState(dice),
          date: after(anchor, -(n < DORMANT ? dice.int(150, 399) : dice.int(22, 399)), dice.int(0, 22)),
        };
  const till = fresh >= 0 ? TILL_WITHOUT_RED : TILL;
  const lines = drawLines(till, dice);
  return draft({ customerId, ...when, lines, ...drawExtras(till, lines, dice) }, DRIVE, dice);
}
