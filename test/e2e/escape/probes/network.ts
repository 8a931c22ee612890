/** Direct network: every way to send a packet that does not go through gate. */
import { both, type Need, type Probe, py } from '../probe.ts';

const CLASS = 'direct network';

function net(
  name: string,
  args: readonly string[],
  expect: RegExp,
  more: { needs?: readonly Need[]; ledger?: Record<string, string> } = {},
): Probe {
  return { name, class: CLASS, ...both(py('net', ...args)), expect, ...more };
}

const at = (target: string) => [`{${target}.address}`, `{${target}.port}`];

function refused(proto: string, target: string): Record<string, string> {
  return { type: 'refused', proto, address: `{${target}.address}`, port: `{${target}.port}` };
}

export const TO_LOOPBACK: readonly Probe[] = [
  net('TCP to the host on 127.0.0.1', ['tcp', ...at('tcp4')], /^ECONNREFUSED$/),
  net('TCP to the host on ::1', ['tcp', ...at('tcp6')], /^ECONNREFUSED$/),
  net('UDP to the host on 127.0.0.1', ['udp', ...at('udp4')], /^(ECONNREFUSED|no answer|EPERM)$/),
  net('HTTP to the host on 127.0.0.1', ['http', ...at('tcp4'), 'localhost'], /^ECONNREFUSED$/),
];

const m4 = { needs: ['machine4'] as const };
const m6 = { needs: ['machine6'] as const };

export const TO_MACHINE: readonly Probe[] = [
  net('TCP to an address of the machine', ['tcp', ...at('machine4')], /^ECONNREFUSED$/, {
    ...m4,
    ledger: refused('tcp', 'machine4'),
  }),
  net('TCP over IPv6 to an address of the machine', ['tcp', ...at('machine6')], /^ECONNREFUSED$/, {
    ...m6,
    ledger: refused('tcp', 'machine6'),
  }),
  net('TLS to an odd port', ['tls', ...at('machineTls4'), 'odd.test', 'odd.test'], /^ECONNREFUSED$/, {
    ...m4,
    ledger: refused('tcp', 'machineTls4'),
  }),
  net('UDP to an address of the machine', ['udp', ...at('machineUdp4')], /^(ECONNREFUSED|no answer)$/, {
    ...m4,
    ledger: refused('udp', 'machineUdp4'),
  }),
  net('UDP over IPv6', ['udp', ...at('machineUdp6')], /^(ECONNREFUSED|no answer|EHOSTUNREACH)$/, {
    ...m6,
    ledger: refused('udp', 'machineUdp6'),
  }),
  net('TCP fast open', ['fastopen', ...at('machine4')], /^ECONNREFUSED$/, m4),
  net('MPTCP', ['mptcp', ...at('machine4')], /^EPROTONOSUPPORT$/, m4),
  net('IPv4 as mapped IPv6', ['tcp', '::ffff:{machine4.address}', '{machine4.port}'], /^ECONNREFUSED$/, m4),
  net(
    'ICMP echo',
    ['ping', '{machine4.address}'],
    /^E(PERM|ACCES|PROTONOSUPPORT|SOCKTNOSUPPORT|AFNOSUPPORT)$/,
    {
      needs: ['root', 'machine4'],
    },
  ),
  net('another interface is seen', ['interfaces', 'x'], /^only lo$/, m4),
];

const far = { needs: ['far'] as const };

export const TO_FAR: readonly Probe[] = [
  net('TCP to a private network', ['tcp', ...at('farHigh')], /^ECONNREFUSED$/, {
    ...far,
    ledger: refused('tcp', 'farHigh'),
  }),
  net('DNS over TLS port', ['tcp', ...at('farDot')], /^ECONNREFUSED$/, {
    ...far,
    ledger: refused('tcp', 'farDot'),
  }),
  net('NTP', ['udp', ...at('farNtp')], /^(ECONNREFUSED|no answer)$/, {
    ...far,
    ledger: refused('udp', 'farNtp'),
  }),
  net('QUIC port', ['udp', ...at('farQuic')], /^(ECONNREFUSED|no answer)$/, {
    ...far,
    ledger: refused('udp', 'farQuic'),
  }),
  net(
    'raw bytes to port 443 (captured, unreadable)',
    ['tcp', '{far443.address}', '443'],
    /^(closed|answer)/,
    {
      // Outside the TLS sink would not answer raw bytes: there the same program goes to port 80.
      ...far,
      ledger: { type: 'refused', reason: 'unreadable_protocol', port: '443' },
    },
  ),
  net('HTTP to port 80 of a private address', ['http', ...at('far80'), '{far80.address}'], /403/, {
    ...far,
    ledger: {
      type: 'request',
      via: 'captured',
      'decision.verdict': 'deny',
      'decision.reason': 'private_destination',
      port: '80',
    },
  }),
  net('HTTPS to port 443 of a private address', ['tls', ...at('far443'), '', '{far443.address}'], /403/, {
    ...far,
    ledger: {
      type: 'request',
      via: 'captured',
      'decision.verdict': 'deny',
      'decision.reason': 'private_destination',
      port: '443',
    },
  }),
].map((probe) =>
  probe.name.startsWith('raw bytes') ? { ...probe, outside: py('net', 'tcp', ...at('far80')) } : probe,
);

const NO_FAMILY = /^E(AFNOSUPPORT|PERM|ACCES|PROTONOSUPPORT|SOCKTNOSUPPORT)$/;

function family(
  name: string,
  number: number,
  kind: number,
  protocol = 0,
  needs: readonly Need[] = [],
): Probe {
  return net(`socket: ${name}`, ['make', `${number}`, `${kind}`, `${protocol}`], NO_FAMILY, { needs });
}

export const FAMILIES: readonly Probe[] = [
  family('vsock stream (the host of a VM)', 40, 1),
  family('vsock seqpacket', 40, 5),
  family('packet', 17, 3, 0, ['root']),
  family('raw TCP', 2, 3, 6, ['root']),
  family('raw ICMP', 2, 3, 1, ['root']),
  family('raw IP with own header', 2, 3, 255, ['root']),
  family('raw IPv6', 10, 3, 58, ['root']),
  family('XDP', 44, 3, 0, ['root']),
  family('AF_ALG', 38, 5),
  family('bluetooth', 31, 3, 1),
  family('TIPC', 30, 2),
  family('RDS', 21, 5),
  family('CAN', 29, 3, 1),
  family('KCM', 41, 2),
  family('RxRPC', 33, 2, 2),
  family('QRTR', 42, 2),
  family('MPTCP', 2, 1, 262),
  family('SCTP', 2, 1, 132),
  family('DCCP', 2, 6, 33),
  family('UDP-Lite', 2, 2, 136),
  family('SMC', 43, 1),
  family('netlink sock_diag', 16, 3, 4),
  family('netlink audit', 16, 3, 9),
  family('netlink kobject_uevent', 16, 3, 15),
  family('netlink netfilter', 16, 3, 12),
  family('netlink generic', 16, 3, 16),
  family('netlink xfrm', 16, 3, 6),
];

export const DEVICES: readonly Probe[] = [
  net('TUN device', ['tun', 'x'], /^E(NOENT|PERM|ACCES|NXIO)$/, { needs: ['root', 'file:/dev/net/tun'] }),
];
