import { TestWorkflowEnvironment } from '@temporalio/testing';

// Run by itself (`find-cli.ts` starts it and ends it when nothing comes): the SDK downloads a Temporal CLI into the
// folder named on the command line, tries it, and leaves it there.
const [downloadDir] = process.argv.slice(2);
if (downloadDir === undefined) throw new Error('Name the folder to download into');
const environment = await TestWorkflowEnvironment.createLocal({
  server: { executable: { type: 'cached-download', downloadDir, ttl: '3650 days' } },
});
await environment.teardown();
