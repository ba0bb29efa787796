import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { freshDatabase, type TestDatabase } from '../support/database.ts';
import { type Files, inFolder, rowsOf, SMALL, withRow } from './support.ts';

type Ended = { readonly code: number; readonly stdout: string; readonly stderr: string };

const run = promisify(execFile);

async function countersign(
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  cwd = process.cwd(),
): Promise<Ended> {
  try {
    const ended = await run(process.execPath, [resolve('cli/countersign.mjs'), ...args], { env, cwd });
    return { code: 0, ...ended };
  } catch (error) {
    // execFile rejects with the exit code and both outputs on the error.
    const { code, stdout, stderr } = Object(error);
    return { code: Number(code), stdout: String(stdout), stderr: String(stderr) };
  }
}

describe('countersign import', () => {
  let database: TestDatabase;
  beforeEach(async () => {
    database = await freshDatabase();
  });
  afterEach(() => database.drop());

  const importing = (files: Files, ...options: readonly string[]) =>
    inFolder(files, (folder) =>
      countersign(['import', '--shop', 'small', ...options, folder], {
        ...process.env,
        DATABASE_URL: database.writeUrl,
      }),
    );

  it('prints the row counts per table as JSON and nothing else on stdout', async () => {
    const { code, stdout } = await importing(SMALL, '--json');
    const { tables, created } = JSON.parse(stdout);
    assert.deepEqual(
      [code, created, tables],
      [
        0,
        true,
        {
          customers: 2,
          variants: 2,
          orders: 2,
          order_lines: 3,
          payment_methods: 2,
          payments: 2,
          warehouses: 0,
          inventory: 0,
        },
      ],
    );
  });

  it('prints progress as plain lines where there is no terminal', async () => {
    const { stderr } = await importing(SMALL);
    assert.match(stderr, /^… Importing shop small$/m);
    assert.equal(stderr.includes('\r') || stderr.includes('\u001b'), false);
  });

  it('names the shop and its currency as asked', async () => {
    await importing(SMALL, '--name', 'A small shop', '--currency', 'EUR');
    assert.deepEqual(await rowsOf(database, 'small', 'select name, currency from shops'), [
      { name: 'A small shop', currency: 'EUR' },
    ]);
  });

  it('says of a dry run that nothing was loaded', async () => {
    const { code, stdout } = await importing(SMALL, '--dry-run');
    assert.equal(code, 0);
    assert.match(stdout, /Dry run: nothing was loaded into shop small/);
    assert.deepEqual(await rowsOf(database, 'small', 'select id from shops'), []);
  });

  it('names each refused row by file, line and reason, loads nothing, and exits with 1', async () => {
    const { code, stdout, stderr } = await importing(withRow('order_lines.csv', '#W1,3,S-1,P-1,secret'));
    assert.equal(code, 1);
    assert.match(stderr, /^order_lines\.csv:5: price: not an amount/m);
    assert.match(stdout, /1 row refused; nothing was loaded into shop small/);
    assert.equal((stdout + stderr).includes('secret'), false);
    assert.deepEqual(await rowsOf(database, 'small', 'select id from shops'), []);
  });

  it('shows the first refused rows and writes them all to a file', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'countersign-report-'));
    try {
      const report = join(folder, 'refused.csv');
      const rows = Array.from({ length: 200 }, () => '#W1,x,S-1,P-1,1.00').join('\n');
      const { stderr } = await importing(withRow('order_lines.csv', rows), '--report', report);
      assert.match(stderr, /… and 150 more/);
      assert.equal((await readFile(report, 'utf8')).trim().split('\n').length, 201);
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it('says what a shop id is, before it reads anything', async () => {
    const env = { ...process.env, DATABASE_URL: database.writeUrl };
    const ended = await inFolder(SMALL, (folder) => countersign(['import', '--shop', 'a b', folder], env));
    assert.equal(ended.code, 2);
    assert.match(ended.stderr, /A shop id is 1 to 64 letters, digits, - and _\.\nNothing was loaded\./);
  });

  it('says how to get a database when there is none', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'countersign-alone-'));
    try {
      const { DATABASE_URL: _, ...env } = process.env;
      const { code, stderr } = await countersign(['import', '--shop', 'small', '.'], env, folder);
      assert.equal(code, 2);
      assert.match(stderr, /npm start/);
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it('says that the database does not answer', async () => {
    const env = { ...process.env, DATABASE_URL: 'postgres://nobody@127.0.0.1:1/none' };
    const { code, stderr } = await inFolder(SMALL, (folder) =>
      countersign(['import', '--shop', 'small', folder], env),
    );
    assert.equal(code, 2);
    assert.match(stderr, /The database does not answer/);
  });

  it('says that a file is neither a folder nor SQLite', async () => {
    const { code, stderr } = await inFolder({ ...SMALL, 'shop.sqlite': 'not a database' }, (folder) =>
      countersign(['import', '--shop', 'small', join(folder, 'shop.sqlite')], {
        ...process.env,
        DATABASE_URL: database.writeUrl,
      }),
    );
    assert.equal(code, 2);
    assert.match(stderr, /neither a folder nor an SQLite file/);
  });
});

