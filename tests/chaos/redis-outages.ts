import assert from 'node:assert/strict';
import { skip } from '../support/skip.ts';
import { type Told } from './ask.ts';
import { eventually } from './eventually.ts';
import { endingsOfRequest } from './rows.ts';
import type { Stack } from './stack.ts';

/** 250 ms for each of three operations, the circuit opens, and then nothing more is asked of it. */
const MOST_MS = 3_000;

export function describeRedisOutages(its: () => Stack): void {
  describe('the shared cache', () => {
    for (const how of ['gone', 'hung'] as const) {
      it(`is not missed for long while it is ${how}, and is used again when it is back`, async function () {
        const { redis, ...stack } = its();
        if (redis === undefined)
          skip(this, 'no redis-server on the PATH: the cache that processes share cannot be killed');
        const asker = await stack.session();
        const look = () => asker.call('check_stock', { manga_id: 'BER42', volume_number: 3 });
        await eventually('cached', async () => isHit(await look()));
        if (how === 'gone') await redis.kill();
        else redis.freeze();
        // More than the circuit needs to open.
        for (let times = 0; times < 5; times += 1) {
          const told = await look();
          assert.match(told.text, /^In stock · \d+ units · ships from Tokyo$/);
          assert.equal(isHit(told), false);
          assert.ok(told.ms < MOST_MS, `${told.ms} ms`);
          assert.equal((await endingsOfRequest(its(), 'check_stock', told.requestId)).length, 1);
        }
        await eventually(
          'health says so',
          async () => (await stack.health()).dependencies['redis']?.status === 'down',
        );

        await redis.start();
        await eventually('cached again', async () => isHit(await look()));
        await eventually('health is well', async () => (await stack.health()).status === 'ok');
      });
    }
  });
}

function isHit({ facts }: Told): boolean {
  const { cache } = facts;
  return typeof cache === 'object' && cache !== null && 'hit' in cache && cache.hit === true;
}
