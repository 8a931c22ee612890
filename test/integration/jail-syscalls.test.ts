import { spawn } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createRig, jailMissing, type Rig, users } from '../helpers/jail-rig.ts';
import { skipBecause } from '../helpers/skips.ts';

const missing = jailMissing();

/** What must stay possible. */
const ALLOWED = [
  'socket:2:1:0', // TCP
  'socket:2:2:17', // UDP
  'socket:10:1:6',
  'socket:1:5:0', // unix seqpacket
  'socketpair:1:1:0',
  'socketpair:1:5:0',
  'socketpair:1:2:0', // unix datagrams, carried as packets
  'socketpair:1:0x80002:0:high',
  'socket:16:3:0', // route netlink
  'unshare:0x200', // CLONE_FS
];

/** Possible outside (for root at least), refused inside with that error. */
const REFUSED: Readonly<Record<string, string>> = {
  'socket:2:3:6': 'EPERM', // raw TCP
  'socket:2:3:255': 'EPERM',
  'socket:2:10:768': 'EPERM', // SOCK_PACKET
  'socket:17:3:768': 'EAFNOSUPPORT', // packet
  'socket:40:1:0': 'EAFNOSUPPORT', // vsock
  'socket:40:1:0:high': 'EAFNOSUPPORT',
  'socket:44:3:0': 'EAFNOSUPPORT', // XDP
  'socket:38:5:0': 'EAFNOSUPPORT', // kernel crypto
  'socket:31:3:1': 'EAFNOSUPPORT', // Bluetooth
  'socket:30:1:0': 'EAFNOSUPPORT', // TIPC
  'socket:29:3:1': 'EAFNOSUPPORT', // CAN
  'socket:2:1:262': 'EPROTONOSUPPORT', // MPTCP
  'socket:2:1:262:high': 'EPROTONOSUPPORT',
  'socket:2:1:132': 'EPROTONOSUPPORT', // SCTP
  'socket:2:2:136': 'EPROTONOSUPPORT', // UDP-Lite
  'socket:2:2:1': 'EPROTONOSUPPORT', // ping
  'socket:10:2:58': 'EPROTONOSUPPORT',
  'socket:16:3:9': 'EPROTONOSUPPORT', // audit
  'socket:16:3:12': 'EPROTONOSUPPORT', // netfilter
  'socket:16:3:15': 'EPROTONOSUPPORT', // uevent
  'socket:1:2:0': 'ESOCKTNOSUPPORT', // unix datagrams could be aimed at any path
  'socket:1:0x80002:0': 'ESOCKTNOSUPPORT',
  'socket:1:2:0:high': 'ESOCKTNOSUPPORT',
  'socket:1:3:0': 'ESOCKTNOSUPPORT', // the same to the kernel
  'socketpair:30:1:0': 'EAFNOSUPPORT',
  'time-namespace': 'EPERM',
  'vm-read': 'EPERM',
  'io-uring': 'ENOSYS',
  clone3: 'ENOSYS',
  keyring: 'EPERM',
  getfd: 'EPERM',
  'handle:/etc/passwd': 'EPERM',
  ...(process.arch === 'x64' ? { int80: 'killed 31', x32: 'killed 31' } : {}),
};

const verdicts = (stdout: string): Record<string, string> =>
  Object.fromEntries(
    stdout
      .trim()
      .split('\n')
      .map((line) => [line.slice(0, line.indexOf(' ')), line.slice(line.indexOf(' ') + 1)]),
  );

