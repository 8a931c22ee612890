import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import * as z from 'zod';
import type { Authority } from './authority.ts';
import type { TrustFile, TrustFolder } from './folder.ts';
import { derOf } from './pem.ts';

/**
 * Browsers carry their own roots and keep a person's in a profile. What they all take besides is a policy of the
 * machine's administrator, a file: laid over the folder in the jail, it makes them trust gate without a profile being
 * touched. Chromium: `CACertificates` (https://chromeenterprise.google/policies/#CACertificates, since 128). Firefox:
 * `Certificates.Install` (https://mozilla.github.io/policy-templates/#certificates).
 */
export interface BrowserPlace {
  readonly kind: 'chromium' | 'firefox';
  /** Exists where the browser is installed. */
  readonly installed: string;
  /** The folder to lay the file over; where it does not exist there is no place for one. */
  readonly folder: string;
  /** The policy file in it. */
  readonly file: string;
}

const OWN_FILE = 'gate-local-ca.json';

const chromium = (installed: string, folder: string, within = ''): BrowserPlace => ({
  kind: 'chromium',
  installed,
  folder,
  file: join(within, 'policies/managed', OWN_FILE),
});
const firefox = (folder: string, file: string): BrowserPlace => ({
  kind: 'firefox',
  installed: folder,
  folder,
  file,
});

/** Where browsers look for policies on Linux, and how one knows that they are there. */
export function browserPlaces(env: NodeJS.ProcessEnv): BrowserPlace[] {
  const home = env['HOME'] || homedir();
  return [
    chromium('/etc/chromium', '/etc/chromium'), // Debian, Fedora, Arch; Playwright's own builds look there too
    chromium('/etc/chromium-browser', '/etc/chromium-browser'), // Ubuntu
    chromium('/etc/brave', '/etc/brave'),
    chromium('/opt/google/chrome', '/etc/opt', 'chrome'),
    chromium('/opt/microsoft/msedge', '/etc/opt', 'edge'),
    chromium(join(home, '.cache/puppeteer/chrome'), '/etc/opt', 'chrome_for_testing'),
    // Firefox heeds one file only: the system's, or else the one beside its program.
    firefox('/etc/firefox', 'policies/policies.json'),
    firefox('/usr/lib/firefox-esr', 'distribution/policies.json'), // Debian
    firefox('/usr/lib/firefox', 'distribution/policies.json'), // Arch, older Ubuntu
    firefox('/usr/lib64/firefox', 'distribution/policies.json'), // Fedora
    firefox('/opt/firefox', 'distribution/policies.json'), // Mozilla's own archive
  ];
}

/**
 * The policies by which the installed browsers trust gate, laid in front of what is in their folders. `caFile` is where
 * the jail has gate's certificate. A policy file of Firefox that is there already is kept, with gate added; one that
 * is broken, which Firefox ignores as well, stands as it is. Reads only.
 */
export function browserPolicies(
  authority: Pick<Authority, 'certPem'>,
  caFile: string,
  places: readonly BrowserPlace[],
): TrustFolder[] {
  const byFolder = new Map<string, TrustFile[]>();
  for (const { kind, installed, folder, file } of places) {
    if (!existsSync(installed) || !existsSync(folder)) continue;
    const policy =
      kind === 'chromium' ? chromiumPolicy(authority) : firefoxPolicy(join(folder, file), caFile);
    if (policy === undefined) continue;
    const content = `${JSON.stringify(policy, undefined, 2)}\n`;
    byFolder.set(folder, [...(byFolder.get(folder) ?? []), { name: file, content, mode: 0o444 }]);
  }
  return [...byFolder].map(([folder, files]) => ({ folder, files }));
}

function chromiumPolicy({ certPem }: Pick<Authority, 'certPem'>): object {
  return { CACertificates: [derOf(certPem)?.toString('base64') ?? ''] };
}

const FirefoxPolicies = z.looseObject({
  policies: z
    .looseObject({ Certificates: z.looseObject({ Install: z.array(z.string()).optional() }).optional() })
    .optional(),
});

function firefoxPolicy(path: string, caFile: string): object | undefined {
  const found = readPolicies(path);
  if (found === undefined) return undefined;
  const certificates = found.policies?.Certificates;
  const install = [...(certificates?.Install ?? []), caFile];
  return {
    ...found,
    policies: { ...found.policies, Certificates: { ...certificates, Install: install } },
  };
}

function readPolicies(path: string): z.infer<typeof FirefoxPolicies> | undefined {
  if (!existsSync(path)) return {};
  try {
    return FirefoxPolicies.parse(JSON.parse(readFileSync(path, 'utf8')));
  } catch {
    return undefined;
  }
}
