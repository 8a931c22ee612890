import { resolve } from 'node:path';
import { Option } from 'commander';
import { EXIT } from '../core/errors.ts';
import type { Io } from '../core/io.ts';
import { EXPORT_FORMATS, type ExportFormat } from '../export/names.ts';
import { command, type DefineCommand, say } from './command.ts';
import type { GlobalFlags } from './global.ts';
import { compileArguments, FILTER_HELP, takesFilter } from './reading/filter.ts';
import { type Reading, withIndex } from './reading/open.ts';
import { print } from './reading/print.ts';
import { recordAction } from './record-action.ts';

interface ExportFlags extends GlobalFlags {
  readonly format: ExportFormat;
  readonly out?: string;
}

/** `gate export`: captured traffic, for other tools. */
export const defineExport: DefineCommand = ({ io, finish }) =>
  takesFilter(
    command('export', 'Take captured traffic elsewhere: bodies in clear, credentials as placeholders', [
      ['gate export run:last --format har --out run.har', 'for the network panel of a browser'],
      ['gate export host:api.example.com --format jsonl', 'one exchange a line, bodies decoded'],
      ['gate export flag:secret_in_request --format curl', 'commands that send the requests again'],
    ]),
  )
    .argument('[filter...]', FILTER_HELP)
    .addOption(
      new Option('--format <format>', 'har: HTTP Archive 1.2; jsonl: JSON objects; curl: a shell script')
        .choices(EXPORT_FORMATS)
        .makeOptionMandatory(),
    )
    .option('--out <file>', 'write to a file (mode 0600, whole or not at all) instead of standard output')
    .action(async (args: string[], flags: ExportFlags) => {
      await withIndex(io, flags, (reading) => exportTraffic(args, flags, io, reading));
      finish(EXIT.ok);
    });

async function exportTraffic(
  args: readonly string[],
  flags: ExportFlags,
  io: Io,
  { paths, index, events }: Reading,
): Promise<void> {
  const { WRITERS } = await import('../export/formats.ts');
  const { createSource, exchangesOnly } = await import('../export/source.ts');
  const where = await compileArguments(args, paths);
  const exchanges = events.count(exchangesOnly(where));
  const others = events.count(where) - exchanges;
  const out = flags.out === undefined ? undefined : resolve(io.cwd, flags.out);
  const filter = args.map((arg) => arg.trim()).join(' ');
  const facts = { format: flags.format, filter, exchanges, ...(out === undefined ? {} : { out }) };
  const unrecorded = { message: 'nothing exported, since it cannot be recorded', hint: 'gate doctor' };
  await recordAction(paths, 'export', facts, unrecorded);
  const pieces = WRITERS[flags.format](createSource({ paths, database: index.database, events, where }));
  if (out === undefined) for await (const piece of pieces) await print(io, piece);
  else {
    const { writeOutFile } = await import('../export/out-file.ts');
    await writeOutFile(out, pieces);
  }
  const left = others === 0 ? '' : `; ${others} tunnels and refusals have no content and are left out`;
  say(io, flags, `${exchanges} exchange${exchanges === 1 ? '' : 's'} exported${left}`);
  if (exchanges > 0)
    say(io, flags, 'bodies are as they were sent: secrets in them are in clear, share with care');
}
