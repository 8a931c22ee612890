import { existsSync, readdirSync } from 'node:fs';
import { execa } from 'execa';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type HttpsOrigin, startHttpsOrigin } from '../helpers/https-origin.ts';
import { GATE, type TestHome, testHome } from '../helpers/product.ts';
import { findProgram } from '../helpers/programs.ts';

const ANCHORS = '/usr/local/share/ca-certificates';
const CERTS = '/etc/ssl/certs';

let home: TestHome;
let origin: HttpsOrigin;
beforeEach(async () => {
  home = testHome();
  origin = await startHttpsOrigin('origin.test');
});
afterEach(async () => {
  await origin.stop();
  home.remove();
});

function missing(): string | undefined {
  if (findProgram('update-ca-certificates') === undefined) return 'this system has no update-ca-certificates';
  return existsSync(ANCHORS) && existsSync(CERTS) ? undefined : 'no folders of a Debian-like system here';
}

/**
 * Runs a shell script as root of a mount namespace of its own, in which the system's certificates are copies: the
 * machine's own are not touched.
 */
function apart(script: string) {
  const setup = [
    `set -e`,
    `mkdir -p ${home.dir}/certs && cp -dR ${CERTS}/. ${home.dir}/certs/`,
    `mount --bind ${home.dir}/certs ${CERTS}`,
    `mount -t tmpfs none ${ANCHORS}`,
    // The hooks are other packages' business (Java's takes long), and none of what is shown.
    `[ ! -d /etc/ca-certificates/update.d ] || mount -t tmpfs none /etc/ca-certificates/update.d`,
    `gate() { '${process.execPath}' '${GATE}' "$@"; }`,
    `set +e`,
  ];
  const namespace = ['-m', '--propagation', 'private', ...(process.geteuid?.() === 0 ? [] : ['-r'])];
  return execa('unshare', [...namespace, 'sh', '-c', [...setup, script].join('\n')], {
    env: home.env,
    extendEnv: false,
    reject: false,
    cwd: home.dir,
  });
}

// promise: ca.command
test('the system trusts the local CA from install to uninstall, and both are recorded', async ({ skip }) => {
  const why = missing();
  skip(why !== undefined, why);
  await home.gate(['run', '--', 'true']);
  const before = readdirSync(CERTS).length;
  const trusted = `openssl verify -CApath ${CERTS} "$(gate ca path)" >/dev/null 2>&1; echo "trusted $?"`;
  const script = [
    trusted,
    'gate ca install',
    'gate ca install; echo "again $?"',
    trusted,
    `ls ${ANCHORS}`,
    'gate ca regenerate --yes >/dev/null; gate ca uninstall; echo "removed $?"',
    `ls ${ANCHORS}`,
    'gate ca uninstall; echo "nothing $?"',
  ].join('\n');
  const result = await apart(script);
  const path =
    result.stdout
      .split('\n')
      .find((line) => line.startsWith('system  installed'))
      ?.split('  ')
      .at(-1) ?? '';
  expect(path, result.stderr).toMatch(/^\/usr\/local\/share\/ca-certificates\/gate-local-ca-.*\.crt$/);
  expect(result.stdout.split('\n')).toEqual([
    'trusted 2',
    `system  installed  ${path}`,
    `system  installed  ${path}`,
    'again 0',
    'trusted 0',
    path.split('/').at(-1),
    `system  removed  ${path}`,
    'removed 0',
    `system  not installed  ${path}`,
    'nothing 0',
  ]);
  expect(home.actions().map(({ type, store }) => `${String(type)} ${String(store ?? '')}`.trim())).toEqual([
    'ca.install system',
    'ca.install system',
    'ca.regenerate',
    'ca.uninstall system',
  ]);
  expect(readdirSync(CERTS).length).toBe(before);
});

// promise: ca.command, exit.next-step
test('--dry-run prints the commands, an ordinary user is told them, and a jailed one is refused', async ({
  skip,
}) => {
  const why = missing();
  skip(why !== undefined, why);
  expect((await home.gate(['ca', 'install'])).stderr).toContain('gate run -- true');
  await home.gate(['run', '--', 'true']);
  const { stdout } = await home.gate(['ca', 'install', '--dry-run', '--store', 'system']);
  const [copy = '', refresh] = stdout.trim().split('\n');
  expect(copy).toMatch(
    new RegExp(`install -m 0644 ${home.dir}/\\S+/ca.pem ${ANCHORS}/gate-local-ca-\\S+\\.crt$`),
  );
  expect(refresh).toMatch(/(sudo )?update-ca-certificates/);
  expect(existsSync(copy.split(' ').at(-1) ?? '')).toBe(false);

  const gate = `'${process.execPath}' '${GATE}'`;
  const jailed = await home.gate(['run', '--', 'sh', '-c', `${gate} ca install; echo "exit $?"`]);
  expect(jailed.stdout).toBe('exit 1\n');
  expect(jailed.stderr).toContain('trust stores cannot be changed from inside gate run');

  expect((await home.gate(['ca', 'install', '--store', 'windows'])).exitCode).toBe(2);
  if (process.geteuid?.() !== 0) {
    const told = await home.gate(['ca', 'install']);
    expect(told.exitCode).toBe(1);
    expect(told.stderr).toContain('sudo install -m 0644');
    expect(told.stderr).toContain('&& sudo update-ca-certificates');
  }
});
