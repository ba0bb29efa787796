/**
 * A dispatcher in a process of its own, whose stream is a file, that kills itself at the point named by DIE. Started by
 * kills.test.ts.
 */
import { appendFileSync } from 'node:fs';
import { openPools } from '../../adapters/postgres/pools.ts';
import type { EventSink, PublishedEvent } from '../../domain/events.ts';
import { createLog } from '../../platform/log.ts';
import { startDispatcher } from '../../workers/dispatcher.ts';
import { outgoing, publish } from './room.ts';

const { DIE = '', DATABASE = '', STREAM = '' } = process.env;

const pools = await openPools({
  writeUrl: DATABASE,
  readPoolSize: 1,
  writePoolSize: 1,
  superuserLogin: 'allowed',
  applicationName: 'countersign mortal',
});

async function die(): Promise<never> {
  process.kill(process.pid, 'SIGKILL');
  return new Promise<never>(() => undefined);
}

function write(events: readonly PublishedEvent[]): void {
  for (const event of events) appendFileSync(STREAM, `${JSON.stringify(event)}\n`);
}

const file: EventSink = {
  name: 'sink:file',
  publish: async (events) => {
    if (DIE === 'before it publishes') await die();
    if (DIE === 'while it publishes') {
      write(events.slice(0, Math.ceil(events.length / 2)));
      await die();
    }
    write(events);
    if (DIE === 'before its cursor moves') await die();
  },
  close: async () => undefined,
};

if (DIE === 'before it drains') {
  await publish(pools, [outgoing('of the dead', { key: 'own' })]);
  await die();
}
startDispatcher({ pools, reactions: [], sinks: [file], log: createLog({ level: 'silent' }), pollMs: 20 });
process.send?.('ready');
