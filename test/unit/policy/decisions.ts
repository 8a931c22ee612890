import type { Policy } from '../../../src/core/policy.ts';
import { createPolicy } from '../../../src/policy/decide.ts';
import { createMatcher } from '../../../src/policy/match.ts';
import { runPatterns } from '../../../src/policy/run-patterns.ts';

/** What lists and options say of one destination. */
export interface Case {
  readonly target: string;
  readonly allow?: string[];
  readonly deny?: string[];
  readonly passthrough?: string[];
  readonly allowLocal?: number[];
  readonly enforce?: boolean;
  readonly ownPorts?: number[];
  readonly ownAddresses?: string[];
  /** Addresses that the host resolves to; `!` in front: named with --resolve. `addr>port`: dialled at that port. */
  readonly at?: string[];
  readonly says: string;
}

/** The host and the port of a case; an IPv6 address stands without brackets. */
export function targetOf(one: Case): { host: string; port: number } {
  const colon = one.target.lastIndexOf(':');
  return { host: one.target.slice(0, colon), port: Number(one.target.slice(colon + 1)) };
}

/** A public address, where a case names none. */
export const SOMEWHERE: readonly string[] = ['93.184.215.14'];

/** Reads `!addr>port`. */
export function addressOf(text: string): { address: string; port: number | undefined; pinned: boolean } {
  const [address = '', port] = text.replace('!', '').split('>');
  return { address, port: port === undefined ? undefined : Number(port), pinned: text.startsWith('!') };
}

/** The policy under which a case is judged. */
export function policyOf(one: Case): Policy {
  const patterns = runPatterns(one);
  return createPolicy(() => ({
    lists: {
      allow: createMatcher('allow', patterns.allow),
      deny: createMatcher('deny', patterns.deny),
      passthrough: createMatcher('passthrough', patterns.passthrough),
    },
    enforce: one.enforce ?? false,
    ownPorts: new Set(one.ownPorts ?? []),
    ownAddresses: new Set(one.ownAddresses ?? []),
  }));
}

const no = 'deny private_destination';

