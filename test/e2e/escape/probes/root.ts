/** What only root could do: leave by a file or a device that the kernel obeys. Nothing dangerous is ever written. */
import { firstOf } from '../places.ts';
import { both, type Need, type Probe, py } from '../probe.ts';

const CLASS = 'root';
const SHUT = /^E(ROFS|NOENT|ACCES|PERM|NXIO|NODEV)$/;

function opened(name: string, pattern: string, how: 'open_write' | 'open_read' = 'open_write'): Probe {
  const path = firstOf(pattern) ?? pattern;
  const needs: readonly Need[] = ['root', `file:${path}`];
  return { name: `${name} (${path})`, class: CLASS, ...both(py('files', how, path)), expect: SHUT, needs };
}

export const FILES: readonly Probe[] = [
  opened('core dump handler', '/proc/sys/kernel/core_pattern'),
  opened('module loader', '/proc/sys/kernel/modprobe'),
  opened('hotplug helper', '/proc/sys/kernel/hotplug'),
  opened('uevent helper', '/sys/kernel/uevent_helper'),
  opened('binary formats', '/proc/sys/fs/binfmt_misc/register'),
  opened('caches', '/proc/sys/vm/drop_caches'),
  opened('overcommit', '/proc/sys/vm/overcommit_memory'),
  opened('panic', '/proc/sys/kernel/panic'),
  opened('address randomisation', '/proc/sys/kernel/randomize_va_space'),
  opened('host name', '/proc/sys/kernel/hostname'),
  opened('magic keys', '/proc/sysrq-trigger'),
  opened('interrupts', '/proc/irq/*/smp_affinity'),
  opened('default interrupts', '/proc/irq/default_smp_affinity'),
  opened('kernel memory', '/proc/kcore', 'open_read'),
  opened('sleep', '/sys/power/state'),
  opened('module parameters', '/sys/module/*/parameters/debug'),
  opened('kernel parameters', '/sys/module/kernel/parameters/panic'),
  opened('cgroup release agent', '/sys/fs/cgroup/memory/release_agent'),
  opened('cgroup release agent of systemd', '/sys/fs/cgroup/systemd/release_agent'),
  opened('cgroup of others', '/sys/fs/cgroup/*/cgroup.procs'),
  opened('cgroup v2', '/sys/fs/cgroup/unified/cgroup.procs'),
  opened('block queue', '/sys/block/*/queue/scheduler'),
  opened('kernel debug', '/sys/kernel/debug/sched/verbose'),
  opened('kexec', '/sys/kernel/kexec_crash_size'),
  opened('machine memory', '/dev/mem', 'open_read'),
  opened('ports', '/dev/port', 'open_read'),
  opened('kernel log', '/dev/kmsg'),
  opened('KVM', '/dev/kvm'),
  opened('FUSE', '/dev/fuse'),
  opened('loop control', '/dev/loop-control'),
  opened('first loop device', '/dev/loop0', 'open_read'),
  opened('raw disk', '/dev/vda', 'open_read'),
  opened('raw disk', '/dev/sda', 'open_read'),
  opened('raw disk', '/dev/nvme0n1', 'open_read'),
  opened('device mapper', '/dev/mapper/control'),
  opened('vsock device', '/dev/vsock'),
  opened('serial console', '/dev/ttyS0'),
  opened('virtual console', '/dev/tty1'),
  opened('system console', '/dev/console'),
  opened('user input', '/dev/uinput'),
  opened('hardware random', '/dev/hwrng', 'open_read'),
  opened('latency', '/dev/cpu_dma_latency'),
  opened('userfault device', '/dev/userfaultfd'),
  opened('btrfs control', '/dev/btrfs-control'),
];

function act(
  name: string,
  args: readonly string[],
  expect = /^E(PERM|ACCES|ROFS)$/,
  needs: Need[] = [],
): Probe {
  return { name, class: CLASS, ...both(py('rootly', ...args)), expect, needs: ['root', ...needs] };
}

export const ACTS: readonly Probe[] = [
  act('make a character device', ['mknod', 'char', '1', '1']),
  act('make a block device', ['mknod', 'block', '7', '0']),
  act('mount a file system', ['mount', 'tmpfs']),
  act('mount proc anew', ['mount', 'proc']),
  act('mount sysfs anew', ['mount', 'sysfs']),
  act('mount cgroup anew', ['mount', 'cgroup']),
  act('mount devtmpfs anew', ['mount', 'devtmpfs']),
  act('make /sys writable', ['remount', '/sys']),
  act('make /proc/sys writable', ['remount', '/proc/sys'], /^E(PERM|ACCES|INVAL)$/),
  act('take off the cover of /dev', ['umount', '/dev']),
  act('change root and walk up', ['chroot'], /^E(PERM|ACCES)$/),
  act('load a module from a file', ['module'], /^E(PERM|NOSYS)$/),
  act('set the clock', ['clock'], /^EPERM$/),
  act('raise the hard limit', ['limit'], /^EPERM$/),
  act('a realtime schedule', ['realtime'], /^EPERM$/),
  act('ports below 1024', ['bind', '81'], /^E(ACCES|PERM)$/),
  act('capture packets of the loopback', ['sniff'], /^E(PERM|AFNOSUPPORT|ACCES)$/),
];

/** Root keeps CAP_SETFCAP where it may nest user namespaces, and only there. */
export const WITHOUT_NESTING: readonly Probe[] = [
  act('take the capability back from a file', ['filecap'], /^E(PERM|OPNOTSUPP)$/),
];
