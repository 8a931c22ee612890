import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** A way in which programs turn names into addresses. */
export interface Resolver {
  readonly name: string;
  /** Programs that must be on the PATH. */
  readonly needs: readonly string[];
  /** Makes what `lookUp` runs; outside the jail, once. */
  readonly setup?: (dir: string) => void;
  /**
   * The command line that looks names up one after the other, and writes `NAME ADDRESS MILLISECONDS` of each, with
   * `-` where there was none.
   */
  readonly lookUp: (names: readonly string[], dir: string) => readonly string[];
  /** Asks again on SERVFAIL, in silence, until its time is over: only an answer of yes or no ends its look-up. */
  readonly waitsOnServFail?: true;
}

/** A look-up of one name. */
export interface LookUp {
  readonly name: string;
  /** Undefined where there was none. */
  readonly address: string | undefined;
  readonly ms: number;
}

/** Both families, as programs ask: how a resolver takes the answer for the one that has none is the point. */
const C = `#include <netdb.h>
#include <stdio.h>
#include <sys/socket.h>
#include <time.h>
static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1e3 + t.tv_nsec / 1e6;
}
int main(int argc, char **argv) {
  for (int i = 1; i < argc; i++) {
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *found = NULL;
    char text[64] = "-";
    double start = now();
    if (getaddrinfo(argv[i], "443", &hints, &found) == 0)
      getnameinfo(found->ai_addr, found->ai_addrlen, text, sizeof text, NULL, 0, NI_NUMERICHOST);
    printf("%s %s %.1f\\n", argv[i], text, now() - start);
    if (found) freeaddrinfo(found);
  }
  return 0;
}
`;

const GO = `package main
import ("fmt"; "net"; "os"; "time")
func main() {
  for _, name := range os.Args[1:] {
    start := time.Now()
    found, err := net.LookupHost(name)
    text := "-"
    if err == nil { text = found[0] }
    fmt.Printf("%s %s %.1f\\n", name, text, float64(time.Since(start).Microseconds())/1000)
  }
}
`;

const JAVA = `import java.net.InetAddress;
public class Look {
  public static void main(String[] args) {
    for (String name : args) {
      long start = System.nanoTime();
      String text = "-";
      try { text = InetAddress.getByName(name).getHostAddress(); } catch (java.net.UnknownHostException e) {}
      System.out.println(name + " " + text + " " + (System.nanoTime() - start) / 1e6);
    }
  }
}
`;

const node = (look: string) => `import dns from 'node:dns/promises';
for (const name of process.argv.slice(1)) {
  const start = performance.now();
  const text = await (${look}).catch(() => '-');
  console.log(name, text, (performance.now() - start).toFixed(1));
}`;

const PYTHON = `import socket, sys, time
for name in sys.argv[1:]:
    start, text = time.monotonic(), "-"
    try: text = socket.getaddrinfo(name, 443, type=socket.SOCK_STREAM)[0][4][0]
    except OSError: pass
    print(name, text, (time.monotonic() - start) * 1000)
`;

const DIG = `for name; do dig +tries=1 "$name" | awk -v name="$name" '
  $4 == "A" { address = $5 }
  /Query time/ { print name, address == "" ? "-" : address, $4 }'; done`;

const compiled = (
  compiler: string,
  program: string,
  ...flags: string[]
): Pick<Resolver, 'setup' | 'lookUp'> => ({
  setup: (dir) => {
    writeFileSync(join(dir, 'look.c'), C);
    execFileSync(compiler, [...flags, '-o', join(dir, program), join(dir, 'look.c')], { stdio: 'pipe' });
  },
  lookUp: (names, dir) => [join(dir, program), ...names],
});

const go = (netdns: string): Pick<Resolver, 'setup' | 'lookUp'> => ({
  setup: buildGo,
  lookUp: (names, dir) => ['env', `GODEBUG=netdns=${netdns}`, join(dir, 'look-go', 'look'), ...names],
});

/** The resolvers that programs bring or use, each with its own ideas of when to wait. */
export const RESOLVERS: readonly Resolver[] = [
  { name: 'glibc', needs: ['cc'], ...compiled('cc', 'look-glibc') },
  {
    name: 'musl',
    needs: ['musl-gcc'],
    waitsOnServFail: true,
    ...compiled('musl-gcc', 'look-musl', '-static'),
  },
  { name: 'Go', needs: ['go'], ...go('go') },
  { name: 'Go with cgo', needs: ['go', 'cc'], ...go('cgo') },
  {
    name: 'node, by the system',
    needs: ['node'],
    lookUp: (names) => [
      'node',
      '--input-type=module',
      '-e',
      node('dns.lookup(name).then((r) => r.address)'),
      ...names,
    ],
  },
  {
    name: 'c-ares, as node has it',
    needs: ['node'],
    lookUp: (names) => [
      'node',
      '--input-type=module',
      '-e',
      node('dns.resolve4(name).then((r) => r[0])'),
      ...names,
    ],
  },
  { name: 'python', needs: ['python3'], lookUp: (names) => ['python3', '-c', PYTHON, ...names] },
  {
    name: 'Java',
    needs: ['java'],
    setup: (dir) => writeFileSync(join(dir, 'Look.java'), JAVA),
    lookUp: (names, dir) => ['java', join(dir, 'Look.java'), ...names],
  },
  { name: 'dig', needs: ['dig'], lookUp: (names) => ['sh', '-c', DIG, 'sh', ...names] },
];

function buildGo(dir: string): void {
  const folder = join(dir, 'look-go');
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'look.go'), GO);
  const env = { PATH: process.env['PATH'] ?? '', HOME: folder, GOFLAGS: '-modcacherw', GO111MODULE: 'off' };
  execFileSync('go', ['build', '-o', 'look', 'look.go'], { cwd: folder, env, stdio: 'pipe' });
}

/** Reads what a resolver's command line wrote. */
export function readLookUps(text: string): LookUp[] {
  return text
    .trim()
    .split('\n')
    .map((line) => {
      const [name = '', address = '-', ms = ''] = line.split(' ');
      return { name, address: address === '-' ? undefined : address, ms: Number(ms) };
    });
}
