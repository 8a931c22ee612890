import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { EXIT, GateError } from './errors.ts';
import type { RunId } from './ids.ts';

/** Where gate keeps things. Folders are 0700, files 0600, the CA certificate 0644. */
export interface GatePaths {
  readonly config: string;
  readonly data: string;
  readonly configFile: string;
  readonly allowlist: string;
  readonly denylist: string;
  readonly passthrough: string;
  readonly dismissals: string;
  readonly caDir: string;
  readonly caCert: string;
  readonly caKey: string;
  readonly runs: string;
  readonly actions: string;
  readonly heads: string;
  readonly index: string;
  readonly lock: string;
}

/**
 * Finds gate's folders: `$GATE_HOME/{config,data}` where that is set, else the XDG base directories
 * (https://specifications.freedesktop.org/basedir-spec/latest/). A relative `GATE_HOME` is an error,
 * a relative XDG variable is ignored as its specification asks.
 */
export function gatePaths(env: NodeJS.ProcessEnv): GatePaths {
  const { config, data } = roots(env);
  const caDir = join(config, 'ca');
  return {
    config,
    data,
    configFile: join(config, 'config.toml'),
    allowlist: join(config, 'allowlist.txt'),
    denylist: join(config, 'denylist.txt'),
    passthrough: join(config, 'passthrough.txt'),
    dismissals: join(config, 'dismissals.json'),
    caDir,
    caCert: join(caDir, 'ca.pem'),
    caKey: join(caDir, 'ca.key'),
    runs: join(data, 'runs'),
    actions: join(data, 'actions.jsonl'),
    heads: join(data, 'heads.jsonl'),
    index: join(data, 'index.sqlite'),
    lock: join(data, 'lock.sqlite'),
  };
}

/** The folder and the two files of one run. */
export function runPaths(paths: GatePaths, run: RunId): { dir: string; ledger: string; pack: string } {
  const dir = join(paths.runs, run);
  return { dir, ledger: join(dir, 'ledger.jsonl'), pack: join(dir, 'bodies.pack') };
}

function roots(env: NodeJS.ProcessEnv): { config: string; data: string } {
  const home = env['GATE_HOME'];
  if (home !== undefined && home !== '') {
    if (!isAbsolute(home)) {
      throw new GateError('bad_home', `GATE_HOME must be an absolute path, not '${home}'`, {
        hint: 'write it out from / on, or leave it out for ~/.config/gate and ~/.local/share/gate',
        exitCode: EXIT.usage,
      });
    }
    return { config: join(home, 'config'), data: join(home, 'data') };
  }
  return {
    config: join(xdg(env, 'XDG_CONFIG_HOME', '.config'), 'gate'),
    data: join(xdg(env, 'XDG_DATA_HOME', '.local/share'), 'gate'),
  };
}

function xdg(env: NodeJS.ProcessEnv, name: string, fallback: string): string {
  const value = env[name];
  if (value !== undefined && isAbsolute(value)) return value;
  return join(env['HOME'] || homedir(), fallback);
}
