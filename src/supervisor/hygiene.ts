import { join } from 'node:path';
import type { TrustPaths } from '../ca/bundle.ts';
import { type EnvironmentChange, type Isolation, trustEnvironment } from './trust-env.ts';

/** A variable that leads a command to something that does not exist in the jail, where it would wait or fail. */
interface Dangling {
  readonly name: string;
  readonly why: string;
  /** The socket paths by which the variable's value works; where one is let in, the variable stays. */
  readonly sockets?: (value: string, env: NodeJS.ProcessEnv) => readonly string[];
  /** Goes only where the value matches: other values work in the jail. */
  readonly matching?: RegExp;
  /** Goes and stays with another variable of this table. */
  readonly with?: string;
}

const plain = (value: string): readonly string[] => [value];
const inRuntimeDir = (value: string, env: NodeJS.ProcessEnv): readonly string[] => [
  value.startsWith('/') ? value : join(env['XDG_RUNTIME_DIR'] ?? '/', value),
];
const unixUrl = (value: string): readonly string[] => /^unix:(?:\/\/)?(\/[^,;]*)/.exec(value)?.slice(1) ?? [];

const EDITOR_HELPER = /vscode|code-server|cursor|windsurf|vscodium/i;
const GRAPHICAL_HELPER = /askpass|seahorse|kwallet|pinentry/i;

/** What is taken out of a jailed command's environment, and why. */
export const DANGLING: readonly Dangling[] = [
  // Displays
  { name: 'DISPLAY', why: 'the X server is out of reach', sockets: (value) => xSocket(value) },
  { name: 'XAUTHORITY', why: 'opens nothing without a display', with: 'DISPLAY' },
  { name: 'WAYLAND_DISPLAY', why: 'the compositor is out of reach', sockets: inRuntimeDir },
  { name: 'WAYLAND_SOCKET', why: 'names a descriptor that is not passed on' },
  { name: 'SWAYSOCK', why: 'controls the compositor', sockets: plain },
  { name: 'I3SOCK', why: 'controls the window manager', sockets: plain },
  { name: 'NIRI_SOCKET', why: 'controls the compositor', sockets: plain },
  { name: 'HYPRLAND_INSTANCE_SIGNATURE', why: 'controls the compositor' },
  { name: 'SESSION_MANAGER', why: 'the X session manager is out of reach' },
  { name: 'PULSE_SERVER', why: 'the sound server is out of reach', sockets: unixUrl },
  { name: 'PIPEWIRE_REMOTE', why: 'the media server is out of reach', sockets: inRuntimeDir },
  // Buses and service managers
  {
    name: 'DBUS_SESSION_BUS_ADDRESS',
    why: 'services on the bus act outside',
    sockets: (value) => busPaths(value),
  },
  {
    name: 'DBUS_SYSTEM_BUS_ADDRESS',
    why: 'services on the bus act outside',
    sockets: (value) => busPaths(value),
  },
  {
    name: 'AT_SPI_BUS_ADDRESS',
    why: 'the accessibility bus is out of reach',
    sockets: (value) => busPaths(value),
  },
  { name: 'NOTIFY_SOCKET', why: 'reports to the service manager', sockets: plain },
  { name: 'LISTEN_FDS', why: 'counts descriptors that are not passed on' },
  { name: 'LISTEN_PID', why: 'names a process outside' },
  { name: 'LISTEN_FDNAMES', why: 'names descriptors that are not passed on' },
  // Agents that hold keys
  { name: 'SSH_AUTH_SOCK', why: 'the agent signs for whoever asks', sockets: plain },
  { name: 'SSH_AGENT_PID', why: 'names a process outside', with: 'SSH_AUTH_SOCK' },
  {
    name: 'GPG_AGENT_INFO',
    why: 'the agent signs for whoever asks',
    sockets: (value) => [value.split(':')[0] ?? ''],
  },
  { name: 'GNOME_KEYRING_CONTROL', why: 'the keyring is out of reach', sockets: plain },
  // Helpers that ask a person in a window
  {
    name: 'SSH_ASKPASS',
    why: 'its window cannot open',
    matching: new RegExp(`${GRAPHICAL_HELPER.source}|${EDITOR_HELPER.source}`, 'i'),
  },
  {
    name: 'GIT_ASKPASS',
    why: 'its window cannot open',
    matching: new RegExp(`${GRAPHICAL_HELPER.source}|${EDITOR_HELPER.source}`, 'i'),
  },
  { name: 'SUDO_ASKPASS', why: 'its window cannot open', matching: GRAPHICAL_HELPER },
  // Terminals and multiplexers: their sockets type into other windows
  { name: 'TMUX', why: 'the server runs commands outside', sockets: (value) => [value.split(',')[0] ?? ''] },
  { name: 'TMUX_PANE', why: 'names a pane of that server', with: 'TMUX' },
  { name: 'STY', why: 'the screen server runs commands outside' },
  { name: 'ZELLIJ', why: 'the zellij server runs commands outside' },
  { name: 'ZELLIJ_SESSION_NAME', why: 'names a session of that server' },
  { name: 'ZELLIJ_PANE_ID', why: 'names a pane of that server' },
  { name: 'KITTY_LISTEN_ON', why: 'controls the terminal', sockets: unixUrl },
  { name: 'WEZTERM_UNIX_SOCKET', why: 'controls the terminal', sockets: plain },
  { name: 'ALACRITTY_SOCKET', why: 'controls the terminal', sockets: plain },
  { name: 'GNOME_TERMINAL_SERVICE', why: 'controls the terminal over D-Bus' },
  { name: 'GNOME_TERMINAL_SCREEN', why: 'controls the terminal over D-Bus' },
  // Editors
  { name: 'NVIM', why: 'the editor runs commands outside', sockets: plain },
  { name: 'NVIM_LISTEN_ADDRESS', why: 'the editor runs commands outside', sockets: plain },
  { name: 'EMACS_SOCKET_NAME', why: 'the editor runs commands outside', sockets: plain },
  { name: 'EMACS_SERVER_FILE', why: 'names a server on the loopback outside' },
  { name: 'VSCODE_IPC_HOOK_CLI', why: 'the editor opens files and windows outside', sockets: plain },
  { name: 'VSCODE_IPC_HOOK', why: 'the editor opens files and windows outside', sockets: plain },
  { name: 'VSCODE_GIT_IPC_HANDLE', why: 'the editor hands out git credentials', sockets: plain },
  { name: 'VSCODE_GIT_ASKPASS_NODE', why: 'part of that helper', with: 'VSCODE_GIT_IPC_HANDLE' },
  { name: 'VSCODE_GIT_ASKPASS_MAIN', why: 'part of that helper', with: 'VSCODE_GIT_IPC_HANDLE' },
  { name: 'VSCODE_GIT_ASKPASS_EXTRA_ARGS', why: 'part of that helper', with: 'VSCODE_GIT_IPC_HANDLE' },
  { name: 'BROWSER', why: "the editor's browser helper needs its socket", matching: EDITOR_HELPER },
  { name: 'CLAUDE_CODE_SSE_PORT', why: 'names a port of the editor on the loopback outside' },
  { name: 'GEMINI_CLI_IDE_SERVER_PORT', why: 'names a port of the editor on the loopback outside' },
  // Daemons that act outside
  { name: 'DOCKER_HOST', why: 'the daemon starts containers outside', sockets: unixUrl },
  { name: 'CONTAINER_HOST', why: 'podman starts containers outside', sockets: unixUrl },
  { name: 'BUILDKIT_HOST', why: 'the daemon builds outside', sockets: unixUrl },
  { name: 'WSL_INTEROP', why: 'starts Windows programs', sockets: plain },
];

