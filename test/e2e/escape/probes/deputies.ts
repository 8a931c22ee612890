/** Daemons that would act for the agent outside: every one is a fake of the test, listening where the real one does. */
import { both, type Need, type Probe, py } from '../probe.ts';
import type { Target } from '../sinks.ts';

const CLASS = 'deputies';
const GONE = /^E(NOENT|CONNREFUSED|ACCES|NOTDIR|XDEV|PERM)$/;

interface Deputy {
  readonly name: string;
  readonly path: string;
  /** Below /run or /tmp/.X11-unix, which only root can make its own. */
  readonly staged?: boolean;
}

const SYSTEM: readonly Deputy[] = [
  ['docker', '/run/docker.sock'],
  ['podman', '/run/podman/podman.sock'],
  ['containerd', '/run/containerd/containerd.sock'],
  ['crio', '/run/crio/crio.sock'],
  ['buildkit', '/run/buildkit/buildkitd.sock'],
  ['libvirt', '/run/libvirt/libvirt-sock'],
  ['snapd', '/run/snapd.socket'],
  ['lxd', '/run/lxd.socket'],
  ['multipass', '/run/multipass_socket'],
  ['system bus', '/run/dbus/system_bus_socket'],
  ['systemd private', '/run/systemd/private'],
  ['journal', '/run/systemd/journal/stdout'],
  ['systemd-resolved', '/run/systemd/resolve/io.systemd.Resolve'],
  ['nscd', '/run/nscd/socket'],
  ['avahi', '/run/avahi-daemon/socket'],
  ['cups', '/run/cups/cups.sock'],
  ['acpid', '/run/acpid.socket'],
  ['X11', '/tmp/.X11-unix/X77'],
].map(([name = '', path = '']) => ({ name, path, staged: true }));

const SESSION: readonly Deputy[] = [
  ['docker rootless', '{runtime}/docker.sock'],
  ['podman rootless', '{runtime}/podman/podman.sock'],
  ['session bus', '{runtime}/bus'],
  ['user systemd', '{runtime}/systemd/private'],
  ['wayland', '{runtime}/wayland-0'],
  ['pipewire', '{runtime}/pipewire-0'],
  ['pulseaudio', '{runtime}/pulse/native'],
  ['gnome keyring', '{runtime}/keyring/ssh'],
  ['emacs server', '{runtime}/emacs/server'],
  ['nvim server', '{runtime}/nvim.4242.0'],
  ['VS Code ipc', '{runtime}/vscode-ipc-1234.sock'],
  ['zellij', '{runtime}/zellij/0.40/main'],
  ['docker desktop', '{home}/.docker/run/docker.sock'],
  ['colima', '{home}/.colima/default/docker.sock'],
  ['lima', '{home}/.lima/default/ha.sock'],
  ['gpg agent of the home', '{home}/.gnupg/S.gpg-agent.extra'],
  ['ControlMaster', '{home}/.ssh/cm-user@host:22'],
  ['a socket inside the repository', '{home}/repo/.dev/agent.sock'],
  ['a socket with a space in its name', '{home}/repo/a b/agent.sock'],
  ['kitty', '{dir}/mykitty-1'],
  ['a socket to be moved', '{home}/moving/dev/agent.sock'],
].map(([name = '', path = '']) => ({ name, path }));

const ALL = [...SYSTEM, ...SESSION];

export const SOCKETS: readonly Target[] = [
  ...SESSION.map(({ name, path }): Target => ({ name: `deputy.${slug(name)}`, kind: 'unix', path })),
  { name: 'dgram', kind: 'unixdgram', path: '{home}/repo/log.sock' },
  { name: 'abstract', kind: 'unix', path: '@gate-escape-{mark}' },
  { name: 'abstractX', kind: 'unix', path: '@/tmp/.X11-unix/X{mark}' },
];

/** Only where the scene has a private /run. */
export const STAGED_SOCKETS: readonly Target[] = SYSTEM.map(
  ({ name, path }): Target => ({ name: `deputy.${slug(name)}`, kind: 'unix', path }),
);

function slug(name: string): string {
  return name.replaceAll(' ', '-');
}

function unix(name: string, args: readonly string[], expect = GONE, needs: readonly Need[] = []): Probe {
  return { name, class: CLASS, ...both(py('unix', ...args)), expect, needs };
}

const REPO = '{deputy.a-socket-inside-the-repository.path}';
const DOCKER = '{deputy.docker-desktop.path}';
const MOVING = '{deputy.a-socket-to-be-moved.path}';

export const DEPUTIES: readonly Probe[] = [
  ...ALL.filter((one) => !one.name.endsWith('moved')).map((one) =>
    unix(
      `socket of ${one.name}`,
      ['stream', `{deputy.${slug(one.name)}.path}`],
      GONE,
      one.staged ? ['far'] : [],
    ),
  ),
  unix('socket in the repository by a symbolic link', ['link', REPO, 'symbolic']),
  unix('socket in the repository by a hard link', ['link', REPO, 'hard']),
  unix(
    'socket in the repository after its folder moved',
    ['renamed', MOVING],
    /^E(BUSY|CONNREFUSED|NOENT|XDEV|ACCES)$/,
  ),
  unix('socket in the repository through /proc/self/root', ['through_self', REPO, 'root']),
  unix('docker through /proc/self/root', ['through_self', DOCKER, 'root']),
  unix('docker by a symbolic link', ['link', DOCKER, 'symbolic']),
  unix('docker by a hard link', ['link', DOCKER, 'hard']),
  unix('datagram socket by sendto', ['datagram', '{dgram.path}', 'sendto'], /^ESOCKTNOSUPPORT$/),
  unix('datagram socket by connect', ['datagram', '{dgram.path}', 'connect'], /^ESOCKTNOSUPPORT$/),
  unix('datagram socket by a socketpair aimed anew', ['datagram', '{dgram.path}', 'socketpair']),
  unix('abstract socket', ['stream', '{abstract.path}'], /^ECONNREFUSED$/),
  unix('abstract X11 socket', ['stream', '{abstractX.path}'], /^ECONNREFUSED$/),
  unix('list of the sockets of the machine', ['listed', 'gate-escape-{mark}'], /^not listed$/),
];
