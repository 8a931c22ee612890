/** System calls around the filter: high bits, other ABIs, rings, and calls that an agent never needs. */
import { both, type Need, type Probe, py } from '../probe.ts';

const CLASS = 'system calls';

function call(name: string, args: readonly string[], expect: RegExp, needs: readonly Need[] = []): Probe {
  return { name, class: CLASS, ...both(py('calls', ...args)), expect, needs };
}

function foreign(name: string, what: string): Probe {
  const expect = /^signal 31$/;
  return { name, class: CLASS, ...both(['{foreign}', what]), expect, needs: ['tool:cc'] };
}

const HIGH = '0x1000000';
const high = (low: string) => HIGH + low.padStart(8, '0');

export const CALLS: readonly Probe[] = [
  call('vsock with high bits in the family', ['socket', high('28'), '1', '0'], /^EAFNOSUPPORT$/),
  call('MPTCP with high bits in the protocol', ['socket', '2', '1', high('106')], /^EPROTONOSUPPORT$/),
  call('raw socket with high bits in the type', ['socket', '2', high('3'), '6'], /^E/, ['root']),
  call('raw socket with CLOEXEC and NONBLOCK in the type', ['socket', '2', '0x80803', '6'], /^E/, ['root']),
  call('netlink audit with high bits', ['socket', '16', '3', high('9')], /^EPROTONOSUPPORT$/),
  call('cgroup namespace', ['unshare', '0x12000000'], /^EPERM$/),
  call('cgroup namespace by clone', ['clone', '0x12000000'], /^EPERM$/),
  call('cgroup namespace by clone with high bits', ['clone', high('12000000')], /^E(PERM|INVAL)$/),
  call('io_uring_setup', ['io_uring', 'x'], /^E(NOSYS|PERM)$/),
  call('io_uring_enter', ['io_uring_later', '426'], /^E(NOSYS|PERM)$/),
  call('io_uring_register', ['io_uring_later', '427'], /^E(NOSYS|PERM)$/),
  call('perf_event_open', ['perf', 'x'], /^E(PERM|NOSYS|ACCES)$/),
  call('bpf', ['bpf', 'x'], /^E(PERM|NOSYS)$/, ['root']),
  call('userfaultfd', ['userfaultfd', 'x'], /^E(PERM|NOSYS)$/, ['root']),
  call('keyctl', ['keyctl', 'x'], /^E(PERM|NOSYS)$/),
  call('add_key', ['add_key', 'x'], /^E(PERM|NOSYS)$/),
  call('request_key', ['request_key', 'x'], /^E(PERM|NOSYS)$/),
  call('seccomp user notification', ['seccomp_listener', 'x'], /^E(BUSY|PERM)$/),
  call('open_by_handle_at', ['file_handle', '/etc/passwd'], /^E(PERM|NOSYS)$/, ['root']),
  call('btrfs snapshot', ['snapshot', '0x50009417'], /^EPERM$/),
  call('btrfs snapshot, the older call, with high bits', ['snapshot', high('50009401')], /^EPERM$/),
  call('bcachefs snapshot', ['snapshot', '0x4020bc10'], /^EPERM$/),
  call('sethostname', ['hostname', 'x'], /^EPERM$/, ['root']),
  // Magic numbers that are no magic numbers: nothing can reboot.
  call('reboot', ['by_number', '169', '1', '2', '3', '0'], /^EPERM$/, ['root']),
  call('swapon', ['by_number', '167', '0', '0'], /^EPERM$/, ['root']),
  call('syslog', ['by_number', '103', '3', '0', '0'], /^EPERM$/, ['root']),
  call('fsopen', ['by_number', '430', '0', '0'], /^E(PERM|NOSYS)$/, ['root']),
  call('pivot_root', ['by_number', '155', '0', '0'], /^EPERM$/, ['root']),
  call('clock_settime', ['by_number', '227', '0', '0'], /^E(PERM|FAULT)$/, ['root']),
  call('init_module', ['by_number', '175', '0', '0', '0'], /^E(PERM|NOSYS)$/, ['root']),
  call('kexec_load', ['by_number', '246', '0', '0', '0', '0xffffff'], /^E(PERM|NOSYS)$/, ['root']),
  call('quotactl', ['by_number', '179', '0x80000500', '0', '0', '0'], /^E(PERM|NOSYS|NOENT)$/, ['root']),
  foreign('32-bit system call', 'int80-getpid'),
  foreign('32-bit socket call for vsock', 'int80-vsock'),
  foreign('32-bit unshare', 'int80-unshare'),
  foreign('x32 system call', 'x32-getpid'),
  foreign('x32 socket call for vsock', 'x32-socket'),
].filter(
  // clock_settime and quotactl check their pointers first: their errno says nothing about permission.
  (probe) => !['clock_settime', 'quotactl'].includes(probe.name),
);

/** With `jail.nestedNamespaces = false` no namespace may be made, by any of the calls that make them. */
export const NO_NESTING: readonly Probe[] = [
  call('unshare user and network', ['unshare', '0x50000000'], /^EPERM$/),
  call('clone user', ['clone', '0x10000000'], /^EPERM$/),
  call('clone user and mount with high bits', ['clone', high('10020000')], /^E(PERM|INVAL)$/),
  call('clone3 user', ['clone3', '0x10000000'], /^E(NOSYS|PERM)$/),
];
