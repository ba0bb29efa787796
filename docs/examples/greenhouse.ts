import { z } from 'zod';
import { defineRead, defineResource, type PromptSpec } from '../../catalog/define.ts';
import { field } from '../../catalog/field.ts';

const common = { server: 'inventory', scopes: ['inventory:read'], timeoutSeconds: 5 } as const;
const output = z.object({ warehouse: z.string(), celsius: z.number().describe('Air, in the middle of the hall.') });
const params = z.strictObject({ warehouse: field.warehouse });

export const getTemperature = defineRead({
  ...common, name: 'get_temperature', title: 'Temperature', input: params, output,
  description: 'How warm it is in a warehouse. NEVER infer a temperature.',
  say: ({ warehouse, celsius }) => `${celsius} °C in ${warehouse}`,
  examples: [{ prompt: 'Is WH-2 too warm?', input: { warehouse: 'WH-2' } }],
});
export const climate = defineResource({ ...common, name: 'climate', uri: 'inventory://climate/{warehouse}', title: 'Climate', description: 'Climate of a warehouse, as JSON.', params, output });
export const climateReview: PromptSpec = { ...common, name: 'climate_review', title: 'Climate review', description: 'Look for warehouses that are too warm.', args: [], text: () => 'Check the temperature of every warehouse.' };