const NAMES: readonly Case[] = [
  { target: 'a.test:443', says: 'forward unlisted' },
  { target: 'a.test:443', enforce: true, says: 'deny not_allowlisted' },
  { target: 'a.test:443', allow: ['a.test'], says: 'forward allowlisted by allow a.test' },
  { target: 'a.test:443', allow: ['a.test'], enforce: true, says: 'forward allowlisted by allow a.test' },
  { target: 'a.test:8443', allow: ['a.test'], says: 'forward unlisted' },
  { target: 'a.test:8443', allow: ['a.test'], enforce: true, says: 'deny not_allowlisted' },
  {
    target: 'a.test:8443',
    allow: ['a.test:8443'],
    enforce: true,
    says: 'forward allowlisted by allow a.test:8443',
  },
  {
    target: 'a.test:443',
    passthrough: ['*.test'],
    says: 'tunnel: forward passthrough by passthrough *.test',
  },
  {
    target: 'a.test:443',
    passthrough: ['a.test'],
    enforce: true,
    says: 'tunnel: forward passthrough by passthrough a.test',
  },
  { target: 'a.test:22', passthrough: ['a.test'], enforce: true, says: 'deny not_allowlisted' },
  {
    target: 'a.test:443',
    allow: ['a.test'],
    passthrough: ['a.test'],
    says: 'tunnel: forward passthrough by passthrough a.test',
  },
  { target: 'a.test:443', deny: ['A.test.'], says: 'deny denylisted by deny A.test.' },
  { target: 'a.test:9', deny: ['*.test'], allow: ['a.test:9'], says: 'deny denylisted by deny *.test' },
  { target: 'a.test:443', deny: ['a.test'], passthrough: ['a.test'], says: 'deny denylisted by deny a.test' },
  { target: 'a.test:443', deny: ['a.test:80'], says: 'forward unlisted' },
  { target: 'a.test:443', deny: ['a.test'], enforce: true, says: 'deny denylisted by deny a.test' },
  { target: '10.0.0.1:80', deny: ['10.0.0.0/8'], says: 'deny denylisted by deny 10.0.0.0/8' },
  { target: 'a.test:443', deny: ['93.184.0.0/16'], says: 'deny denylisted by deny 93.184.0.0/16' },
  {
    target: 'a.test:443',
    deny: ['93.184.215.14'],
    allow: ['a.test'],
    says: 'deny denylisted by deny 93.184.215.14',
  },
  { target: 'a.test:443', deny: ['93.184.215.14:22'], says: 'forward unlisted' },
  {
    target: 'a.test:443',
    deny: ['93.184.215.14:443'],
    at: ['8.8.8.8', '93.184.215.14'],
    says: 'deny denylisted by deny 93.184.215.14:443',
  },
  {
    target: 'a.test:443',
    deny: ['0.0.0.0/0'],
    at: ['64:ff9b::808:808'],
    says: 'deny denylisted by deny 0.0.0.0/0',
  },
  {
    target: 'a.test:443',
    deny: ['10.0.0.0/8'],
    at: ['!10.0.0.1'],
    says: 'deny denylisted by deny 10.0.0.0/8',
  },
  {
    target: 'a.test:443',
    deny: ['127.0.0.1:9'],
    at: ['!127.0.0.1>9'],
    says: 'deny denylisted by deny 127.0.0.1:9',
  },
  // A denylisted address is named before a private one is.
  {
    target: 'a.test:443',
    deny: ['8.8.8.8'],
    at: ['10.0.0.1', '8.8.8.8'],
    says: 'deny denylisted by deny 8.8.8.8',
  },
  {
    target: 'a.test:443',
    passthrough: ['a.test'],
    deny: ['8.8.8.8'],
    at: ['8.8.8.8'],
    says: 'deny denylisted by deny 8.8.8.8',
  },
];

const PRIVATE: readonly Case[] = [
  { target: 'a.test:443', at: ['10.0.0.1'], says: no },
  { target: 'a.test:443', at: ['8.8.8.8', '10.0.0.1'], says: no },
  { target: 'a.test:443', at: ['8.8.8.8', '2606:4700::1'], says: 'forward unlisted' },
  { target: 'a.test:443', allow: ['a.test'], at: ['10.0.0.1'], says: 'forward allowlisted by allow a.test' },
  {
    target: 'a.test:443',
    allow: ['*.test'],
    at: ['100.64.0.1', 'fd00::1'],
    says: 'forward allowlisted by allow *.test',
  },
  {
    target: 'a.test:443',
    allow: ['*.test'],
    at: ['198.18.0.9'],
    says: 'forward allowlisted by allow *.test',
  },
  {
    target: 'a.test:443',
    passthrough: ['a.test'],
    at: ['192.168.0.1'],
    says: 'tunnel: forward passthrough by passthrough a.test',
  },
  { target: 'a.test:443', passthrough: ['a.test'], at: ['127.0.0.1'], says: no },
  { target: 'a.test:8080', allow: ['a.test'], at: ['10.0.0.1'], says: no },
  { target: '10.0.0.1:443', at: ['10.0.0.1'], says: no },
  {
    target: '10.0.0.1:443',
    allow: ['10.0.0.0/8'],
    at: ['10.0.0.1'],
    says: 'forward allowlisted by allow 10.0.0.0/8',
  },
  { target: 'a.test:443', allow: ['10.0.0.0/8'], at: ['10.0.0.1'], says: no },
  { target: '10.0.0.1:443', allow: ['*'], at: ['10.0.0.1'], says: no },
  { target: 'a.test:443', at: ['!10.0.0.1'], says: 'forward unlisted' },
  { target: 'a.test:443', at: ['!10.0.0.1', '10.0.0.2'], says: no },
  { target: 'a.test:443', enforce: true, at: ['!10.0.0.1'], says: 'deny not_allowlisted' },
  { target: 'a.test:443', at: ['64:ff9b::a00:1'], says: no },
  { target: 'a.test:443', at: ['not an address'], says: no },
  { target: 'a.test:443', at: ['fe80::1%eth0'], allow: ['a.test'], says: no },
];

