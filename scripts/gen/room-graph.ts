import type { execFileSync } from 'node:child_process';

/** The part of dependency-cruiser's JSON that is read here. */
type Cruise = {
  readonly modules: readonly {
    readonly source: string;
    readonly dependencies: readonly { readonly resolved: string }[];
  }[];
};

const ROOMS = [
  'domain',
  'catalog',
  'workflows',
  'activities',
  'adapters',
  'policy-index',
  'mcp-gateway',
  'workers',
  'platform',
  'cli',
] as const;

function roomOf(path: string): string | undefined {
  const [first] = path.split('/');
  return ROOMS.find((room) => room === first);
}

/** Imports between rooms, as a Mermaid graph and a table: who opens which door, and how often. */
export function roomGraph(run: typeof execFileSync): string {
  const args = ['depcruise', ...ROOMS, '--config', '.dependency-cruiser.cjs', '--output-type', 'json'];
  const printed = run('npx', args, {
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  // The cast names the documented shape of the tool's own output.
  const { modules } = JSON.parse(printed) as Cruise;
  const doors = new Set<string>();
  for (const { source, dependencies } of modules) {
    const from = roomOf(source);
    for (const { resolved } of dependencies) {
      const to = roomOf(resolved);
      if (from && to && from !== to) doors.add(`${from} --> ${to}`);
    }
  }
  return [
    '# Rooms',
    '',
    'Which room imports from which. The rule behind it is `.dependency-cruiser.cjs`; `npm run arch` checks it.',
    '',
    '```mermaid',
    'flowchart LR',
    ...[...doors].sort().map((door) => `  ${door}`),
    '```',
  ].join('\n');
}
