/** A package manager, or another tool that asks for things by name, and how it is told where to ask. */
export interface RegistryClient {
  readonly name: string;
  readonly program: string;
  /** A command that ends with 0 where the program is the one that is meant: several go by one name. */
  readonly check?: readonly string[];
  readonly command: (host: string) => readonly string[];
  readonly env?: (host: string) => Readonly<Record<string, string>>;
  /** Files in the folder that it is started in. */
  readonly files?: (host: string) => Readonly<Record<string, string>>;
  /** `variables`: brings its own certificates, and finds gate's by a variable only. */
  readonly trusts: 'system' | 'variables';
  /** What it says of the sample package. */
  readonly says: RegExp;
  /** The request by which it finds it. */
  readonly path: string;
  readonly deniedExit: number;
  readonly denied: RegExp;
}

const SHA = '0123456789012345678901234567890123456789';
const tarball = { tarball: 'https://unused.test/sample.tgz', shasum: SHA };
const BUCKETS =
  '<ListAllMyBucketsResult><Buckets><Bucket><Name>gate-sample</Name><CreationDate>2026-01-02T03:04:05Z</CreationDate></Bucket></Buckets></ListAllMyBucketsResult>';

/** What a registry that looks like a public one answers, by path. */
export const PAGES: Readonly<Record<string, string>> = {
  '/simple/gate-sample/':
    '<a href="/files/gate_sample-1.2.3-py3-none-any.whl">gate_sample-1.2.3-py3-none-any.whl</a>',
  '/gate-sample': JSON.stringify({
    name: 'gate-sample',
    'dist-tags': { latest: '1.2.3' },
    versions: { '1.2.3': { name: 'gate-sample', version: '1.2.3', dist: tarball } },
  }),
  '/mod.test/sample/@v/list': 'v1.2.3\n',
  '/mod.test/sample/@v/v1.2.3.info': '{"Version":"v1.2.3"}',
  '/mod.test/sample/@v/v1.2.3.mod': 'module mod.test/sample\n',
  '/index/config.json': '{"dl":"https://unused.test/dl"}',
  '/index/ga/te/gate-sample': `${JSON.stringify({ name: 'gate-sample', vers: '1.2.3', deps: [], cksum: SHA.slice(0, 32).repeat(2), features: {}, yanked: false })}\n`,
  '/repo.git/info/refs': `${SHA}\trefs/heads/main\n`,
  '/repo.git/HEAD': 'ref: refs/heads/main\n',
  '/packages.json': JSON.stringify({
    packages: { 'gate/sample': { '1.2.3': { name: 'gate/sample', version: '1.2.3', type: 'library' } } },
  }),
  '/': BUCKETS,
};

/** The type that the clients want to see for a path. */
export function pageType(path: string): string {
  if (path === '/') return 'application/xml';
  return path.startsWith('/simple') ? 'text/html' : 'application/json';
}

const BERRY = 'case $(yarn --version) in 1.*) exit 1;; esac';
const CLASSIC = 'case $(yarn --version) in 1.*) ;; *) exit 1;; esac';

