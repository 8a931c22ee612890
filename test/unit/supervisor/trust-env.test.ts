import { describe, expect, test } from 'vitest';
import { CA_VARIABLES, trustEnvironment } from '../../../src/supervisor/trust-env.ts';

const trust = { ca: '/ca/ca.pem', bundle: '/ca/bundle.pem', extra: '/ca/extra.pem' };
const change = (env: NodeJS.ProcessEnv, isolation: 'captured' | 'proxy-only' | 'none' = 'captured') =>
  trustEnvironment(env, { proxyPort: 4711, trust, isolation });

describe('proxy variables', () => {
  test('lead to gate, in both cases', () => {
    const { set } = change({});
    for (const name of ['HTTP_PROXY', 'HTTPS_PROXY', 'ALL_PROXY', 'http_proxy', 'https_proxy', 'all_proxy']) {
      expect(set[name]).toBe('http://127.0.0.1:4711');
    }
  });

  test('except for loopback, in a form that every known parser takes', () => {
    const { set } = change({ NO_PROXY: '*', no_proxy: 'corp.example' });
    expect(set['NO_PROXY']).toBe('localhost,.localhost,127.0.0.1,127.0.0.0/8,::1');
    expect(set['no_proxy']).toBe(set['NO_PROXY']);
    expect(set['NO_PROXY']).not.toMatch(/[[\]* ]/);
  });

  test('make Node use them only where nothing would be captured otherwise', () => {
    expect(change({}).set).not.toHaveProperty('NODE_USE_ENV_PROXY');
    expect(change({}, 'proxy-only').set).toHaveProperty('NODE_USE_ENV_PROXY', '1');
    expect(change({}, 'none').set).toHaveProperty('NODE_USE_ENV_PROXY', '1');
  });

  test('never touch NODE_OPTIONS', () => {
    const { set, unset } = change({ NODE_OPTIONS: '--max-old-space-size=1' });
    expect([...Object.keys(set), ...unset]).not.toContain('NODE_OPTIONS');
  });
});

describe('CA variables', () => {
  test('name the bundle where a tool replaces its own, and the extra file where it adds', () => {
    const { set } = change({});
    expect(set).toMatchObject({
      NODE_EXTRA_CA_CERTS: trust.extra,
      DENO_CERT: trust.extra,
      SSL_CERT_FILE: trust.bundle,
      CURL_CA_BUNDLE: trust.bundle,
      GIT_SSL_CAINFO: trust.bundle,
    });
  });

  // promise: jail.trust-env
  test.each([
    ['node, npm, yarn, bun', 'NODE_EXTRA_CA_CERTS'],
    ['python ssl, httpx, uv, go, rustls', 'SSL_CERT_FILE'],
    ['python requests', 'REQUESTS_CA_BUNDLE'],
    ['pip', 'PIP_CERT'],
    ['curl', 'CURL_CA_BUNDLE'],
    ['git', 'GIT_SSL_CAINFO'],
    ['cargo', 'CARGO_HTTP_CAINFO'],
    ['ruby bundler', 'BUNDLE_SSL_CA_CERT'],
    ['deno', 'DENO_CERT'],
    ['aws', 'AWS_CA_BUNDLE'],
    ['gcloud', 'CLOUDSDK_CORE_CUSTOM_CA_CERTS_FILE'],
    ['grpc', 'GRPC_DEFAULT_SSL_ROOTS_FILE_PATH'],
    ['npm, pnpm', 'NPM_CONFIG_CAFILE'],
    ['nix', 'NIX_SSL_CERT_FILE'],
    ['conda', 'CONDA_SSL_VERIFY'],
    ['codex', 'CODEX_CA_CERTIFICATE'],
  ])('are there for %s: %s, over what the user has', (_tools, name) => {
    for (const env of [{}, { [name]: '/of/the/user.pem' }]) {
      expect([trust.bundle, trust.extra]).toContain(change(env).set[name]);
    }
  });

  test('that would break a tool by being there are only replaced', () => {
    expect(change({}).set).not.toHaveProperty('YARN_HTTPS_CA_FILE_PATH');
    expect(change({ YARN_HTTPS_CA_FILE_PATH: '/x' }).set['YARN_HTTPS_CA_FILE_PATH']).toBe(trust.bundle);
  });

  test('leave the user’s choice of stores to deno', () => {
    expect(change({}).set['DENO_TLS_CA_STORE']).toBe('system,mozilla');
    expect(change({ DENO_TLS_CA_STORE: 'mozilla' }).set).not.toHaveProperty('DENO_TLS_CA_STORE');
  });

  test('say why, each, once', () => {
    expect(new Set(CA_VARIABLES.map(({ name }) => name)).size).toBe(CA_VARIABLES.length);
    for (const { why } of CA_VARIABLES) expect(why).toMatch(/\w{3}/);
  });
});
