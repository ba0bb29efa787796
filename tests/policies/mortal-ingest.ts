import { openEmbeddedIndex } from '../../policy-index/embedded/embedded-index.ts';
import { chunkNumber, FINGERPRINT, VERIFIED } from './embedded-support.ts';

/** Makes a build and points the alias to it, saying each step that was acknowledged; its test kills it on the way. */
const [, , folder = '', name = ''] = process.argv;
const index = openEmbeddedIndex({ folder });
const say = (line: string) => process.stdout.write(`${line}\n`);

await index.openBuild(name, FINGERPRINT);
say('opened');
for (let number = 0; number < 6; number += 1) {
  await index.add(name, [chunkNumber(number)], VERIFIED);
  say(`added chunk-${number}`);
}
await index.seal(name);
say('sealed');
const [from] = await index.resolveAlias('policy');
await index.pointAlias('policy', name, from);
say('live');
for (let number = 1; number < 6; number += 1) {
  await index.supersede('policy', [chunkNumber(number).chunk], VERIFIED);
  say(`superseded ${number}`);
}
