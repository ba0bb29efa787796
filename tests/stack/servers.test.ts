import assert from 'node:assert/strict';
import { Client } from 'pg';
import { SEARCH_ATTRIBUTES } from '../../domain/queues.ts';
import { freshNamespace } from '../support/temporal.ts';

describe('the servers that tests run on', () => {
  it('hold a PostgreSQL that is supported', async () => {
    const client = new Client({ connectionString: process.env['TEST_PG_ADMIN_URL'] });
    await client.connect();
    try {
      const { rows } = await client.query<{ version: number }>(
        `select current_setting('server_version_num')::int as version`,
      );
      // Views that keep to the rows of whoever asks came with 15.
      assert.ok((rows[0]?.version ?? 0) >= 150_000);
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
