import assert from 'node:assert/strict';
import { PolicySourceError } from '../../domain/policy-source.ts';
import { readCorpus, readPublished } from '../../policy-index/read-corpus.ts';
import { policy, publishedBucket, publishedFolder, type Published } from './support.ts';

const KEY = 'manga/returns.md';

for (const [name, open] of [
  ['folder', publishedFolder],
  ['bucket', publishedBucket],
] as const) {
  describe(`A ${name} of policies`, () => {
    let place: Published;
    beforeEach(async () => {
      place = await open();
    });
    afterEach(() => place.close());

    const listed = async () =>
      (await place.source.versions()).map(({ key, isLatest }) => `${key}${isLatest ? ' (latest)' : ''}`);
    const problems = async () =>
      (await readCorpus(place.source)).problems.map(({ key, code }) => `${key}: ${code}`);
    const chains = async () =>
      (await readCorpus(place.source)).chains.map(({ docId, versions, isBroken }) => ({
        docId,
        isBroken,
        texts: versions.map(({ document }) => document.text.trim()),
      }));

    it('is empty at first', async () => {
      assert.deepEqual(await place.source.versions(), []);
    });

    it('lists every version of a key, oldest first', async () => {
      for (const text of ['one', 'two', 'three', 'four', 'five']) await place.put(KEY, text);
      assert.deepEqual(await listed(), [KEY, KEY, KEY, KEY, `${KEY} (latest)`]);
    });

    it('gives each version its own bytes, whatever came later', async () => {
      const bytes = Uint8Array.from({ length: 512 }, (_, i) => i % 256);
      await place.put(KEY, bytes);
      await place.put(KEY, 'later');
      const [first] = await place.source.versions();
      assert.deepEqual(new Uint8Array((await place.source.read(first ?? assert.fail())) ?? []), bytes);
    });

    it('says of a deleted key that nothing is latest, and still reads what it held', async () => {
      await place.put(KEY, 'withdrawn');
      await place.remove(KEY);
      const [only] = await place.source.versions();
      assert.equal(only?.isLatest, false);
      assert.equal(Buffer.from((await place.source.read(only)) ?? []).toString(), 'withdrawn');
    });

    it('lists a key again that was deleted and comes back', async () => {
      await place.put(KEY, 'first');
      await place.remove(KEY);
      await place.source.versions();
      await place.put(KEY, 'second');
      assert.deepEqual(await listed(), [KEY, `${KEY} (latest)`]);
    });

    it('keeps keys apart that look alike', async () => {
      const keys = ['manga/a.md', 'manga/a%2Fb.md', 'manga/a/b.md', 'manga/返品.md', 'manga/a b+c.md'];
      for (const key of keys) await place.put(key, key);
      for (const version of await place.source.versions()) {
        assert.equal(Buffer.from((await place.source.read(version)) ?? []).toString(), version.key);
      }
      assert.equal((await place.source.versions()).length, keys.length);
    });

    it('has nothing under an id it never gave', async () => {
      await place.put(KEY, 'text');
      for (const versionId of ['1-00', '../../etc/passwd', `9-${'0'.repeat(64)}`]) {
        assert.equal(await place.source.read({ key: KEY, versionId }), undefined);
      }
    });

    it('lists what is too large without keeping it', async () => {
      await place.put(KEY, Buffer.alloc(50 * 1024 * 1024, 'x'));
      await place.put('manga/claims.md', policy('Claims.', { id: 'claims' }));
      assert.deepEqual(await problems(), [`${KEY}: too_large`]);
      assert.deepEqual(
        (await chains()).map(({ docId }) => docId),
        ['claims'],
      );
    });

    it('fails when it is not there, and does not look empty', async () => {
      await place.put(KEY, policy('Text.'));
      await place.cut();
      await assert.rejects(place.source.versions(), PolicySourceError);
    });

    it('makes a chain of the texts that one file held', async () => {
      await place.put(KEY, policy('Within 14 days.', { effective_from: '2024-10-01' }));
      await place.put(KEY, policy('Within 30 days.'));
      const [chain] = (await readCorpus(place.source)).chains;
      assert.deepEqual(
        chain?.versions.map(({ document: d }) => [
          d.docVersion.split('-')[0],
          d.effectiveFrom,
          d.effectiveTo,
        ]),
        [
          ['1', '2024-10-01', '2026-04-01'],
          ['2', '2026-04-01', null],
        ],
      );
    });

    it('sees one version where the same bytes were stored twice', async () => {
      await place.put(KEY, policy('Text.'));
      await place.put(KEY, policy('Text.'));
      assert.deepEqual(await chains(), [{ docId: 'returns', isBroken: false, texts: ['Text.'] }]);
    });

    it('gives the same corpus when nothing has changed', async () => {
      await place.put(KEY, policy('Old.', { effective_from: '2024-10-01' }));
      await place.put(KEY, policy('New.'));
      assert.deepEqual(await readCorpus(place.source), await readCorpus(place.source));
    });

    it('puts archived versions before the file that replaced them', async () => {
      await place.put(KEY, policy('New.'));
      await place.put(
        'manga/versions/returns/2023-04-01.md',
        policy('Old.', { effective_from: '2023-04-01' }),
      );
      assert.deepEqual(await chains(), [{ docId: 'returns', isBroken: false, texts: ['Old.', 'New.'] }]);
    });

    it('withdraws a document whose file is deleted, with all that is archived of it', async () => {
      await place.put(KEY, policy('New.'));
      await place.put(
        'manga/versions/returns/2023-04-01.md',
        policy('Old.', { effective_from: '2023-04-01' }),
      );
      await place.remove(KEY);
      assert.deepEqual(await readCorpus(place.source), { chains: [], problems: [] });
    });

    it('keeps what held when the newest text is broken, and says that it is', async () => {
      await place.put(KEY, policy('Good.'));
      await place.put(KEY, policy('Bad.', { audience: 'everybody' }));
      assert.deepEqual(await chains(), [{ docId: 'returns', isBroken: true, texts: ['Good.'] }]);
      assert.deepEqual(await problems(), [`${KEY}: front_matter`]);
    });

    it('refuses a version that begins before the one it replaces', async () => {
      await place.put(KEY, policy('Good.'));
      await place.put(KEY, policy('From the past.', { effective_from: '2025-01-01' }));
      assert.deepEqual(await chains(), [{ docId: 'returns', isBroken: true, texts: ['Good.'] }]);
      assert.deepEqual(await problems(), [`${KEY}: goes_back`]);
    });

    it('leaves an id to the file that had it first', async () => {
      await place.put(KEY, policy('First.'));
      await place.put('manga/the-copy.md', policy('Copy.'));
      assert.deepEqual(await chains(), [{ docId: 'returns', isBroken: false, texts: ['First.'] }]);
      assert.deepEqual(await problems(), ['manga/the-copy.md: duplicate_id']);
    });

    it('lets a file change which document it is', async () => {
      await place.put(KEY, policy('Returns.'));
      await place.put(KEY, policy('Claims.', { id: 'claims' }));
      assert.deepEqual(
        (await chains()).map(({ docId }) => docId),
        ['claims'],
      );
    });

    it('refuses a document that names another tenant than its folder', async () => {
      await place.put('manga/theirs.md', policy('Text.', { tenant: 'shop_123' }));
      assert.deepEqual(await problems(), ['manga/theirs.md: other_tenant']);
    });

    it('reads a published text again, and nothing that is no policy', async () => {
      await place.put(KEY, policy('<!-- note -->Within 30 days.'));
      await place.put(KEY, 'no policy');
      const [good, bad] = await place.source.versions();
      assert.equal((await readPublished(place.source, good ?? assert.fail()))?.trim(), 'Within 30 days.');
      assert.equal(await readPublished(place.source, bad ?? assert.fail()), undefined);
    });
  });
}
