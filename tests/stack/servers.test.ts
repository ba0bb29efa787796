import assert from 'node:assert/strict';
import { Client } from 'pg';
import { SEARCH_ATTRIBUTES } from '../../domain/queues.ts';
import { freshNamespace } from '../support/temporal.ts';

describe('the servers that tests run on', () => {
  it('hold a PostgreSQL 18', async () => {
    const client = new Client({ connectionString: process.env['TEST_PG_ADMIN_URL'] });
    await client.connect();
    try {
      const { rows } = await client.query<{ version: string }>(
        `select current_setting('server_version_num') as version`,
      );
      assert.match(rows[0]?.version ?? '', /^18/);
    } finally {
      await client.end();
    }
  });

  it('give each suite a namespace that knows our search attributes', async () => {
    const temporal = await freshNamespace();
    try {
      const { customAttributes } = await temporal.client.connection.operatorService.listSearchAttributes({
        namespace: temporal.namespace,
      });
      assert.deepEqual(
        SEARCH_ATTRIBUTES.filter((name) => !(name in customAttributes)),
        [],
      );
    } finally {
      await temporal.close();
    }
  });
});
