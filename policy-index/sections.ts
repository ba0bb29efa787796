import type { List, Nodes, RootContent, Table } from 'mdast';
import { fromMarkdown } from 'mdast-util-from-markdown';
import { gfmTableFromMarkdown } from 'mdast-util-gfm-table';
import { gfmTable } from 'micromark-extension-gfm-table';

export type Span = { readonly start: number; readonly end: number };

/** What stays together as long as it fits: a paragraph, a list with the line above it, a table. */
export type Block = Span & {
  /** Where it may be parted when it does not fit: items, rows. Empty: at the ends of sentences. */
  readonly parts: readonly Span[];
  /** Said again before each further part: the header of a table, the line that introduces a list. */
  readonly lead: Span | undefined;
};

/** The text below one heading, up to the next. */
export type Section = { readonly path: readonly string[]; readonly blocks: readonly Block[] };

/** Takes Markdown apart along its headings. What a reader would not see (comments, raw HTML) is in no block. */
export function readSections(markdown: string): readonly Section[] {
  const root = fromMarkdown(markdown, {
    extensions: [gfmTable()],
    mdastExtensions: [gfmTableFromMarkdown()],
  });
  const sections: { path: readonly string[]; blocks: Block[] }[] = [{ path: [], blocks: [] }];
  const open: { depth: number; title: string }[] = [];
  for (const node of root.children) {
    if (node.type === 'heading') {
      while ((open.at(-1)?.depth ?? 0) >= node.depth) open.pop();
      open.push({ depth: node.depth, title: textOf(node) });
      sections.push({ path: open.map(({ title }) => title), blocks: [] });
    } else {
      const block = blockOf(node, markdown);
      if (block) sections.at(-1)?.blocks.push(block);
    }
  }
  return sections
    .map(({ path, blocks }) => ({ path, blocks: withLeads(blocks, markdown) }))
    .filter(({ blocks }) => blocks.length > 0);
}

function blockOf(node: RootContent, markdown: string): Block | undefined {
  if (node.type === 'html' || node.type === 'thematicBreak' || node.type === 'definition') return undefined;
  const span = spanOf(node);
  if (markdown.slice(span.start, span.end).trim() === '') return undefined;
  if (node.type === 'table') return tableBlock(node, span);
  if (node.type === 'list') return { ...span, parts: itemsOf(node), lead: undefined };
  return { ...span, parts: [], lead: undefined };
}

function tableBlock(table: Table, span: Span): Block {
  const [header, ...rows] = table.children.map(spanOf);
  const first = rows[0];
  if (!header || !first) return { ...span, parts: [], lead: undefined };
  // The line of dashes is no node; it lies between the header and the first row.
  const lead = { start: header.start, end: first.start };
  return { ...span, parts: [{ start: header.start, end: first.end }, ...rows.slice(1)], lead };
}

function itemsOf(list: List): readonly Span[] {
  return list.children.map(spanOf);
}

/** "A return is free if all of these hold:" belongs to its list: conditions without it mean nothing, or too much. */
function withLeads(blocks: readonly Block[], markdown: string): readonly Block[] {
  const joined: Block[] = [];
  for (const block of blocks) {
    const before = joined.at(-1);
    const introduces =
      before?.parts.length === 0 &&
      /[:：]\s*$/.test(markdown.slice(before.start, before.end)) &&
      block.parts.length > 0;
    if (!before || !introduces) {
      joined.push(block);
      continue;
    }
    joined.pop();
    const [first, ...others] = block.parts;
    joined.push({
      start: before.start,
      end: block.end,
      parts: [{ start: before.start, end: first?.end ?? block.end }, ...others],
      lead: { start: before.start, end: block.lead?.end ?? before.end },
    });
  }
  return joined;
}

function spanOf({ position }: Nodes): Span {
  return { start: position?.start.offset ?? 0, end: position?.end.offset ?? 0 };
}

function textOf(node: Nodes): string {
  if ('value' in node) return node.type === 'html' ? '' : node.value;
  if ('children' in node) return node.children.map(textOf).join('').trim();
  return '';
}
