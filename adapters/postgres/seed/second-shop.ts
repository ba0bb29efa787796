import { dice as throwDice } from './dice.ts';
import { draft, numbered } from './draw-order.ts';
import { UPS } from './order-life.ts';
import { AMERICA, person } from './people.ts';
import { after, type ShopData } from './shop-data.ts';

const PRODUCTS = [
  { sku: 'TEA-001', name: 'Green Tea 100 g', price: 14, units: 60 },
  { sku: 'TEA-002', name: 'Earl Grey 100 g', price: 12, units: 8 },
  { sku: 'TEA-003', name: 'Teapot 0.8 L', price: 39, units: 0 },
] as const;

/** A small shop beside the others, so that isolation has something to keep apart. No id of it occurs elsewhere. */
export function secondShop(anchor: string): ShopData {
  const dice = throwDice(456);
  const customers = ['cust_9001', 'cust_9002'].map((customerId) =>
    person({ customerId }, AMERICA, { anchor, joinedDays: 200, dice }),
  );
  const drafts = (['Delivered', 'Cancelled', 'Shipped', 'Placed'] as const).map((state, i) =>
    draft(
      {
        customerId: customers[i % 2]?.customerId ?? '',
        date: after(anchor, -20 + 5 * i, 12),
        state,
        lines: [
          {
            sku: PRODUCTS[i % 3]?.sku ?? '',
            quantity: 1 + i,
            unitPrice: PRODUCTS[i % 3]?.price ?? 0,
            discount: 0,
          },
        ],
        discountApplied: 0,
        shippingCost: 4.99,
      },
      { carriers: [UPS], drivers: ['Olga Petrova'] },
      dice,
    ),
  );
  const [first] = drafts;
  return {
    shop: { id: 'shop_456', name: 'Leaf & Kettle', currency: 'USD' },
    warehouses: [
      {
        code: 'SEA-1',
        city: 'Seattle',
        region: 'US-West',
        addressLine: '4000 E Marginal Way S',
        postalCode: '98134',
        province: 'WA',
        country: 'US',
      },
    ],
    products: PRODUCTS.map(({ sku, name, price }) => ({
      sku,
      name,
      price,
      category: 'Tea',
      brand: 'Leaf & Kettle',
      description: `${name}.`,
      weight: 0.3,
      dimensions: '10 × 10 × 10 cm',
    })),
    positions: PRODUCTS.map(({ sku, price, units }) => ({
      sku,
      warehouse: 'SEA-1',
      quantity: units,
      reserved: 0,
      reorderLevel: 10,
      maxStockLevel: 200,
      supplier: 'Assam Direct',
      cost: price / 2,
    })),
    prices: [],
    promotions: [],
    customers,
    drivers: [{ name: 'Olga Petrova', status: 'available' }],
    orders: first ? numbered(drafts, first, 9001, 'ord_') : [],
  };
}
