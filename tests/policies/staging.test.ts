import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createPolicyRegistry } from '../../adapters/postgres/policy-registry.ts';
import { createPolicyRuns } from '../../adapters/postgres/policy-runs.ts';
import { readCorpus } from '../../policy-index/read-corpus.ts';
import { folderSource } from '../../policy-index/sources/folder.ts';
import type { PolicyRegistry } from '../../domain/policy-registry.ts';
import type { Corpus, PolicySource } from '../../domain/policy-source.ts';
import { asAdmin, freshDatabase, type TestDatabase } from '../support/database.ts';
import { openShop } from '../support/rows.ts';
import { ingestRoom } from './ingest-room.ts';
import { policy } from './support.ts';

const RETURNS = 'manga/returns.md';
const AT = '2026-05-01T12:00:00.000Z';
const LATER = '2026-05-02T12:00:00.000Z';
const [A, B, C] = ['Within 30 days.', 'Within 14 days.', 'Within 7 days.'];

type Row = {
  readonly shop_id: string;
  readonly doc_id: string;
  readonly seq: number;
  readonly body: string;
  readonly at_source: boolean;
  readonly verified_at: Date;
};

/** Class of defect: a text that is taken for another, or for gone, because its source tells it differently. */
describe('putting down what a source holds', function () {
  this.timeout(120_000);
  let db: TestDatabase;
  let registry: PolicyRegistry;
  let home: string;
  let source: PolicySource;
  beforeEach(async () => {
    db = await freshDatabase();
    for (const shop of ['manga', 'other']) await openShop(db.pools, shop);
    registry = createPolicyRegistry(db.pools);
    home = await mkdtemp(join(tmpdir(), 'policy-staging-'));
    source = folderSource(home, join(home, '.history'));
  });
  afterEach(async () => {
    await db.drop();
    await rm(home, { recursive: true, force: true });
  });

  const stage = async (at = AT, tenant = 'manga') => registry.stage(tenant, await readCorpus(source), at);
  const rows = () =>
    asAdmin(async (admin) => {
      const text = `select shop_id, doc_id, seq, body, at_source, verified_at from policy_versions
                     order by shop_id, doc_id, seq`;
      return (await admin.query<Row>(text)).rows;
    }, db.adminUrl);
  /** `<seq> <text>` of what the source holds, of one document. */
  const held = async (docId = 'returns') =>
    (await rows())
      .filter((one) => one.at_source && one.doc_id === docId)
      .map((one) => `${one.seq} ${one.body.trim()}`);
  const write = async (key: string, content: string) => {
    await mkdir(dirname(join(home, key)), { recursive: true });
    await writeFile(join(home, key), content);
  };
  const put = (text: string, from: string, key = RETURNS) =>
    write(key, policy(text, { effective_from: from }));
  /** As another machine reads it: the folder has no past there. */
  const readElsewhere = async () => readCorpus(folderSource(home, join(home, '.elsewhere')));

  it('gives a text that comes back a sequence of its own, above the one that it replaces', async () => {
    for (const text of [A, B, A]) {
      await put(text, '2026-04-01');
      await stage();
    }
    assert.deepEqual(await held(), [`1 ${A}`, `2 ${B}`, `3 ${A}`]);
  });

  it('holds the text that came back, and no other, where the source has lost what was between', async () => {
    for (const text of [A, B]) {
      await put(text, '2026-04-01');
      await stage();
    }
    await put(A, '2026-04-01');
    await registry.stage('manga', await readElsewhere(), AT);
    assert.deepEqual(await held(), [`3 ${A}`]);
    await registry.stage('manga', await readElsewhere(), LATER);
    assert.deepEqual(await held(), [`3 ${A}`]);
  });

  it('knows a text again where the source has lost all that came before it', async () => {
    for (const [text, from] of [
      [A, '2026-03-01'],
      [B, '2026-04-01'],
    ] as const) {
      await put(text, from);
      await stage();
    }
    const staged = await registry.stage('manga', await readElsewhere(), LATER);
    assert.deepEqual([staged, await held()], [{ added: 0, gone: 0, verified: 1 }, [`2 ${B}`]]);
  });

  it('puts an archived version between two that are known, and both of the later ones above it', async () => {
    for (const [text, from] of [
      [A, '2026-01-01'],
      [C, '2026-05-01'],
    ] as const) {
      await put(text, from);
      await stage();
    }
    await put(B, '2026-03-01', 'manga/versions/returns/2026-03-01.md');
    assert.equal((await stage()).added, 2);
    assert.deepEqual(await held(), [`1 ${A}`, `3 ${B}`, `4 ${C}`]);
    assert.equal((await stage()).added, 0);
  });

  it('changes nothing for the same bytes but the hour at which they were seen', async () => {
    await put(A, '2026-04-01');
    await stage();
    const staged = await stage(LATER);
    assert.deepEqual(staged, { added: 0, gone: 0, verified: 1 });
    const [row] = await rows();
    assert.equal(row?.verified_at.toISOString(), LATER);
    await stage(AT);
    assert.equal((await rows())[0]?.verified_at.toISOString(), LATER);
  });

  it('takes a changed date or question for another version', async () => {
    await put(A, '2026-04-01');
    await stage();
    await put(A, '2026-04-02');
    await stage();
    await write(RETURNS, policy(A, { effective_from: '2026-04-02', questions: '[How long?]' }));
    await stage();
    assert.deepEqual(await held(), [`1 ${A}`, `2 ${A}`, `3 ${A}`]);
  });

  it('keeps the versions of a file that is renamed', async () => {
    await put(A, '2026-04-01');
    await stage();
    await rename(join(home, RETURNS), join(home, 'manga/new.md'));
    const staged = await stage(LATER);
    assert.deepEqual([staged, await held()], [{ added: 0, gone: 0, verified: 1 }, [`1 ${A}`]]);
  });

  it('leaves a file with a problem as it was, unseen, and tells it from one that is gone', async () => {
    await put(A, '2026-04-01');
    await write('manga/gifts.md', policy('Wrapped.', { id: 'gifts' }));
    await stage();
    await write(RETURNS, 'no front matter any more');
    await rm(join(home, 'manga/gifts.md'));
    const staged = await stage(LATER);
    assert.deepEqual(
      [staged, await held(), await held('gifts')],
      [{ added: 0, gone: 1, verified: 0 }, [`1 ${A}`], []],
    );
    const seen = (await rows()).find((one) => one.doc_id === 'returns')?.verified_at.toISOString();
    assert.equal(seen, AT);
  });

  it('keeps a file whose every version has a problem where the source has lost the good one', async () => {
    await put(A, '2026-04-01');
    await stage();
    await write(RETURNS, '');
    const corpus = await readElsewhere();
    assert.deepEqual(corpus.chains, []);
    assert.deepEqual(await registry.stage('manga', corpus, LATER), { added: 0, gone: 0, verified: 0 });
    assert.deepEqual(await held(), [`1 ${A}`]);
  });

  it('counts a document once as gone, and takes it back as it was', async () => {
    await put(A, '2026-04-01');
    await stage();
    await rm(join(home, RETURNS));
    assert.equal((await stage()).gone, 1);
    assert.equal((await stage()).gone, 0);
    await put(A, '2026-04-01');
    assert.deepEqual([(await stage()).added, await held()], [0, [`1 ${A}`]]);
  });

  it('leaves an id with the file that had it first', async () => {
    await put(A, '2026-04-01');
    await stage();
    await put(B, '2026-04-01', 'manga/again.md');
    assert.deepEqual([(await stage()).added, await held()], [0, [`1 ${A}`]]);
  });

  it('touches nothing of another shop, whose document may have the same id', async () => {
    await put(A, '2026-04-01');
    await write('other/returns.md', policy(B, { tenant: 'other' }));
    await stage();
    await stage(AT, 'other');
    await rm(join(home, RETURNS));
    await stage(LATER);
    assert.deepEqual(
      (await rows()).map((one) => [one.shop_id, one.seq, one.body.trim(), one.at_source]),
      [
        ['manga', 1, A, false],
        ['other', 1, B, true],
      ],
    );
  });

  it('puts down nothing for a shop that there is not', async () => {
    await write('nowhere/returns.md', policy(A, { tenant: 'nowhere' }));
    await assert.rejects(stage(AT, 'nowhere'), /violates/);
    assert.deepEqual(await rows(), []);
  });

  it('publishes the shops that there are, and reports the one that there is not', async () => {
    const room = await ingestRoom();
    await room.put(RETURNS, policy(A));
    await room.put('nowhere/returns.md', policy(B, { tenant: 'nowhere' }));
    assert.equal((await room.run())?.status, 'published');
    const [run] = await room.deps.runs.latest(1);
    assert.deepEqual(run?.report, [
      'nowhere/returns.md: no_shop: there is no shop nowhere',
      'manga: new versions: 1, documents gone: 0',
    ]);
    await room.close();
  });

  it('puts a document down once for two that read at the same time', async () => {
    for (const text of [A, B]) {
      await put(text, '2026-04-01');
      await source.versions();
    }
    const corpus = await readCorpus(source);
    const staged = await Promise.all(Array.from({ length: 5 }, () => registry.stage('manga', corpus, AT)));
    assert.equal(
      staged.reduce((sum, { added }) => sum + added, 0),
      2,
    );
    assert.deepEqual(await held(), [`1 ${A}`, `2 ${B}`]);
  });

  it('puts down all of a shop or nothing', async () => {
    const corpus = manyDocuments(3);
    const [first, second, third] = corpus.chains;
    assert.ok(first && second && third);
    const broken = { ...third, docId: 'Not An Id' };
    const wrong = { ...corpus, chains: [first, second, broken] };
    await assert.rejects(registry.stage('manga', wrong, AT), /violates check constraint/);
    assert.deepEqual(await rows(), []);
  });

  it('puts down a thousand documents, and knows every one of them again', async () => {
    const corpus = manyDocuments(1000);
    assert.equal((await registry.stage('manga', corpus, AT)).added, 1000);
    assert.deepEqual(await registry.stage('manga', corpus, LATER), { added: 0, gone: 0, verified: 1000 });
    const half = { ...corpus, chains: corpus.chains.slice(500) };
    assert.deepEqual(await registry.stage('manga', half, LATER), { added: 0, gone: 500, verified: 500 });
  });

  it('is shown to nobody before it is published', async () => {
    await put(A, '2026-04-01');
    await stage();
    const [row] = await rows();
    assert.deepEqual([row?.seq, await registry.list('manga')], [1, []]);
    assert.deepEqual(await createPolicyRuns(db.pools).latest(1), []);
  });
});

function manyDocuments(n: number): Corpus {
  const chains = Array.from({ length: n }, (_, i) => {
    const docId = `doc-${String(i).padStart(4, '0')}`;
    const document = {
      tenant: 'manga',
      docId,
      docVersion: `1-${String(i).padStart(12, '0')}`,
      title: 'Policy',
      sourceUrl: 'https://mangado.example/policies',
      kind: 'returns',
      audience: 'customer',
      language: 'en',
      effectiveFrom: '2026-04-01',
      effectiveTo: null,
      text: `Policy ${i}. `.repeat(200),
    } as const;
    const key = `manga/${docId}.md`;
    return {
      key,
      tenant: 'manga',
      docId,
      isBroken: false,
      versions: [{ document, ownEnd: null, questions: [], key, versionId: `1-${i}` }],
    } as const;
  });
  return { chains, problems: [] };
}
