/** The rooms. A room may import from itself and from the rooms its line names. */
const may = {
  domain: [],
  platform: [],
  catalog: ['domain'],
  workflows: ['domain'],
  activities: ['domain', 'catalog'],
  adapters: ['domain', 'platform'],
  'policy-index': ['domain', 'platform'],
  'mcp-gateway': ['domain', 'catalog', 'platform'],
  workers: [
    'domain',
    'catalog',
    'workflows',
    'activities',
    'adapters',
    'policy-index',
    'assistant',
    'platform',
  ],
  assistant: ['domain', 'catalog', 'platform'],
  // Stands in for others over real HTTP. Nobody imports it but whoever starts it.
  simulator: ['domain', 'platform'],
  console: [], // talks HTTP only
  // The command line: every command wires a process together, so this room sees them all. Nobody imports it.
  cli: [
    'domain',
    'catalog',
    'workflows',
    'activities',
    'adapters',
    'policy-index',
    'mcp-gateway',
    'workers',
    'assistant',
    'simulator',
    'platform',
  ],
  // scripts, bench and evals may see everything; nobody imports them
};
const rooms = [...Object.keys(may), 'tests'];
const inside = (names) => names.map((name) => `^${name}/`);

module.exports = {
  forbidden: [
    ...Object.entries(may).map(([room, others]) => ({
      name: `${room}-keeps-to-its-door`,
      severity: 'error',
      // A main.ts wires a process together, so it alone may reach for the adapters.
      from: { path: `^${room}/`, pathNot: '/main\\.ts$' },
      to: {
        path: inside(rooms),
        pathNot: inside([room, ...others]),
        // Workflows name the shape of activities; types are erased and never enter the bundle.
        dependencyTypesNot: room === 'workflows' ? ['type-only'] : [],
      },
    })),
    {
      name: 'domain-is-pure',
      severity: 'error',
      from: { path: '^domain/' },
      to: { dependencyTypes: ['npm', 'npm-dev', 'core'] },
    },
    {
      name: 'gateway-holds-no-database',
      comment: 'The gateway starts workflows; business data is read by activities.',
      severity: 'error',
      from: { path: '^mcp-gateway/' },
      to: { path: '^node_modules/(pg|ioredis)/' },
    },
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^(node_modules/(?!(pg|ioredis)/)|\\.countersign|\\.cache)' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
  },
};