const LOOPBACK: readonly Case[] = [
  { target: 'localhost:8080', at: ['127.0.0.1'], says: no },
  { target: 'localhost:80', allow: ['localhost'], at: ['127.0.0.1'], says: no },
  { target: 'localhost:80', allow: ['*'], at: ['127.0.0.1'], says: no },
  {
    target: 'localhost:8080',
    allow: ['localhost:8080'],
    at: ['127.0.0.1', '::1'],
    says: 'forward allowlisted by allow localhost:8080',
  },
  {
    target: '127.0.0.1:8080',
    allow: ['localhost:8080'],
    at: ['127.0.0.1'],
    says: 'forward allowlisted by allow localhost:8080',
  },
  {
    target: '::1:8080',
    allowLocal: [8080],
    at: ['::1'],
    says: 'forward allowlisted by allow localhost:8080',
  },
  {
    target: 'localhost:8080',
    allowLocal: [8080],
    enforce: true,
    at: ['127.0.0.1'],
    says: 'forward allowlisted by allow localhost:8080',
  },
  { target: 'localhost:8081', allowLocal: [8080], at: ['127.0.0.1'], says: no },
  {
    target: '127.0.0.1:8080',
    allow: ['127.0.0.1:8080'],
    at: ['127.0.0.1'],
    says: 'forward allowlisted by allow 127.0.0.1:8080',
  },
  { target: '127.0.0.1:80', allow: ['127.0.0.1'], at: ['127.0.0.1'], says: no },
  { target: '127.0.0.1:80', allow: ['127.0.0.0/8'], at: ['127.0.0.1'], says: no },
  {
    target: '127.0.0.2:80',
    allow: ['127.0.0.2:80'],
    at: ['127.0.0.2'],
    says: 'forward allowlisted by allow 127.0.0.2:80',
  },
  {
    target: '::1:80',
    passthrough: ['[::1]:80'],
    at: ['::1'],
    says: 'tunnel: forward passthrough by passthrough [::1]:80',
  },
  {
    target: 'x.localhost:80',
    allow: ['x.localhost:80'],
    at: ['127.0.0.1'],
    says: 'forward allowlisted by allow x.localhost:80',
  },
  { target: 'x.localhost:80', allow: ['*.localhost:80'], at: ['127.0.0.1'], says: no },
  // A name of someone else's that leads to loopback, whatever the lists say of the name or of the address.
  { target: 'a.test:8080', allow: ['a.test:8080'], at: ['127.0.0.1'], says: no },
  { target: 'a.test:8080', allow: ['127.0.0.1:8080', 'localhost:8080'], at: ['127.0.0.1'], says: no },
  { target: 'a.test:8080', allowLocal: [8080], at: ['127.0.0.1'], says: no },
  { target: 'a.test:443', at: ['!127.0.0.1>9443'], says: 'forward unlisted' },
  { target: 'a.test:443', at: ['64:ff9b::7f00:1'], allow: ['a.test'], says: no },
];

