/** The process that bench/stack.ts forks: gateway and worker, and an answer to "how much memory?". */
import { startGateway } from '../mcp-gateway/main.ts';
import { createLog } from '../platform/log.ts';
import { loadCommandConfig } from '../platform/state.ts';
import { startWorker } from '../workers/main.ts';

const config = loadCommandConfig(process.env);
const log = createLog({ level: 'error', file: `${config.home}/bench-server.log` });
const worker = await startWorker(config, log);
const gateway = await startGateway(config, log);

function answer(message: unknown): void {
  process.send?.(message);
}

process.on('message', (asked) => {
  if (asked === 'memory') {
    for (let i = 0; i < 3; i += 1) globalThis.gc?.();
    const { rss, heapUsed } = process.memoryUsage();
    answer({ rss, heapUsed });
  }
  if (asked === 'stop') {
    void gateway
      .stop()
      .then(() => worker.stop())
      .finally(() => process.exit(0));
  }
});
answer(gateway.url);
