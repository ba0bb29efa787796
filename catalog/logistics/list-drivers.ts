import { z } from 'zod';
import { defineRead } from '../define.ts';
import { facts } from '../field.ts';
import { driverList, driverStatus } from './shapes.ts';

export const listDrivers = defineRead({
  name: 'list_drivers',
  server: 'logistics',
  title: 'Drivers',
  description: [
    'Who drives, who is free, who called in sick, and how many deliveries each has. With status: those of that status only.',
    'NEVER infer a driver or a status that is not in the result.',
  ].join('\n'),
  scopes: ['logistics:read'],
  timeoutSeconds: 5,
  input: z.strictObject({ status: driverStatus.optional() }),
  output: z.object({ ...driverList, ...facts }),
  say: ({ total, drivers }) =>
    total === 0
      ? 'There are no such drivers. Do not infer.'
      : drivers
          .map(({ driver_id, status, in_flight }) => `${driver_id}: ${status}, ${in_flight} in flight`)
          .join('\n'),
  examples: [
    { prompt: 'Which drivers called in sick today?', input: { status: 'sick' } },
    { prompt: 'Show me all drivers.', input: {} },
  ],
});
