import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { instructionLikelihood, SUSPICIOUS } from '../../policy-index/instruction-signs.ts';
import { readCorpus } from '../../policy-index/read-corpus.ts';
import { readDocument } from '../../policy-index/read-document.ts';
import { publishedFolder } from './support.ts';

const FOLDER = join(import.meta.dirname, 'hostile');
/** Part of every payload. */
const CANARY = /kumquat/i;
const all = readdirSync(FOLDER);
const named = (kind: string) => all.filter((name) => name.startsWith(`${kind}-`));
const read = (name: string) => readDocument(readFileSync(join(FOLDER, name)));

describe('A poisoned policy', () => {
  it('comes in many kinds', () => {
    assert.ok(all.length >= 34);
    assert.equal(named('hidden').length + named('plain').length + named('refused').length, all.length);
  });

  for (const name of named('hidden')) {
    it(`says nothing that its reader would not see: ${name}`, () => {
      const { text } = read(name).visible;
      assert.doesNotMatch(text, CANARY);
      assert.doesNotMatch(text, /evil\.example|[\p{Cf}\p{Co}\p{DI}]/u);
    });
    it(`keeps what its reader does see: ${name}`, () => {
      assert.match(read(name).visible.text, /replaced|交換/);
    });
  }

  for (const name of named('plain')) {
    it(`is marked: ${name}`, () => {
      const { text } = read(name).visible;
      const worst = Math.max(...text.split(/\n{2,}/).map((passage) => instructionLikelihood(passage)));
      assert.ok(worst >= SUSPICIOUS, `${worst}`);
    });
  }

  it('is refused when its head is not what a head may be, without a word of it', async () => {
    const place = await publishedFolder();
    try {
      for (const name of named('refused')) await place.put(`manga/${name}`, readFileSync(join(FOLDER, name)));
      const { chains, problems } = await readCorpus(place.source);
      assert.deepEqual(chains, []);
      assert.deepEqual(
        problems.map(({ key }) => key).sort(),
        named('refused')
          .map((name) => `manga/${name}`)
          .sort(),
      );
      assert.doesNotMatch(problems.map(({ message }) => message).join('\n'), CANARY);
    } finally {
      await place.close();
    }
  });
});

describe('The demo shop’s policies', () => {
  it('are not marked, not one passage of them', () => {
    const root = join(import.meta.dirname, '../../policy-index/documents');
    const marked = readdirSync(root, { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.md'))
      .flatMap((name) => readDocument(readFileSync(join(root, name))).visible.text.split(/\n{2,}/))
      .filter((passage) => instructionLikelihood(passage) >= SUSPICIOUS);
    assert.deepEqual(marked, []);
  });
});
