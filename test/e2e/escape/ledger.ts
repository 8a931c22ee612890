/** Reading what a run wrote down. Done with plain JSON, so that no reader of the product can hide a gap. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export type PlainRecord = Readonly<Record<string, unknown>>;

/** The run folders in a data folder of gate, oldest first. */
export function runsOf(data: string): readonly string[] {
  const runs = join(data, 'runs');
  try {
    return readdirSync(runs)
      .filter((name) => /^[0-9A-Z]{26}$/.test(name))
      .sort()
      .map((name) => join(runs, name));
  } catch {
    return [];
  }
}

/** Every whole line of a run's ledger. A torn last line is left out, as the format says it may be. */
export function recordsOf(run: string): readonly PlainRecord[] {
  const text = readFileSync(join(run, 'ledger.jsonl'), 'utf8');
  return text
    .slice(0, text.lastIndexOf('\n') + 1)
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as PlainRecord);
}

function fieldOf(record: PlainRecord, path: string): unknown {
  let value: unknown = record;
  for (const step of path.split('.')) {
    if (typeof value !== 'object' || value === null) return undefined;
    value = (value as PlainRecord)[step];
  }
  return value;
}

/** Whether a record has these fields; a value that begins with `~` is a regular expression. */
export function matches(record: PlainRecord, wanted: Readonly<Record<string, string>>): boolean {
  return Object.entries(wanted).every(([path, value]) => {
    const found = String(fieldOf(record, path));
    return value.startsWith('~') ? new RegExp(value.slice(1), 'i').test(found) : found === value;
  });
}

/** One line per record, for the message of a test that did not find what it wanted. */
export function digest(records: readonly PlainRecord[]): string {
  return records
    .filter((record) => record['type'] !== 'analysis')
    .map((record) => {
      const { v, prev, at, headers, jail, lists, ...rest } = record;
      return JSON.stringify(rest).slice(0, 300);
    })
    .join('\n');
}
