import { performance } from 'node:perf_hooks';
import { mcpClient } from './mcp-client.ts';
import type { Row } from './report.ts';
import { startStack } from './stack.ts';

/** A second start on a home that has run before: to `countersign ready`, and to the first answered call. */
export async function benchWarmStart(home: string): Promise<readonly Row[]> {
  const began = performance.now();
  const stack = await startStack(home);
  const client = await mcpClient(stack.url, await stack.token('supply_chain_manager'));
  await client.call('check_stock', { manga_id: 'BER42', volume_number: 42 });
  const answeredMs = performance.now() - began;
  await client.close();
  await stack.stop();
  return [
    { name: 'warm start to ready', unit: 's', value: stack.startedInMs / 1_000 },
    { name: 'warm start to first answered call', unit: 's', value: answeredMs / 1_000 },
  ];
}
