import assert from 'node:assert/strict';
import type { AuditEntry } from '../../domain/audit.ts';
import { gatewayRecord } from '../../mcp-gateway/gateway-record.ts';
import { createLog } from '../../platform/log.ts';

/** Class of defect: a refusal that keeps its caller waiting for a database that has fallen silent. */
describe('the row of a refusal', () => {
  it('is owed when the database does not answer, and the caller does not wait for it', async () => {
    const owed: AuditEntry[] = [];
    const record = gatewayRecord({
      audit: { append: () => new Promise(() => undefined) },
      runs: { oweAudit: async (entries) => void owed.push(...entries) },
      log: createLog({ level: 'silent' }),
    });
    const moment = { event: 'denied', final: true, outcome: 'denied', transport: 'http' } as const;
    await record.write({ ...moment, tool: 'check_stock', requestId: '1' });
    assert.deepEqual(
      owed.map(({ tool, outcome }) => [tool, outcome]),
      [['check_stock', 'denied']],
    );
  });
});
