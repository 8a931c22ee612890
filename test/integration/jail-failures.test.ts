import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createRig, jailMissing, type Rig, users } from '../helpers/jail-rig.ts';
import { skipBecause } from '../helpers/skips.ts';

const missing = jailMissing();
const build = fileURLToPath(new URL('../../platform/linux/native/build.mjs', import.meta.url));

/** Who runs the tests. */
const self = { name: 'self', uid: process.getuid?.() ?? 0 };

// promise: jail.fail-closed
describe('a jail that cannot be', skipBecause(missing), () => {
  let rig: Rig;
  beforeAll(async () => {
    rig = await createRig();
  }, 120_000);
  afterAll(() => rig?.remove());

  it.each([
    [
      'user namespaces are switched off',
      'echo 0 >/proc/sys/user/max_user_namespaces',
      /user-namespace.*ENOSPC/,
      /max_user_namespaces/,
    ],
    [
      'network namespaces are switched off',
      'echo 0 >/proc/sys/user/max_net_namespaces',
      /network-namespace.*ENOSPC/,
      /max_\{net/,
    ],
    [
      'parts of /proc are hidden',
      'mount -t tmpfs tmpfs /proc/fs',
      /proc: mount: EPERM/,
      /systempaths=unconfined/,
    ],
  ])('is refused when %s', async (_name, script, what, fix) => {
    const marker = join(rig.dir, 'started');
    // In a user namespace of its own: its limits are its own as well.
    const command = ['unshare', '-Urm', 'sh', '-ec', `${script}; exec "$@"`, 'sh'];
    const driver = [process.execPath, join(rig.dir, 'driver.mjs'), '--', 'touch', marker];
    const outcome = await rig.outside(self, [...command, ...driver]);
    expect(outcome.code).toBe(125);
    expect(outcome.stderr).toMatch(what);
    expect(outcome.stderr).toMatch(fix);
    expect(spawnSync('test', ['-e', marker]).status).toBe(1);
  });

  it.each(users())('is refused as $name when the files to protect cannot be', async (user) => {
    for (const spec of [
      { covers: [{ folder: '/no/such/folder', files: [] }] },
      { covers: [{ folder: rig.dir, files: [{ name: '../escape', content: 'x' }] }] },
      { overlays: [{ folder: '/etc/passwd', files: [] }] },
      { cwd: '/no/such/folder' },
      { capturePorts: [80, 80_000] },
      { capturePorts: [3128] },
    ]) {
      const outcome = await rig.jailed(user, ['echo', 'ran'], spec);
      expect(outcome).toMatchObject({ code: 125, stdout: '', end: undefined });
      expect(outcome.stderr).toMatch(/^gate: \S/);
    }
  });

  it.each(users())('names the missing helper to $name, and how to get it', async (user) => {
    const alone = join(rig.dir, 'alone');
    mkdirSync(alone, { recursive: true });
    copyFileSync(join(rig.dir, 'driver.mjs'), join(alone, 'driver.mjs'));
    const outcome = await rig.outside(user, [process.execPath, join(alone, 'driver.mjs'), '--', 'true']);
    expect(outcome.code).toBe(125);
    expect(outcome.stderr).toMatch(/gate-jail\) is missing[\s\S]*install a C compiler/);
  });

  it('lets the rest be built where there is no C compiler', () => {
    const made = spawnSync(process.execPath, [build, join(rig.dir, 'none')], {
      env: { PATH: '/nonexistent' },
      encoding: 'utf8',
    });
    expect(made.status).toBe(0);
    expect(made.stderr).toMatch(/not built: no C compiler[\s\S]*apt install/);
    const broken = spawnSync(process.execPath, [build, join(rig.dir, 'none')], {
      env: { PATH: process.env['PATH'] ?? '', CC: 'false' },
    });
    expect(broken.status).toBe(0);
  });

  it('leaves neither process nor listener when it fails late', async () => {
    const outcome = await rig.jailed(self, ['/no/such/command']);
    expect(outcome.code).toBe(127);
    // Only this file's helper: other tests have jails at the same time.
    expect(spawnSync('pgrep', ['-f', join(rig.dir, 'native')], { encoding: 'utf8' }).stdout).toBe('');
  });
});
