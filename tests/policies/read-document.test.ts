import assert from 'node:assert/strict';
import { DocumentProblem, readDocument } from '../../policy-index/read-document.ts';
import { readCorpus } from '../../policy-index/read-corpus.ts';
import { policy, publishedFolder, type Published } from './support.ts';

const bytes = (text: string) => new TextEncoder().encode(text);
const read = (text: string) => readDocument(bytes(text));
const codeOf = (content: Uint8Array): string => {
  try {
    readDocument(content);
    return 'none';
  } catch (error) {
    if (error instanceof DocumentProblem) return error.code;
    throw error;
  }
};

describe('Reading a policy', () => {
  it('takes its front matter off', () => {
    const { front, visible } = read(policy('Within 30 days.'));
    assert.equal(front.id, 'returns');
    assert.equal(visible.text.trim(), 'Within 30 days.');
  });

  it('reads what an editor of another system wrote', () => {
    const windows = `\ufeff${policy('One.\n\nTwo.').replaceAll('\n', '\r\n')}`;
    assert.equal(read(windows).visible.text.trim(), 'One.\n\nTwo.');
  });

  it('gives other bytes another hash, also when only the front matter differs', () => {
    const one = read(policy('Text.')).contentHash;
    assert.equal(read(policy('Text.')).contentHash, one);
    assert.notEqual(read(policy('Text.', { audience: 'staff' })).contentHash, one);
  });

  const bad: Readonly<Record<string, readonly [code: string, content: Uint8Array]>> = {
    'an empty file': ['empty', bytes('')],
    'a file of blanks': ['empty', bytes(' \n\n\t')],
    'a policy that says nothing': ['empty', bytes(policy('***\n\n---'))],
    'a policy of which nothing is seen': ['empty', bytes(policy('<!-- x -->'))],
    'a picture': ['not_text', Uint8Array.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0])],
    'text with zero bytes': ['not_text', bytes(policy('a\0b'))],
    'text of another encoding': ['not_text', Uint8Array.from([...bytes(policy('')), 0x83, 0x5c])],
    'more than a policy can be': ['too_large', new Uint8Array(50 * 1024 * 1024)],
    'no front matter': ['front_matter', bytes('# Returns\n\nWithin 30 days.')],
    'front matter that never ends': ['front_matter', bytes('---\nid: returns\n\nText')],
    'front matter that is no YAML': ['front_matter', bytes('---\nid: [\n---\n\nText')],
    'a field twice': ['front_matter', bytes(policy('Text.').replace('kind:', 'id: other\nkind:'))],
    'front matter that is a list': ['front_matter', bytes('---\n- a\n---\n\nText')],
    'front matter without an end of length': [
      'front_matter',
      bytes(policy('T', { title: 'x'.repeat(9000) })),
    ],
    'an unknown field': ['front_matter', bytes(policy('Text.', { effectiv_to: '2026-05-01' }))],
    'a missing id': ['front_matter', bytes(policy('Text.', { id: undefined }))],
    'an id that is a path': ['front_matter', bytes(policy('Text.', { id: '../x' }))],
    'an unknown audience': ['front_matter', bytes(policy('Text.', { audience: 'everybody' }))],
    'a day that is not in the calendar': [
      'front_matter',
      bytes(policy('Text.', { effective_from: '2026-02-30' })),
    ],
    'a day in words': ['front_matter', bytes(policy('Text.', { effective_from: 'next spring' }))],
    'an address that runs code': ['front_matter', bytes(policy('Text.', { url: '"javascript:alert(1)"' }))],
    'a title of two lines': ['front_matter', bytes(policy('Text.', { title: '"a\\nb"' }))],
    'a language that is a word': ['front_matter', bytes(policy('Text.', { language: 'English' }))],
    'brackets without end': ['tangled', bytes(policy('![x]('.repeat(5000)))],
    'more quotations than a policy can have': ['tangled', bytes(policy('> a\n\n'.repeat(5000)))],
    'quotes in quotes in quotes': ['tangled', bytes(policy(`${'> '.repeat(5000)}x`))],
  };
  for (const [what, [code, content]] of Object.entries(bad)) {
    it(`refuses ${what}`, () => assert.equal(codeOf(content), code));
  }

  it('names the fields that are wrong, and none of their values', () => {
    assert.throws(
      () => read(policy('Text.', { audience: 'sesame', effective_from: 'sesame', sesame: 'x' })),
      (error: Error) =>
        /audience/.test(error.message) &&
        /effective_from/.test(error.message) &&
        !/sesame/.test(error.message),
    );
  });

  for (const part of [
    'word ',
    '*a* ',
    '<b>x</b> ',
    '[a](b) ',
    '| a | b |\n',
    '- a\n',
    '> a\n\n',
    '# a\n\n',
    '&#65; ',
  ]) {
    it(`costs no more than in proportion to its length, made of ${JSON.stringify(part)}`, function () {
      this.timeout(300_000);
      const plain = costOf('word ', LONGEST);
      const eighth = costOf(part, LONGEST / 8);
      // Eight times as long: what grows with the square would cost 64 times as much.
      const bound = 24 * Math.max(eighth, plain);
      const whole = costOf(part, LONGEST);
      assert.ok(whole < bound, `${whole} ms of CPU, an eighth ${eighth} ms, plain words ${plain} ms`);
    });
  }
});

