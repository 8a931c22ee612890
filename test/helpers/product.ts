import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { execa } from 'execa';

/** The built program. */
export const GATE = resolve('dist/cli.js');

/** A record as it stands in a ledger; tests look at the fields they know. */
export type AnyRecord = { readonly type: string; readonly seq: number } & Readonly<Record<string, unknown>>;

export interface GateOptions {
  /** Text for stdin; without it stdin is empty. */
  readonly input?: string;
  readonly cwd?: string;
  /** Variables besides those of the home. */
  readonly env?: Readonly<Record<string, string>>;
}

export interface GateResult {
  readonly exitCode: number | undefined;
  readonly signal: string | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

/** A person's home that exists for one test. */
export interface TestHome {
  readonly dir: string;
  readonly env: Readonly<Record<string, string>>;
  /** Runs gate with this home, to its end. Never rejects for an exit code. */
  gate(args: readonly string[], options?: GateOptions): Promise<GateResult>;
  /** Ids of the runs, oldest first. */
  runs(): string[];
  /** The records of a run, the latest where none is named. */
  ledger(run?: string): AnyRecord[];
  /** The acts of gate that are on record, oldest first. */
  actions(): AnyRecord[];
  /** A place below the folder of gate, as its documentation words it: `data/runs`. */
  at(place?: string): string;
  remove(): void;
}

/** Makes a home in a fresh temporary folder; no variable of the caller leads gate or its command elsewhere. */
export function testHome(): TestHome {
  const dir = mkdtempSync(join(tmpdir(), 'gate-test-'));
  const env = {
    PATH: process.env['PATH'] ?? '',
    HOME: dir,
    GATE_HOME: join(dir, 'gate'),
    LANG: 'C.UTF-8',
    TERM: 'xterm-256color',
  };
  const at = (place = '') => join(env.GATE_HOME, place);
  const runsDir = at('data/runs');
  const runs = () => readdirSync(runsDir).sort();
  return {
    dir,
    env,
    async gate(args, options = {}) {
      const { exitCode, signal, stdout, stderr } = await execa(process.execPath, [GATE, ...args], {
        cwd: options.cwd ?? dir,
        env: { ...env, ...options.env },
        extendEnv: false,
        reject: false,
        input: options.input ?? '',
        stripFinalNewline: false,
        timeout: 60_000,
      });
      return { exitCode, signal, stdout, stderr };
    },
    runs,
    ledger(run = runs().at(-1) ?? '') {
      return recordsOf(join(runsDir, run, 'ledger.jsonl'));
    },
    actions: () => recordsOf(at('data/actions.jsonl')),
    at,
    remove: () => rmSync(dir, { recursive: true, force: true }),
  };
}

function recordsOf(file: string): AnyRecord[] {
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as AnyRecord);
}

/** The records of the first exchange whose URL ends in `path`. */
export function exchangeOf(records: readonly AnyRecord[], path: string) {
  const request = records.find((each) => each.type === 'request' && String(each['url']).endsWith(path));
  const of = (type: string) => records.find((each) => each.type === type && each['id'] === request?.['id']);
  return { request, response: of('response'), end: of('end') };
}
