import type { Command } from 'commander';
import { loadCommandSettings } from '../../platform/state.ts';
import { MODEL_LICENCE, MODEL_NAME } from '../../policy-index/embedders/model-files.ts';
import { pullModel } from '../../policy-index/embedders/pull-model.ts';

export function register(program: Command): void {
  const model = program.command('model').description('The local model that reads policies and questions.');
  model
    .command('pull')
    .description(`Fetch ${MODEL_NAME} (${MODEL_LICENCE}) and its runtime, each file checked by its SHA-256.`)
    .option('--from <folder>', 'take the files from a folder, for machines without a way to the hub')
    .option('--hub <address>', 'a mirror of https://huggingface.co/sentence-transformers')
    .option('--no-runtime', 'leave the runtime (npm package @huggingface/transformers) out')
    .option('--json', 'print the result as JSON')
    .action(runPull);
}

async function runPull(options: {
  readonly from?: string;
  readonly hub?: string;
  readonly runtime: boolean;
  readonly json?: true;
}): Promise<void> {
  const { from, hub, runtime, json } = options;
  const pulled = await pullModel({
    modelsFolder: loadCommandSettings(process.env).retrieval.modelsFolder,
    ...(from === undefined ? {} : { from }),
    ...(hub === undefined ? {} : { hub }),
    runtime,
    log: (line) => process.stderr.write(`▸ ${line}\n`),
  });
  const text =
    `${MODEL_NAME} is in ${pulled.folder}.\n` +
    'It embeds from the next start on; the policy index is made again then: countersign policy ingest\n';
  process.stdout.write(json === true ? `${JSON.stringify(pulled)}\n` : text);
}
