/**
 * What only root can build for a test: a private /run full of the test's own daemons, a name server of the
 * test's own, and a network behind a veth pair. All of it belongs to processes, so it goes when they go.
 */
import { execFileSync } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { existsSync, mkdirSync, readlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Identity } from './identity.ts';
import { type SinkOptions, type Sinks, startSinks } from './sinks.ts';

/** Ports that the far side listens on: those which gate captures, and those which it refuses. */
export const FAR = [
  { name: 'far80', kind: 'tcp', port: 80 },
  { name: 'far443', kind: 'tls', port: 443 },
  { name: 'farDot', kind: 'tcp', port: 853 },
  { name: 'farHigh', kind: 'tcp', port: 4444 },
  { name: 'farDnsTcp', kind: 'tcp', port: 53 },
  { name: 'farDns', kind: 'dns', port: 53 },
  { name: 'farNtp', kind: 'udp', port: 123 },
  { name: 'farQuic', kind: 'udp', port: 443 },
] as const;

function ip(...args: readonly string[]): void {
  execFileSync('ip', args, { stdio: 'pipe' });
}

async function wire(pid: number, device: string, net: string): Promise<void> {
  const own = readlinkSync('/proc/self/ns/net');
  while (readlinkSync(`/proc/${pid}/ns/net`) === own) await sleep(5);
  ip('link', 'add', device, 'type', 'veth', 'peer', 'name', 'far0', 'netns', String(pid));
  ip('addr', 'add', `${net}.1/30`, 'dev', device);
  ip('link', 'set', device, 'up');
  const there = ['nsenter', `--net=/proc/${pid}/ns/net`, 'ip'];
  for (const words of [`addr add ${net}.2/30 dev far0`, 'link set far0 up', 'link set lo up']) {
    execFileSync('nsenter', [...there.slice(1), ...words.split(' ')], { stdio: 'pipe' });
  }
}

/** Sinks in a network namespace of their own, one private hop away. */
export async function startFar(options: Omit<SinkOptions, 'listen'>): Promise<Sinks & { address: string }> {
  const mark = randomInt(1, 250);
  const net = `10.203.${mark}`;
  // `{far}` in the zone is the far side itself, whose address is only known here.
  const zone = Object.fromEntries(
    Object.entries(options.zone ?? {}).map(([name, all]) => [
      name,
      all.map((one) => one.replace('{far}', `${net}.2`)),
    ]),
  );
  const sinks = await startSinks({
    ...options,
    zone,
    listen: FAR.map((target) => ({ ...target, address: `${net}.2` })),
    behind: ['unshare', '--net', '--'],
    prepare: (pid) => wire(pid, `gesc${mark}`, net),
  });
  return { ...sinks, address: `${net}.2` };
}

/** A command line that gives what follows a private /run, X11 folder, resolver and hosts file. */
export function privateRun(dir: string, identity: Identity, nameserver: string): readonly string[] {
  const [resolv, hosts, x11] = [join(dir, 'resolv.conf'), join(dir, 'hosts'), join(dir, 'x11')];
  writeFileSync(resolv, `nameserver ${nameserver}\noptions timeout:1 attempts:1\n`);
  writeFileSync(hosts, '127.0.0.1 localhost\n127.0.0.1 loop-in-hosts.test\n# host-names-of-the-machine\n');
  mkdirSync(x11, { mode: 0o777 });
  // The usual folder of every X server: made where it is missing, since a mount needs a place to be.
  if (!existsSync('/tmp/.X11-unix')) mkdirSync('/tmp/.X11-unix', { mode: 0o1777 });
  const script = [
    'set -e',
    'mount -t tmpfs -o mode=755 tmpfs /run',
    `mkdir -p /run/user/${identity.uid} /run/lock`,
    `chown ${identity.uid}:${identity.gid} /run/user/${identity.uid}`,
    `chmod 700 /run/user/${identity.uid}`,
    `mount --bind ${resolv} /etc/resolv.conf`,
    `mount --bind ${hosts} /etc/hosts`,
    `mount --bind ${x11} /tmp/.X11-unix`,
    'exec "$@"',
  ].join('\n');
  return ['unshare', '--mount', '--propagation', 'private', 'sh', '-c', script, 'sh'];
}

/** A command line that runs what follows among the mounts of a process. */
export function among(pid: number): readonly string[] {
  return ['nsenter', `--mount=/proc/${pid}/ns/mnt`, '--'];
}
