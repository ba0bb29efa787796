import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createPolicyRegistry } from '../../adapters/postgres/policy-registry.ts';
import { createPolicyRuns } from '../../adapters/postgres/policy-runs.ts';
import type { EmbedderChoice } from '../../domain/policies.ts';
import type { PolicyRunKind } from '../../domain/policy-registry.ts';
import type { IngestDeps } from '../../policy-index/ingest/deps.ts';
import { runPolicies } from '../../policy-index/ingest/run.ts';
import { settlePolicies } from '../../policy-index/ingest/publish.ts';
import { openPolicyIndex } from '../../policy-index/open-index.ts';
import { chooseRetrieval } from '../../policy-index/retrieval-choice.ts';
import { freshDatabase } from '../support/database.ts';
import { openShop } from '../support/rows.ts';
import { publishedFolder } from './support.ts';

const HOUR_MS = 3_600_000;

/** A publisher, a registry on a real Postgres, and an index; time stands still until it is moved. */
export async function ingestRoom(openSearchUrl?: string, embeds?: EmbedderChoice) {
  const shops = ['manga'];
  const db = await freshDatabase();
  for (const shop of shops) await openShop(db.pools, shop);
  const home = await mkdtemp(join(tmpdir(), 'policy-ingest-'));
  const published = await publishedFolder();
  const { embedders: lsa } = await chooseRetrieval({
    embedder: { kind: 'lsa' },
    reranker: { kind: 'none' },
    modelsFolder: home,
  });
  let now = Date.parse('2026-05-01T12:00:00Z');
  const iso = () => new Date(now).toISOString();
  const deps: IngestDeps = {
    source: published.source,
    registry: createPolicyRegistry(db.pools),
    runs: createPolicyRuns(db.pools),
    index: openPolicyIndex(openSearchUrl, home),
    embedders: embeds ?? lsa,
    fusion: 'minmax',
    supersededMs: 24 * HOUR_MS,
    syncMs: HOUR_MS,
    moment: () => ({ at: iso(), today: iso() }),
  };
  async function lose(name: string): Promise<void> {
    if (openSearchUrl === undefined) return rm(join(home, 'builds', name), { recursive: true });
    await fetch(`${openSearchUrl}/${name}`, { method: 'DELETE' });
  }
  return {
    ...published,
    deps,
    db,
    home,
    moveTo: (day: string) => {
      now = Date.parse(day);
    },
    wait: (hours: number) => {
      now += hours * HOUR_MS;
    },
    run: async (kind: PolicyRunKind = 'ingest', target: number | null = null) => {
      const { id } = await deps.runs.request({ kind, target, requestedBy: 'test' });
      await runPolicies(deps, id);
      return (await deps.runs.find(id))?.outcome;
    },
    settle: () => settlePolicies(deps),
    /** Deletes a build behind everybody's back. */
    lose,
    close: async () => {
      if (openSearchUrl !== undefined)
        for (const { name } of await deps.index.builds())
          if (/^policy-(record-)?v\d+$/.test(name)) await lose(name);
      await deps.index.close();
      await published.close();
      await db.drop();
      await rm(home, { recursive: true, force: true });
    },
  };
}

export type IngestRoom = Awaited<ReturnType<typeof ingestRoom>>;
