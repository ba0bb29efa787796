import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from '@opensearch-project/opensearch';
import {
  PolicyIndexError,
  type Chunk,
  type EmbeddedChunk,
  type PolicyFilter,
  type PolicyIndex,
  type PolicyIndexProblem,
  type PolicyQuery,
} from '../../domain/policies.ts';
import { openEmbeddedIndex } from '../../policy-index/embedded/embedded-index.ts';
import { openOpenSearchIndex } from '../../policy-index/opensearch/opensearch-index.ts';
import { opensearchUrl } from '../support/skip.ts';

type Opened = {
  readonly index: PolicyIndex;
  /** From outside, past the index: the alias points to all of them, as far as the engine can. */
  readonly pointTo: (alias: string, builds: readonly string[]) => Promise<void>;
  /** From outside: the build is not there any more. */
  readonly lose: (build: string) => Promise<void>;
  readonly cleanUp: () => void | Promise<void>;
};

const ENGINES: Record<string, (context: Mocha.Context) => Promise<Opened>> = {
  embedded: async () => {
    const folder = mkdtempSync(join(tmpdir(), 'policy-index-'));
    const index = openEmbeddedIndex({ folder });
    return {
      index,
      // An alias is one name in one file here.
      pointTo: async (alias, builds) => {
        for (const build of builds)
          await index.pointAlias(alias, build, (await index.resolveAlias(alias))[0]);
      },
      lose: async (build) => rmSync(join(folder, 'builds', build), { recursive: true }),
      cleanUp: () => rmSync(folder, { recursive: true, force: true }),
    };
  },
  OpenSearch: async (context) => {
    const url = opensearchUrl(context);
    const client = new Client({ node: url });
    return {
      index: openOpenSearchIndex({ url }),
      pointTo: async (alias, builds) => {
        for (const build of builds) await client.indices.putAlias({ index: build, name: alias });
      },
      lose: async (build) => void (await client.indices.delete({ index: build })),
      cleanUp: async () => {
        await client.indices.delete({ index: 'policy-test-*' });
        await client.close();
      },
    };
  },
};

const FINGERPRINT = { embedder: 'test/3', dimensions: 3, chunker: 'test' };
const VERIFIED = '2026-11-20T12:00:00.000Z';
const FILTER: PolicyFilter = {
  tenant: 'shop-a',
  audiences: ['customer'],
  effectiveAt: '2026-11-21T00:00:00Z',
};

function chunk(id: string, text: string, changes: Partial<Chunk> = {}): Chunk {
  return {
    id,
    tenant: 'shop-a',
    docId: `doc-${id}`,
    docVersion: '1-aaaaaaaaaaaa',
    title: 'Policy',
    sourceUrl: 'https://shop.example/policy',
    kind: 'returns',
    audience: 'customer',
    language: 'en',
    effectiveFrom: null,
    effectiveTo: null,
    ordinal: 0,
    start: 0,
    end: text.length,
    headingPath: ['Policy'],
    text,
    indexText: text,
    ...changes,
  };
}

function embedded(one: Chunk, vector: readonly number[] = [1, 0, 0]): EmbeddedChunk {
  return { chunk: one, vector: Float32Array.from(vector) };
}

function lexical(text: string, filter: Partial<PolicyFilter> = {}): PolicyQuery {
  return { text, mode: 'bm25', filter: { ...FILTER, ...filter }, k: 10 };
}

function hybrid(text: string, vector: readonly number[], changes: Partial<PolicyQuery> = {}): PolicyQuery {
  const embedding = { vector: Float32Array.from(vector), embedder: FINGERPRINT.embedder };
  return { text, embedding, mode: 'hybrid', filter: FILTER, k: 10, ...changes };
}

async function problemOf(work: Promise<unknown>): Promise<PolicyIndexProblem | 'none'> {
  try {
    await work;
    return 'none';
  } catch (error) {
    if (error instanceof PolicyIndexError) return error.problem;
    throw error;
  }
}