/** The clients of the matrix. */
export const CLIENTS: readonly RegistryClient[] = [
  {
    name: 'git ls-remote',
    program: 'git',
    command: (host) => ['git', 'ls-remote', `https://${host}/repo.git`],
    trusts: 'system',
    says: new RegExp(`${SHA}\trefs/heads/main`),
    path: '/repo.git/info/refs?service=git-upload-pack',
    deniedExit: 128,
    denied: /The requested URL returned error: 403/,
  },
  {
    name: 'pip index versions',
    program: 'pip',
    command: (host) => ['pip', 'index', 'versions', '--index-url', `https://${host}/simple`, 'gate-sample'],
    trusts: 'variables',
    says: /gate-sample \(1\.2\.3\)/,
    path: '/simple/gate-sample/',
    deniedExit: 1,
    // pip tells of a page that it may not read only with -v; who blocked it stands in gate's own line.
    denied: /No matching distribution[\s\S]*gate: .* blocked/,
  },
  {
    name: 'npm view',
    program: 'npm',
    command: (host) => ['npm', 'view', 'gate-sample', 'version', '--registry', `https://${host}/`],
    trusts: 'variables',
    says: /^1\.2\.3$/m,
    path: '/gate-sample',
    deniedExit: 1,
    denied: /E403/,
  },
  {
    name: 'yarn 1 info',
    program: 'yarn',
    check: ['sh', '-c', CLASSIC],
    command: (host) => ['yarn', 'info', 'gate-sample', 'version', '--registry', `https://${host}/`],
    trusts: 'variables',
    says: /^1\.2\.3$/m,
    path: '/gate-sample',
    // It ends with 0 whatever the registry says, and tells no status.
    deniedExit: 0,
    denied: /Received invalid response from npm[\s\S]*gate: .* blocked/,
  },
  {
    name: 'yarn npm info',
    program: 'yarn',
    check: ['sh', '-c', BERRY],
    command: () => ['yarn', 'npm', 'info', 'gate-sample', '--fields', 'version', '--json'],
    files: (host) => ({
      'package.json': '{"name":"user"}',
      'yarn.lock': '',
      '.yarnrc.yml': `npmRegistryServer: https://${host}\nenableTelemetry: false\n`,
    }),
    trusts: 'variables',
    says: /"version":"1\.2\.3"/,
    path: '/gate-sample',
    deniedExit: 1,
    denied: /Response Code: 403 \(Forbidden\)/,
  },
  {
    name: 'pnpm view',
    program: 'pnpm',
    command: (host) => ['pnpm', 'view', 'gate-sample', 'version', '--registry', `https://${host}/`],
    // The one of Rust takes the system's; those before run on node.
    trusts: 'variables',
    says: /^1\.2\.3$/m,
    path: '/gate-sample',
    deniedExit: 1,
    denied: /403/,
  },
  {
    name: 'bun info',
    program: 'bun',
    command: () => ['bun', 'info', 'gate-sample', 'version'],
    env: (host) => ({ NPM_CONFIG_REGISTRY: `https://${host}/` }),
    trusts: 'variables',
    says: /^1\.2\.3$/m,
    path: '/gate-sample',
    deniedExit: 1,
    denied: /403 Forbidden/,
  },
  {
    name: 'go list of a module',
    program: 'go',
    command: (host) => ['env', `GOPROXY=https://${host}`, 'go', 'list', '-m', '-versions', 'mod.test/sample'],
    env: () => ({ GOFLAGS: '-mod=mod', GONOSUMDB: '*', GOSUMDB: 'off', GOTOOLCHAIN: 'local' }),
    trusts: 'system',
    says: /mod\.test\/sample v1\.2\.3/,
    path: '/mod.test/sample/@v/list',
    deniedExit: 1,
    denied: /403 Forbidden/,
  },
  {
    name: 'cargo generate-lockfile',
    program: 'cargo',
    command: (host) => [
      'cargo',
      '--config',
      `registries.sample.index="sparse+https://${host}/index/"`,
      'generate-lockfile',
    ],
    files: () => ({
      'src/lib.rs': '',
      'Cargo.toml':
        '[package]\nname = "user"\nversion = "0.1.0"\nedition = "2021"\n[dependencies]\ngate-sample = { version = "1", registry = "sample" }\n',
    }),
    trusts: 'system',
    says: /Locking|^$/,
    path: '/index/ga/te/gate-sample',
    deniedExit: 101,
    denied: /403/,
  },
  {
    name: 'composer show',
    program: 'composer',
    command: () => ['composer', 'show', '--no-interaction', '--all', 'gate/sample'],
    env: () => ({ COMPOSER_ALLOW_SUPERUSER: '1' }),
    files: (host) => ({
      'composer.json': JSON.stringify({
        repositories: [{ type: 'composer', url: `https://${host}` }, { 'packagist.org': false }],
      }),
    }),
    trusts: 'system',
    says: /versions : 1\.2\.3/,
    path: '/packages.json',
    deniedExit: 255,
    // It wraps its lines wherever they reach the terminal's edge.
    denied: /could not be accessed[\s\S]*HTTP\/[\d.]+ 403/,
  },
  {
    name: 'aws s3 ls',
    program: 'aws',
    command: (host) => ['aws', 's3', 'ls', '--endpoint-url', `https://${host}`],
    env: () => ({
      AWS_ACCESS_KEY_ID: 'sample',
      AWS_SECRET_ACCESS_KEY: 'sample',
      AWS_DEFAULT_REGION: 'us-east-1',
    }),
    trusts: 'variables',
    says: /gate-sample/,
    path: '/',
    deniedExit: 255,
    denied: /\(403\) when calling the ListBuckets operation/,
  },
];
