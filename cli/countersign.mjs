#!/usr/bin/env node
// The one entry of the command line: registers the TypeScript loader, then runs `main.ts`.
import { register } from 'tsx/esm/api';

register();
await import('./main.ts');
