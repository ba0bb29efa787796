import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { PolicyIndex } from '../../domain/policies.ts';
import { openEmbeddedIndex } from '../../policy-index/embedded/embedded-index.ts';
import { chunkNumber, FINGERPRINT, refund, VERIFIED } from './embedded-support.ts';

const INGEST = fileURLToPath(new URL('./mortal-ingest.ts', import.meta.url));

describe('The embedded policy index in its folder', () => {
  let folder: string;
  let index: PolicyIndex;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'policy-folder-'));
    index = openEmbeddedIndex({ folder });
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const again = () => openEmbeddedIndex({ folder });
  const found = async (from: PolicyIndex, target = 'policy') => {
    const { hits } = await from.search(target, refund());
    return hits.map(({ chunk }) => chunk.id).sort();
  };
  const live = async () => {
    await index.openBuild('policy-v1', FINGERPRINT);
    await index.add('policy-v1', [chunkNumber(1), chunkNumber(2)], VERIFIED);
    await index.seal('policy-v1');
    await index.pointAlias('policy', 'policy-v1', undefined);
  };

  it('is found again by the next process, with what was superseded and removed', async () => {
    await live();
    const [one, two] = [chunkNumber(1).chunk, chunkNumber(2).chunk];
    await index.supersede('policy', [one], VERIFIED);
    assert.deepEqual(await found(again()), [two.id]);
    await index.remove('policy', [two]);
    assert.deepEqual(await found(again()), []);
  });

  it('shows another process at once what this one changed', async () => {
    await live();
    const other = again();
    assert.deepEqual(await found(other), ['chunk-1', 'chunk-2']);
    await index.supersede('policy', [chunkNumber(1).chunk], VERIFIED);
    assert.deepEqual(await found(other), ['chunk-2']);
    await index.openBuild('policy-v2', FINGERPRINT);
    await index.add('policy-v2', [chunkNumber(3)], VERIFIED);
    await index.seal('policy-v2');
    await index.pointAlias('policy', 'policy-v2', 'policy-v1');
    assert.deepEqual(await found(other), ['chunk-3']);
  });

  it('shows a build that is still open as far as it has come', async () => {
    await index.openBuild('policy-v1', FINGERPRINT);
    const other = again();
    assert.equal((await other.info('policy-v1')).chunks, 0);
    await index.add('policy-v1', [chunkNumber(1)], VERIFIED);
    assert.equal((await other.info('policy-v1')).chunks, 1);
  });

  it('keeps both changes of two processes that change it at the same time', async () => {
    await live();
    await Promise.all([
      again().supersede('policy', [chunkNumber(1).chunk], VERIFIED),
      again().supersede('policy', [chunkNumber(2).chunk], VERIFIED),
    ]);
    assert.deepEqual(await found(index), []);
  });

  for (const damaged of ['manifest', 'segments', 'state', 'alias']) {
    it(`refuses to answer from a damaged file (${damaged})`, async () => {
      await live();
      const at =
        damaged === 'alias'
          ? join(folder, 'aliases', 'policy')
          : join(folder, 'builds', 'policy-v1', damaged);
      const path = damaged === 'manifest' ? at : join(at, String(readdirSync(at)[0]));
      const bytes = readFileSync(path);
      bytes[bytes.length - 3] = (bytes[bytes.length - 3] ?? 0) ^ 1;
      writeFileSync(path, bytes);
      await assert.rejects(found(again()), { problem: 'corrupt' });
    });
  }

  it('says that an alias points nowhere when its build was deleted by hand', async () => {
    await live();
    rmSync(join(folder, 'builds', 'policy-v1'), { recursive: true });
    await assert.rejects(found(again()), { problem: 'no_build' });
  });

  it('has everything it acknowledged, and nothing in halves, whenever it is killed', async function () {
    this.timeout(120_000);
    for (let round = 0; round < 8; round += 1) {
      const name = `policy-v${round}`;
      const child = spawn(process.execPath, ['--import', 'tsx', INGEST, folder, name], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      let said = '';
      const exited = once(child, 'exit');
      for await (const piece of child.stdout) {
        said += String(piece);
        // Each round lives a few acknowledgements longer, and dies with the next step under way.
        if (said.split('\n').length > 1 + 2 * round) child.kill('SIGKILL');
      }
      await exited;
      await survives(name, said.split('\n').filter(Boolean));
    }
  });

  async function survives(name: string, said: readonly string[]): Promise<void> {
    const index = again();
    const added = said.filter((line) => line.startsWith('added ')).map((line) => line.slice(6));
    if (added.length > 0) {
      const ids = new Set(await index.chunkIds(name));
      assert.deepEqual(
        added.filter((id) => !ids.has(id)),
        [],
      );
    }
    if (said.includes('sealed')) assert.equal((await index.info(name)).state, 'sealed');
    if (said.includes('live')) assert.deepEqual(await index.resolveAlias('policy'), [name]);
    // Whatever was under way, the same work can be done again to its end.
    await index.openBuild(name, FINGERPRINT);
    if ((await index.info(name)).state === 'open') {
      await index.add(name, [chunkNumber(1)], VERIFIED);
      await index.seal(name);
    }
    await index.pointAlias('policy', name, (await index.resolveAlias('policy'))[0]);
    assert.ok((await found(index)).length > 0);
  }
});
