import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findProgram } from './programs.ts';

/** A person's tool that speaks HTTPS, and how it is asked for a page. */
export interface Tool {
  readonly name: string;
  /** Programs that must be on the PATH. */
  readonly needs: readonly string[];
  /** A command that ends with 0 where the tool can be used, besides its programs. */
  readonly check?: readonly string[];
  /** The command line that writes the page at a URL to stdout. `dir` is for the tool's own files. */
  readonly get: (url: URL, dir: string) => readonly string[];
  /** Makes what `get` runs; outside the jail, once. */
  readonly setup?: (dir: string) => void;
  /** `variables`: brings its own certificates, and finds gate's by a variable only. */
  readonly trusts: 'system' | 'variables';
  /** How it ends when it is answered 403. */
  readonly deniedExit: number;
  /** What a person reads then, in what it wrote to stdout and stderr. */
  readonly denied: RegExp;
}

/** The answer of gate, for tools that show the body of a 403. */
const BODY = /"type":"gate_blocked"/;

/** Python's own client, which shows the status of an error and not its body. */
const urllib = (name: string, program: string): Tool => ({
  name,
  needs: [program],
  get: (url) => [program, '-c', URLLIB, url.href],
  trusts: 'system',
  deniedExit: 1,
  denied: /HTTP Error 403: Forbidden/,
});

/** Clients from packages, which carry their certificates with them. */
const pythonModule = (module: string): Tool => ({
  name: `python3 ${module}`,
  needs: ['python3'],
  check: ['python3', '-c', `import ${module}`],
  get: (url) => ['python3', '-c', getBy(module), url.href],
  trusts: 'variables',
  deniedExit: 1,
  denied: BODY,
});

const URLLIB = 'import sys, urllib.request as u; print(u.urlopen(sys.argv[1]).read().decode(), end="")';
const getBy = (module: string) =>
  `import sys, ${module} as m; r = m.get(sys.argv[1]); print(r.text, end=""); sys.exit(r.status_code // 400)`;

const node = (name: string, program: string): Tool => ({
  name,
  needs: ['node'],
  get: (url) => ['node', '--input-type=module', '-e', program, url.href],
  // Its roots are built in; newer ones can be told to use the system's, none does by itself.
  trusts: 'variables',
  deniedExit: 0,
  denied: BODY,
});

const NODE_HTTPS = `import https from 'node:https'; https.get(process.argv[1], (answer) => answer.pipe(process.stdout));`;
const FETCH = 'process.stdout.write(await (await fetch(process.argv[1])).text());';
/** For deno and bun, which read a file. */
const SCRIPT = `import process from 'node:process';
process.stdout.write(await (await fetch(process.argv[2])).text());
`;

const RUBY = 'require "net/http"; print Net::HTTP.get(URI(ARGV[0]))';
const PERL =
  'my $r = HTTP::Tiny->new(verify_SSL => 1)->get($ARGV[0]); print $r->{content}; exit !$r->{success}';

const JAVA = `import java.net.URI;
import java.net.http.*;
public class Get {
  public static void main(String[] args) throws Exception {
    var request = HttpRequest.newBuilder(URI.create(args[0])).build();
    System.out.print(HttpClient.newHttpClient().send(request, HttpResponse.BodyHandlers.ofString()).body());
  }
}
`;

const GO = `package main
import ("io"; "net/http"; "os")
func main() {
  answer, err := http.Get(os.Args[1])
  if err != nil { panic(err) }
  io.Copy(os.Stdout, answer.Body)
}
`;

const S_CLIENT =
  'printf "GET $2 HTTP/1.1\\r\\nHost: $1\\r\\nConnection: close\\r\\n\\r\\n" |' +
  ' openssl s_client -quiet -verify_return_error -connect "$1:443" -servername "$1" |' +
  " sed '1,/^\\r$/d'";

