import { Argument, type Command } from 'commander';

export function register(program: Command): void {
  program
    .command('bench')
    .description('Measure, each figure beside its floor from the same run.')
    .addArgument(
      new Argument(
        '[names...]',
        'reads, actions, memory, lifecycles, carriers, hot-key, start, cache, import, policies; all of them without a name',
      ),
    )
    .option('--json', 'print the figures as JSON on stdout')
    .action(async (names: string[], { json }: { json?: true }) => {
      const { BENCHMARKS, runBenchmarks } = await import('../../bench/run.ts');
      const { holds, toTable } = await import('../../bench/report.ts');
      const unknown = names.filter((name) => !BENCHMARKS.includes(name));
      if (unknown.length > 0)
        program.error(`Unknown: ${unknown.join(', ')}. There are ${BENCHMARKS.join(', ')}.`);
      const rows = await runBenchmarks(names, (line) => process.stderr.write(`▸ ${line}\n`));
      process.stdout.write(json === true ? `${JSON.stringify(rows, null, 2)}\n` : `${toTable(rows)}\n`);
      process.exit(rows.every(holds) ? 0 : 1);
    });
}
