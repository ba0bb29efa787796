#!/usr/bin/env node
// The one entry of the command line: registers the TypeScript loader, then runs `main.ts`.
// For `require` too: Temporal's worker loads its payload converter that way.
import { register as registerRequire } from 'tsx/cjs/api';
import { register } from 'tsx/esm/api';

registerRequire();
register();
await import('./main.ts');
