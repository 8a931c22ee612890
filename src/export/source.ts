import { type GatePaths, runPaths } from '../core/paths.ts';
import { openPackIfThere, type PackReader } from '../store/pack-reader.ts';
import type { ListedEvent } from '../store/query/event.ts';
import type { EventReader } from '../store/query/events.ts';
import { readEventRecords } from '../store/query/records.ts';
import { joined, type Sql, sql } from '../store/query/sql.ts';
import type { SqliteDatabase } from '../store/sqlite.ts';
import { type ExportedExchange, readExchange } from './exchange.ts';
import type { ExportSource } from './formats.ts';

export interface SourceDeps {
  readonly paths: GatePaths;
  readonly database: SqliteDatabase;
  readonly events: EventReader;
  /** What the filter says. */
  readonly where: Sql;
}

/** Only exchanges have something to be taken elsewhere; tunnels and refusals were never read. */
export function exchangesOnly(where: Sql): Sql {
  return joined([where, sql("e.kind = 'exchange'")], 'AND');
}

/** Makes the source of an export from the index and the files of the runs. */
export function createSource(deps: SourceDeps): ExportSource {
  const { paths, events } = deps;
  const where = exchangesOnly(deps.where);

  function* heads(): Generator<Pick<ExportedExchange, 'event' | 'records'>> {
    for (const event of events.all(where)) {
      const found = events.one(event.run, seqOf(event));
      if (found === undefined) continue;
      const { ledger } = runPaths(paths, event.run);
      yield { event, records: readEventRecords(deps.database, found.row, ledger) };
    }
  }

  async function* exchanges(): AsyncGenerator<ExportedExchange> {
    let open: { run: string; pack: PackReader | undefined } | undefined;
    try {
      for (const { event, records } of heads()) {
        if (open?.run !== event.run) {
          await open?.pack?.close();
          open = {
            run: event.run,
            pack: await openPackIfThere(runPaths(paths, event.run).pack, { blocking: true }),
          };
        }
        yield await readExchange(event, records, open.pack);
      }
    } finally {
      await open?.pack?.close();
    }
  }

  return { heads, exchanges };
}

function seqOf({ id }: ListedEvent): number {
  return Number(id.slice(id.lastIndexOf(':') + 1));
}