/** `:0` and `unix:0.1` are X sockets; `host:10.0` is TCP to a forwarder outside. */
function xSocket(display: string): readonly string[] {
  const number = /^(?:unix)?:(\d+)/.exec(display)?.[1];
  return number === undefined ? [] : [`/tmp/.X11-unix/X${number}`];
}

/** The paths in a D-Bus address list: `unix:path=/run/user/1000/bus,guid=…;tcp:…`. */
function busPaths(address: string): readonly string[] {
  return [...address.matchAll(/(?:^|;)unix:(?:[^;]*,)?path=([^,;]*)/g)].flatMap(([, path]) => path ?? []);
}

/** The variables of an environment that lead nowhere in the jail. Pure. */
export function danglingVariables(env: NodeJS.ProcessEnv, allowSockets: readonly string[]): string[] {
  const goes = (row: Dangling): boolean => {
    const value = env[row.name];
    if (row.with !== undefined) {
      const other = DANGLING.find((each) => each.name === row.with);
      return value !== undefined && (other === undefined || env[other.name] === undefined || goes(other));
    }
    if (value === undefined || row.matching?.test(value) === false) return false;
    return !(row.sockets?.(value, env) ?? []).some((path) => isAllowed(path, allowSockets));
  };
  return DANGLING.filter(goes).map((row) => row.name);
}

function isAllowed(path: string, allowSockets: readonly string[]): boolean {
  return allowSockets.some(
    (allowed) => path === allowed || path.startsWith(`${allowed.replace(/\/+$/, '')}/`),
  );
}

export interface ChildEnvironmentOptions {
  /** The run's id. */
  readonly run: string;
  /** The proxy's port on 127.0.0.1, as the command sees it. */
  readonly proxyPort: number;
  /** What the proxy asks for; undefined where it asks for nothing. */
  readonly proxyPassword?: string;
  readonly trust: TrustPaths;
  readonly isolation: Isolation;
  /** Control sockets that are left reachable. */
  readonly allowSockets: readonly string[];
}

/** The whole environment of the command: the user's, without what leads nowhere, with gate's own. Pure. */
export function childEnvironment(
  env: NodeJS.ProcessEnv,
  options: ChildEnvironmentOptions,
): Record<string, string> {
  const change = trustEnvironment(env, options);
  // Without a jail nothing is masked, and all of these work.
  const dangling = options.isolation === 'none' ? [] : danglingVariables(env, options.allowSockets);
  return { ...without(env, change, dangling), ...change.set, GATE_RUN: options.run };
}

function without(
  env: NodeJS.ProcessEnv,
  change: EnvironmentChange,
  dangling: readonly string[],
): Record<string, string> {
  const anyCase = new Set(change.unset);
  const exact = new Set(dangling);
  const kept: Record<string, string> = {};
  for (const [name, value] of Object.entries(env)) {
    if (value !== undefined && !exact.has(name) && !anyCase.has(name.toUpperCase())) kept[name] = value;
  }
  return kept;
}