for (const [engine, open] of Object.entries(ENGINES)) {
  describe(`a policy index: ${engine}`, () => {
    let opened: Opened | undefined;
    let index: PolicyIndex;
    let name: string;
    let alias: string;

    before(async function () {
      opened = await open(this);
      ({ index } = opened);
    });
    beforeEach(() => {
      const id = randomUUID().slice(0, 8);
      name = `policy-test-${id}`;
      alias = `policy-test-alias-${id}`;
    });
    after(async () => {
      await index?.close();
      await opened?.cleanUp();
    });

    async function build(chunks: readonly EmbeddedChunk[], as = name): Promise<string> {
      await index.openBuild(as, FINGERPRINT);
      await index.add(as, chunks, VERIFIED);
      await index.seal(as);
      return as;
    }
    async function idsOf(query: PolicyQuery, target = name): Promise<readonly string[]> {
      return (await index.search(target, query)).hits.map((hit) => hit.chunk.id);
    }

    it('tells which builds there are while others are dropped', async () => {
      const names = Array.from({ length: 12 }, (_, i) => `${name}-${i}`);
      for (const each of names) await build([embedded(chunk('a', 'A refund.'))], each);
      const dropping = (async () => {
        for (const each of names.slice(1)) await index.drop(each);
      })();
      const seen = await Promise.all(Array.from({ length: 6 }, () => index.builds()));
      await dropping;
      const left = (await index.builds()).map((each) => each.name).filter((each) => names.includes(each));
      assert.deepEqual(left, names.slice(0, 1));
      for (const all of seen) assert.ok(all.some((each) => each.name === names[0]));
    });

    it('gives back the chunk as it was added, and who answered', async () => {
      const one = chunk('a', 'You may return unworn shoes.', {
        effectiveFrom: '2026-01-01',
        headingPath: ['A', 'B'],
      });
      await build([embedded(one)]);
      const { hits, build: answered, fingerprint } = await index.search(name, lexical('return shoes'));
      assert.deepEqual([hits[0]?.chunk, answered, fingerprint], [one, name, FINGERPRINT]);
    });

    it('finds by the stem of a word, and does not search by words that carry no subject', async () => {
      await build([embedded(chunk('a', 'Cancelling pre-orders')), embedded(chunk('b', 'The and of it'))]);
      assert.deepEqual(await idsOf(lexical('Can I cancel the preorder or a pre order?')), ['a']);
    });

    it('finds Japanese by pairs of characters', async () => {
      await build([
        embedded(chunk('a', '予約商品のキャンセルについて')),
        embedded(chunk('b', '商品の返品は三十日以内です')),
      ]);
      assert.deepEqual(await idsOf(lexical('返品できますか')), ['b']);
    });

    it('finds by nearness what shares no word', async () => {
      await build([embedded(chunk('a', 'alpha'), [1, 0, 0]), embedded(chunk('b', 'beta'), [0, 1, 0])]);
      const { hits } = await index.search(name, hybrid('gamma', [0.1, 0.9, 0], { mode: 'knn' }));
      assert.deepEqual(
        hits.map((hit) => hit.chunk.id),
        ['b', 'a'],
      );
      assert.ok(Math.abs((hits[0]?.scores.cosine ?? 0) - 0.9 / Math.hypot(0.1, 0.9)) < 1e-4);
    });

    for (const fusion of ['minmax', 'rrf'] as const) {
      it(`puts both sides together by ${fusion}, and says what each of them said`, async () => {
        await build([
          embedded(chunk('both', 'refund refund of shoes'), [1, 0, 0]),
          embedded(chunk('word', 'refund paid for a shipment of gloves'), [0, 1, 0.1]),
          embedded(chunk('near', 'money back'), [0.9, 0.1, 0]),
          embedded(chunk('far', 'opening hours'), [0, 0, 1]),
        ]);
        const { hits } = await index.search(name, hybrid('refund', [1, 0, 0], { fusion }));
        assert.equal(hits[0]?.chunk.id, 'both');
        const near = hits.find((hit) => hit.chunk.id === 'near');
        assert.equal(near?.scores.bm25, null);
        assert.ok((near?.scores.cosine ?? 0) > 0.9);
        const word = hits.find((hit) => hit.chunk.id === 'word');
        assert.ok((word?.scores.bm25 ?? 0) > 0 && Math.abs(word?.scores.cosine ?? 1) < 0.01);
      });
    }

    it('fuses min-max with half a point for the best of each side', async () => {
      await build([
        embedded(chunk('a', 'refund'), [1, 0, 0]),
        embedded(chunk('b', 'refund and other words of some length'), [0.5, 0.5, 0]),
        embedded(chunk('c', 'refund once more among very many other words of some length'), [0, 1, 0]),
      ]);
      const { hits } = await index.search(name, hybrid('refund', [1, 0, 0]));
      assert.ok(Math.abs((hits[0]?.scores.score ?? 0) - 1) < 1e-5);
      assert.ok(Math.abs((hits[2]?.scores.score ?? 0) - 0.001) < 1e-5);
    });

    const filters: readonly (readonly [string, Partial<Chunk>, Partial<PolicyFilter>])[] = [
      ['another shop', { tenant: 'shop-b' }, {}],
      ['staff, for a customer', { audience: 'staff' }, {}],
      ['another language', { language: 'ja' }, { languages: ['en'] }],
      ['another kind', { kind: 'claims' }, { kinds: ['returns'] }],
      ['what does not hold yet', { effectiveFrom: '2026-12-01' }, {}],
      ['what no longer holds', { effectiveTo: '2026-11-21' }, {}],
      ['what was verified too long ago', {}, { verifiedSince: '2026-11-20T12:00:00.001Z' }],
    ];
    for (const [what, changes, filter] of filters) {
      for (const mode of ['bm25', 'knn', 'hybrid'] as const) {
        it(`does not answer with ${what} (${mode})`, async () => {
          await build([embedded(chunk('hidden', 'refund', changes))]);
          const query = hybrid('refund', [1, 0, 0], { mode, filter: { ...FILTER, ...filter } });
          assert.deepEqual(await idsOf(query), []);
        });
      }
    }

    it('fills k from what passes the filter, however much better the filtered are', async () => {
      const hidden = Array.from({ length: 150 }, (_, i) =>
        embedded(chunk(`h${i}`, 'refund refund', { tenant: 'shop-b' }), [1, 0, i / 1e4]),
      );
      await build([...hidden, embedded(chunk('mine', 'a refund among other words'), [0, 1, 0])]);
      for (const mode of ['bm25', 'knn', 'hybrid'] as const) {
        assert.deepEqual(await idsOf(hybrid('refund', [1, 0, 0], { mode, k: 3 })), ['mine'], mode);
      }
    });

    it('answers with the version that held on the day asked about', async () => {
      await build([
        embedded(chunk('old', 'thirty days', { effectiveTo: '2026-06-01' })),
        embedded(chunk('new', 'fourteen days', { effectiveFrom: '2026-06-01' })),
      ]);
      assert.deepEqual(await idsOf(lexical('days', { effectiveAt: '2026-05-31T23:59:59Z' })), ['old']);
      assert.deepEqual(await idsOf(lexical('days', { effectiveAt: '2026-06-01T00:00:00Z' })), ['new']);
    });

    describe('versions', () => {
      const v1 = { tenant: 'shop-a', docId: 'returns', docVersion: '1-aaaaaaaaaaaa' };
      const v2 = { ...v1, docVersion: '2-bbbbbbbbbbbb' };
      const at = '2026-11-15T00:00:00.000Z';
      beforeEach(async () => {
        await build([
          embedded(chunk('old', 'thirty days', v1)),
          embedded(chunk('new', 'fourteen days', { ...v2, effectiveFrom: at })),
        ]);
      });

      it('stop answering at once when they are superseded', async () => {
        await index.supersede(name, [v1], at);
        assert.deepEqual(await idsOf(lexical('days')), ['new']);
      });

      it('answer, superseded, for the days before, when asked to', async () => {
        await index.supersede(name, [v1], at);
        const on = (effectiveAt: string) => idsOf(lexical('days', { effectiveAt, withSuperseded: true }));
        assert.deepEqual(await on('2026-11-14T23:59:59Z'), ['old']);
        assert.deepEqual(await on('2026-11-15T00:00:00Z'), ['new']);
      });

      it('keep the first instant at which they were superseded', async () => {
        await index.supersede(name, [v1], at);
        await index.supersede(name, [v1], '2026-11-20T00:00:00.000Z');
        const found = (await index.versions(name)).find((version) => version.docVersion === v1.docVersion);
        assert.equal(found?.supersededAt, at);
      });

      it('are verified later, and never earlier', async () => {
        await index.verify(name, [v2], '2026-11-21T00:00:00.000Z');
        await index.verify(name, [v2], '2026-11-19T00:00:00.000Z');
        const found = (await index.versions(name)).find((version) => version.docVersion === v2.docVersion);
        assert.equal(found?.verifiedAt, '2026-11-21T00:00:00.000Z');
        assert.deepEqual(await idsOf(lexical('days', { verifiedSince: '2026-11-20T23:00:00Z' })), ['new']);
      });

      it('are gone when they are removed, and a repeat removes nothing', async () => {
        assert.equal(await index.remove(name, [v1]), 1);
        assert.equal(await index.remove(name, [v1]), 0);
        assert.deepEqual(await index.chunkIds(name), ['new']);
        assert.deepEqual(await idsOf(lexical('days', { withSuperseded: true })), ['new']);
      });

      it('of another shop are left alone, whatever they are called', async () => {
        assert.equal(await index.remove(name, [{ ...v1, tenant: 'shop-b' }]), 0);
        await index.supersede(name, [{ ...v1, tenant: 'shop-b' }], at);
        assert.deepEqual([...(await idsOf(lexical('days')))].sort(), ['new', 'old']);
      });
    });

    describe('builds', () => {
      it('hold each chunk once, however often it is added', async () => {
        await index.openBuild(name, FINGERPRINT);
        const batch = [embedded(chunk('a', 'first')), embedded(chunk('b', 'second'))];
        await index.add(name, batch, VERIFIED);
        await index.add(name, batch, VERIFIED);
        await index.add(name, [embedded(chunk('a', 'replaced'))], VERIFIED);
        assert.equal((await index.seal(name)).chunks, 2);
        assert.deepEqual(await idsOf(lexical('first replaced')), ['a']);
      });

      it('have the same hash for the same content, in whatever order it came', async () => {
        const [a, b] = [embedded(chunk('a', 'one')), embedded(chunk('b', 'two'))];
        await build([a, b]);
        await build([b, a], `${name}-2`);
        const [one, two] = [await index.info(name), await index.info(`${name}-2`)];
        assert.equal(one.contentHash, two.contentHash);
      });

      it('can be opened again with the same fingerprint, and keep what they hold', async () => {
        await index.openBuild(name, FINGERPRINT);
        await index.add(name, [embedded(chunk('a', 'one'))], VERIFIED);
        await index.openBuild(name, FINGERPRINT);
        assert.equal((await index.seal(name)).chunks, 1);
      });

      for (const other of [{ embedder: 'other' }, { dimensions: 4 }, { chunker: 'other' }]) {
        it(`refuse to be opened with another ${Object.keys(other).join()}`, async () => {
          await index.openBuild(name, FINGERPRINT);
          assert.equal(
            await problemOf(index.openBuild(name, { ...FINGERPRINT, ...other })),
            'other_fingerprint',
          );
        });
      }

      it('take nothing in once they are sealed', async () => {
        await build([embedded(chunk('a', 'one'))]);
        assert.equal(await problemOf(index.add(name, [embedded(chunk('b', 'two'))], VERIFIED)), 'sealed');
      });

      for (const [what, vector] of [
        ['shorter', [1, 0]],
        ['longer', [1, 0, 0, 0]],
        ['not made of numbers', [Number.NaN, 0, 1]],
        ['infinite', [Infinity, 0, 1]],
        ['nothing but zeros', [0, 0, 0]],
      ] as const) {
        it(`take nothing of a batch in which a vector is ${what}`, async () => {
          await index.openBuild(name, FINGERPRINT);
          const batch = [embedded(chunk('a', 'one')), embedded(chunk('b', 'two'), vector)];
          assert.equal(await problemOf(index.add(name, batch, VERIFIED)), 'wrong_dimension');
          assert.equal((await index.seal(name)).chunks, 0);
        });
      }

      it('refuse a date that is none', async () => {
        await index.openBuild(name, FINGERPRINT);
        const broken = embedded(chunk('a', 'one', { effectiveFrom: 'soon' }));
        assert.equal(await problemOf(index.add(name, [broken], VERIFIED)), 'bad_query');
      });

      it('keep the model that belongs to them, and lose it with them', async () => {
        const model = Buffer.alloc(5 * 1024 * 1024, 'model');
        await index.openBuild(name, FINGERPRINT);
        assert.equal(await index.model(name), undefined);
        await index.keepModel(name, model);
        assert.deepEqual(Buffer.from((await index.model(name)) ?? []), model);
        await index.drop(name);
        assert.equal(await problemOf(index.model(name)), 'no_build');
      });

      it('are listed with their state', async () => {
        await index.openBuild(name, FINGERPRINT);
        const open = (await index.builds()).find((each) => each.name === name);
        assert.deepEqual([open?.state, open?.chunks, open?.aliases], ['open', 0, []]);
      });

      it('are dropped once and for all, unless an alias points to them', async () => {
        await build([embedded(chunk('a', 'one'))]);
        await index.pointAlias(alias, name, undefined);
        assert.equal(await problemOf(index.drop(name)), 'in_use');
        await build([embedded(chunk('b', 'two'))], `${name}-2`);
        await index.pointAlias(alias, `${name}-2`, name);
        await index.drop(name);
        await index.drop(name);
        assert.equal(await problemOf(index.info(name)), 'no_build');
      });
    });

    describe('an alias', () => {
      beforeEach(async () => {
        await build([embedded(chunk('old', 'thirty days'))]);
        await build([embedded(chunk('new', 'fourteen days'))], `${name}-2`);
        await index.pointAlias(alias, name, undefined);
      });

      it('answers for the build it points to, by that build’s name', async () => {
        const { hits, build: answered } = await index.search(alias, lexical('days'));
        assert.deepEqual([hits[0]?.chunk.id, answered], ['old', name]);
        assert.deepEqual((await index.info(alias)).aliases, [alias]);
      });

      it('moves, and back', async () => {
        await index.pointAlias(alias, `${name}-2`, name);
        assert.deepEqual(await idsOf(lexical('days'), alias), ['new']);
        await index.pointAlias(alias, name, `${name}-2`);
        assert.deepEqual(await idsOf(lexical('days'), alias), ['old']);
      });

      it('stays where it is when it is moved there again', async () => {
        await index.pointAlias(alias, name, undefined);
        assert.deepEqual(await index.resolveAlias(alias), [name]);
      });

      for (const [belief, from] of [
        ['another build', 'policy-test-nowhere'],
        ['nothing', undefined],
      ] as const) {
        it(`does not move for one who believes that it points to ${belief}`, async () => {
          assert.equal(await problemOf(index.pointAlias(alias, `${name}-2`, from)), 'alias_moved');
          assert.deepEqual(await index.resolveAlias(alias), [name]);
        });
      }

      it('does not move to a build that is still open, or is not there', async () => {
        await index.openBuild(`${name}-3`, FINGERPRINT);
        assert.equal(await problemOf(index.pointAlias(alias, `${name}-3`, name)), 'not_sealed');
        assert.equal(await problemOf(index.pointAlias(alias, `${name}-4`, name)), 'no_build');
      });

      it('that was never made is no build', async () => {
        assert.deepEqual(await index.resolveAlias(`${alias}-2`), []);
        assert.equal(await problemOf(index.search(`${alias}-2`, lexical('days'))), 'no_build');
      });

      it('moves once for ten who move it at the same time', async () => {
        const names = Array.from({ length: 10 }, (_, i) => `${name}-r${i}`);
        for (const each of names) await build([embedded(chunk('x', each))], each);
        const outcomes = await Promise.all(names.map((to) => problemOf(index.pointAlias(alias, to, name))));
        assert.deepEqual([...outcomes].sort(), [...Array<string>(9).fill('alias_moved'), 'none'].sort());
        assert.deepEqual(await index.resolveAlias(alias), [names[outcomes.indexOf('none')]]);
      });

      it('shows every search the one build or the other, whole, while it moves', async () => {
        const seen = new Set<string>();
        let isMoving = true;
        const searching = Array.from({ length: 4 }, async () => {
          while (isMoving) {
            const { hits, build: answered } = await index.search(alias, lexical('days'));
            seen.add(`${answered === name ? 'first' : 'second'}: ${hits.map((hit) => hit.chunk.id).join()}`);
          }
        });
        for (let i = 0; i < 10; i += 1) {
          const [to, from] = i % 2 === 0 ? [`${name}-2`, name] : [name, `${name}-2`];
          await index.pointAlias(alias, to, from);
        }
        isMoving = false;
        await Promise.all(searching);
        assert.deepEqual([...seen].sort(), ['first: old', 'second: new']);
      });

      describe('that was broken from outside', () => {
        const second = () => `${name}-2`;
        beforeEach(() => opened?.pointTo(alias, [name, second()]));

        for (const [which, to, answers] of [
          ['one', () => name, 'old'],
          ['the other', second, 'new'],
        ] as const) {
          it(`is mended to ${which} of its builds, alone`, async () => {
            await index.mendAlias(alias, to());
            assert.deepEqual(await index.resolveAlias(alias), [to()]);
            assert.deepEqual(await idsOf(lexical('days'), alias), [answers]);
            const pointed = (await index.builds()).filter(({ aliases }) => aliases.includes(alias));
            assert.deepEqual(
              pointed.map((one) => one.name),
              [to()],
            );
          });
        }

        it('is mended to a build that it never pointed to', async () => {
          await build([embedded(chunk('third', 'seven days'))], `${name}-3`);
          await index.mendAlias(alias, `${name}-3`);
          assert.deepEqual(await index.resolveAlias(alias), [`${name}-3`]);
        });

        it('is mended, once, for ten who mend it at the same time', async () => {
          await Promise.all(Array.from({ length: 10 }, () => index.mendAlias(alias, name)));
          assert.deepEqual(await index.resolveAlias(alias), [name]);
        });

        it('stays as it is rather than point to a build that is still open, or is not there', async () => {
          const before = await index.resolveAlias(alias);
          await index.openBuild(`${name}-3`, FINGERPRINT);
          assert.equal(await problemOf(index.mendAlias(alias, `${name}-3`)), 'not_sealed');
          assert.equal(await problemOf(index.mendAlias(alias, `${name}-4`)), 'no_build');
          assert.deepEqual(await index.resolveAlias(alias), before);
        });

        it('answers from one build, or says that it is broken, and is never gone while it is mended', async () => {
          const seen = new Set<string>();
          let isMending = true;
          const searching = Array.from({ length: 4 }, async () => {
            while (isMending) seen.add(await problemOf(index.search(alias, lexical('days'))));
          });
          for (let i = 0; i < 5; i += 1) {
            await index.mendAlias(alias, name);
            await opened?.pointTo(alias, [name, second()]);
          }
          isMending = false;
          await Promise.all(searching);
          assert.deepEqual(
            [...seen].filter((problem) => problem !== 'alias_broken'),
            ['none'],
          );
        });
      });

      it('whose build somebody has deleted is mended', async () => {
        await opened?.lose(name);
        await index.mendAlias(alias, `${name}-2`);
        assert.deepEqual(await idsOf(lexical('days'), alias), ['new']);
      });

      it('that was never made is made by mending it', async () => {
        await index.mendAlias(`${alias}-2`, name);
        assert.deepEqual(await index.resolveAlias(`${alias}-2`), [name]);
      });

      it('answers on while the build it left is dropped', async () => {
        let isBusy = true;
        const searching = (async () => {
          while (isBusy) assert.equal((await index.search(alias, lexical('days'))).hits.length, 1);
        })();
        await index.pointAlias(alias, `${name}-2`, name);
        await index.drop(name);
        isBusy = false;
        await searching;
      });
    });

    describe('a question', () => {
      beforeEach(() => build([embedded(chunk('a', 'refund'))]).then(() => undefined));

      const refused: readonly (readonly [string, PolicyQuery, PolicyIndexProblem])[] = [
        ['no hits', { ...lexical('x'), k: 0 }, 'bad_query'],
        ['half a hit', { ...lexical('x'), k: 1.5 }, 'bad_query'],
        ['a thousand hits', { ...lexical('x'), k: 1000 }, 'bad_query'],
        ['a day that is none', lexical('x', { effectiveAt: 'yesterday' }), 'bad_query'],
        ['nearness, without a vector', { ...lexical('x'), mode: 'hybrid' }, 'bad_query'],
        ['nearness to a shorter vector', hybrid('x', [1, 0]), 'wrong_dimension'],
        ['nearness to no number', hybrid('x', [Number.NaN, 0, 0]), 'wrong_dimension'],
        [
          'nearness in another embedder’s space',
          {
            ...hybrid('x', [1, 0, 0]),
            embedding: { vector: new Float32Array([1, 0, 0]), embedder: 'other' },
          },
          'other_embedder',
        ],
      ];
      for (const [what, query, problem] of refused) {
        it(`for ${what} is refused`, async () => {
          assert.equal(await problemOf(index.search(name, query)), problem);
        });
      }

      for (const text of [
        '',
        ' ',
        '?',
        'the of',
        '"; DROP',
        '*:* OR tenant:shop-b',
        '\u0000',
        '{"match_all":{}}',
        '\ud800',
      ]) {
        it(`of ${JSON.stringify(text)} finds nothing by its words`, async () => {
          assert.deepEqual(await idsOf(lexical(text)), []);
        });
      }

      it('of a hundred thousand words is answered by its beginning', async () => {
        assert.deepEqual(await idsOf(lexical(`refund ${'word '.repeat(100_000)}`)), ['a']);
        const many = Array.from({ length: 20_000 }, (_, i) => String.fromCodePoint(0x4e00 + i)).join('');
        assert.deepEqual(await idsOf(lexical(many)), []);
      });

      it('for an index with a name that is none is refused', async () => {
        for (const target of ['', '../x', 'a*', '_all', 'A', 'a,b']) {
          assert.equal(await problemOf(index.search(target, lexical('x'))), 'bad_query', target);
        }
      });
    });
  });
}

