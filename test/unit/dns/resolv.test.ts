import { describe, expect, test } from 'vitest';
import { hostsFile, resolvConf } from '../../../src/proxy/dns/resolv.ts';

describe('generated files', () => {
  test('resolv.conf names one server and no search list', () => {
    const lines = resolvConf()
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#'));
    expect(lines).toEqual(['nameserver 127.0.0.1', 'options ndots:1']);
  });

  test('hosts has loopback and the machine’s own name', () => {
    expect(hostsFile('box')).toContain(
      '127.0.0.1 localhost\n::1 localhost ip6-localhost ip6-loopback\n127.0.1.1 box\n',
    );
  });

  test.each(['localhost', 'bad name', '', 'a\n1.2.3.4 bank.example', 'x'.repeat(300)])(
    'hosts leaves out %j',
    (name) => {
      expect(hostsFile(name)).not.toContain('127.0.1.1');
    },
  );
});