const LONGEST = 250_000;

/** Milliseconds of CPU: a busy machine makes others wait, too, and costs nothing. Refused or read. */
function costOf(part: string, length: number): number {
  const content = bytes(policy(part.repeat(Math.floor(length / part.length))));
  const before = process.cpuUsage();
  codeOf(content);
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

describe('Reading a source of policies', () => {
  let place: Published;
  beforeEach(async () => {
    place = await publishedFolder();
  });
  afterEach(() => place.close());

  const problems = async () =>
    (await readCorpus(place.source)).problems.map(({ key, code }) => `${key}: ${code}`);
  const archived = (day: string) => `manga/versions/returns/${day}.md`;

  it('publishes the rest when some are broken, with one problem for each', async () => {
    await place.put('manga/broken.md', 'no front matter');
    await place.put('manga/empty.md', '');
    await place.put('manga/picture.md', Uint8Array.from([0x89, 0x50, 0, 0xff]));
    await place.put('manga/returns.md', policy('Fine.'));
    const { chains } = await readCorpus(place.source);
    assert.deepEqual(
      chains.map(({ docId }) => docId),
      ['returns'],
    );
    assert.deepEqual(await problems(), [
      'manga/broken.md: front_matter',
      'manga/empty.md: empty',
      'manga/picture.md: not_text',
    ]);
  });

  it('refuses a policy that ends before it begins', async () => {
    await place.put('manga/returns.md', policy('Text.', { effective_to: '2026-03-31' }));
    assert.deepEqual(await problems(), ['manga/returns.md: dates_contradict']);
  });

  it('refuses an archived version that still holds when its successor begins', async () => {
    await place.put('manga/returns.md', policy('New.'));
    await place.put(
      archived('a'),
      policy('Old.', { effective_from: '2025-01-01', effective_to: '2026-06-01' }),
    );
    assert.deepEqual(await problems(), [`${archived('a')}: dates_contradict`]);
  });

  it('refuses an archived version that is newer than the one in force', async () => {
    await place.put('manga/returns.md', policy('New.'));
    await place.put(archived('b'), policy('Newer.', { effective_from: '2026-05-01' }));
    assert.deepEqual(await problems(), [`${archived('b')}: dates_contradict`]);
  });

  it('refuses an archived version of another document', async () => {
    await place.put('manga/returns.md', policy('New.'));
    await place.put(archived('c'), policy('Old.', { id: 'claims', effective_from: '2025-01-01' }));
    assert.deepEqual(await problems(), [`${archived('c')}: other_id`]);
  });

  it('keeps the same ids of two tenants apart', async () => {
    await place.put('manga/returns.md', policy('Ours.'));
    await place.put('shop_123/returns.md', policy('Theirs.', { tenant: 'shop_123' }));
    const { chains } = await readCorpus(place.source);
    assert.deepEqual(
      chains.map(({ tenant }) => tenant),
      ['manga', 'shop_123'],
    );
  });

  it('lets a text that is announced begin on its day, and the one before it end there', async () => {
    await place.put('manga/returns.md', policy('Now.'));
    await place.put('manga/returns.md', policy('Next year.', { effective_from: '2027-04-01' }));
    const [chain] = (await readCorpus(place.source)).chains;
    assert.deepEqual(
      chain?.versions.map(({ document }) => document.effectiveTo),
      ['2027-04-01', null],
    );
  });
});
