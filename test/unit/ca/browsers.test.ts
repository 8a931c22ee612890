import { X509Certificate } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { loadOrCreateAuthority } from '../../../src/ca/authority.ts';
import { type BrowserPlace, browserPlaces, browserPolicies } from '../../../src/ca/browsers.ts';
import { gatePaths } from '../../../src/core/paths.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'gate-browsers-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const authority = () => loadOrCreateAuthority(gatePaths({ GATE_HOME: join(root, 'gate') }));
const folder = (name: string) => {
  mkdirSync(join(root, name), { recursive: true });
  return join(root, name);
};
const policies = (places: readonly BrowserPlace[]) =>
  browserPolicies(authority(), '/jail/ca.pem', places).map((overlay) => ({
    folder: overlay.folder,
    files: overlay.files.map(({ name, content }) => ({
      name,
      policy: JSON.parse(String(content)) as unknown,
    })),
  }));

// promise: jail.trust
test('only what is installed, and has a folder to lay it over, gets a policy', () => {
  const place = (installed: string, into: string): BrowserPlace => ({
    kind: 'chromium',
    installed: join(root, installed),
    folder: join(root, into),
    file: `${installed}/policies/managed/gate.json`,
  });
  folder('opt/chrome');
  folder('opt/edge');
  folder('etc-opt');
  const made = policies([
    place('opt/chrome', 'etc-opt'),
    place('opt/edge', 'etc-opt'),
    place('opt/absent', 'etc-opt'),
    place('opt/chrome', 'nowhere'),
  ]);
  const policy = { CACertificates: [new X509Certificate(authority().certPem).raw.toString('base64')] };
  expect(made).toEqual([
    {
      folder: join(root, 'etc-opt'),
      files: ['opt/chrome', 'opt/edge'].map((name) => ({
        name: `${name}/policies/managed/gate.json`,
        policy,
      })),
    },
  ]);
});

// promise: jail.trust
test("Firefox's own policies are kept, and gate added to them; a broken file stands", () => {
  const at = folder('firefox/distribution');
  const place: BrowserPlace = {
    kind: 'firefox',
    installed: join(root, 'firefox'),
    folder: join(root, 'firefox'),
    file: 'distribution/policies.json',
  };
  const only = { policies: { Certificates: { Install: ['/jail/ca.pem'] } } };
  expect(policies([place])).toMatchObject([{ files: [{ policy: only }] }]);

  const own = { DisableTelemetry: true, Certificates: { ImportEnterpriseRoots: true, Install: ['/c.pem'] } };
  writeFileSync(join(at, 'policies.json'), JSON.stringify({ policies: own }));
  const both = { ...own, Certificates: { ImportEnterpriseRoots: true, Install: ['/c.pem', '/jail/ca.pem'] } };
  expect(policies([place])).toMatchObject([{ files: [{ policy: { policies: both } }] }]);

  writeFileSync(join(at, 'policies.json'), '{');
  expect(policies([place])).toEqual([]);
});

test('every place has its file below a folder that may be laid over', () => {
  const places = browserPlaces({ HOME: '/home/u' });
  expect(places.length).toBeGreaterThan(5);
  for (const { folder: base, file } of places) {
    expect(base).toMatch(/^\/(etc|usr|opt)\/[^/]+/);
    expect(file).toMatch(/policies/);
  }
});
