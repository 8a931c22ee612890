import { connect } from 'node:net';
import { end, type Listening, startOwn } from './processes.ts';

const HOST = 'api.bench.test';
/** Each is the first bytes of a connection. Nothing that http-mitm-proxy would dial outside this machine is among them. */
const CASES: readonly (readonly [string, string])[] = [
  ...Object.entries({
    'no port': HOST,
    'port 0': `${HOST}:0`,
    'port 65536': `${HOST}:65536`,
    'port with a sign': `${HOST}:+443`,
    'a word for a port': `${HOST}:https`,
    'no host': ':443',
    userinfo: `user@${HOST}:443`,
    'a percent sign': 'api%2ebench.test:443',
    'a backslash': 'api\\bench.test:443',
    'an empty label': 'api..bench.test:443',
    'a label of 64': `${'a'.repeat(64)}.test:443`,
    '254 bytes': `${'a.'.repeat(126)}aa:443`,
    'a zone id': '[fe80::1%25eth0]:443',
    'IPv6 without brackets': '::1:443',
    'an unclosed bracket': '[::1:443',
    'a URL': `https://${HOST}:443`,
    'a name that ends in a number': 'host.256:443',
    'path upwards': '../../bench.test:443',
  }).map(([name, target]) => [name, `CONNECT ${target} HTTP/1.1\r\n\r\n`] as const),
  ['NUL in the name', 'CONNECT api\x00.test:443 HTTP/1.1\r\n\r\n'],
  ['a space in the name', 'CONNECT api .test:443 HTTP/1.1\r\n\r\n'],
  ['a body', `CONNECT ${HOST}:443 HTTP/1.1\r\nContent-Length: 1\r\n\r\nx`],
  ['no Host field, absolute path', 'GET / HTTP/1.1\r\n\r\n'],
  ['SSH', 'SSH-2.0-OpenSSH_9.6\r\n'],
  ['TLS to the proxy itself', '\x16\x03\x01\x00\x05hello'],
  ['a head of 70 kB', `CONNECT ${HOST}:443 HTTP/1.1\r\nX: ${'a'.repeat(70_000)}\r\n\r\n`],
  ['two lengths', `CONNECT ${HOST}:443 HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n`],
  ['HTTP/2 without TLS', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
];

/** What became of one case: the answers of the contenders, in their order. */
export interface Judged {
  readonly name: string;
  readonly said: readonly string[];
}

interface Contender {
  readonly start: () => Promise<Listening>;
  process: Listening;
}

/** The first line of what came back, or how it ended; `waitMs` without a byte counts as silence. */
function probe(port: number, bytes: string, waitMs = 1000): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' });
    const settle = (said: string): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(said);
    };
    const timer = setTimeout(() => settle('silence'), waitMs);
    socket.on('data', (chunk) => settle(firstLine(chunk)));
    socket.on('end', () => settle('closed'));
    socket.on('error', () => settle('reset'));
    socket.write(Buffer.from(bytes, 'latin1'));
  });
}

function firstLine(chunk: Buffer): string {
  const line = chunk.toString('latin1').split('\r\n')[0] ?? '';
  return /^HTTP\/1\.[01] [0-9]{3}/.exec(line)?.[0].slice(9) ?? 'bytes that are no HTTP';
}

/** The answer, and whether the proxy outlived it; a dead one is started again. */
async function judge(contender: Contender, bytes: string): Promise<string> {
  const said = await probe(contender.process.port, bytes);
  await new Promise((resolve) => setTimeout(resolve, 100));
  const { exitCode, signalCode } = contender.process.child;
  if (exitCode === null && signalCode === null) return said;
  contender.process = await contender.start();
  return `${said}, and **the proxy died**`;
}

/** Sends each of the hostile first bytes to each of the proxies, started with these arguments. */
export async function judgeFirstBytes(names: readonly string[], args: readonly string[]): Promise<Judged[]> {
  const contenders: Contender[] = [];
  for (const name of names) {
    const start = (): Promise<Listening> => startOwn(name, args);
    contenders.push({ start, process: await start() });
  }
  const judged: Judged[] = [];
  for (const [name, bytes] of CASES) {
    const said: string[] = [];
    for (const each of contenders) said.push(await judge(each, bytes));
    judged.push({ name, said });
  }
  for (const { process: listening } of contenders) await end(listening.child);
  return judged;
}
