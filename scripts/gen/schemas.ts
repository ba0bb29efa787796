import { z } from 'zod';
import { listedInputSchema, resources, tools, wireOutputSchema } from '../../catalog/index.ts';

/** What goes over the wire, one snapshot for each tool and resource: a change of it must be seen in review. */
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
  ];
}
