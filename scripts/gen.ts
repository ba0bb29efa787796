/** `npm run gen`: writes everything under docs/reference/ from the code. CI runs it again and fails on a difference. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { format } from 'prettier';
import { postmanCollection } from './gen/postman.ts';
import { roomGraph } from './gen/room-graph.ts';
import { eventReference, schemaSnapshots } from './gen/schemas.ts';
import { toolReference } from './gen/tool-reference.ts';

const OUT = 'docs/reference';

async function write(path: string, text: string, parser: 'markdown' | 'json'): Promise<void> {
  writeFileSync(`${OUT}/${path}`, await format(text, { parser, printWidth: 110, proseWrap: 'preserve' }));
}

rmSync(OUT, { recursive: true, force: true });
mkdirSync(`${OUT}/schemas/events`, { recursive: true });
await write('tools.md', toolReference(), 'markdown');
await write('events.md', eventReference(), 'markdown');
await write('rooms.md', roomGraph(execFileSync), 'markdown');
await write('countersign.postman_collection.json', JSON.stringify(postmanCollection()), 'json');
for (const [name, schema] of schemaSnapshots())
  await write(`schemas/${name}.json`, JSON.stringify(schema), 'json');
