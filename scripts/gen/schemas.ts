import { z } from 'zod';
import { events } from '../../catalog/events/index.ts';
import { listedInputSchema, resources, tools, wireOutputSchema } from '../../catalog/index.ts';

/** What goes over the wire, one snapshot for each tool, resource and event: a change of it must be seen in review. */
export function schemaSnapshots(): [string, unknown][] {
  return [
    ...tools.map((tool): [string, unknown] => [
      `tool.${tool.name}`,
      { input: listedInputSchema(tool), output: wireOutputSchema(tool) },
    ]),
    ...resources.map((resource): [string, unknown] => [
      `resource.${resource.name}`,
      { uri: resource.uri, output: z.toJSONSchema(resource.output) },
    ]),
    ...events.map(({ topic, version, means, key, payload }): [string, unknown] => [
      `events/${topic}.v${version}`,
      { title: topic, description: `${means} Key: ${key}.`, ...z.toJSONSchema(payload) },
    ]),
  ];
}

/** The table of what is published, in docs/reference/events.md. */
export function eventReference(): string {
  const rows = events.map(({ topic, version, means, key }) => {
    const schema = `[${version}](schemas/events/${topic}.v${version}.json)`;
    return `| \`${topic}\` | ${schema} | \`${key}\` | ${means} |`;
  });
  return [
    '# Events',
    '',
    '| topic | version | key | published when |',
    '|---|---|---|---|',
    ...rows,
    '',
  ].join('\n');
}
