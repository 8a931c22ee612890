/** Through the only exit there is: names and addresses that gate must see through. */
import { both, type Need, type Probe, py } from '../probe.ts';

const CLASS = 'through the proxy';

interface More {
  readonly needs?: readonly Need[];
  readonly ledger?: Readonly<Record<string, string>>;
  readonly control?: true;
}

function through(name: string, args: readonly string[], expect: RegExp, more: More = {}): Probe {
  return { name, class: CLASS, ...both(py('proxy', ...args)), expect, ...more };
}

const denied = (reason: string, more: Record<string, string> = {}) => ({
  type: 'request',
  'decision.verdict': 'deny',
  'decision.reason': reason,
  ...more,
});

const PRIVATE = /private_destination/;

/** Every way to write the host's loopback that a resolver, a parser or the kernel takes for it. */
const LOOPBACK = [
  '127.0.0.1',
  '127.1',
  '127.0.1',
  '2130706433',
  '0x7f000001',
  '0x7f.1',
  '0177.0.0.1',
  '017700000001',
  '127.0.0.2',
  '0.0.0.0',
  '0',
  'localhost',
  'LOCALHOST',
  'localhost.',
  '[::1]',
  '[0:0:0:0:0:0:0:1]',
  '[::ffff:127.0.0.1]',
  '[::ffff:7f00:1]',
] as const;

function spelled(host: string): Probe {
  // Only 127.0.0.1, ::1 and the wildcards really have a target behind them, and outside all of these reach one.
  const port = host.startsWith('[::1') || host.startsWith('[0:') ? '{tcp6.port}' : '{any.port}';
  return through(
    `CONNECT ${host}`,
    ['plain_tunnel', `${host}:${port}`, `${host}:${port}`],
    /^4\d\d.*(private_destination|bad_host)/,
    {
      ledger: { type: '~^(request|refused)$', port },
    },
  );
}

export const SPELLINGS: readonly Probe[] = LOOPBACK.map(spelled);

const near = (target: string) => `{${target}.address}:{${target}.port}`;

export const ADDRESSES: readonly Probe[] = [
  through(
    'CONNECT to an address of the machine',
    ['plain_tunnel', near('machine4'), near('machine4')],
    PRIVATE,
    {
      needs: ['machine4'],
      ledger: denied('private_destination', { host: '{machine4.address}' }),
    },
  ),
  through(
    'plain request to the loopback',
    ['absolute', 'http://127.0.0.1:{any.port}/', '127.0.0.1:{any.port}'],
    PRIVATE,
    {
      ledger: denied('private_destination', { host: '127.0.0.1' }),
    },
  ),
  through(
    'plain request to localhost',
    ['absolute', 'http://localhost:{any.port}/', 'localhost:{any.port}'],
    PRIVATE,
    {
      ledger: denied('private_destination', { host: 'localhost' }),
    },
  ),
  through('CONNECT to a metadata-like address', ['plain_tunnel', near('far80'), '{far80.address}'], PRIVATE, {
    needs: ['far'],
    ledger: denied('private_destination', { host: '{far80.address}', port: '80' }),
  }),
  through(
    'CONNECT with TLS to a private address',
    ['connect', near('far443'), '', '{far443.address}'],
    PRIVATE,
    {
      needs: ['far'],
      ledger: denied('private_destination', { host: '{far443.address}', port: '443' }),
    },
  ),
  through(
    'CONNECT to a private address on an odd port',
    ['plain_tunnel', near('farHigh'), near('farHigh')],
    PRIVATE,
    {
      needs: ['far'],
    },
  ),
  through(
    'a name that resolves to the loopback',
    ['plain_tunnel', 'loop.rebind.test:{any.port}', 'loop.rebind.test:{any.port}'],
    PRIVATE,
    {
      needs: ['far'],
      ledger: denied('private_destination', { host: 'loop.rebind.test' }),
    },
  ),
  through(
    'a name that resolves to a private address',
    ['plain_tunnel', 'private.rebind.test:80', 'private.rebind.test'],
    PRIVATE,
    {
      needs: ['far'],
      ledger: denied('private_destination', { host: 'private.rebind.test' }),
    },
  ),
  through(
    'a name with a public and a private address',
    ['plain_tunnel', 'mixed.rebind.test:{any.port}', 'mixed.rebind.test:{any.port}'],
    PRIVATE,
    {
      needs: ['far'],
      ledger: denied('private_destination', { host: 'mixed.rebind.test' }),
    },
  ),
  through(
    'a name of the hosts file for the loopback',
    ['plain_tunnel', 'loop-in-hosts.test:{any.port}', 'loop-in-hosts.test:{any.port}'],
    PRIVATE,
    {
      needs: ['far'],
      ledger: denied('private_destination', { host: 'loop-in-hosts.test' }),
    },
  ),
];

