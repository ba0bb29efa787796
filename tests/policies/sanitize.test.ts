import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import { sanitize } from '../../policy-index/sanitize.ts';

const shown = (text: string) => sanitize(text).text;
const kinds = (text: string) => [...new Set(sanitize(text).removed.map(({ kind }) => kind))];

/** Pieces of which hidden markup is made, in any order and number. */
const markup = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        '<!--',
        '-->',
        '<b>',
        '</b>',
        '<div hidden>',
        '</div>',
        '<script>',
        '</script>',
        '<',
        '>',
      ),
      fc.constantFrom(
        '![',
        '](',
        ')',
        '[',
        ']',
        '`',
        '```\n',
        '\n\n',
        '\n',
        '| a | b |',
        '\u200b',
        '\u{e0041}',
      ),
      fc.string({ maxLength: 5 }),
    ),
    { maxLength: 40 },
  )
  .map((parts) => parts.join(''));

describe('Sanitizing', () => {
  it('leaves plain Markdown as it is, with its tables, lists and code', () => {
    const text =
      '# Title\n\n- one **two**\n\n| a | b |\n| - | - |\n| 1 | < 2 |\n\n    <b>code</b>\n\n`<i>`\n';
    assert.equal(shown(text), text);
  });

  it('keeps the words of a link and drops where it leads', () => {
    assert.equal(shown('See [the *form*](https://x.example "t").'), 'See the *form*.');
  });

  it('keeps words apart that a tag stood between', () => {
    assert.equal(shown('within<br>30 days'), 'within 30 days');
  });

  it('keeps visible text inside of tags', () => {
    assert.equal(shown('<b>Within</b> <span style="color:red">30</span> days'), 'Within 30 days');
  });

  it('drops everything after an element that hides and never ends', () => {
    assert.equal(shown('Seen.\n\n<div hidden>\n\nunseen').trim(), 'Seen.');
  });

  it('shows a comment in code, where the page shows it, too', () => {
    assert.equal(shown('`<!-- shown -->`'), '`<!-- shown -->`');
  });

  it('takes out markup that appears only when other markup is gone', () => {
    assert.doesNotMatch(shown('a <scr<b></b>ipt>x</script> b'), /script|x/);
  });

  it('says what was taken out', () => {
    assert.deepEqual(kinds('a\u200bb <!-- c --> ![d](e) [f](g)'), [
      'invisible',
      'comment',
      'image',
      'link_target',
    ]);
  });

  it('brings text back that stood beyond a wall of blanks', () => {
    assert.equal(shown(`a${' '.repeat(5000)}b`), 'a b');
  });

  it('leads every span back to what is stored', () => {
    const stored = 'Within <b>30</b> da\u200bys of <!-- x -->delivery.';
    const { text, storedSpan } = sanitize(stored);
    assert.equal(text, 'Within 30 days of delivery.');
    const { start, end } = storedSpan(text.indexOf('days'), text.indexOf('days') + 4);
    assert.equal(stored.slice(start, end), 'da\u200bys');
  });

  it('finds every visible character where its span says, whatever the markup', () => {
    fc.assert(
      fc.property(markup, (stored) => {
        const { text, storedSpan } = sanitize(stored);
        for (let at = 0; at < text.length; at++) {
          const { start, end } = storedSpan(at, at + 1);
          if (end - start !== 1) return false;
          // White space may stand for something that was taken out.
          if (!/\s/.test(text.charAt(at)) && stored.slice(start, end) !== text.charAt(at)) return false;
        }
        return true;
      }),
    );
  });

  it('has nothing left to take out of its own result', () => {
    fc.assert(fc.property(markup, (stored) => shown(shown(stored)) === shown(stored)));
  });

  it('gives the same text for the same bytes', () => {
    fc.assert(fc.property(markup, (stored) => shown(stored) === shown(stored)));
  });
});