/** The tools of the matrix. */
export const TOOLS: readonly Tool[] = [
  {
    name: 'curl',
    needs: ['curl'],
    get: (url) => ['curl', '-sS', '--fail-with-body', url.href],
    trusts: 'system',
    deniedExit: 22,
    denied: BODY,
  },
  {
    name: 'wget',
    needs: ['wget'],
    get: (url) => ['wget', '-nv', '-O-', url.href],
    trusts: 'system',
    deniedExit: 8,
    denied: /403/,
  },
  {
    name: 'openssl s_client',
    needs: ['openssl'],
    get: (url) => ['sh', '-c', S_CLIENT, 'sh', url.hostname, url.pathname],
    trusts: 'system',
    deniedExit: 0,
    denied: BODY,
  },
  urllib('python3 urllib', 'python3'),
  urllib("the system's python3 urllib", '/usr/bin/python3'),
  pythonModule('requests'),
  pythonModule('httpx'),
  node('node fetch', FETCH),
  node('node https', NODE_HTTPS),
  {
    name: 'deno fetch',
    needs: ['deno'],
    setup: (dir) => writeFileSync(join(dir, 'get.deno.mjs'), SCRIPT),
    get: (url, dir) => ['deno', 'run', '--quiet', '--allow-all', join(dir, 'get.deno.mjs'), url.href],
    trusts: 'variables',
    deniedExit: 0,
    denied: BODY,
  },
  {
    name: 'bun fetch',
    needs: ['bun'],
    setup: (dir) => writeFileSync(join(dir, 'get.bun.mjs'), SCRIPT),
    get: (url, dir) => ['bun', join(dir, 'get.bun.mjs'), url.href],
    trusts: 'variables',
    deniedExit: 0,
    denied: BODY,
  },
  {
    name: 'ruby net/http',
    needs: ['ruby'],
    get: (url) => ['ruby', '-e', RUBY, url.href],
    trusts: 'system',
    deniedExit: 0,
    denied: BODY,
  },
  {
    name: 'perl HTTP::Tiny',
    needs: ['perl'],
    check: ['perl', '-MHTTP::Tiny', '-e', 'exit !HTTP::Tiny->can_ssl'],
    get: (url) => ['perl', '-MHTTP::Tiny', '-e', PERL, url.href],
    trusts: 'system',
    deniedExit: 1,
    denied: BODY,
  },
  {
    name: 'php streams',
    needs: ['php'],
    get: (url) => ['php', '-r', 'echo file_get_contents($argv[1]);', url.href],
    trusts: 'system',
    // A failed request is a warning of PHP.
    deniedExit: 0,
    denied: /403 Forbidden/,
  },
  {
    name: 'java HttpClient',
    needs: ['java'],
    setup: (dir) => writeFileSync(join(dir, 'Get.java'), JAVA),
    get: (url, dir) => ['java', join(dir, 'Get.java'), url.href],
    trusts: 'system',
    deniedExit: 0,
    denied: BODY,
  },
  {
    name: 'go net/http',
    needs: ['go'],
    setup: buildGo,
    get: (url, dir) => [join(dir, 'go', 'get'), url.href],
    trusts: 'system',
    deniedExit: 0,
    denied: BODY,
  },
];

/** Built before the run: what is shown is the program's TLS, and compiling takes a minute on a slow machine. */
function buildGo(dir: string): void {
  const folder = join(dir, 'go');
  mkdirSync(folder);
  writeFileSync(join(folder, 'get.go'), GO);
  const env = { PATH: process.env['PATH'] ?? '', HOME: folder, GOFLAGS: '-modcacherw', GO111MODULE: 'off' };
  execFileSync('go', ['build', '-o', 'get', 'get.go'], { cwd: folder, env, stdio: 'pipe' });
}

/** Why a tool cannot be shown on this machine, or undefined where it can. */
export function missing(
  tool: Pick<Tool, 'needs' | 'check'>,
  env: Readonly<Record<string, string>>,
): string | undefined {
  const absent = tool.needs.find((program) => findProgram(program) === undefined);
  if (absent !== undefined) return `no ${absent} here`;
  const [program, ...args] = tool.check ?? [];
  if (program === undefined) return undefined;
  try {
    execFileSync(program, args, { env, stdio: 'pipe' });
    return undefined;
  } catch {
    return `this does not work here: ${[program, ...args].join(' ')}`;
  }
}