/** Addresses that the test's name server gives. 203.0.113.0/24 is for documentation: nobody is there. */
export function zone(privateAddress: string): Readonly<Record<string, readonly string[]>> {
  return {
    'loop.rebind.test': ['127.0.0.1'],
    'private.rebind.test': [privateAddress],
    'mixed.rebind.test': ['127.0.0.1+203.0.113.9'],
  };
}

const GOOD = 'allowed.test:443';
const MISMATCH = /421.*host_mismatch/;
const mismatch = { ledger: denied('host_mismatch') };

export const MISMATCHES: readonly Probe[] = [
  through('the allowed host is reached', ['connect', GOOD, 'allowed.test', 'allowed.test'], /./, {
    control: true,
  }),
  through('SNI of another host', ['connect', GOOD, 'other.test', 'allowed.test'], MISMATCH, mismatch),
  through('SNI of the denied host', ['connect', GOOD, 'denied.test', 'denied.test'], MISMATCH, mismatch),
  through('Host of another host', ['connect', GOOD, 'allowed.test', 'other.test'], MISMATCH, mismatch),
  through('Host of the loopback', ['connect', GOOD, 'allowed.test', '127.0.0.1'], MISMATCH, mismatch),
  through(
    'another Host on the second request',
    ['second', GOOD, 'allowed.test', 'allowed.test', 'other.test'],
    MISMATCH,
    mismatch,
  ),
  through('two Host headers', ['connect', GOOD, 'allowed.test', 'allowed.test|other.test'], /4(00|21)/),
  through(
    'two Host headers, the good one last',
    ['connect', GOOD, 'allowed.test', 'other.test|allowed.test'],
    /4(00|21)/,
  ),
  through(
    'absolute form for another host',
    ['connect', GOOD, 'allowed.test', 'allowed.test', 'https://other.test/x'],
    /4(00|21)/,
  ),
  through('CONNECT inside the tunnel', ['nested', GOOD, 'localhost:{any.port}'], /4\d\d|closed/),
  through('CONNECT inside the tunnel to another host', ['nested', GOOD, 'other.test:443'], /4\d\d|closed/),
];

const DENIED = /403.*denylisted/;
const listed = { ledger: denied('denylisted', { host: 'denied.test' }) };

export const DENIALS: readonly Probe[] = [
  through('denied host', ['connect', 'denied.test:443', 'denied.test', 'denied.test'], DENIED, listed),
  through(
    'denied host in capitals',
    ['connect', 'DENIED.Test:443', 'denied.test', 'denied.test'],
    DENIED,
    listed,
  ),
  through(
    'denied host with a trailing dot',
    ['connect', 'denied.test.:443', 'denied.test', 'denied.test.'],
    DENIED,
    listed,
  ),
  through('denied host in plain HTTP', ['absolute', 'http://denied.test:80/', 'denied.test'], DENIED, listed),
  through(
    'denied host as a websocket',
    ['upgrade', 'denied.test:443', 'denied.test', 'denied.test', 'websocket'],
    DENIED,
    listed,
  ),
  through(
    'denied host as h2c',
    ['upgrade', 'denied.test:443', 'denied.test', 'denied.test', 'h2c'],
    DENIED,
    listed,
  ),
  through(
    'denied host below userinfo',
    ['absolute', 'http://allowed.test@denied.test:80/', 'denied.test'],
    /4\d\d/,
  ),
];

/** Requests with no counterpart outside: a naive proxy has no port of gate's, and no rule to break. */
export const ONLY_INSIDE: readonly Probe[] = [
  ['the proxy asked for itself', 'own_port', '127.0.0.1', '{any.port}'],
  ['the proxy asked for itself as localhost', 'own_port', 'localhost', '{any.port}'],
].map(([name = '', ...args]) => ({
  name,
  class: CLASS,
  outside: py('proxy', ...args),
  inside: py('proxy', ...args),
  expect: /^(403|4\d\d|closed)/,
}));

export const RAW: readonly Probe[] = [
  through('raw bytes to an allowed host', ['raw', 'allowed.test:80'], /./, {
    ledger: { type: 'refused', reason: 'unreadable_protocol', host: 'allowed.test' },
  }),
  through(
    'a request hidden behind two lengths',
    ['smuggle', 'http://allowed.test:80/{mark}', 'allowed.test', 'denied.test'],
    /./,
  ),
];
