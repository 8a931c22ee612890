import { createReadStream } from 'node:fs';
import { resolve } from 'node:path';
import type { Readable } from 'node:stream';
import * as z from 'zod';
import type { Scanner } from '../analysis/decode/scan.ts';
import { codeOf, EXIT, GateError, messageOf } from '../core/errors.ts';
import type { Io } from '../core/io.ts';
import type { Finding } from '../detect/types.ts';
import { columnWidths } from '../output/table.ts';
import { command, type DefineCommand } from './command.ts';
import { print } from './reading/print.ts';

interface ScanFlags {
  readonly jsonl?: boolean;
  readonly json?: boolean;
}

/** One line of `--jsonl` input. The id comes back as it was given. */
const Line = z.looseObject({
  id: z.union([z.string(), z.number()]),
  text: z.string(),
  contentType: z.string().nullish(),
});

/** `gate scan`: run the detectors over a file, standard input, or one text a line. */
export const defineScan: DefineCommand = (context) =>
  command('scan', 'Find secrets and personal data in a text', [
    ['gate scan notes.txt', 'list what was found, masked'],
    ['git diff | gate scan', 'scan standard input'],
    ['gate scan --json body.json', 'one object with all findings'],
    ['gate scan --jsonl texts.jsonl', 'one {id,text,contentType?} a line in, one {id,findings} a line out'],
  ])
    .argument('[file]', 'the file to scan; - or nothing is standard input')
    .option('--jsonl', 'scan one JSON object a line: {id, text, contentType?}')
    .option('--json', 'print one object: {findings: [{class, kind, start, end, masked}]}')
    .action(async (file: string | undefined, flags: ScanFlags) => {
      const { createScanner } = await import('../analysis/decode/scan.ts');
      const input = open(file ?? '-', context.io);
      const scanner = createScanner();
      const run = flags.jsonl === true ? scanLines : scanWhole;
      context.finish(await run(input, scanner, context.io, flags));
    });

function open(file: string, io: Io): Readable {
  if (file !== '-') return createReadStream(resolve(io.cwd, file));
  if (io.stdin.isTTY === true) io.stderr.write('gate: reading standard input; Ctrl-D ends it\n');
  return io.stdin;
}

async function scanWhole(input: Readable, scanner: Scanner, io: Io, flags: ScanFlags): Promise<number> {
  let text = '';
  for await (const piece of decoded(input)) text += piece;
  const findings = scanner.scan(text);
  if (flags.json === true) await print(io, `${JSON.stringify({ findings: findings.map(fields) })}\n`);
  else if (findings.length === 0) io.stderr.write('gate: nothing found\n');
  else await print(io, listing(text, findings));
  return EXIT.ok;
}

/** Bad lines are told on stderr, each with its number, and lose nothing but themselves; then the exit code is 2. */
async function scanLines(input: Readable, scanner: Scanner, io: Io): Promise<number> {
  let number = 0;
  let bad = 0;
  for await (const line of splitLines(decoded(input))) {
    number++;
    if (line.trim() === '') continue;
    const parsed = parseLine(line);
    if (typeof parsed === 'string') {
      bad++;
      io.stderr.write(`gate: line ${number}: ${parsed}\n`);
      continue;
    }
    const { id, text, contentType } = parsed;
    const findings = scanner.scan(text, typeof contentType === 'string' ? { contentType } : {});
    await print(io, `${JSON.stringify({ id, findings: findings.map(fields) })}\n`);
  }
  return bad === 0 ? EXIT.ok : EXIT.usage;
}

/** The line's object, or what is wrong with it. */
function parseLine(line: string): z.infer<typeof Line> | string {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (error) {
    return `not JSON: ${messageOf(error).replace(/\s+/g, ' ').slice(0, 120)}`;
  }
  const result = Line.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  return `${issue?.path.join('.') || 'line'}: ${issue?.message ?? 'not {id, text}'}`;
}

function fields({ class: kindClass, kind, start, end, masked }: Finding): Finding {
  return { class: kindClass, kind, start, end, masked };
}

/** `line:column  class  kind  masked`, counted from 1, columns in UTF-16 units. */
function listing(text: string, findings: readonly Finding[]): string {
  let line = 1;
  let lineStart = 0;
  const rows = findings.map((finding) => {
    for (let at = text.indexOf('\n', lineStart); at >= 0 && at < finding.start; ) {
      line++;
      lineStart = at + 1;
      at = text.indexOf('\n', lineStart);
    }
    return [`${line}:${finding.start - lineStart + 1}`, finding.class, finding.kind, finding.masked];
  });
  const widths = columnWidths(rows);
  return rows
    .map((row) =>
      row
        .map((cell, i) => cell.padEnd(widths[i] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .map((line) => `${line}\n`)
    .join('');
}

async function* decoded(input: Readable): AsyncGenerator<string> {
  const decoder = new TextDecoder('utf-8');
  try {
    for await (const chunk of input) {
      yield decoder.decode(typeof chunk === 'string' ? Buffer.from(chunk) : chunk, { stream: true });
    }
  } catch (error) {
    throw unreadable(error);
  }
  yield decoder.decode();
}

/** Lines end at LF only: readline would also cut at U+2028, which JSON strings may hold as it is. */
async function* splitLines(pieces: AsyncIterable<string>): AsyncGenerator<string> {
  let rest: string[] = [];
  for await (const piece of pieces) {
    let start = 0;
    for (let at = piece.indexOf('\n'); at >= 0; at = piece.indexOf('\n', start)) {
      yield rest.join('') + piece.slice(start, at);
      rest = [];
      start = at + 1;
    }
    if (start < piece.length) rest.push(piece.slice(start));
  }
  if (rest.length > 0) yield rest.join('');
}

function unreadable(error: unknown): unknown {
  const code = codeOf(error);
  if (code === undefined) return error;
  const what = code === 'ENOENT' ? 'no such file' : messageOf(error);
  return new GateError('unreadable_input', `cannot read the input: ${what}`, {
    hint: 'gate scan FILE, or - for standard input',
    exitCode: EXIT.usage,
    cause: error,
  });
}
