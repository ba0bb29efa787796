import type { Client } from 'pg';
import { events } from '../../catalog/events/index.ts';
import type { JsonObject } from '../../domain/json.ts';

type Row = { readonly topic: string; readonly version: number; readonly payload: JsonObject };

/** Whatever a test had published has a schema, and is as its schema says. */
export async function assertPublishedAsPromised(admin: Client): Promise<void> {
  const { rows } = await admin.query<Row>('select topic, version, payload from event_outbox limit 10000');
  const wrong = new Set(rows.flatMap(problemOf));
  if (wrong.size > 0) throw new Error(['Events are not as catalog/events says:', ...wrong].join('\n'));
}

function problemOf({ topic, version, payload }: Row): readonly string[] {
  const schema = events.find((one) => one.topic === topic && one.version === version);
  if (schema === undefined) return [`${topic} version ${version} has no schema`];
  const { error } = schema.payload.safeParse(payload);
  return (error?.issues ?? []).map(({ path, message }) => `${topic}.${path.join('.')}: ${message}`);
}
