import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { JailSpec } from '../../../platform/jail.ts';
import { loadAuthority, loadOrCreateAuthority } from '../../ca/authority.ts';
import { trustView } from '../../ca/bundle.ts';
import { type GatePaths, gatePaths } from '../../core/paths.ts';
import { chooseProxyPort, jailSpec } from '../../supervisor/jail-spec.ts';
import type { CheckContext } from '../check.ts';

/** Where the jail of a probe stands, and what must be hidden in it. */
export interface Scene {
  /** gate's own home, or, where that is not made yet, a scratch one. */
  readonly isScratch: boolean;
  readonly files: readonly string[];
  readonly proxyPort: number;
  /** The spec of a run's jail, with this command in it. */
  spec(command: readonly [string, ...string[]]): JailSpec;
  remove(): void;
}

/** Makes a folder with things to be hidden, outside gate's own. Throws the system's errors. */
export function setScene({ env, paths, root }: Pick<CheckContext, 'env' | 'paths' | 'root'>): Scene {
  const scratch = mkdtempSync(join(tmpdir(), 'gate-doctor-'));
  const remove = (): void => rmSync(scratch, { recursive: true, force: true });
  try {
    const own = usable(paths());
    const home = own ?? scratchHome(scratch);
    const secret = join(scratch, 'hidden', 'secret');
    mkdirSync(join(scratch, 'hidden'));
    writeFileSync(secret, 'secret\n', { mode: 0o600 });
    const authority = loadOrCreateAuthority(home);
    const trust = trustView({ authority, caDir: home.caDir, env });
    const captured = [80, 443];
    const proxyPort = chooseProxyPort(captured);
    return {
      isScratch: own === undefined,
      files: [secret, home.caKey],
      proxyPort,
      spec: (command) => {
        const spec = jailSpec({
          command,
          env: env['PATH'] === undefined ? {} : { PATH: env['PATH'] },
          cwd: '/',
          paths: home,
          root: root(),
          capturePorts: captured,
          proxyPort,
          trust,
          allowSockets: [],
          nestedNamespaces: true,
        });
        return { ...spec, covers: [...spec.covers, { folder: join(scratch, 'hidden'), files: [] }] };
      },
      remove,
    };
  } catch (error) {
    remove();
    throw error;
  }
}

/** gate's own home, where all of it is there: nothing is made in it for a look. */
function usable(paths: GatePaths): GatePaths | undefined {
  try {
    return loadAuthority(paths) === undefined ? undefined : existing(paths);
  } catch {
    // The check of the CA tells it.
    return undefined;
  }
}

function existing(paths: GatePaths): GatePaths | undefined {
  return existsSync(paths.config) && existsSync(paths.data) ? paths : undefined;
}

function scratchHome(scratch: string): GatePaths {
  const home = gatePaths({ GATE_HOME: join(scratch, 'home') });
  for (const folder of [home.config, home.data]) mkdirSync(folder, { recursive: true, mode: 0o700 });
  return home;
}
