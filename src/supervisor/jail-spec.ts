import { existsSync, readdirSync, readFileSync, realpathSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import type { JailSpec } from '../../platform/jail.ts';
import type { TrustView } from '../ca/bundle.ts';
import { isInstalled, sqliteFolder } from '../core/package-root.ts';
import type { GatePaths } from '../core/paths.ts';
import { hostsFile, resolvConf } from '../proxy/dns/resolv.ts';

export interface JailSpecOptions {
  readonly command: readonly [string, ...string[]];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  readonly paths: GatePaths;
  /** This installation's folder. */
  readonly root: string;
  readonly capturePorts: readonly number[];
  readonly proxyPort: number;
  readonly trust: TrustView;
  readonly allowSockets: readonly string[];
  readonly nestedNamespaces: boolean;
}

/** What the jail of a run must be: what it hides, what it makes read-only, and what it puts in place. */
export function jailSpec(options: JailSpecOptions): JailSpec {
  const { command, env, cwd, paths, trust } = options;
  return {
    command,
    env,
    cwd,
    capturePorts: options.capturePorts,
    loopbackPorts: [],
    proxyPort: options.proxyPort,
    readOnly: [paths.config, ...linkedSettings(paths), ...programFiles(options.root), process.execPath],
    covers: [trust.cover, { folder: paths.data, files: [] }, ...sshSnippets()],
    overlays: trust.overlays,
    replaced: [
      { path: '/etc/resolv.conf', content: resolvConf() },
      { path: '/etc/hosts', content: hostsFile(hostname()) },
      ...trust.replaced,
    ],
    allowSockets: options.allowSockets,
    nestedNamespaces: options.nestedNamespaces,
  };
}

/** In a clone, where everything else is somebody's work. */
const PROGRAM = ['dist', 'node_modules', 'profiles', 'package.json'];

/** What the next `gate` will run: an agent that could change it would be out of the jail tomorrow. */
function programFiles(root: string): string[] {
  // Where it is installed also what is not there yet: a `node_modules` of its own would be looked at first.
  const own = isInstalled(root)
    ? [root]
    : PROGRAM.map((name) => join(root, name)).filter((path) => existsSync(path));
  // By itself as well: of what is in a `node_modules`, only what is named is looked for by other names (hard links).
  return [...own, sqliteFolder(root)];
}

/** Settings that are symbolic links (people keep them in a repository of dotfiles): their targets lie elsewhere. */
function linkedSettings({ configFile, allowlist, denylist, passthrough, dismissals }: GatePaths): string[] {
  return [configFile, allowlist, denylist, passthrough, dismissals].flatMap((file) => {
    const target = existsSync(file) ? realpathSync(file) : file;
    return target === file ? [] : [target];
  });
}

const SSH_SNIPPETS = '/etc/ssh/ssh_config.d';

/**
 * ssh refuses snippets that belong to neither root nor the user, and in a normal user's jail root's files belong
 * to nobody: copies that belong to the user stand in their place.
 */
function sshSnippets(): JailSpec['covers'] {
  if (process.geteuid?.() === 0 || !existsSync(SSH_SNIPPETS)) return [];
  const files = readdirSync(SSH_SNIPPETS, { withFileTypes: true })
    .filter((entry) => entry.isFile() || entry.isSymbolicLink())
    .flatMap(({ name }) => {
      const content = readOrUndefined(join(SSH_SNIPPETS, name));
      return content === undefined ? [] : [{ name, content }];
    });
  return files.length === 0 ? [] : [{ folder: SSH_SNIPPETS, files }];
}

/** What the user cannot read, the user's ssh would not have read either. */
function readOrUndefined(file: string): Buffer | undefined {
  try {
    return readFileSync(file);
  } catch {
    return undefined;
  }
}

/** The port of the proxy in the jail: the usual one of HTTP proxies, or the next that nothing else captures. */
export function chooseProxyPort(captured: readonly number[]): number {
  let port = 3128;
  while (captured.includes(port)) port += 1;
  return port;
}
