import { describeKills } from './kills.ts';
import { describePostgresOutages } from './postgres-outages.ts';
import { describeReadsInMidCall } from './reads-in-mid-call.ts';
import { describeRedisOutages } from './redis-outages.ts';
import { type Stack, startStack } from './stack.ts';
import { describeTemporalOutages } from './temporal-outages.ts';
import { describeTwins } from './twins.ts';

describe('the product, with every process and server its own', function () {
  this.timeout(120_000);
  let stack: Stack;
  before(async () => {
    stack = await startStack();
  });
  // Whatever a test has left broken, the next one finds it whole.
  beforeEach(() => stack.heal());
  after(() => stack?.stop());

  const its = () => stack;
  describeKills(its);
  describeReadsInMidCall(its);
  describePostgresOutages(its);
  describeRedisOutages(its);
  describeTemporalOutages(its);
  describeTwins(its);
});
