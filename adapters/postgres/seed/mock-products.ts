/** One product of the mock shop and where its units lie. Prices and costs in dollars. */
export type MockProduct = {
  readonly name: string;
  readonly category: string;
  readonly sku: string;
  readonly brand: string;
  readonly price: number;
  readonly cost: number;
  /** Units by warehouse code; a warehouse that is not named does not carry the product. */
  readonly units: Readonly<Record<string, number>>;
};

type Row = readonly [
  name: string,
  sku: string,
  brand: string,
  price: number,
  cost: number,
  ...units: number[],
];

/** Last two columns: units at WH-1, at WH-2. The stock is worth 125,000.00 at cost, to the cent. */
const ROWS: Readonly<Record<string, readonly Row[]>> = {
  Electronics: [
    ['Noise-Cancelling Headphones', 'ELE-001', 'Auralis', 150, 70, 60, 40],
    ['Bluetooth Speaker', 'ELE-002', 'Auralis', 59, 28, 80, 60],
    ['Mechanical Keyboard', 'ELE-003', 'Keywright', 89, 38, 44, 36],
    ['Wireless Mouse', 'ELE-004', 'Keywright', 35, 15, 120, 80],
    ['4K Monitor 27 Inch', 'ELE-005', 'Lumen', 329, 205, 24, 16],
    ['USB-C Charger 65 W', 'ELE-006', 'Voltry', 39, 16, 150, 90],
    ['Power Bank 20000 mAh', 'ELE-007', 'Voltry', 45, 21, 70, 0],
    ['Action Camera', 'ELE-008', 'Peakview', 219, 131, 22, 18],
    ['Smart Watch', 'ELE-009', 'Lumen', 179, 90, 32, 28],
    ['E-Reader 7 Inch', 'ELE-010', 'Lumen', 129, 74, 34, 26],
  ],
  Clothing: [
    ['Red Shirt - Medium', 'CLO-001', 'Northfold', 30, 12, 5],
    ['Blue Jeans - Slim', 'CLO-002', 'Northfold', 65, 27, 90, 70],
    ['Black Hoodie - Large', 'CLO-003', 'Northfold', 55, 22, 80, 60],
    ['White Sneakers', 'CLO-004', 'Stride', 79, 36, 60, 44],
    ['Wool Scarf', 'CLO-005', 'Haverly', 28, 10, 64, 0],
    ['Rain Jacket', 'CLO-006', 'Haverly', 99, 47, 38, 30],
    ['Linen Trousers', 'CLO-007', 'Haverly', 59, 25, 50, 42],
    ['Cotton Socks - 5 Pairs', 'CLO-008', 'Stride', 15, 5, 200, 160],
    ['Leather Belt', 'CLO-009', 'Haverly', 35, 14, 60, 40],
    ['Summer Dress', 'CLO-010', 'Northfold', 69, 29, 46, 34],
  ],
  Books: [
    ['The Quiet Harbour', 'BOO-001', 'Lantern Press', 16, 7, 90, 60],
    ['Cooking for Two', 'BOO-002', 'Lantern Press', 24, 11, 70, 50],
    ['A History of Maps', 'BOO-003', 'Meridian', 38, 18, 44, 36],
    ['Learning to Sail', 'BOO-004', 'Meridian', 29, 13, 50, 30],
    ['The Clockmaker’s Daughter', 'BOO-005', 'Lantern Press', 14, 6, 120, 80],
    ['Gardens of the North', 'BOO-006', 'Meridian', 42, 20, 36, 24],
    ['Practical Statistics', 'BOO-007', 'Quanta', 55, 29, 40, 30],
    ['The Paper Fox', 'BOO-008', 'Lantern Press', 12, 5, 100, 0],
    ['Distributed by Design', 'BOO-009', 'Quanta', 49, 25, 50, 40],
    ['Poems for Winter', 'BOO-010', 'Lantern Press', 18, 8, 60, 40],
  ],
  'Home & Garden': [
    ['Desk Lamp', 'HOM-001', 'Ember', 45, 19, 70, 50],
    ['Garden Hose 20 m', 'HOM-002', 'Greenway', 40, 17, 60, 40],
    ['Ceramic Plant Pot', 'HOM-003', 'Greenway', 22, 8, 110, 70],
    ['Cast Iron Pan', 'HOM-004', 'Hearth', 49, 23, 60, 46],
    ['Espresso Maker', 'HOM-005', 'Hearth', 119, 63, 30, 22],
    ['Cotton Bed Sheets', 'HOM-006', 'Ember', 59, 26, 56, 44],
    ['Bamboo Cutting Board', 'HOM-007', 'Hearth', 26, 10, 90, 60],
    ['Storage Basket', 'HOM-008', 'Ember', 19, 7, 120, 90],
    ['Pruning Shears', 'HOM-009', 'Greenway', 29, 12, 60, 0],
    ['Wall Clock', 'HOM-010', 'Ember', 34, 14, 50, 40],
  ],
  Sports: [
    ['Yoga Mat', 'SPO-001', 'Flexa', 22.5, 9, 120, 80],
    ['Adjustable Dumbbells', 'SPO-002', 'Ironbay', 189, 108, 24, 18],
    ['Running Shorts', 'SPO-003', 'Stride', 32, 13, 80, 60],
    ['Football Size 5', 'SPO-004', 'Ironbay', 27, 11, 90, 60],
    ['Tennis Racket', 'SPO-005', 'Volley', 109, 57, 30, 24],
    ['Cycling Helmet', 'SPO-006', 'Peakview', 69, 32, 44, 36],
    ['Camping Tent - 2 Person', 'SPO-007', 'Peakview', 159, 88, 24, 20],
    ['Water Bottle 1 L', 'SPO-008', 'Flexa', 18, 6, 160, 120],
    ['Resistance Bands', 'SPO-009', 'Flexa', 25, 9, 90, 70],
    ['Ski Goggles', 'SPO-010', 'Peakview', 85, 40, 36, 30],
  ],
};

const WAREHOUSES = ['WH-1', 'WH-2'];

export const MOCK_PRODUCTS: readonly MockProduct[] = Object.entries(ROWS).flatMap(([category, rows]) =>
  rows.map(([name, sku, brand, price, cost, ...units]) => ({
    name,
    category,
    sku,
    brand,
    price,
    cost,
    units: Object.fromEntries(units.map((count, i) => [WAREHOUSES[i] ?? '', count])),
  })),
);
