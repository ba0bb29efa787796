import { listedInputSchema, prompts, resources, tools } from '../../catalog/index.ts';
import type { ToolSpec } from '../../catalog/define.ts';
import { APPROVAL_FOR } from '../../domain/approval.ts';

type Property = { readonly type?: string; readonly description?: string; readonly default?: unknown };

function gate(tool: ToolSpec): string {
  if (tool.effect === 'read') return 'Reads only.';
  if (tool.effect === 'control') return "Changes Countersign's own records only; no approval.";
  const { approvers, expiresInSeconds } = APPROVAL_FOR[tool.risk];
  const people = approvers === 1 ? 'one person' : `${approvers} persons`;
  return `Waits for ${people} with the role \`${tool.approverRole}\`; expires after ${expiresInSeconds / 3600} hours.`;
}

function argumentTable(tool: ToolSpec): string[] {
  const schema = listedInputSchema(tool);
  // The cast names the shape that the sweep over all tools asserts: flat, described scalars.
  const properties = Object.entries((schema.properties ?? {}) as Record<string, Property>);
  if (properties.length === 0) return ['No arguments.'];
  const rows = properties.map(([name, { type, description, default: preset }]) => {
    const need = schema.required?.includes(name)
      ? 'yes'
      : preset === undefined
        ? 'no'
        : `no (${JSON.stringify(preset)})`;
    return `| \`${name}\` | ${type ?? ''} | ${need} | ${description ?? ''} |`;
  });
  return ['| argument | type | required | meaning |', '| --- | --- | --- | --- |', ...rows];
}

function section(tool: ToolSpec): string[] {
  const [example] = tool.examples;
  return [
    `### ${tool.name}`,
    '',
    tool.description,
    '',
    `Server \`${tool.server}\` · scope ${tool.scopes.map((scope) => `\`${scope}\``).join(' or ')} · ${gate(tool)}`,
    '',
    ...argumentTable(tool),
    '',
    `“${example.prompt}” → \`${tool.name}(${JSON.stringify(example.input)})\``,
    '',
  ];
}

/** docs/reference/tools.md: every tool, resource and prompt, as the catalog says it. */
export function toolReference(): string {
  return [
    '# Tools, resources and prompts',
    '',
    'Made from the catalog by `npm run gen`.',
    '',
    '## Tools',
    '',
    ...tools.flatMap((tool) => section(tool)),
    '## Resources',
    '',
    '| URI | server | scope | what it is |',
    '| --- | --- | --- | --- |',
    ...resources.map(
      ({ uri, server, scopes, description }) =>
        `| \`${uri}\` | \`${server}\` | ${scopes.map((s) => `\`${s}\``).join(' or ')} | ${description.replaceAll('\n', ' ')} |`,
    ),
    '',
    '## Prompts',
    '',
    '| prompt | arguments | what it is |',
    '| --- | --- | --- |',
    ...prompts.map(({ name, args, description }) => {
      const listed = args.map((arg) => `\`${arg.name}\`${arg.required ? '' : '?'}`).join(', ');
      return `| \`${name}\` | ${listed || '–'} | ${description.replaceAll('\n', ' ')} |`;
    }),
  ].join('\n');
}
