import { z } from 'zod';
import type { Stack } from '../gateway/stack.ts';

/** One run as somebody reads it who can read all of Temporal. */
export type Told = {
  readonly id: string;
  readonly tenant: string | undefined;
  readonly customer: string | undefined;
  /** What was asked for. */
  readonly input: readonly string[];
  /** The whole history and what the list of runs shows, payloads decoded. */
  readonly text: string;
};

const PLAN = z.object({
  caller: z.object({ tenant: z.string(), customerId: z.string().optional() }),
  input: z.record(z.string(), z.unknown()),
});
const AT_ONCE = 32;

/** Every run in the stack's namespace. */
export async function historiesOf({ temporal: { client } }: Stack): Promise<readonly Told[]> {
  const told: Told[] = [];
  const reading = new Set<Promise<void>>();
  for await (const run of client.workflow.list()) {
    const one = (async () => {
      const history = await client.workflow.getHandle(run.workflowId, run.runId).fetchHistory();
      const texts = decoded(history);
      const plan = texts.map(planIn).find((found) => found !== undefined);
      told.push({
        id: run.workflowId,
        tenant: plan?.caller.tenant,
        customer: plan?.caller.customerId,
        input: Object.values(plan?.input ?? {})
          .flat()
          .filter((value) => typeof value === 'string'),
        text: [...texts, ...decoded(run.raw), JSON.stringify(history)].join('\n'),
      });
    })();
    reading.add(one);
    void one.finally(() => reading.delete(one));
    if (reading.size >= AT_ONCE) await Promise.race(reading);
  }
  await Promise.all(reading);
  return told;
}

function planIn(text: string): z.output<typeof PLAN> | undefined {
  if (!text.startsWith('{')) return undefined;
  const parsed = PLAN.safeParse(JSON.parse(text));
  return parsed.success ? parsed.data : undefined;
}

/** All bytes within, as text: payloads are bytes. */
function decoded(value: unknown): readonly string[] {
  if (value instanceof Uint8Array) return [Buffer.from(value).toString('utf8')];
  if (typeof value === 'string') return [value];
  if (typeof value !== 'object' || value === null) return [];
  return Object.values(value).flatMap(decoded);
}
