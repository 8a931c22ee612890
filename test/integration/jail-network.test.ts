import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createRig, jailMissing, ownAddress, type Rig, users } from '../helpers/jail-rig.ts';
import { skipBecause } from '../helpers/skips.ts';

const missing = jailMissing();

/** Dials each HOST|PORT and prints what came back, or the error's code. */
const DIAL = `
const net = require('node:net');
const dial = (target) => new Promise((resolve) => {
  const [host, port] = target.split('|');
  const socket = net.connect({ host, port: Number(port), timeout: 3000 });
  let text = '';
  socket.on('data', (data) => { text += data; });
  socket.on('timeout', () => socket.destroy(new Error('timeout')));
  socket.on('error', (error) => resolve(target + ' ' + (error.code || error.message)));
  socket.on('end', () => resolve(target + ' ' + text.trim()));
});
(async () => { for (const target of process.argv.slice(1)) console.log(await dial(target)); })();
`;
const dial = (...targets: string[]) => [process.execPath, '-e', DIAL, '--', ...targets];

const SEND = `
const socket = require('node:dgram').createSocket('udp4');
socket.send('out', Number(process.argv[2]), process.argv[1], (error) => {
  console.log(error ? error.code : 'sent'); setTimeout(() => socket.close(), 300); });
socket.on('error', () => {});
`;

describe('the jail network', skipBecause(missing), () => {
  let rig: Rig;
  beforeAll(async () => {
    rig = await createRig();
  }, 120_000);
  afterAll(() => rig?.remove());

  describe.each(users())('as $name', (user) => {
    it('has no way to a listener of the host, by loopback or by an address of the machine', async () => {
      const server = createServer((socket) => socket.end('HOST')).listen(0, '0.0.0.0');
      await once(server, 'listening');
      const { port } = server.address() as AddressInfo;
      const targets = [`127.0.0.1|${port}`, ...(ownAddress() ? [`${ownAddress()}|${port}`] : [])];
      const out = await rig.outside(user, dial(...targets));
      expect(out.stdout.match(/HOST/g)).toHaveLength(targets.length);
      const inside = await rig.jailed(user, dial(...targets));
      server.close();
      expect(inside.stdout.match(/ECONNREFUSED/g)).toHaveLength(targets.length);
      expect(inside.stdout).not.toContain('HOST');
      const own = ownAddress();
      if (own) expect(inside.refused).toContainEqual({ proto: 'tcp', address: own, port, count: 1 });
    });

    it('captures every address on a captured port and knows which one was dialled', async () => {
      const targets = [
        '192.0.2.1|443',
        '203.0.113.9|80',
        '10.0.0.1|8443',
        '2001:db8::7|443',
        'fd00::1|80',
        '::1|443',
      ];
      const inside = await rig.jailed(user, dial(...targets), { capturePorts: [80, 443, 8443] });
      expect(inside.stdout.trim().split('\n')).toEqual(
        targets.map((target) => `${target} ${target.split('|')[0]}`),
      );
      expect(inside.refused).toEqual([]);
    });

    it('lets loopback services in on loopback only', async () => {
      const inside = await rig.jailed(user, dial('127.0.0.1|11434', '::1|11434', '192.0.2.1|11434'), {
        loopbackPorts: [11434],
      });
      expect(inside.stdout).toBe('127.0.0.1|11434 127.0.0.1\n::1|11434 ::1\n192.0.2.1|11434 ECONNREFUSED\n');
    });

    it('refuses other ports at once and reports them', async () => {
      const inside = await rig.jailed(
        user,
        dial('192.0.2.1|22', '2001:db8::1|25', '192.0.2.1|22', '127.0.0.1|9'),
      );
      expect(inside.stdout.match(/ECONNREFUSED/g)).toHaveLength(4);
      expect(inside.refused).toContainEqual({ proto: 'tcp', address: '2001:db8::1', port: 25, count: 1 });
      const ssh = inside.refused.filter((attempt) => attempt.port === 22);
      expect(ssh.reduce((sum, attempt) => sum + attempt.count, 0)).toBe(2);
      expect(inside.refused.some((attempt) => attempt.address === '127.0.0.1')).toBe(false);
    });

    // promise: jail.dns
    it('sends no UDP out and reports it', async () => {
      const socket = createSocket('udp4');
      let heard = 0;
      socket.on('message', () => {
        heard += 1;
      });
      socket.bind(0, '0.0.0.0');
      await once(socket, 'listening');
      const target = ownAddress() ?? '127.0.0.1';
      const command = [process.execPath, '-e', SEND, '--', target, String(socket.address().port)];
      await rig.outside(user, command);
      expect(heard).toBe(1);
      const inside = await rig.jailed(user, command);
      const port = socket.address().port;
      socket.close();
      expect(heard).toBe(1);
      if (target !== '127.0.0.1') {
        expect(inside.refused).toContainEqual({ proto: 'udp', address: target, port, count: 1 });
      }
    });

    it('reports a flood in bounded records whose counts add up', async () => {
      const flood = `
        const net = require('node:net'); let left = 3000, open = 0;
        const next = () => { if (left-- <= 0) return; const i = left;
          net.connect(20000 + (i % 1500), '203.0.113.' + (i % 7)).on('error', next); };
        for (let i = 0; i < 20; i++) next();`;
      const inside = await rig.jailed(user, [process.execPath, '-e', flood]);
      expect(inside.refused.reduce((sum, attempt) => sum + attempt.count, 0)).toBe(3000);
      expect(inside.refused.length).toBeLessThan(1500);
    });

    it('answers DNS from the handed sockets over UDP and TCP, v4 and v6', async () => {
      const ask = `
        const socket = require('node:dgram').createSocket(process.argv[1].includes(':') ? 'udp6' : 'udp4');
        socket.on('message', (data, from) => { console.log(from.address, String(data)); socket.close(); });
        socket.send('question', 53, process.argv[1]);`;
      for (const server of ['127.0.0.53', '192.0.2.53', '::1']) {
        const inside = await rig.jailed(user, [process.execPath, '-e', ask, '--', server]);
        expect(inside.stdout).toBe(`${server} question\n`);
      }
      const tcp = await rig.jailed(user, dial('192.0.2.53|53', '2001:db8::53|53'));
      expect(tcp.stdout).toBe('192.0.2.53|53 192.0.2.53\n2001:db8::53|53 2001:db8::53\n');
    });

    it('has no interface but loopback and no capability to change that', async () => {
      const inside = await rig.jailed(user, [
        'sh',
        '-c',
        'ls /sys/class/net; grep Cap /proc/self/status; ip link set lo down',
      ]);
      expect(inside.stdout.split('\n')[0]).toBe('lo');
      // SETFCAP besides the file capabilities: root's own sandboxes cannot map uid 0 without it.
      const caps = user.uid === 0 ? '00000000800000fb' : '0000000000000000';
      expect(inside.stdout).toContain(`CapEff:\t${caps}`);
      expect(inside.stdout).toContain(`CapBnd:\t${caps}`);
      expect(inside.code).not.toBe(0);
    });
  });
});
