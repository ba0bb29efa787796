import assert from 'node:assert/strict';
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Command, CommanderError } from 'commander';
import { z } from 'zod';
import { register } from '../../cli/commands/policy.ts';
import { asAdmin } from '../support/database.ts';
import { freshNamespace, type TestTemporal } from '../support/temporal.ts';
import { type CommandRoom, commandRoom } from './command-room.ts';
import { policy } from './support.ts';

const RETURNS = 'manga/returns.md';
const OLD = 'You may return a book within 30 days of delivery.';
const NEW = 'You may return a book within 14 days of delivery.';

const RUN = z.object({
  id: z.string(),
  kind: z.string(),
  target: z.int().nullable(),
  requested_by: z.string(),
  publication: z.int().nullable(),
  report: z.array(z.string()),
  status: z.string().nullable(),
  detail: z.array(z.string()),
});
const LIST = z.array(
  z.object({ doc_id: z.string(), doc_version: z.string(), stands: z.string(), stale: z.boolean() }),
);
const DIFF = z.object({
  documents: z.array(
    z.object({
      doc_id: z.string(),
      change: z.string(),
      added: z.array(z.object({ before: z.string().nullable(), lines: z.array(z.string()) })),
      lost: z.array(z.string()),
    }),
  ),
  unchanged: z.int(),
  problems: z.array(z.object({ key: z.string(), code: z.string() })),
});