describe('system calls in the jail', skipBecause(missing), () => {
  let rig: Rig;
  beforeAll(async () => {
    rig = await createRig();
  }, 120_000);
  afterAll(() => rig?.remove());

  describe.each(users())('as $name', (user) => {
    // promise: jail.protocols, jail.32bit
    it('refuses each dangerous call with the error that programs cope with', async () => {
      const words = [...ALLOWED, ...Object.keys(REFUSED)];
      const outside = verdicts((await rig.outside(user, [rig.probe, ...words])).stdout);
      const inside = verdicts((await rig.jailed(user, [rig.probe, ...words])).stdout);
      expect(inside).toEqual({ ...Object.fromEntries(ALLOWED.map((word) => [word, 'ok'])), ...REFUSED });
      for (const word of ALLOWED) expect(outside[word]).toBe('ok');
      const proved = Object.keys(REFUSED).filter((word) => outside[word] === 'ok');
      // A call that this kernel does not have at all proves nothing; most it has.
      expect(proved.length).toBeGreaterThan(user.uid === 0 ? 12 : 8);
    });

    // promise: jail.nested
    it('allows nested user namespaces, or forbids them', async () => {
      const words = ['unshare:0x10000000', 'unshare:0x10000200', 'unshare:0x200'];
      const allowed = await rig.jailed(user, [rig.probe, ...words], { nestedNamespaces: true });
      expect(Object.values(verdicts(allowed.stdout))).toEqual(['ok', 'ok', 'ok']);
      const forbidden = await rig.jailed(user, [rig.probe, ...words], { nestedNamespaces: false });
      expect(Object.values(verdicts(forbidden.stdout))).toEqual(['EPERM', 'EPERM', 'ok']);
      const tool = await rig.jailed(user, ['unshare', '-U', 'true'], { nestedNamespaces: false });
      expect(tool.code).toBe(1);
    });

    // promise: jail.signals, jail.processes
    it('neither sees, signals nor traces what runs outside', async () => {
      const victim = spawn('sleep', ['60'], {
        ...(process.getuid?.() === 0 ? { uid: user.uid, gid: user.uid } : {}),
      });
      const words = [`signal:${victim.pid}`, `ptrace:${victim.pid}`, `read:/proc/${victim.pid}/environ`];
      const outside = verdicts((await rig.outside(user, [rig.probe, ...words])).stdout);
      const inside = verdicts((await rig.jailed(user, [rig.probe, ...words])).stdout);
      victim.kill('SIGKILL');
      expect(Object.values(outside)).toEqual(['ok', 'ok', 'ok']);
      expect(Object.values(inside)).toEqual(['ESRCH', 'ESRCH', 'ENOENT']);
    });

    it('keeps process 1 out of reach', async () => {
      const script =
        'kill -9 1; kill -STOP 1; kill -9 -1 & sleep 0.2; cat /proc/1/environ; ls /proc/1/fd /proc/1/root; true';
      const inside = await rig.jailed(user, ['bash', '-c', `${script}; echo alive`]);
      // kill -1 ends the command's own processes; what matters is that nothing outside fell.
      expect(inside.end).toBeDefined();
      expect(inside.stdout).not.toContain('PATH=');
      const reach = await rig.jailed(user, [
        rig.probe,
        'ptrace:1',
        'read:/proc/1/environ',
        'read:/proc/1/mem',
      ]);
      expect(Object.values(verdicts(reach.stdout))).not.toContain('ok');
    });

    it('lends it no signal either: where Landlock has scopes, process 1 cannot even be asked for', async (context) => {
      const kernel = await rig.outside(user, [rig.probe, 'landlock-scopes']);
      context.skip(
        verdicts(kernel.stdout)['landlock-scopes'] !== 'ok',
        'a kernel whose Landlock has no scopes',
      );
      const inside = await rig.jailed(user, [rig.probe, 'signal:1']);
      expect(inside.features).toContain('landlock-scope');
      // It has the command's own user, so nothing else would refuse.
      expect(verdicts(inside.stdout)).toEqual({ 'signal:1': 'EPERM' });
    });

    it('gives no kernel switch and no device away', async () => {
      const words = [
        'write:/proc/sys/kernel/core_pattern',
        'write:/proc/sys/vm/drop_caches',
        'write:/proc/irq/default_smp_affinity',
        'write:/proc/sysrq-trigger',
        'write:/sys/power/state',
        'write:/sys/fs/cgroup/memory/release_agent',
        'write:/sys/fs/cgroup/cgroup.procs',
        'read:/dev/kvm',
        'read:/dev/mem',
        'read:/dev/net/tun',
        'read:/dev/fuse',
        'read:/dev/loop-control',
        'read:/dev/vda',
        'read:/dev/sda',
        'write:/dev/console',
      ];
      const outside = verdicts((await rig.outside(user, [rig.probe, ...words])).stdout);
      const inside = verdicts((await rig.jailed(user, [rig.probe, ...words])).stdout);
      expect(Object.values(inside)).not.toContain('ok');
      if (user.uid === 0) expect(Object.values(outside)).toContain('ok');
      const usable = await rig.jailed(user, [
        'sh',
        '-c',
        'echo x >/dev/null && head -c 4 /dev/urandom | wc -c && : >/dev/shm/x',
      ]);
      expect(usable).toMatchObject({ code: 0, stdout: '4\n' });
    });

    it('drops privilege for good', async () => {
      const inside = await rig.jailed(user, [
        'sh',
        '-c',
        'grep -E "NoNewPrivs|Seccomp:" /proc/self/status; id -u',
      ]);
      expect(inside.stdout).toBe(`NoNewPrivs:\t1\nSeccomp:\t2\n${user.uid}\n`);
      expect(inside.features).toEqual(expect.arrayContaining(['pidns', 'netns', 'seccomp', 'private-dev']));
    });
  });
});
