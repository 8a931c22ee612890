import { describe, expect, test } from 'vitest';
import { classifyAddress, embeddedAddresses, machineAddresses } from '../../../src/policy/address.ts';

const ADDRESSES: readonly (readonly [string, ReturnType<typeof classifyAddress>])[] = [
  ['8.8.8.8', 'public'],
  ['1.1.1.1', 'public'],
  ['9.255.255.255', 'public'],
  ['10.0.0.0', 'private'],
  ['10.255.255.255', 'private'],
  ['11.0.0.0', 'public'],
  ['100.63.255.255', 'public'],
  ['100.64.0.0', 'private'],
  ['100.127.255.255', 'private'],
  ['100.128.0.0', 'public'],
  ['100.100.100.200', 'metadata'],
  ['126.255.255.255', 'public'],
  ['127.0.0.1', 'loopback'],
  ['127.255.255.254', 'loopback'],
  ['2130706433', 'loopback'],
  ['0x7f.1', 'loopback'],
  ['128.0.0.0', 'public'],
  ['169.253.255.255', 'public'],
  ['169.254.0.1', 'link-local'],
  ['169.254.169.254', 'metadata'],
  ['169.254.170.2', 'metadata'],
  ['169.255.0.0', 'public'],
  ['168.63.129.16', 'metadata'],
  ['168.63.129.17', 'public'],
  ['172.15.255.255', 'public'],
  ['172.16.0.1', 'private'],
  ['172.31.255.255', 'private'],
  ['172.32.0.0', 'public'],
  ['192.0.0.8', 'reserved'],
  ['192.0.0.192', 'metadata'],
  ['192.0.2.1', 'reserved'],
  ['192.88.99.1', 'reserved'],
  ['192.167.255.255', 'public'],
  ['192.168.1.1', 'private'],
  ['192.169.0.0', 'public'],
  ['198.17.255.255', 'public'],
  ['198.18.0.1', 'private'],
  ['198.19.255.255', 'private'],
  ['198.20.0.0', 'public'],
  ['198.51.100.7', 'reserved'],
  ['203.0.113.7', 'reserved'],
  ['223.255.255.255', 'public'],
  ['224.0.0.251', 'multicast'],
  ['239.255.255.250', 'multicast'],
  ['240.0.0.1', 'reserved'],
  ['255.255.255.255', 'reserved'],
  ['0.0.0.0', 'unspecified'],
  ['0.1.2.3', 'unspecified'],
  ['::', 'unspecified'],
  ['::1', 'loopback'],
  ['2606:4700::1111', 'public'],
  ['2a00:1450:4001::8a', 'public'],
  ['fc00::1', 'private'],
  ['fdff::1', 'private'],
  ['fd00:ec2::254', 'metadata'],
  ['fd20:ce::254', 'metadata'],
  ['fe80::1', 'link-local'],
  ['febf::1', 'link-local'],
  ['fec0::1', 'reserved'],
  ['ff02::1', 'multicast'],
  ['100::1', 'reserved'],
  ['2001:db8::1', 'reserved'],
  ['3fff::1', 'reserved'],
  ['5f00::1', 'reserved'],
  ['4000::1', 'reserved'],
  ['2001:1::1', 'reserved'],
  ['2001:2::1', 'private'],
  ['2001:200::1', 'public'],
  // IPv4 inside IPv6 is judged by what is inside
  ['::ffff:8.8.8.8', 'public'],
  ['::ffff:10.0.0.1', 'private'],
  ['::ffff:169.254.169.254', 'metadata'],
  ['::ffff:7f00:1', 'loopback'],
  ['::8.8.8.8', 'reserved'],
  ['::127.0.0.1', 'loopback'],
  ['::ffff:0:127.0.0.1', 'loopback'],
  ['64:ff9b::8.8.8.8', 'public'],
  ['64:ff9b::10.0.0.1', 'private'],
  ['64:ff9b::169.254.169.254', 'metadata'],
  ['64:ff9b:1::8.8.8.8', 'private'],
  ['64:ff9b:1::127.0.0.1', 'loopback'],
  ['64:ff9b:1:7f00:0:100::', 'loopback'],
  ['64:ff9b:1:7f:0:1::', 'loopback'],
  ['64:ff9b:1:0:7f:0:100:0', 'loopback'],
  ['64:ff9b:1:a9fe:a9:fe00::', 'metadata'],
  ['2002:808:808::1', 'public'],
  ['2002:a00:1::1', 'private'],
  ['2002:7f00:1::', 'loopback'],
  ['2001:0:808:808:0:0:f7f7:f7f7', 'public'],
  ['2001:0:808:808:0:0:80ff:fffe', 'loopback'],
  ['2001:0:a00:1:0:0:f7f7:f7f7', 'private'],
  ['2a00::5efe:127.0.0.1', 'loopback'],
  ['2a00::200:5efe:10.0.0.1', 'private'],
  // No address at all
  ['localhost', undefined],
  ['fe80::1%eth0', undefined],
  ['', undefined],
  ['1.2.3', 'public'],
];

describe('classifyAddress', () => {
  test.each(ADDRESSES)('%s is %s', (address, kind) => {
    expect(classifyAddress(address)).toBe(kind);
  });
});

test('finds the IPv4 addresses that an IPv6 address leads to', () => {
  expect(embeddedAddresses('64:ff9b::a00:1')).toEqual(['10.0.0.1']);
  expect(embeddedAddresses('2001:0:102:304:0:0:fefd:fcfb')).toEqual(['1.2.3.4', '1.2.3.4']);
  expect(embeddedAddresses('2002:102:304::')).toEqual(['1.2.3.4']);
  expect(embeddedAddresses('::1')).toEqual([]);
  expect(embeddedAddresses('10.0.0.1')).toEqual([]);
  expect(embeddedAddresses('example.com')).toEqual([]);
});

test('knows the addresses of this machine', () => {
  expect(machineAddresses().has('127.0.0.1')).toBe(true);
});
