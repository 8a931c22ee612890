import type { TrustPaths } from '../ca/bundle.ts';

/** How much of the command's traffic reaches gate without the command's own help. */
export type Isolation =
  /** Everything: what ignores the proxy variables is captured (Linux). */
  | 'captured'
  /** Only what uses the proxy; the rest is refused (macOS). */
  | 'proxy-only'
  /** Only what uses the proxy; the rest goes past gate (permissive). */
  | 'none';

export interface TrustEnvironmentOptions {
  /** The proxy's port on 127.0.0.1, as the command sees it. */
  readonly proxyPort: number;
  /** What the proxy asks for; undefined where it asks for nothing. */
  readonly proxyPassword?: string;
  readonly trust: TrustPaths;
  readonly isolation: Isolation;
}

type Source = keyof TrustPaths;

export interface CaVariable {
  readonly name: string;
  /** Which file: `bundle` for tools that replace their certificates by it, `extra` for tools that add it. */
  readonly file: Source;
  /** `replace`: only where the user has it set, since its presence alone would change or break something. */
  readonly when: 'always' | 'replace';
  readonly why: string;
}

const always = (name: string, file: Source, why: string): CaVariable => ({ name, file, when: 'always', why });
const replace = (name: string, file: Source, why: string): CaVariable => ({
  name,
  file,
  when: 'replace',
  why,
});

/** The CA variables, with who reads each. */
export const CA_VARIABLES: readonly CaVariable[] = [
  always(
    'NODE_EXTRA_CA_CERTS',
    'extra',
    'Node, npm, bun, newer deno; Node before 22.15 cannot read the system store',
  ),
  always(
    'SSL_CERT_FILE',
    'bundle',
    'OpenSSL outside the system (conda, Homebrew), rustls, Go, .NET, uv, httpx',
  ),
  always('REQUESTS_CA_BUNDLE', 'bundle', 'Python requests, which carries its own certificates (certifi)'),
  always('CURL_CA_BUNDLE', 'bundle', 'curl built with a path of its own, and Python requests'),
  always('GIT_SSL_CAINFO', 'bundle', 'git; stands above http.sslCAInfo of the user'),
  always('PIP_CERT', 'bundle', 'pip outside the distribution; stands above pip.conf'),
  always('CARGO_HTTP_CAINFO', 'bundle', 'cargo; stands above its config file'),
  always('AWS_CA_BUNDLE', 'bundle', 'AWS CLI and SDKs, which carry their own'),
  always('CLOUDSDK_CORE_CUSTOM_CA_CERTS_FILE', 'bundle', 'gcloud, which carries its own'),
  always('HTTPLIB2_CA_CERTS', 'bundle', 'gsutil and other users of httplib2'),
  always(
    'GRPC_DEFAULT_SSL_ROOTS_FILE_PATH',
    'bundle',
    'gRPC in C, Python, Ruby and PHP, which carries its own',
  ),
  always('DENO_CERT', 'extra', 'deno, which adds it to its store'),
  always('NPM_CONFIG_CAFILE', 'bundle', 'npm and pnpm; stands above cafile of .npmrc'),
  always('NIX_SSL_CERT_FILE', 'bundle', 'what nix built, which does not look into /etc'),
  always('BUNDLE_SSL_CA_CERT', 'bundle', 'Ruby bundler, where Ruby brings its own OpenSSL'),
  always('CONDA_SSL_VERIFY', 'bundle', 'conda; stands above ssl_verify of .condarc'),
  always('CODEX_CA_CERTIFICATE', 'bundle', 'codex, which prefers it to SSL_CERT_FILE'),
  // An unknown YARN_ setting is an error of older yarns, and NODE_EXTRA_CA_CERTS serves them all.
  replace('YARN_HTTPS_CA_FILE_PATH', 'bundle', 'yarn; would hide gate from it'),
  replace('npm_config_cafile', 'bundle', 'npm, when gate was started by a script of npm'),
  replace('COMPOSER_CAFILE', 'bundle', 'PHP composer; would hide gate from it'),
  replace('GIT_PROXY_SSL_CAINFO', 'bundle', 'git towards a TLS proxy; gate is a plain one'),
  replace('PERL_LWP_SSL_CA_FILE', 'bundle', 'Perl; would hide gate from it'),
  replace('HEX_CACERTS_PATH', 'bundle', "Elixir's hex; would hide gate from it"),
  replace('SYSTEM_CERTIFICATE_PATH', 'bundle', 'Haskell; would hide gate from it'),
  replace('JULIA_SSL_CA_ROOTS_PATH', 'bundle', 'Julia; would hide gate from it'),
];

