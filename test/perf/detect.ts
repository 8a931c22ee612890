import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createScanner } from '../../src/analysis/decode/scan.ts';
import { createDetector } from '../../src/detect/detector.ts';
import { hostileTexts } from '../unit/detect/hostile.ts';
import { SECRETS } from '../unit/detect/positives.ts';
import { Random } from '../unit/detect/random.ts';

/** `npm run bench:detect`: how fast the detectors are, on conversations and on what is made to slow them down. */

const HOSTILE_LENGTH = 100_000;
const ROUNDS = 8;

function filesUnder(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.(?:ts|md|json)$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name));
}

/** Turns as agents send them: prose, code read from files, command output; one value to find in every tenth. */
function conversation(): { text: string; body: string; stream: string } {
  const r = new Random(1);
  const root = join(import.meta.dirname, '../..');
  const files = ['src', 'platform', 'node_modules/commander', 'node_modules/zod/v4'].flatMap((f) =>
    filesUnder(join(root, f)),
  );
  const turns: { role: string; content: string }[] = [];
  let size = 0;
  for (const [i, file] of files.entries()) {
    if (size > 2_000_000) break;
    const extra = i % 10 === 0 ? `\nexport KEY=${r.pick(SECRETS).make(r)}\n` : '';
    const log = Array.from(
      { length: 8 },
      () =>
        `2026-11-21T10:${r.digits(2)}:${r.digits(2)}.${r.digits(3)}Z INFO ${r.uuid()} took ${r.digits(3)}ms`,
    ).join('\n');
    const content = `Please read this file and say what is wrong with it.\n${readFileSync(file, 'utf8').slice(0, 20_000)}${extra}\n${log}`;
    turns.push({ role: i % 2 === 0 ? 'user' : 'assistant', content });
    size += content.length;
  }
  const text = turns.map((turn) => turn.content).join('\n');
  const body = JSON.stringify({ model: 'm', messages: turns });
  const pieces = text.slice(0, 200_000).match(/[\s\S]{1,12}/g) ?? [];
  const stream = pieces
    .map(
      (piece) =>
        `event: content_block_delta\ndata: ${JSON.stringify({ type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: piece } })}\n\n`,
    )
    .join('');
  return { text, body, stream };
}

/** The conversation with one question more. */
function nextTurn(body: string): string {
  return `${body.slice(0, -2)},${JSON.stringify({ role: 'user', content: 'One more question.\nThanks' })}]}`;
}

/** The best of some rounds, in milliseconds: what the code costs, not what the machine was doing. */
function best(rounds: number, run: () => void): number {
  let least = Number.POSITIVE_INFINITY;
  for (let i = 0; i < rounds; i++) {
    const start = performance.now();
    run();
    least = Math.min(least, performance.now() - start);
  }
  return least;
}

function main(): void {
  const detector = createDetector();
  const scanner = createScanner();
  const { text, body, stream } = conversation();
  let grown = nextTurn(body);
  const rows: { what: string; chars: number; ms: number }[] = [];
  const row = (what: string, chars: number, run: () => void) =>
    rows.push({ what, chars, ms: best(ROUNDS, run) });
  row('conversation text, one reading', text.length, () => detector.detect(text));
  row('conversation text, all readings', text.length, () => scanner.scan(text));
  row('request body (JSON), all readings', body.length, () => scanner.scan(body));
  row('event stream, all readings', stream.length, () => scanner.scan(stream));
  const remembering = createScanner({ remember: true });
  remembering.scan(body);
  // each round one turn more, as in a conversation; decoded from bytes, as bodies are
  const turns = Array.from({ length: ROUNDS }, () => {
    grown = nextTurn(grown);
    return Buffer.from(grown).toString('utf8');
  });
  row('repeated turn, remembered', grown.length, () => remembering.scan(turns.shift() ?? ''));
  const slowest = [...hostileTexts(HOSTILE_LENGTH)]
    .map(([what, hostile]) => ({
      what: `hostile: ${what}`,
      chars: hostile.length,
      ms: best(3, () => scanner.scan(hostile)),
    }))
    .sort((a, b) => b.ms - a.ms)
    .slice(0, 5);
  const all = [...rows, ...slowest].map((r) => ({
    ...r,
    ms: Number(r.ms.toFixed(2)),
    mbPerS: Number((r.chars / 1000 / r.ms).toFixed(1)),
  }));
  console.table(all);
  console.log(JSON.stringify({ benchmark: 'detect', rows: all }));
}

main();
