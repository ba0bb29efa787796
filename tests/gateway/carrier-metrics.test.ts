import assert from 'node:assert/strict';
import { createMetrics } from '../../mcp-gateway/metrics.ts';

describe('The metrics of carriers', () => {
  const pageAfter = async (tell: (carriers: ReturnType<typeof createMetrics>['carriers']) => void) => {
    const metrics = createMetrics({ sessions: () => 0 });
    tell(metrics.carriers);
    return metrics.text();
  };

  it('count each attempt by what it came to', async () => {
    const page = await pageAfter((carriers) => {
      carriers.attempt('UPS', 'track', 'timeout', 1.8);
      carriers.attempt('UPS', 'track', 'ok', 0.2);
    });
    assert.match(
      page,
      /countersign_carrier_attempt_seconds_count\{carrier="UPS",operation="track",outcome="timeout"\} 1/,
    );
  });

  for (const [state, shown] of [
    ['open', 1],
    ['half-open', 1],
    ['closed', 0],
  ] as const)
    it(`show a circuit that is ${state}`, async () => {
      const page = await pageAfter((carriers) => carriers.circuit('UPS', state));
      assert.match(page, new RegExp(`countersign_carrier_circuit_open\\{carrier="UPS"\\} ${shown}`));
    });
});
