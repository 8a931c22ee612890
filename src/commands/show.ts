import { Body } from '../core/body.ts';
import { EXIT, GateError } from '../core/errors.ts';
import { shortExchangeId } from '../core/ids.ts';
import type { Io } from '../core/io.ts';
import { runPaths } from '../core/paths.ts';
import type { PackReader } from '../store/pack-reader.ts';
import type { ListedEvent } from '../store/query/event.ts';
import type { EventRecords } from '../store/query/records.ts';
import { command, type DefineCommand } from './command.ts';
import type { GlobalFlags } from './global.ts';
import { lookOf } from './look.ts';
import { findExchange, ID_HELP, noSuchExchange } from './reading/exchange-id.ts';
import { type Reading, withIndex } from './reading/open.ts';
import { print } from './reading/print.ts';
import { recordAction } from './record-action.ts';

interface ShowFlags extends GlobalFlags {
  readonly json?: boolean;
  readonly full?: boolean;
  readonly raw?: string;
}

/** Bytes of a body that are decoded and searched for secrets before it is shown. */
const BODY_LIMIT = 32 * 1024 * 1024;

/** `gate show`: one exchange, decoded and masked. */
export const defineShow: DefineCommand = ({ io, finish }) =>
  command('show', 'Show one exchange, decoded, with secrets masked', [
    ['gate show last:42', 'exchange 42 of the last run'],
    ['gate show K3F9QZ:42 --full', 'bodies to their end'],
    ['gate show K3F9QZ:42 --json', 'as one JSON object'],
    [
      'gate show K3F9QZ:42 --raw response > answer',
      'the stored bytes, unmasked; that it was done is recorded',
    ],
  ])
    .argument('<id>', ID_HELP)
    .option('--full', 'show long bodies to their end')
    .option('--raw <side>', 'write the stored bytes of one body, unmasked: request, response, or message:N')
    .option('--json', 'print one JSON object')
    .action(async (id: string, flags: ShowFlags) => {
      await withIndex(io, flags, (reading) => show(id, flags, io, reading));
      finish(EXIT.ok);
    });

async function show(id: string, flags: ShowFlags, io: Io, { paths, index, events }: Reading): Promise<void> {
  const { openPackIfThere } = await import('../store/pack-reader.ts');
  const { readEventRecords } = await import('../store/query/records.ts');
  const wanted = await findExchange(id, paths);
  const found = events.one(wanted.run.run, wanted.seq);
  if (found === undefined) throw noSuchExchange(wanted);
  const records = readEventRecords(index.database, found.row, wanted.run.ledger);
  const pack = await openPackIfThere(runPaths(paths, wanted.run.run).pack);
  try {
    if (flags.raw !== undefined) await writeRaw(found.event.id, flags.raw, { records, pack, io, paths });
    else await print(io, await shownText(found.event, records, pack, flags, io));
  } finally {
    await pack?.close();
  }
}

async function shownText(
  event: ListedEvent,
  records: EventRecords,
  pack: PackReader | undefined,
  flags: ShowFlags,
  io: Io,
): Promise<string> {
  const { viewExchange } = await import('../analysis/exchange-view.ts');
  const { createScanner } = await import('../analysis/decode/scan.ts');
  const view = await viewExchange(records, { pack, scanner: createScanner(), limit: BODY_LIMIT });
  const shown = { ...event, ...view };
  if (flags.json === true) return `${JSON.stringify(shown)}\n`;
  const { showText } = await import('../output/show.ts');
  return showText(shown, { paint: lookOf(io, flags).paint, full: flags.full === true });
}

interface RawDeps {
  readonly records: EventRecords;
  readonly pack: PackReader | undefined;
  readonly io: Io;
  readonly paths: Reading['paths'];
}

/** Writes a body as it is stored. Recorded first: what cannot be recorded is not shown. */
async function writeRaw(id: string, side: string, { records, pack, io, paths }: RawDeps): Promise<void> {
  const body = bodyOf(records, side);
  const short = shortExchangeId(id);
  if (body === undefined) {
    throw new GateError('no_such_body', `${short} has no body '${side}'`, {
      hint: `gate show ${short}`,
      exitCode: EXIT.no,
    });
  }
  if (pack === undefined) {
    throw new GateError('body_missing', 'the file with the bodies of this run cannot be read', {
      hint: `gate verify ${short.split(':')[0]}`,
      exitCode: EXIT.no,
    });
  }
  if (io.stdout.isTTY === true && !(await isHarmless(pack, body))) {
    throw new GateError('binary_to_terminal', 'these bytes would disturb the terminal', {
      hint: `gate show ${short} --raw ${side} > FILE`,
      exitCode: EXIT.no,
    });
  }
  const facts = { exchange: id, side, bytes: body.bytes, sha256: body.sha256 };
  const unrecorded = { message: 'not shown, since it cannot be recorded', hint: `gate show ${short}` };
  await recordAction(paths, 'raw_peek', facts, unrecorded);
  for await (const piece of pack.stream(body)) await print(io, piece);
}

function bodyOf({ request, end, messages }: EventRecords, side: string): Body | undefined {
  const n = /^message:(\d{1,9})$/.exec(side)?.[1];
  if (n !== undefined) return messages.find((message) => message.n === Number(n))?.body ?? undefined;
  if (side === 'request') return Body.safeParse(end?.requestBody ?? request?.body).data;
  if (side === 'response') return end?.responseBody ?? undefined;
  throw new GateError('usage', `--raw ${side}: there is no such side`, {
    hint: 'one of: request, response, message:N',
    exitCode: EXIT.usage,
  });
}

/** Whether there are no control characters but those of text. */
async function isHarmless(pack: PackReader, body: Body): Promise<boolean> {
  for await (const piece of pack.stream(body)) {
    const isText = piece.every((byte) => (byte >= 0x20 ? byte !== 0x7f : [9, 10, 13].includes(byte)));
    if (!isText) return false;
  }
  return true;
}
