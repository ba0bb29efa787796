import { Parser } from 'htmlparser2';
import type { Nodes } from 'mdast';
import { fromMarkdown } from 'mdast-util-from-markdown';
import type { Edit } from './edits.ts';

/** Elements whose content no reader sees, or that run, load or ask something. */
const NEVER_SHOWN = new Set(
  (
    'script style template noscript iframe frame frameset object embed applet svg math canvas video audio ' +
    'title head textarea select option datalist dialog button form xmp noembed noframes plaintext'
  ).split(' '),
);
/** Words on both sides of these belong apart. */
const BREAKS = new Set(
  'address article br dd details div dl dt h1 h2 h3 h4 h5 h6 hr li ol p section summary table td th tr ul'.split(
    ' ',
  ),
);
const HIDING_STYLE = new RegExp(
  [
    'display:none',
    'visibility:(hidden|collapse)',
    'opacity:0*\\.?0*([1-9]\\d?%)?(;|$)',
    'opacity:0?\\.0',
    'font-size:0*\\.?[0-2]?(\\.\\d+)?(px|pt|em|rem|%|;|$)',
    '(^|;)color:(#fff|#fefefe|#fdfdfd|white|transparent|rgba?\\(255,255,255|hsla?\\()',
    '(text-indent|left|top|right|margin(-left|-top)?):-\\d{3,}',
    'clip(-path)?:',
    '(max-)?(height|width):0',
    'transform:',
    'content-visibility:hidden',
    'mso-hide',
  ].join('|'),
);

/** Emphasis hides nothing, and finding its pairs takes quadratic time. */
const NO_EMPHASIS = { disable: { null: ['attention'] } };

/**
 * What of a Markdown text a reader of the rendered page would not see: comments, hidden elements, tags, images and
 * their descriptions, targets of links, definitions. Code is shown as it is, whatever it holds.
 */
export function hiddenMarkup(text: string): readonly Edit[] {
  const edits: Edit[] = [];
  const html: (readonly [start: number, end: number])[] = [];
  const visit = (node: Nodes): void => {
    const [start, end] = placeOf(node);
    if (node.type === 'html') html.push([start, end]);
    if (node.type === 'image' || node.type === 'imageReference')
      return void edits.push({ start, end, kind: 'image', with: '' });
    if (node.type === 'definition') return void edits.push({ start, end, kind: 'definition', with: '' });
    if (node.type === 'link' || node.type === 'linkReference') edits.push(...targetOf(node, start, end));
    if ('children' in node) node.children.forEach((child) => visit(child));
  };
  visit(fromMarkdown(text, { extensions: [NO_EMPHASIS] }));
  return html.length === 0 ? edits : [...edits, ...hiddenHtml(onlyHtml(text, html))];
}

function placeOf(node: Nodes): readonly [start: number, end: number] {
  return [node.position?.start.offset ?? 0, node.position?.end.offset ?? 0];
}

/** The words of a link stay, its target and title go. */
function targetOf(
  link: Extract<Nodes, { type: 'link' | 'linkReference' }>,
  start: number,
  end: number,
): readonly Edit[] {
  const first = link.children[0];
  const last = link.children.at(-1);
  if (first === undefined || last === undefined) return [{ start, end, kind: 'link_target', with: '' }];
  return [
    { start, end: placeOf(first)[0], kind: 'link_target', with: '' },
    { start: placeOf(last)[1], end, kind: 'link_target', with: '' },
  ];
}

/** The same length, with nothing but the stretches of HTML able to open a tag. */
function onlyHtml(text: string, html: readonly (readonly [number, number])[]): string {
  const parts: string[] = [];
  let done = 0;
  for (const [start, end] of html) {
    parts.push(text.slice(done, start).replaceAll('<', 'x'), text.slice(start, end));
    done = end;
  }
  parts.push(text.slice(done).replaceAll('<', 'x'));
  return parts.join('');
}

function hiddenHtml(html: string): readonly Edit[] {
  const edits: Edit[] = [];
  const open: { readonly start: number; readonly isHidden: boolean }[] = [];
  const here = () => ({ start: parser.startIndex, end: parser.endIndex + 1 });
  const parser = new Parser(
    {
      onopentag: (name, attributes) => {
        edits.push({ ...here(), kind: 'tag', with: BREAKS.has(name) ? ' ' : '' });
        open.push({ start: parser.startIndex, isHidden: isHidden(name, attributes) });
      },
      onclosetag: (name, isImplied) => {
        const element = open.pop();
        const end = isImplied ? parser.startIndex : parser.endIndex + 1;
        if (element?.isHidden === true)
          edits.push({ start: element.start, end, kind: 'hidden_element', with: ' ' });
        else if (!isImplied) edits.push({ ...here(), kind: 'tag', with: BREAKS.has(name) ? ' ' : '' });
      },
      oncomment: () => void edits.push({ ...here(), kind: 'comment', with: '' }),
      oncdatastart: () => void edits.push({ ...here(), kind: 'comment', with: '' }),
      onprocessinginstruction: () => void edits.push({ ...here(), kind: 'comment', with: '' }),
    },
    { decodeEntities: false },
  );
  parser.end(html);
  return edits;
}

function isHidden(name: string, attributes: Readonly<Record<string, string>>): boolean {
  if (NEVER_SHOWN.has(name) || attributes['hidden'] !== undefined) return true;
  if (attributes['aria-hidden']?.toLowerCase() === 'true') return true;
  if (name === 'font' && /^(white|#fff|#fefefe)/i.test(attributes['color'] ?? '')) return true;
  const style = (attributes['style'] ?? '').replace(/\/\*.*?\*\//gs, '').replace(/\s+/g, '');
  return HIDING_STYLE.test(style.toLowerCase());
}
