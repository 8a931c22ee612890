import { execFileSync } from 'node:child_process';
import { EXIT, GateError, messageOf } from '../../core/errors.ts';
import { shellWord } from '../../core/shell.ts';
import { type Machine, type Place, type Step, searchPath, type TrustStore } from './store.ts';
import { type StoreName, storeOf } from './stores.ts';

export type Change = 'install' | 'uninstall';

/** What became of one place of a store. */
export interface Changed {
  readonly store: StoreName;
  readonly path: string;
  /** `absent`: there was nothing to remove. */
  readonly outcome: 'installed' | 'removed' | 'absent';
}

/** The commands that a change takes, and what each place is; nothing is done yet. */
export interface Plan {
  readonly store: StoreName;
  readonly places: readonly Place[];
  readonly root: boolean;
}

/**
 * What a change of one trust store is made of. Throws a GateError with exit code 1: `no_trust_store` where gate knows
 * none of that name on this machine, `trust_lacking` where a program is missing, with what to install.
 */
export function planTrust(name: StoreName, machine: Machine): Plan {
  const store = storeOf(name, machine);
  if (store === undefined) {
    throw new GateError('no_trust_store', 'gate does not know how this system keeps its certificates', {
      hint: `install the package ca-certificates, or add ${machine.certFile} by the system's own means`,
      exitCode: EXIT.no,
    });
  }
  refuseLacking(name, store, machine);
  return { store: name, places: store.places(machine), root: store.root };
}

function refuseLacking(name: StoreName, store: TrustStore, machine: Machine): void {
  const lacking = store.lacking(machine);
  if (lacking === undefined) return;
  const { reason, hint } = lacking;
  throw new GateError('trust_lacking', `${name}: ${reason}`, { hint, exitCode: EXIT.no });
}

/** The command lines of a plan, as a person would type them. */
export function commandsOf({ places, root }: Plan, change: Change): string[] {
  const steps = places.flatMap((place) => place[change]).filter(({ mayFail }) => mayFail !== true);
  return [...new Set(steps.map((step) => `${root && !isRoot() ? 'sudo ' : ''}${shown(step)}`))];
}

/**
 * Carries a plan out, and calls `done` after each place. Throws a GateError with exit code 1: `needs_root` with what to
 * type, `trust_failed` where a program fails, with what it said.
 */
export function changeTrust(
  plan: Plan,
  change: Change,
  machine: Machine,
  done: (changed: Changed) => void,
): void {
  const { store, places, root } = plan;
  const concerned = places.filter((place) => change === 'install' || place.taken());
  if (root && concerned.length > 0 && !isRoot()) {
    throw new GateError('needs_root', `${store}: only root can change ${concerned[0]?.path ?? ''}`, {
      hint: commandsOf(plan, change).join(' && '),
      exitCode: EXIT.no,
    });
  }
  for (const place of places) {
    if (!concerned.includes(place)) {
      done({ store, path: place.path, outcome: 'absent' });
      continue;
    }
    for (const step of place[change]) carryOut(store, step, machine);
    done({ store, path: place.path, outcome: change === 'install' ? 'installed' : 'removed' });
  }
}

function carryOut(store: StoreName, step: Step, { env }: Machine): void {
  const [program, ...args] = step.command;
  try {
    execFileSync(program, args, {
      env: { ...env, PATH: searchPath(env) },
      stdio: ['ignore', 'pipe', 'pipe'],
      encoding: 'utf8',
    });
  } catch (cause) {
    if (step.mayFail === true) return;
    throw new GateError('trust_failed', `${store}: ${messageOf(cause).trim()}`, {
      hint: `${isRoot() ? '' : 'it may need root: sudo '}${shown(step)}`,
      exitCode: EXIT.no,
      cause,
    });
  }
}

function shown({ command }: Step): string {
  return command.map(shellWord).join(' ');
}

function isRoot(): boolean {
  return process.geteuid?.() === 0;
}