/** Class of defect: an operator who is told something else than what happened. */
describe('countersign policy', function () {
  this.timeout(240_000);
  let temporal: TestTemporal;
  let room: CommandRoom;
  before(async () => {
    temporal = await freshNamespace();
  });
  after(() => temporal?.close());
  beforeEach(async () => {
    room = await commandRoom(temporal);
    await put(RETURNS, policy(OLD, { questions: '[How long may I return a book?]' }));
    await put('manga/shipping.md', policy('We ship within two days.', { id: 'shipping', kind: 'shipping' }));
  });
  afterEach(() => room.close());

  const put = async (key: string, content: string) => {
    await mkdir(dirname(join(room.folder, key)), { recursive: true });
    await writeFile(join(room.folder, key), content);
  };
  const done = (...args: string[]) => room.keeping(room.command(args));
  const json = async <T>(schema: z.ZodType<T>, ...args: string[]): Promise<T> =>
    schema.parse(JSON.parse((await room.command([...args, '--json'])).out));
  const live = async () =>
    (await json(LIST, 'list')).map((one) => `${one.doc_id} ${one.doc_version.split('-')[0]} ${one.stands}`);

  describe('ingest', () => {
    it('publishes, and says what, with what could not be', async () => {
      await put('manga/gifts.md', 'no front matter');
      const { out, err, code } = await done('ingest');
      assert.equal(code, 0);
      assert.match(out, /^manga\/gifts\.md: front_matter: .+\nmanga: new versions: 2, documents gone: 0\n/);
      assert.match(out, /\nPublished: publication 1: policy-v000001\.\n$/);
      assert.match(err, /▸ /);
    });

    it('does nothing for the same documents', async () => {
      await room.publish();
      const { out, code } = await done('ingest');
      assert.deepEqual([out, code], ['Unchanged: this is live already.\n', 0]);
    });

    it('makes new builds of the same documents with --rebuild', async () => {
      await room.publish();
      const { out } = await done('ingest', '--rebuild', '--json');
      const run = RUN.parse(JSON.parse(out));
      assert.deepEqual([run.kind, run.status, run.publication], ['rebuild', 'published', 2]);
    });

    it('ends with 3 and the reasons where a question finds its document no more, and goes on with --accept', async () => {
      await room.publish();
      await put(
        RETURNS,
        policy('See elsewhere.', { title: 'Page', questions: '[How long may I return a book?]' }),
      );
      for (const name of ['a', 'b', 'c', 'd', 'e'])
        await put(`manga/${name}.md`, policy('How long may I return a book?', { id: name, title: name }));
      const refused = await done('ingest');
      assert.equal(refused.code, 3);
      assert.match(refused.out, /Refused, and what was live goes on\.\n {2}manga\/returns no longer answers/);
      assert.deepEqual(await live(), ['returns 1 in_force', 'shipping 1 in_force']);
      assert.equal((await done('ingest', '--accept')).code, 0);
      assert.equal((await live()).length, 7);
    });

    it('ends with 1 when the run failed', async () => {
      const command = room.command(['ingest']);
      let asked: string | undefined;
      while (asked === undefined) [asked] = (await room.runs()).map(({ id }) => id);
      await room.deps.runs.end(asked, { status: 'failed', detail: ['The folder is away.'] });
      const { out, code } = await command;
      assert.deepEqual([out, code], ['Failed, and what was live goes on: The folder is away.\n', 1]);
    });

    it('asks only, with --no-wait', async () => {
      const { out, code } = await room.command(['ingest', '--no-wait', '--json']);
      const { kind, status, requested_by: who } = RUN.parse(JSON.parse(out));
      assert.deepEqual([kind, status, who, code], ['ingest', null, 'cli:akiko', 0]);
      assert.equal((await room.runs()).length, 1);
    });

    it('wakes the keeper', async () => {
      const earlier = await temporal.client.workflow.count(`WorkflowType = 'policyKeeper'`);
      if (earlier.count > 0) await temporal.client.workflow.getHandle('policy-keeper').terminate();
      await room.command(['ingest', '--no-wait']);
      const keeper = await temporal.client.workflow.getHandle('policy-keeper').describe();
      assert.deepEqual([keeper.type, keeper.status.name], ['policyKeeper', 'RUNNING']);
    });

    it('does two that are asked for at once one after the other', async () => {
      const both = [room.command(['ingest', '--json']), room.command(['ingest', '--json'])];
      const said = await room.keeping(Promise.all(both));
      const states = said.map(({ out }) => RUN.parse(JSON.parse(out)).status);
      assert.deepEqual(new Set(states), new Set(['published', 'unchanged']));
      assert.deepEqual(
        said.map(({ code }) => code),
        [0, 0],
      );
    });

    it('takes --rebuild or --accept, and nothing that it does not know', async () => {
      assert.match(await refusal('ingest', '--rebuild', '--accept'), /cannot be used with option/);
      assert.match(await refusal('ingest', '--everything'), /unknown option/);
      assert.match(await refusal('ingest', 'manga'), /too many arguments/);
    });

    for (const [what, changes, says] of [
      ['there is no database', { DATABASE_URL: '' }, /There is no database: .*DATABASE_URL/],
      ['there is no Temporal', { TEMPORAL_ADDRESS: '' }, /There is no Temporal: .*TEMPORAL_ADDRESS/],
      ['Temporal does not answer', { TEMPORAL_ADDRESS: '127.0.0.1:9' }, /No Temporal answers at/],
    ] as const) {
      it(`asks for nothing when ${what}, and says so`, async () => {
        const { err, code } = await room.command(['ingest'], changes);
        assert.equal(code, 1);
        assert.match(err, says);
        assert.deepEqual(await room.runs(), []);
      });
    }
  });

  describe('rollback', () => {
    const twice = async () => {
      await room.publish();
      await put(RETURNS, policy(NEW, { effective_from: '2026-05-01' }));
      await room.publish();
    };

    it('goes back to what was live before', async () => {
      await twice();
      assert.deepEqual(await live(), ['returns 2 in_force', 'shipping 1 in_force']);
      assert.equal((await done('rollback')).code, 0);
      assert.deepEqual(await live(), ['returns 1 in_force', 'shipping 1 in_force']);
    });

    it('goes back to a publication by its number, and changes nothing for the one that is live', async () => {
      await twice();
      assert.match((await done('rollback', '--to', '2')).out, /^Unchanged.+2 is live\.\n$/);
      assert.equal((await done('rollback', '--to', '1')).code, 0);
      assert.deepEqual(await live(), ['returns 1 in_force', 'shipping 1 in_force']);
    });

    it('asks for nothing where there is nothing to go back to', async () => {
      assert.match((await room.command(['rollback'])).err, /Nothing was published before/);
      await room.publish();
      const before = (await room.runs()).length;
      assert.match((await room.command(['rollback'])).err, /Nothing was published before/);
      const { err, code } = await room.command(['rollback', '--to', '99']);
      assert.match(err, /Publication 99 was never live: see countersign policy status/);
      assert.deepEqual([code, (await room.runs()).length], [1, before]);
    });

    for (const to of ['abc', '0', '-1', '1.5', '99999999999999999999', ''])
      it(`asks for a number instead of ${JSON.stringify(to)}`, async () => {
        assert.match(await refusal('rollback', `--to=${to}`), /number of a publication/);
      });
  });

  describe('list', () => {
    it('shows what stands, and with --all what was replaced, too', async () => {
      assert.equal((await room.command(['list'])).out, 'Nothing is published: countersign policy ingest\n');
      await room.publish();
      await put(RETURNS, policy(NEW, { effective_from: '2026-05-01' }));
      await put('manga/gifts.md', policy('Wrapped.', { id: 'gifts', effective_from: '2999-01-01' }));
      await room.publish();
      assert.deepEqual(await live(), ['gifts 1 to_come', 'returns 2 in_force', 'shipping 1 in_force']);
      const { out } = await room.command(['list', '--all', '--shop', 'manga']);
      assert.match(
        out,
        /^manga\/returns {2}Returns {2}customer, en {2}https:\S+\n {2}1-\w{12} {2}replaced \S+, held from/m,
      );
    });

    it('shows with --all what was withdrawn, and that nobody may quote it', async () => {
      await room.publish();
      await rm(join(room.folder, 'manga/shipping.md'));
      await room.publish();
      assert.deepEqual(await live(), ['returns 1 in_force']);
      const { out } = await room.command(['list', '--all']);
      assert.match(out, /^manga\/shipping .*\n {2}1-\w{12} {2}withdrawn \S+, held from/m);
      const ended = z
        .array(z.object({ doc_id: z.string(), stands: z.string(), superseded_at: z.string().nullable() }))
        .parse(JSON.parse((await room.command(['list', '--all', '--json'])).out))
        .map(({ doc_id: id, stands, superseded_at: at }) => [id, stands, at !== null]);
      assert.deepEqual(ended, [
        ['returns', 'in_force', false],
        ['shipping', 'withdrawn', true],
      ]);
    });

    it('knows no shop that there is not', async () => {
      const { err, code } = await room.command(['list', '--shop', 'none\u001b[2J']);
      assert.deepEqual([err, code], ['There is no shop none [2J.\n', 1]);
    });
  });

  describe('diff', () => {
    const diff = () => json(DIFF, 'diff');

    it('tells what is new, changed and gone, and changes nothing', async () => {
      await room.publish();
      const kept = await readdir(room.history);
      await put(RETURNS, policy(NEW, { effective_from: '2026-05-01' }));
      await put('manga/gifts.md', policy('Gifts are wrapped.', { id: 'gifts' }));
      await rm(join(room.folder, 'manga/shipping.md'));
      const { documents, unchanged, problems } = await diff();
      assert.deepEqual(
        documents.map(({ doc_id: id, change }) => `${id} ${change}`),
        ['gifts new', 'returns changed', 'shipping gone'],
      );
      assert.deepEqual([unchanged, problems], [0, []]);
      const lines = documents.flatMap(({ added }) => added).flatMap((one) => one.lines);
      assert.ok(lines.includes(`-${OLD}`) && lines.includes(`+${NEW}`));
      assert.deepEqual(await readdir(room.history), kept);
      assert.deepEqual(await live(), ['returns 1 in_force', 'shipping 1 in_force']);
    });

    it('makes no version of what was looked at before it was finished', async () => {
      await room.publish();
      await put(RETURNS, policy('A draft.', { effective_from: '2026-05-01' }));
      await room.command(['diff']);
      await put(RETURNS, policy(NEW, { effective_from: '2026-05-01' }));
      await room.publish();
      assert.deepEqual(await live(), ['returns 2 in_force', 'shipping 1 in_force']);
    });

    it('is empty once it is published', async () => {
      assert.equal((await diff()).documents.length, 2);
      await room.publish();
      const { out, code } = await room.command(['diff']);
      assert.match(out, /^2 documents of folder .+: 0 new, 0 changed, 0 gone, 2 unchanged; 0 problems\.\n$/);
      assert.equal(code, 0);
    });

    it('ends with 3 for what cannot be published, and prints no escape sequence', async () => {
      await room.publish();
      await put(RETURNS, policy(''));
      await put('manga/\u001b[2Jevil.md', 'no front matter');
      await put('nowhere/a.md', policy('There.', { tenant: 'nowhere' }));
      const { out, code } = await room.command(['diff']);
      assert.equal(code, 3);
      assert.ok(!out.includes('\u001b'));
      for (const problem of [/returns\.md: empty/, /evil\.md: front_matter/, /nowhere\/a\.md: no_shop/])
        assert.match(out, problem);
      assert.match(out, /0 new, 0 changed, 0 gone, 2 unchanged/);
    });

    it('says that the folder is not there', async () => {
      const { err, code } = await room.command(['diff'], { POLICY_FOLDER: '/nowhere/at/all' });
      assert.match(err, /The policy folder \/nowhere\/at\/all cannot be read: ENOENT/);
      assert.equal(code, 1);
    });
  });

  describe('status', () => {
    it('tells what is live, what was asked for and how it ended', async () => {
      assert.match((await room.command(['status'])).out, /^Nothing is live: countersign policy ingest\n/);
      await room.publish();
      const { out } = await room.command(['status']);
      assert.match(out, /^Live is publication 1 since \S+, embedded by /);
      assert.match(out, /Of 1 question that the documents say they answer, 1 find them/);
      assert.match(out, /2 versions stand, none is stale; each was seen at its source at \S+ or later\./);
      assert.match(out, /policy-v000001 {2}2 chunks, sealed, \S+ {2}← policy\n/);
      assert.match(out, /ingest-\S+ {2}by test: published\n/);
    });

    it('says that documents are stale which nobody has seen for a day', async () => {
      await room.publish();
      await asAdmin(
        (admin) => admin.query(`update policy_versions set verified_at = now() - interval '25 hours'`),
        room.db.adminUrl,
      );
      const status = z.object({ versions: z.object({ standing: z.int(), stale: z.int() }) });
      assert.deepEqual((await json(status, 'status')).versions, { standing: 2, stale: 2 });
    });

    it('goes on without its index, and says why', async () => {
      const { out, code } = await room.command(['status'], {
        OPENSEARCH_URL: 'http://me:secret@127.0.0.1:9',
      });
      assert.match(out, /Builds in OpenSearch at 127\.0\.0\.1:9:\n {2}cannot be read: /);
      assert.doesNotMatch(out, /secret/);
      assert.equal(code, 0);
    });
  });

  for (const name of ['ingest', 'rollback', 'list', 'diff', 'status'])
    it(`explains ${name}`, async () => {
      assert.match(await refusal(name, '--help'), /--json/);
    });
});

/** What commander says instead of doing anything. */
async function refusal(...args: readonly string[]): Promise<string> {
  let said = '';
  const write = (text: string) => {
    said += text;
  };
  const program = new Command().exitOverride().configureOutput({ writeErr: write, writeOut: write });
  register(program);
  await assert.rejects(program.parseAsync(['policy', ...args], { from: 'user' }), CommanderError);
  return said;
}
