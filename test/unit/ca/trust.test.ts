import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { loadOrCreateAuthority, regenerateAuthority } from '../../../src/ca/authority.ts';
import { type Changed, changeTrust, commandsOf, planTrust } from '../../../src/ca/trust/change.ts';
import type { Machine } from '../../../src/ca/trust/store.ts';
import { type GatePaths, gatePaths } from '../../../src/core/paths.ts';
import { findProgram } from '../../helpers/programs.ts';

let root: string;
let paths: GatePaths;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'gate-stores-'));
  paths = gatePaths({ GATE_HOME: join(root, 'gate') });
  loadOrCreateAuthority(paths);
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

function machine(given: Partial<Machine> = {}): Machine {
  return {
    platform: 'linux',
    env: { PATH: process.env['PATH'] },
    home: join(root, 'home'),
    label: 'gate-local-ca-somebody',
    certFile: paths.caCert,
    commonName: 'gate local CA (somebody@here)',
    ...given,
  };
}

/** A program that notes how it was called, and ends with what `exit` says for its first argument. */
function fake(name: string, exit = 'exit 0'): NodeJS.ProcessEnv {
  const bin = join(root, 'bin');
  mkdirSync(bin, { recursive: true });
  const log = join(root, 'calls');
  writeFileSync(join(bin, name), `#!/bin/sh\nprintf '%s\\n' "$*" >>'${log}'\n${exit}\n`);
  chmodSync(join(bin, name), 0o755);
  return { PATH: `${bin}:${process.env['PATH'] ?? ''}` };
}
const calls = () => readFileSync(join(root, 'calls'), 'utf8').trim().split('\n');

function done(what: 'install' | 'uninstall', store: 'system' | 'nss' | 'java', on: Machine): Changed[] {
  const changed: Changed[] = [];
  changeTrust(planTrust(store, on), what, on, (each) => changed.push(each));
  return changed;
}

// promise: ca.command
test("a Mac's login keychain is told of it, by name, and of the removal", () => {
  const env = fake('security');
  const mac = machine({ platform: 'darwin', env });
  const keychain = join(root, 'home/Library/Keychains/login.keychain-db');
  const name = 'gate local CA (somebody@here)';
  expect(done('install', 'system', mac)).toEqual([{ store: 'system', path: keychain, outcome: 'installed' }]);
  expect(done('uninstall', 'system', mac)).toEqual([{ store: 'system', path: keychain, outcome: 'removed' }]);
  expect(calls()).toEqual([
    `delete-certificate -t -c ${name} ${keychain}`,
    `add-trusted-cert -r trustRoot -k ${keychain} ${paths.caCert}`,
    `find-certificate -c ${name} ${keychain}`,
    `delete-certificate -t -c ${name} ${keychain}`,
  ]);
  expect(commandsOf(planTrust('system', mac), 'uninstall')).toEqual([
    `security delete-certificate -t -c '${name}' ${keychain}`,
  ]);
});

// promise: ca.command, exit.next-step
test('what is missing is named, with what to install, and so is what failed', () => {
  const none = { PATH: join(root, 'nothing') };
  const hints = (store: 'system' | 'nss' | 'java', on: Machine) => {
    try {
      planTrust(store, on);
    } catch (error) {
      return error;
    }
    return undefined;
  };
  expect(hints('java', machine({ env: none }))).toMatchObject({
    code: 'trust_lacking',
    message: 'java: keytool is not installed',
    exitCode: 1,
  });
  expect(hints('nss', machine())).toMatchObject({ hint: expect.stringContaining('start the browser once') });
  expect(hints('system', machine({ platform: 'aix' }))).toMatchObject({ code: 'no_trust_store' });

  const env = fake('keytool', 'echo "keystore is read-only" >&2; exit 1');
  expect(() => done('install', 'java', machine({ env }))).toThrow(/keystore is read-only/);
  // Nothing under gate's label: nothing to remove.
  expect(done('uninstall', 'java', machine({ env }))).toMatchObject([{ outcome: 'absent' }]);
});

/** Lines end in different ways. */
const pemOf = (text: string) => text.trim().split(/\r?\n/).join('\n');

// promise: ca.command
test("browsers' databases: installed twice, replaced after a new CA, removed without a trace", ({ skip }) => {
  skip(findProgram('certutil') === undefined, 'no certutil here');
  const certutil = (db: string, ...args: string[]) =>
    execFileSync('certutil', ['-d', `sql:${db}`, ...args], { encoding: 'utf8' });
  const databases = ['.pki/nssdb', '.mozilla/firefox/ab12.default'].map((name) => join(root, 'home', name));
  for (const db of databases) {
    mkdirSync(db, { recursive: true });
    certutil(db, '-N', '--empty-password');
  }
  const before = databases.map((db) => certutil(db, '-L'));
  const stands = () => databases.map((db) => pemOf(certutil(db, '-L', '-n', 'gate-local-ca-somebody', '-a')));
  const pem = () => pemOf(readFileSync(paths.caCert, 'utf8'));

  const outcomes = (outcome: string) => databases.map((path) => ({ store: 'nss', path, outcome }));
  expect(done('install', 'nss', machine())).toEqual(outcomes('installed'));
  expect(done('install', 'nss', machine())).toEqual(outcomes('installed'));
  expect(stands()).toEqual([pem(), pem()]);
  regenerateAuthority(paths);
  expect(done('install', 'nss', machine())).toEqual(outcomes('installed'));
  expect(stands()).toEqual([pem(), pem()]);
  // The one that was installed may be older than the one that is there now.
  regenerateAuthority(paths);
  expect(done('uninstall', 'nss', machine())).toEqual(outcomes('removed'));
  expect(done('uninstall', 'nss', machine())).toEqual(outcomes('absent'));
  expect(databases.map((db) => certutil(db, '-L'))).toEqual(before);
});
