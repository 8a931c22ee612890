import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { configReference, defaultConfig } from '../../../src/core/config.ts';
import { GateError } from '../../../src/core/errors.ts';
import { parseConfig, readConfig } from '../../../src/policy/config.ts';

/** Text after `version = 1`, the errors that it gives. */
const BAD: readonly (readonly [string, string[]])[] = [
  ['[run]\nenforc = true', ["c:3: run.enforc: unknown key; did you mean 'run.enforce'?"]],
  ['[run]\nallow_local = [1]', ["c:3: run.allow_local: unknown key; did you mean 'run.allowLocal'?"]],
  ['enforce = true', ["c:2: enforce: unknown key; did you mean 'run.enforce'?"]],
  ['[nonsense]\na = 1', ['c:2: nonsense: unknown key']],
  ['[run.extra]\na = 1', ['c:2: run.extra: unknown key']],
  ['run.extra = 1', ['c:2: run.extra: unknown key']],
  ['[__proto__]\nx = 1', ['c:2: __proto__: unknown key']],
  ['[run]\nconstructor = 1', ['c:3: run.constructor: unknown key']],
  ['[run]\nenforce = "yes"', ['c:3: run.enforce: expected boolean, received string']],
  [
    '[run]\n\n# hm\nmode = "strict"',
    ['c:5: run.mode: expected one of "airtight"|"best-effort"|"permissive"'],
  ],
  ['run = 3', ['c:2: run: expected object, received number']],
  ['[run]\nkillAfterMs = 0', ['c:3: run.killAfterMs: expected number to be >=1']],
  ['[run]\nkillAfterMs = 1.5', ['c:3: run.killAfterMs: expected int, received number']],
  ['[run]\nallowLocal = [1, 65536]', ['c:3: run.allowLocal[1]: expected number to be <=65535']],
  ['[run]\nlabels = { a = 1 }', ['c:3: run.labels.a: expected string, received number']],
  ['[run]\nupstreamCa = ["ca.pem"]', ['c:3: run.upstreamCa[0]: expected an absolute path']],
  ['[jail]\nallowSockets = "/x"', ['c:3: jail.allowSockets: expected array, received string']],
  [
    '[run]\nquiet = true\nallow = [\n  # api\n  "a?",\n  "b.test",\n]',
    ["c:4: run.allow[0]: 'a?': '?' is not allowed; '*' is the only wildcard"],
  ],
  [
    '[run]\nresolve = ["a.test:443:b.test"]',
    ["c:3: run.resolve[0]: 'a.test:443:b.test': 'b.test' is not an address or address:port"],
  ],
  ['[dns]\npool = "8.0.0.0/8"', ['c:3: dns.pool: expected a range of private addresses']],
  ['[dns]\npool = "10.0.0.0/30"', ['c:3: dns.pool: expected an IPv4 range of /8 to /24']],
  ['[dns]\npool = "fd00::/16"', ['c:3: dns.pool: expected an IPv4 range of /8 to /24']],
  ['[dns]\npool = "10.0.0.1"', ["c:3: dns.pool: '10.0.0.1': not an address range such as 10.0.0.0/8"]],
  ['[run\n', ['c:2: not TOML: illegal character in key (column 5)']],
  ['[run]\nmode = airtight', ['c:3: not TOML: invalid value (column 8)']],
  [
    '[run]\nquiet = true\nquiet = true',
    ['c:4: not TOML: trying to redefine an already defined table or value (column 1)'],
  ],
  [
    '[run]\nenforce = 1\n\n[dns]\npol = "x"',
    [
      'c:3: run.enforce: expected boolean, received number',
      "c:6: dns.pol: unknown key; did you mean 'dns.pool'?",
    ],
  ],
];

function errorsOf(text: string): string[] {
  try {
    parseConfig(text, 'c');
  } catch (error) {
    if (error instanceof GateError && error.code === 'bad_config') return error.message.split('\n');
    throw error;
  }
  return [];
}

// promise: config.strict
describe('config.toml', () => {
  test.each(BAD)('%j', (text, errors) => {
    expect(errorsOf(`version = 1\n${text}`)).toEqual(errors);
  });

  test.each(['', 'version = 2', 'version = "1"', '[run]\nenforce = true'])(
    'needs its version: %j',
    (text) => {
      expect(errorsOf(text).join()).toContain("version: the file must begin with 'version = 1'");
    },
  );

  test('every key can be set', () => {
    const text = `version = 1
      [run]
      mode = "best-effort"
      enforce = true
      allow = ["*.a.test", "10.0.0.0/8"]
      deny = ["b.test:25"]
      passthrough = ["[2001:db8::1]:443"]
      allowLocal = [11434]
      publish = [3000]
      resolve = ["a.test:443:127.0.0.1:9443"]
      upstreamCa = ["/etc/corp.pem"]
      labels = { team = "x" }
      quiet = true
      killAfterMs = 500
      [capture]
      ports = [8443]
      [dns]
      pool = "10.128.0.0/9"
      [jail]
      nestedNamespaces = false
      allowSockets = ["/run/docker.sock"]
      [limits]
      headMs = 1
      clientIdleMs = 2
      clientStallMs = 3
      upstreamIdleMs = 4
      connectMs = 5
      [rules]
      disabled = ["oversized_response"]
      oversizedRequestBytes = 1
      oversizedResponseBytes = 2
      envLines = 4
      mcpHosts = ["mcp.example.com"]
      [analysis]
      patienceMs = 1
      scanBytes = 2
      [record]
      signHeads = true`;
    const config: Record<string, unknown> = parseConfig(text, 'c');
    const defaults: Record<string, unknown> = defaultConfig();
    for (const { key } of configReference().slice(1)) {
      const [section = '', name = ''] = key.split('.');
      expect(Reflect.get(Object(config[section]), name), key).not.toEqual(
        Reflect.get(Object(defaults[section]), name),
      );
    }
  });

  test('every key is described, and its documented default is the one in force', () => {
    const rows = configReference();
    expect(rows.map(({ key }) => key)).toContain('jail.nestedNamespaces');
    const defaults: Record<string, unknown> = defaultConfig();
    for (const { key, type, default: shown, description } of rows) {
      expect(description, key).toMatch(/\.$/);
      expect(type, key).not.toBe('value');
      const [section = '', name] = key.split('.');
      if (name === undefined) continue;
      expect(JSON.parse(shown ?? ''), key).toEqual(Reflect.get(Object(defaults[section]), name));
    }
  });
});

describe('readConfig', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'gate-config-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  test('gives defaults and the hash of nothing where there is no file', () => {
    const { config, sha256 } = readConfig(join(folder, 'config.toml'));
    expect(config).toEqual(defaultConfig());
    expect(sha256).toBe(createHash('sha256').digest('hex'));
  });

  test('hashes the bytes of the file', () => {
    const file = join(folder, 'config.toml');
    writeFileSync(file, '\ufeffversion = 1\r\n[run]\r\nquiet = true\r\n');
    const { config, sha256 } = readConfig(file);
    expect(config.run.quiet).toBe(true);
    expect(sha256).toBe(
      createHash('sha256').update('\ufeffversion = 1\r\n[run]\r\nquiet = true\r\n').digest('hex'),
    );
  });

  test('says what it cannot read', () => {
    mkdirSync(join(folder, 'config.toml'));
    expect(() => readConfig(join(folder, 'config.toml'))).toThrow(/config\.toml: not a regular file/);
  });
});
