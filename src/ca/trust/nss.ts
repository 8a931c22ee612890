import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { distribution, hasProgram, type Lacking, type Machine, succeeds, type TrustStore } from './store.ts';

/** Databases of Chromium and its relatives, older and newer, below the home. */
const SHARED = ['.pki/nssdb', '.local/share/pki/nssdb', 'snap/chromium/current/.pki/nssdb'];
/** Folders of Firefox profiles, below the home. */
const PROFILES = [
  '.mozilla/firefox',
  'snap/firefox/common/.mozilla/firefox',
  '.var/app/org.mozilla.firefox/.mozilla/firefox',
  'Library/Application Support/Firefox/Profiles',
];

/** The certificate databases of browsers: this user's own (certutil of NSS). */
export const nss: TrustStore = {
  name: 'nss',
  root: false,
  present: (machine) => databases(machine).length > 0,
  lacking,
  places: (machine) =>
    databases(machine).map((path) => {
      const certutil = ['certutil', '-d', `sql:${path}`] as const;
      const remove = [...certutil, '-D', '-n', machine.label] as const;
      return {
        path,
        taken: () => succeeds([...certutil, '-L', '-n', machine.label], machine.env),
        install: [
          { command: remove, mayFail: true },
          { command: [...certutil, '-A', '-t', 'C,,', '-n', machine.label, '-i', machine.certFile] },
        ],
        uninstall: [{ command: remove }],
      };
    }),
};

function databases({ home }: Machine): string[] {
  const profiles = PROFILES.flatMap((folder) =>
    namesIn(join(home, folder)).map((name) => join(folder, name)),
  );
  return [...SHARED, ...profiles]
    .map((folder) => join(home, folder))
    .filter((folder) => existsSync(join(folder, 'cert9.db')));
}

function lacking(machine: Machine): Lacking | undefined {
  if (databases(machine).length === 0) {
    const hint = 'start the browser once, so that it makes its database, then again';
    return { reason: 'no browser of this user has a certificate database', hint };
  }
  if (hasProgram('certutil', machine.env)) return undefined;
  return { reason: 'certutil is not installed', hint: hintFor(machine) };
}

const HINT = 'apt install libnss3-tools';
const HINTS: readonly (readonly [string, string])[] = [
  ['darwin', 'brew install nss'],
  ['debian', HINT],
  ['fedora', 'dnf install nss-tools'],
  ['rhel', 'dnf install nss-tools'],
  ['arch', 'pacman -S nss'],
  ['alpine', 'apk add nss-tools'],
  ['suse', 'zypper install mozilla-nss-tools'],
];

function hintFor({ platform }: Machine): string {
  const words = [platform, ...distribution()];
  return HINTS.find(([word]) => words.includes(word))?.[1] ?? HINT;
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
