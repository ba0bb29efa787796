/** What a field may hold. `money` depends on the shop's currency, the rest on nothing. */
export type FieldKind =
  | 'id'
  | 'line'
  | 'text'
  | 'email'
  | 'money'
  | 'count'
  | 'decimal'
  | 'instant'
  | 'flag'
  | 'options'
  | 'status'
  | 'word'
  | 'entry'
  | 'currency'
  | 'lastFour';

/** `needed`: the column must be there and no field of it may be empty. Others may be absent or empty (NULL). */
export type Column = { readonly name: string; readonly kind: FieldKind; readonly needed?: true };

export const IMPORT_TABLES = [
  'customers',
  'variants',
  'orders',
  'order_lines',
  'payment_methods',
  'payments',
  'warehouses',
  'inventory',
] as const;
export type ImportTable = (typeof IMPORT_TABLES)[number];

export type FileSpec = {
  readonly table: ImportTable;
  /** Names the file may have; the first one found is read. */
  readonly files: readonly [string, ...string[]];
  /** Without it there is no shop to import. */
  readonly needed: boolean;
  readonly columns: readonly Column[];
  /** Columns that name a row; no two rows of a file may share them. */
  readonly key: readonly [string, ...string[]];
  /** At least one of these must be filled in every row. */
  readonly anyOf?: readonly string[];
};

const needed = (name: string, kind: FieldKind): Column => ({ name, kind, needed: true });
const maybe = (name: string, kind: FieldKind = 'text'): Column => ({ name, kind });

/** Every file of an import and every column it may have. `docs/import.md` explains each to people. */
export const FILE_SPECS: Readonly<Record<ImportTable, FileSpec>> = {
  customers: {
    table: 'customers',
    files: ['customers.csv'],
    needed: true,
    key: ['customer_id'],
    anyOf: ['name', 'first_name', 'last_name'],
    columns: [
      needed('customer_id', 'id'),
      maybe('user_id', 'id'),
      maybe('name'),
      maybe('first_name'),
      maybe('last_name'),
      needed('email', 'email'),
      maybe('phone'),
      maybe('address1'),
      maybe('address2'),
      maybe('city'),
      maybe('state'),
      maybe('country'),
      maybe('zip'),
      maybe('loyalty_tier'),
      maybe('created_at', 'instant'),
    ],
  },
  variants: {
    table: 'variants',
    files: ['variants.csv', 'products.csv'],
    needed: true,
    key: ['sku'],
    columns: [
      needed('sku', 'id'),
      maybe('product_id', 'id'),
      needed('product_name', 'text'),
      maybe('options_json', 'options'),
      needed('price', 'money'),
      maybe('currency', 'currency'),
      maybe('available', 'flag'),
      maybe('category'),
      maybe('brand'),
      maybe('description'),
      maybe('weight', 'decimal'),
      maybe('dimensions'),
      maybe('created_at', 'instant'),
    ],
  },
  orders: {
    table: 'orders',
    files: ['orders.csv'],
    needed: true,
    key: ['order_id'],
    columns: [
      needed('order_id', 'id'),
      needed('customer_id', 'id'),
      needed('status', 'status'),
      maybe('source_status'),
      maybe('created_at', 'instant'),
      maybe('fulfilled_at', 'instant'),
      maybe('currency', 'currency'),
      maybe('discount', 'money'),
      maybe('shipping_cost', 'money'),
      maybe('total', 'money'),
      maybe('payment_method'),
      maybe('ship_address1'),
      maybe('ship_address2'),
      maybe('ship_city'),
      maybe('ship_state'),
      maybe('ship_country'),
      maybe('ship_zip'),
      maybe('tracking_ids'),
      maybe('notes'),
    ],
  },
  order_lines: {
    table: 'order_lines',
    files: ['order_lines.csv'],
    needed: true,
    key: ['order_id', 'line_no'],
    columns: [
      needed('order_id', 'id'),
      needed('line_no', 'line'),
      needed('sku', 'id'),
      maybe('product_id', 'id'),
      needed('price', 'money'),
      maybe('quantity', 'line'),
      maybe('discount', 'money'),
    ],
  },
  payment_methods: {
    table: 'payment_methods',
    files: ['payment_methods.csv'],
    needed: false,
    key: ['payment_method_id'],
    columns: [
      needed('customer_id', 'id'),
      needed('payment_method_id', 'id'),
      needed('type', 'word'),
      maybe('balance', 'money'),
      maybe('brand'),
      maybe('last_four', 'lastFour'),
    ],
  },
  payments: {
    table: 'payments',
    files: ['order_payments.csv', 'payments.csv'],
    needed: false,
    key: ['order_id', 'seq'],
    columns: [
      needed('order_id', 'id'),
      needed('seq', 'line'),
      needed('type', 'entry'),
      needed('amount', 'money'),
      maybe('payment_method_id', 'id'),
    ],
  },
  warehouses: {
    table: 'warehouses',
    files: ['warehouses.csv'],
    needed: false,
    key: ['warehouse'],
    columns: [needed('warehouse', 'id'), needed('city', 'text'), needed('region', 'text')],
  },
  inventory: {
    table: 'inventory',
    files: ['inventory.csv'],
    needed: false,
    key: ['sku', 'warehouse'],
    columns: [
      needed('sku', 'id'),
      needed('warehouse', 'id'),
      needed('quantity', 'count'),
      maybe('reserved', 'count'),
      maybe('reorder_level', 'count'),
      maybe('max_stock', 'count'),
      maybe('supplier'),
      maybe('cost_per_unit', 'money'),
    ],
  },
};
