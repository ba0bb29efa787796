import assert from 'node:assert/strict';
import { createProgress, describe as line } from '../../platform/progress.ts';

describe('a long step', () => {
  it('shows what it does, how long it has taken and what is left', () => {
    assert.equal(
      line('Temporal', 'building', 30, { done: 50, total: 200 }),
      '… Temporal · building · 25% · 30 s, about 90 s left',
    );
  });

  it('promises no end that it cannot know', () => {
    assert.equal(line('Temporal', '', 3, undefined), '… Temporal · 3 s');
  });

  it('tells a plain log when it began and how it ended', async () => {
    const { out, text } = screen();
    await createProgress(out, true).step('Schema', async ({ note }) => note('up to date'));
    assert.match(text(), /^… Schema\n✓ Schema · up to date \(\d+\.\d s\)\n$/);
  });

  it('passes on what went wrong, marked as failed', async () => {
    const { out, text } = screen();
    const failing = createProgress(out, true).step('Schema', () => Promise.reject(new Error('drift')));
    await assert.rejects(failing, /drift/);
    assert.match(text(), /✗ Schema/);
  });
});

function screen() {
  let text = '';
  const out = {
    write: (more: string) => {
      text += more;
    },
  };
  return { out, text: () => text };
}