describe('a policy index on OpenSearch that is away or broken', () => {
  it('says within five seconds that it does not answer', async () => {
    const index = openOpenSearchIndex({ url: 'http://127.0.0.1:1' });
    const start = performance.now();
    assert.equal(await problemOf(index.search('policy', lexical('x'))), 'unreachable');
    assert.equal(await problemOf(index.check()), 'unreachable');
    assert.ok(performance.now() - start < 5000);
    await index.close();
  });

  it('refuses an alias that points to two builds, and says which', async function () {
    const url = opensearchUrl(this);
    const client = new Client({ node: url });
    const index = openOpenSearchIndex({ url });
    const id = randomUUID().slice(0, 8);
    const names = [`policy-test-${id}-1`, `policy-test-${id}-2`];
    for (const name of names) {
      await index.openBuild(name, FINGERPRINT);
      await index.seal(name);
      await client.indices.putAlias({ index: name, name: `policy-test-${id}` });
    }
    assert.deepEqual(await index.resolveAlias(`policy-test-${id}`), names);
    assert.equal(await problemOf(index.search(`policy-test-${id}`, lexical('x'))), 'alias_broken');
    assert.equal(
      await problemOf(index.pointAlias(`policy-test-${id}`, String(names[0]), names[0])),
      'alias_broken',
    );
    await client.indices.delete({ index: names });
    await index.close();
    await client.close();
  });
});
