import { existsSync, statSync } from 'node:fs';
import type { Authority } from '../../ca/authority.ts';
import { GateError } from '../../core/errors.ts';
import type { GatePaths } from '../../core/paths.ts';
import { commandLine } from '../../output/printable.ts';
import {
  type Check,
  fail,
  found,
  type Outcome,
  type Problem,
  problemOf,
  type Repair,
  warn,
} from '../check.ts';
import { bitsOf, octal, setMode } from '../modes.ts';

const DAY_MS = 86_400_000;
const SOON_DAYS = 30;

/** Is the local CA whole, in time, and its key nobody else's? */
export const authority: Check = {
  id: 'ca',
  title: 'Local CA',
  needs: ['home'],
  outsideOnly: true,
  async run({ paths }) {
    const all = paths();
    const has = { cert: existsSync(all.caCert), key: existsSync(all.caKey) };
    if (!has.cert) return found([notMade(all, has.key)], '');
    const modes = modeProblems(all, has.key);
    // Reading would only say the same of the key once more.
    if (modes.some(({ level }) => level === 'fail')) return found(modes, '');
    return withProblems(await load(all), modes);
  },
};

function withProblems(outcome: Outcome, problems: readonly Problem[]): Outcome {
  return 'skipped' in outcome ? outcome : found([...problems, ...outcome.problems], outcome.detail);
}

function notMade(paths: GatePaths, hasKey: boolean): Problem {
  const message = hasKey
    ? `${paths.caKey} has no certificate: the next run makes one`
    : 'there is no local CA yet: the first run makes it';
  const what = hasKey ? 'make a certificate for the key of the local CA' : 'make the local CA';
  const run = async (): Promise<void> => {
    const { loadOrCreateAuthority } = await import('../../ca/authority.ts');
    loadOrCreateAuthority(paths);
  };
  return warn(message, 'gate doctor --auto-repair', { what, run });
}

function modeProblems({ caCert, caKey }: GatePaths, hasKey: boolean): Problem[] {
  const problems: Problem[] = [];
  for (const path of hasKey ? [caCert, caKey] : [caCert]) {
    if (!statSync(path).isFile()) return [fail(`${path} is not a file`, 'gate ca regenerate')];
  }
  const key = hasKey ? statSync(caKey) : undefined;
  if (key !== undefined && bitsOf(key) !== 0o600) {
    const consequence = 'whoever has it can pose as any host to what trusts this CA; no run starts';
    const message = `${caKey} has mode ${octal(bitsOf(key))}: ${consequence}`;
    const fix = `${commandLine(['chmod', '600', caKey])}; if others use this machine, also \`gate ca regenerate\``;
    problems.push(fail(message, fix, setMode(caKey, 0o600)));
  }
  const cert = statSync(caCert);
  if (bitsOf(cert) !== 0o644) {
    const isOpen = (cert.mode & 0o022) !== 0;
    const message = `${caCert} has mode ${octal(bitsOf(cert))}: ${isOpen ? 'others can replace it' : 'tools of others cannot read it'}`;
    const fix = commandLine(['chmod', '644', caCert]);
    problems.push((isOpen ? fail : warn)(message, fix, setMode(caCert, 0o644)));
  }
  return problems;
}

async function load(paths: GatePaths): Promise<Outcome> {
  const { loadAuthority } = await import('../../ca/authority.ts');
  try {
    const loaded = loadAuthority(paths);
    return found(loaded === undefined ? [] : dateProblems(loaded, Date.now()), detailOf(loaded));
  } catch (error) {
    if (error instanceof GateError && error.code === 'ca_key_missing') {
      const message = `${error.message}: no run starts`;
      return found([fail(message, 'gate ca regenerate', remake(paths))], '');
    }
    // A key that is there is never replaced unasked: something may have been told to trust it.
    const { level, message, fix } = problemOf(error);
    return found([{ level, message: `${message}: no run starts`, fix }], '');
  }
}

function detailOf(loaded: Authority | undefined): string {
  if (loaded === undefined) return '';
  return `key and certificate belong together, valid to ${loaded.notAfter.toISOString().slice(0, 10)}`;
}

/** Whether the certificate is in its time, and for long enough. Pure. */
export function dateProblems(
  { notBefore, notAfter }: Pick<Authority, 'notBefore' | 'notAfter'>,
  now: number,
) {
  if (notBefore.getTime() > now) {
    const message = `the local CA is valid from ${notBefore.toISOString()} only: this machine's clock is wrong`;
    return [fail(message, 'set the clock; if it is right, `gate ca regenerate`')];
  }
  const days = Math.floor((notAfter.getTime() - now) / DAY_MS);
  if (days >= SOON_DAYS) return [];
  return [warn(`the local CA expires in ${days} days: no run starts after that`, 'gate ca regenerate')];
}

/** A certificate whose key is gone is of no use to anybody. */
function remake(paths: GatePaths): Repair {
  return {
    what: 'make a new local CA, since the key of the old one is gone',
    run: async () => {
      const { regenerateAuthority } = await import('../../ca/authority.ts');
      const { authorityFacts } = await import('../../ca/facts.ts');
      const { createActions } = await import('../../store/actions.ts');
      const before = authorityFacts(paths.caCert)?.sha256;
      const after = regenerateAuthority(paths).cert.fingerprint256;
      createActions(paths).record('ca.regenerate', { ...(before === undefined ? {} : { before }), after });
    },
  };
}