/** Stands before the password in the proxy's URL; the proxy does not look at it. */
const PROXY_USER = 'gate';

/**
 * Loopback and nothing else goes past the proxy: servers that the command itself runs. No `[::1]`, which makes
 * Python's httpx fail at start; the ranges are for Go, and harmless to tools that compare texts.
 */
const NO_PROXY = 'localhost,.localhost,127.0.0.1,127.0.0.0/8,::1';

/**
 * Proxy variables. Upper case for most, lower case because curl reads `http_proxy` only. ALL_PROXY also catches
 * WebSocket clients, and displaces a SOCKS proxy of the user that cannot be reached from here.
 */
const PROXY_VARIABLES = [
  'HTTP_PROXY',
  'HTTPS_PROXY',
  'ALL_PROXY',
  'http_proxy',
  'https_proxy',
  'all_proxy',
] as const;

/** Stand above a proxy in the tool's own config file, which would point to the user's network; all heed NO_PROXY. */
const TOOL_PROXY_VARIABLES = ['NPM_CONFIG_PROXY', 'NPM_CONFIG_HTTPS_PROXY', 'CARGO_HTTP_PROXY'] as const;

/** Proxies of the user's network that single tools are told of. gate itself goes through the user's proxy. */
const OTHER_PROXIES: readonly string[] = [
  'FTP_PROXY',
  'RSYNC_PROXY',
  'SOCKS_PROXY',
  'SOCKS5_PROXY',
  'GRPC_PROXY',
  'NO_GRPC_PROXY',
  'WS_PROXY',
  'WSS_PROXY',
  'NPM_CONFIG_PROXY',
  'NPM_CONFIG_HTTP_PROXY',
  'NPM_CONFIG_HTTPS_PROXY',
  'NPM_CONFIG_NOPROXY',
  'YARN_HTTP_PROXY',
  'YARN_HTTPS_PROXY',
  'CARGO_HTTP_PROXY',
  'PIP_PROXY',
  'GLOBAL_AGENT_HTTP_PROXY',
  'GLOBAL_AGENT_HTTPS_PROXY',
  'GLOBAL_AGENT_NO_PROXY',
  'CLOUDSDK_PROXY_ADDRESS',
  'CLOUDSDK_PROXY_PORT',
  'CLOUDSDK_PROXY_TYPE',
];

/** A change to an environment: first names are removed, in whatever case they are written, then values set. */
export interface EnvironmentChange {
  /** Upper case. */
  readonly unset: readonly string[];
  readonly set: Readonly<Record<string, string>>;
}

/**
 * The variables that lead tools to gate's proxy and make them trust its certificate. Certificates that the user's
 * own values name are in the files of the trust view already. Pure.
 */
export function trustEnvironment(
  env: NodeJS.ProcessEnv,
  options: TrustEnvironmentOptions,
): EnvironmentChange {
  const set: Record<string, string> = { NO_PROXY, no_proxy: NO_PROXY };
  const { proxyPassword } = options;
  const user = proxyPassword === undefined ? '' : `${PROXY_USER}:${proxyPassword}@`;
  const proxy = `http://${user}127.0.0.1:${options.proxyPort}`;
  for (const name of [...PROXY_VARIABLES, ...TOOL_PROXY_VARIABLES]) set[name] = proxy;
  for (const { name, file, when } of CA_VARIABLES) {
    if (when === 'always' || env[name] !== undefined) set[name] = options.trust[file];
  }
  if (env['DENO_TLS_CA_STORE'] === undefined) set['DENO_TLS_CA_STORE'] = 'system,mozilla';
  // Where nothing is captured, Node's fetch must be told to use the proxy (from 22.21 and 24.0). Elsewhere the
  // variable would only bring its "experimental" warning into the command's output.
  if (options.isolation !== 'captured') set['NODE_USE_ENV_PROXY'] = '1';
  return { unset: OTHER_PROXIES, set };
}
