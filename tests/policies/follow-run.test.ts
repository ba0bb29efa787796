import assert from 'node:assert/strict';
import { createPolicyRuns } from '../../adapters/postgres/policy-runs.ts';
import { followRun } from '../../cli/commands/policy-run.ts';
import type { PolicyRuns } from '../../domain/policy-registry.ts';
import { freshDatabase, type TestDatabase } from '../support/database.ts';
import { until } from '../support/until.ts';

const ENDED = { status: 'published', detail: [] } as const;

/** Class of defect: somebody who waits, and is not told what for. */
describe('following a run of the policies', function () {
  this.timeout(60_000);
  let db: TestDatabase;
  let runs: PolicyRuns;
  let told: string[];
  beforeEach(async () => {
    db = await freshDatabase();
    runs = createPolicyRuns(db.pools);
    told = [];
  });
  afterEach(() => db.drop());

  const request = async () => (await runs.request({ kind: 'ingest', target: null, requestedBy: 'test' })).id;
  const follow = (id: string, patienceMs = 60_000) =>
    followRun(runs, id, { line: (text) => void told.push(text), end: () => {} }, { lookMs: 5, patienceMs });
  const hears = (what: RegExp) => until(async () => told.some((line) => what.test(line)), String(what));

  it('tells each step once, and then how it ended', async () => {
    const id = await request();
    const following = follow(id);
    await hears(/^asked for$/);
    await runs.note(id, { progress: 'reading' });
    await hears(/^reading$/);
    await runs.end(id, ENDED);
    assert.deepEqual((await following).outcome, ENDED);
    assert.deepEqual(told, ['asked for', 'reading']);
  });

  it('tells which run goes first', async () => {
    const [first, second] = [await request(), await request()];
    const following = follow(second);
    await hears(new RegExp(`^after ${first}$`));
    await runs.note(first, { progress: 'reading' });
    await hears(new RegExp(`^after ${first} \\(reading\\)$`));
    await runs.end(first, ENDED);
    await hears(/^asked for$/);
    await runs.end(second, ENDED);
    await following;
  });

  it('says once that no worker seems to run, and goes on waiting', async () => {
    const id = await request();
    const following = follow(id, 20);
    await hears(/no worker seems to run/);
    await runs.note(id, { progress: 'reading' });
    await hears(/^reading$/);
    await runs.end(id, ENDED);
    await following;
    assert.equal(told.filter((line) => /no worker/.test(line)).length, 1);
  });

  it('ends at once for a run that has ended, and fails for one that is not on record', async () => {
    const id = await request();
    await runs.end(id, ENDED);
    assert.equal((await follow(id)).id, id);
    assert.deepEqual(told, []);
    await assert.rejects(follow('none'), /none is not on record any more/);
  });
});