const NEVER: readonly Case[] = [
  { target: 'localhost:9', ownPorts: [9], allowLocal: [9], at: ['127.0.0.1'], says: no },
  { target: '127.0.0.1:9', ownPorts: [9], allow: ['127.0.0.1:9'], at: ['127.0.0.1'], says: no },
  { target: 'a.test:443', ownPorts: [9], at: ['!127.0.0.1>9'], says: no },
  { target: 'a.test:443', ownPorts: [443], says: 'forward unlisted' },
  {
    target: '10.0.0.5:9',
    ownPorts: [9],
    ownAddresses: ['10.0.0.5'],
    allow: ['10.0.0.5:9'],
    at: ['10.0.0.5'],
    says: no,
  },
  {
    target: '10.0.0.6:9',
    ownPorts: [9],
    ownAddresses: ['10.0.0.5'],
    allow: ['10.0.0.6:9'],
    at: ['10.0.0.6'],
    says: 'forward allowlisted by allow 10.0.0.6:9',
  },
  { target: '0.0.0.0:9', ownPorts: [9], allow: ['0.0.0.0:9'], at: ['0.0.0.0'], says: no },
  // The machine's own public address is not a stranger's.
  { target: 'a.test:443', ownAddresses: ['8.8.4.4'], at: ['8.8.4.4'], says: no },
  {
    target: 'a.test:443',
    ownAddresses: ['8.8.4.4'],
    allow: ['a.test'],
    at: ['8.8.4.4'],
    says: 'forward allowlisted by allow a.test',
  },
  ...['169.254.169.254', '169.254.1.1', '0.0.0.0', '224.0.0.1', '100.100.100.200', '168.63.129.16'].flatMap(
    (ip): Case[] => [
      { target: `${ip}:80`, at: [ip], says: no },
      { target: `${ip}:80`, allow: [`${ip}/32`, '0.0.0.0/0'], at: [ip], says: no },
      { target: `${ip}:80`, allow: [ip], at: [ip], says: `forward allowlisted by allow ${ip}` },
      { target: `${ip}:8080`, allow: [ip], at: [ip], says: no },
      {
        target: `${ip}:8080`,
        allow: [`${ip}:8080`],
        at: [ip],
        says: `forward allowlisted by allow ${ip}:8080`,
      },
      { target: 'a.test:80', allow: ['a.test', ip], at: [ip], says: no },
      { target: 'a.test:80', at: [`!${ip}`], says: no },
    ],
  ),
  { target: '64:ff9b::a9fe:a9fe:80', at: ['64:ff9b::a9fe:a9fe'], allow: ['64:ff9b::/96'], says: no },
  { target: '203.0.113.5:80', at: ['203.0.113.5'], says: no },
  {
    target: '203.0.113.5:80',
    at: ['203.0.113.5'],
    allow: ['203.0.113.5'],
    says: 'forward allowlisted by allow 203.0.113.5',
  },
  { target: 'a.test:80', at: ['203.0.113.5'], allow: ['a.test'], says: no },
  { target: 'a.test:80', at: ['!203.0.113.5'], says: 'forward unlisted' },
];

/** Through a corporate proxy: nothing was looked up. */
const UNRESOLVED: readonly Case[] = [
  { target: 'a.test:443', at: [], says: 'forward unlisted' },
  { target: '8.8.8.8:443', at: [], says: 'forward unlisted' },
  { target: '10.0.0.1:443', at: [], says: no },
  { target: '127.0.0.1:443', at: [], allow: ['127.0.0.1'], says: no },
  { target: '169.254.169.254:80', at: [], says: no },
  { target: 'localhost:80', at: [], says: no },
  { target: 'x.localhost:80', at: [], says: no },
  { target: 'metadata.google.internal:80', at: [], allow: ['*.internal'], says: no },
  { target: 'wiki.internal:80', at: [], says: no },
  {
    target: 'wiki.internal:80',
    at: [],
    allow: ['wiki.internal'],
    says: 'forward allowlisted by allow wiki.internal',
  },
  { target: 'printer.local:80', at: [], says: no },
  { target: 'nas.home.arpa:80', at: [], says: no },
  { target: 'notlocal:80', at: [], says: 'forward unlisted' },
];

/** All cases, by what they are about. */
export const CASES = [
  ['names', NAMES],
  ['private addresses', PRIVATE],
  ['loopback', LOOPBACK],
  ['what is never reached by accident', NEVER],
  ['without a lookup', UNRESOLVED],
] as const;

/** A case as the name of a test. */
export const show = (one: Case): string =>
  JSON.stringify(one)
    .replace(/,"says":.*/, '}')
    .replace(/"/g, '');