describe('scripts/tpch-to-csv.ts', () => {
  it('keeps keys, dates and amounts, and what it makes can be imported', async () => {
    const database = await freshDatabase();
    const out = await mkdtemp(join(tmpdir(), 'countersign-tpch-'));
    try {
      const tables = {
        'customer.csv': 'c_custkey,c_name,c_address,c_phone\n7,Customer#7," 1, Road",25-989\n',
        'part.csv':
          'p_partkey,p_name,p_brand,p_type,p_container,p_retailprice\n3,blue lace,Brand#1,TIN,BOX,1434.51\n',
        'orders.csv':
          'o_orderkey,o_custkey,o_orderstatus,o_orderdate\n1,7,O,1996-01-02\n2,7,P,1996-01-03\n3,7,F,1996-01-04\n',
        'lineitem.csv':
          'l_orderkey,l_linenumber,l_partkey,l_quantity,l_extendedprice,l_discount\n' +
          '1,1,3,17,24386.67,0.04\n2,1,3,1,1434.51,0.00\n3,1,3,2,2869.02,0.10\n',
        'region.csv': 'r_regionkey,r_name\n0,AFRICA\n',
        'nation.csv': 'n_nationkey,n_name,n_regionkey\n5,KENYA,0\n',
        'supplier.csv': 's_suppkey,s_nationkey\n1,5\n2,5\n',
        'partsupp.csv': 'ps_partkey,ps_suppkey,ps_availqty,ps_supplycost\n3,1,10,5.00\n3,2,20,6.00\n',
      };
      await inFolder(tables, (folder) =>
        run(process.execPath, ['--import', 'tsx', 'scripts/tpch-to-csv.ts', folder, out]),
      );
      const env = { ...process.env, DATABASE_URL: database.writeUrl };
      const { code, stderr } = await countersign(['import', '--shop', 'tpch', out], env);
      assert.equal(code, 0, stderr);
      assert.deepEqual(
        await rowsOf(
          database,
          'tpch',
          `select o.order_id, status, source_status, order_date::date::text as day, total_amount, quantity, unit_price,
                  discount from orders o join order_items i on i.order_id = o.id order by o.order_id`,
        ),
        [
          // 24386.67 × 0.04 = 975.4668
          {
            order_id: '1',
            status: 'Confirmed',
            source_status: 'O',
            day: '1996-01-02',
            total_amount: '23411.20',
            quantity: 17,
            unit_price: '1434.51',
            discount: '975.47',
          },
          {
            order_id: '2',
            status: 'Packed',
            source_status: 'P',
            day: '1996-01-03',
            total_amount: '1434.51',
            quantity: 1,
            unit_price: '1434.51',
            discount: '0.00',
          },
          {
            order_id: '3',
            status: 'Delivered',
            source_status: 'F',
            day: '1996-01-04',
            total_amount: '2582.12',
            quantity: 2,
            unit_price: '1434.51',
            discount: '286.90',
          },
        ],
      );
      const stock =
        'select sku, code, quantity from inventory i join products p on p.id = i.product_id join warehouses w on w.id = i.warehouse_id';
      assert.deepEqual(await rowsOf(database, 'tpch', stock), [{ sku: '3', code: 'WH-5', quantity: 30 }]);
    } finally {
      await rm(out, { recursive: true });
      await database.drop();
    }
  });

  it('says how it is called', async () => {
    const failed = run(process.execPath, ['--import', 'tsx', 'scripts/tpch-to-csv.ts']);
    await assert.rejects(failed, /usage: tpch-to-csv/);
  });
});
