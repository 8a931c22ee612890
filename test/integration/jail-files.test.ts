import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { JailSpec } from '../../platform/jail.ts';
import { createRig, jailMissing, type Rig, type User, users } from '../helpers/jail-rig.ts';
import { skipBecause } from '../helpers/skips.ts';

const missing = jailMissing();
const isRoot = process.getuid?.() === 0;
const mounts = !isRoot && 'needs root to mount';

describe('files in the jail', skipBecause(missing), () => {
  let rig: Rig;
  beforeAll(async () => {
    rig = await createRig();
  }, 120_000);
  afterAll(() => rig?.remove());

  /** A home with gate's folders in it, one of them behind a symlink. */
  function home(user: User): { path: string; spec: Partial<JailSpec> } {
    const path = rig.home(user);
    const made = spawnSync(
      'sh',
      [
        '-ec',
        `mkdir -p .config dotfiles/gate/ca .local/share/gate/runs/r1 certs/sub work
         ln -s ../dotfiles/gate .config/gate
         echo allowed >dotfiles/gate/allowlist.txt; echo PRIVATE >dotfiles/gate/ca/ca.key
         echo RECORD >.local/share/gate/runs/r1/ledger; echo system >certs/old.pem; echo host >resolv.conf
         chown -R ${user.uid}:${user.uid} . 2>/dev/null || true`,
      ],
      { cwd: path, encoding: 'utf8' },
    );
    expect(made.stderr).toBe('');
    const config = join(path, '.config/gate');
    return {
      path,
      spec: {
        cwd: join(path, 'work'),
        readOnly: [config],
        covers: [
          { folder: join(path, '.local/share/gate'), files: [] },
          { folder: join(config, 'ca'), files: [{ name: 'ca.pem', content: 'CERTIFICATE' }] },
        ],
        overlays: [
          {
            folder: join(path, 'certs'),
            files: [
              { name: 'new.pem', content: 'gate' },
              { name: 'java/cacerts', content: Buffer.from([0, 255, 10]).toString('latin1') },
            ],
          },
        ],
        replaced: [{ path: join(path, 'resolv.conf'), content: 'inside\n' }],
      },
    };
  }

  const sh = (script: string) => ['bash', '-c', script];

  describe.each(users())('as $name', (user) => {
    // promise: jail.hidden
    it('shows covers, overlays and replaced files, and the real ones outside', async () => {
      const { path, spec } = home(user);
      const script = `cd ${path}; ls .local/share/gate | wc -l; ls .config/gate/ca; cat .config/gate/ca/ca.pem; echo
        cat .config/gate/allowlist.txt resolv.conf certs/old.pem certs/new.pem; echo; ls certs/java certs`;
      const outside = await rig.outside(user, sh(script));
      expect(outside.stdout).toContain('ca.key');
      const inside = await rig.jailed(user, sh(script), spec);
      expect(inside.stdout).toBe(
        '0\nca.pem\nCERTIFICATE\nallowed\ninside\nsystem\ngate\ncerts:\njava\nnew.pem\nold.pem\nsub\n\ncerts/java:\ncacerts\n',
      );
    });

    it.each([
      ['appending', 'echo x >>.config/gate/allowlist.txt'],
      ['renaming a parent', 'mv .config gone'],
      ['renaming the data folder’s parent', 'mv .local gone'],
      ['renaming the folder', 'mv -T dotfiles/gate gone'],
      ['renaming the folder the link names', 'mv dotfiles gone'],
      ['replacing the link', 'ln -sfn /tmp .config/gate'],
      ['removing the link', 'rm .config/gate'],
      ['unlinking', 'rm -f .config/gate/allowlist.txt'],
      ['a hard link', 'ln .config/gate/allowlist.txt hard && echo x >>hard'],
      ['a new file', 'touch .config/gate/new'],
      ['a new certificate', 'touch certs/new'],
      ['another resolver', 'echo x >resolv.conf'],
      ['changing modes', 'chmod 777 .config/gate/allowlist.txt'],
      ['a remount', 'mount -o remount,bind,rw .config/gate'],
      ['an unmount', 'umount .config/gate/ca'],
      ['a nested namespace’s unmount', 'unshare -Urm umount -l .local/share/gate'],
      [
        'a nested namespace’s bind',
        'unshare -Urm sh -ec "mount --bind . work; cat work/.local/share/gate/runs/r1/ledger"',
      ],
      [
        'a nested namespace’s pivot',
        'unshare -Urm sh -ec "mount --bind / work; ls work/$PWD/.local/share/gate/runs"',
      ],
      [
        'a nested namespace’s overlay',
        'unshare -Urm sh -ec "mount -t overlay o -o lowerdir=.:certs work; cat work/.local/share/gate/runs/r1/ledger"',
      ],
      ['process 1', 'cat /proc/1/root$PWD/.local/share/gate/runs/r1/ledger'],
      ['its own root', 'cat /proc/self/root$PWD/.local/share/gate/runs/r1/ledger'],
    ])('does not allow %s', async (_name, attempt) => {
      const { path, spec } = home(user);
      const inside = await rig.jailed(user, sh(`cd ${path}; ${attempt}`), spec);
      expect(inside.end).not.toEqual({ exitCode: 0 });
      expect(inside.stdout).not.toMatch(/RECORD|r1/);
      expect(readFileSync(join(path, '.config/gate/allowlist.txt'), 'utf8')).toBe('allowed\n');
      expect(readFileSync(join(path, '.local/share/gate/runs/r1/ledger'), 'utf8')).toBe('RECORD\n');
    });

    it('would have allowed them outside', async () => {
      const { path } = home(user);
      const script = `cd ${path}; echo x >>.config/gate/allowlist.txt && mv .local gone && ln .config/gate/allowlist.txt hard &&
        ln -sfn /tmp .config/gate && mv .config elsewhere && cat gone/share/gate/runs/r1/ledger`;
      const outside = await rig.outside(user, sh(script));
      expect(outside).toMatchObject({ code: 0, stdout: 'RECORD\n' });
    });

    it('does not leave a covered folder open as the working directory', async () => {
      const { path, spec } = home(user);
      const inside = await rig.jailed(
        user,
        sh('cat ledger; ls runs; ls -A; cat ../../gate/runs/r1/ledger; true'),
        {
          ...spec,
          cwd: join(path, '.local/share/gate'),
        },
      );
      expect(inside).toMatchObject({ code: 0, stdout: '' });
      const hidden = await rig.jailed(user, ['true'], {
        ...spec,
        cwd: join(path, '.local/share/gate/runs/r1'),
      });
      expect(hidden.code).toBe(125);
      expect(hidden.stderr).toContain('cwd');
    });

    it('leaves the rest of the files as they are', async () => {
      const { path, spec } = home(user);
      const inside = await rig.jailed(
        user,
        sh('echo hello >f && mv f g && cat g && cd .. && touch new && mv new work/'),
        spec,
      );
      expect(inside).toMatchObject({ code: 0, stdout: 'hello\n' });
      expect(readFileSync(join(path, 'work/g'), 'utf8')).toBe('hello\n');
    });

    it('finds names that were given to protected files before', async () => {
      const { path, spec } = home(user);
      const script = `cd ${path}; ln .local/share/gate/runs/r1/ledger work/ledger; ln dotfiles/gate/allowlist.txt list
        ln dotfiles/gate/ca/ca.key work/key`;
      expect((await rig.outside(user, sh(`${script}; cat work/ledger work/key list`))).stdout).toBe(
        'RECORD\nPRIVATE\nallowed\n',
      );
      const inside = await rig.jailed(
        user,
        sh('cat ledger key; cat ../list; echo x >>../list; rm -f ledger ../list'),
        spec,
      );
      expect(inside.stdout).toBe('allowed\n');
      expect(readFileSync(join(path, 'dotfiles/gate/allowlist.txt'), 'utf8')).toBe('allowed\n');
    });

    it('finds them far away, and counts those among the protected ones once, however often they are named', async () => {
      const { path, spec } = home(user);
      const script = `cd ${path}; mkdir -p a/b/c; ln dotfiles/gate/allowlist.txt dotfiles/gate/again
        ln dotfiles/gate/allowlist.txt a/b/c/list`;
      const far = 'echo x >>../a/b/c/list';
      expect((await rig.outside(user, sh(`${script}; cat a/b/c/list`))).stdout).toBe('allowed\n');
      const readOnly = [...(spec.readOnly ?? []), join(path, 'dotfiles/gate'), join(path, 'dotfiles/gate')];
      const inside = await rig.jailed(user, sh(`${far}; cat ../a/b/c/list`), { ...spec, readOnly });
      expect(inside).toMatchObject({ code: 0, stdout: 'allowed\n' });
      expect(inside.stderr).toContain('Read-only file system');
      expect(readFileSync(join(path, 'dotfiles/gate/allowlist.txt'), 'utf8')).toBe('allowed\n');
    });

    it('finds them wherever their folder is mounted', skipBecause(mounts), async () => {
      const views = ['work/list', 'v/list', 'one'];
      const script = (
        path: string,
      ) => `cd ${path}; ln dotfiles/gate/allowlist.txt work/list; mkdir v; touch one
        mount --bind work v; mount --bind work/list one`;
      const write = (path: string) => views.map((name) => `echo x >>${path}/${name}`).join('; ');
      const other = home(user).path;
      spawnSync('unshare', ['-m', 'sh', '-ec', `${script(other)}\n${write(other)}`]);
      expect(readFileSync(join(other, 'dotfiles/gate/allowlist.txt'), 'utf8')).toBe('allowed\nx\nx\nx\n');
      const { path, spec } = home(user);
      const inside = await rig.jailedAfter(
        script(path),
        user,
        sh(`${write(path)}; cat ${path}/v/list`),
        spec,
      );
      expect(inside.stdout).toBe('allowed\n');
      expect(inside.stderr.match(/Read-only file system/g)).toHaveLength(views.length);
      expect(readFileSync(join(path, 'dotfiles/gate/allowlist.txt'), 'utf8')).toBe('allowed\n');
    });

    const dark = (!isRoot || user.uid === 0) && "needs a folder of root's and an ordinary user's run";
    it('refuses the run when such a name is out of its sight', skipBecause(dark), async () => {
      const { path, spec } = home(user);
      const script = `cd ${path}; mkdir dark; ln .local/share/gate/runs/r1/ledger dark/ledger; chown 0:0 dark; chmod 711 dark`;
      expect(spawnSync('sh', ['-ec', script]).status).toBe(0);
      expect((await rig.outside(user, ['cat', `${path}/dark/ledger`])).stdout).toBe('RECORD\n');
      const inside = await rig.jailed(user, ['cat', `${path}/dark/ledger`], spec);
      expect(inside).toMatchObject({ code: 125, stdout: '' });
      expect(inside.stderr).toContain('-samefile');
    });

    it('finds second views of the same files', skipBecause(mounts), async () => {
      const { path, spec } = home(user);
      const script = `mkdir -p ${path}/v/bind ${path}/v/part ${path}/v/file ${path}/v/over ${path}/v/data; touch ${path}/v/one
        mount --bind ${path} ${path}/v/bind
        mount --bind ${path}/.local/share/gate/runs ${path}/v/part
        mount --bind ${path}/.local/share/gate/runs/r1/ledger ${path}/v/one
        mount -t overlay overlay -o lowerdir=${path}/.local:${path}/certs ${path}/v/over
        mount -t tmpfs tmpfs ${path}/v/data; mkdir ${path}/v/data/a; echo RECORD >${path}/v/data/a/ledger
        mount --bind ${path}/v/data ${path}/.local/share/gate/runs`;
      const read = `cd ${path}/v; cat bind/.local/share/gate/runs/r1/ledger part/r1/ledger one over/share/gate/runs/r1/ledger data/a/ledger; echo x >>bind/dotfiles/gate/allowlist.txt`;
      const outside = spawnSync('unshare', ['-m', 'sh', '-c', `${script}\n${read}`], { encoding: 'utf8' });
      expect(outside.stdout.match(/RECORD/g)).toHaveLength(5);
      const again = home(user);
      const moved = (text: string) => text.replaceAll(path, again.path);
      const inside = await rig.jailedAfter(
        moved(script),
        user,
        sh(moved(read)),
        JSON.parse(moved(JSON.stringify(spec))),
      );
      expect(inside.end).toEqual({ exitCode: 1 });
      expect(inside.stdout).toBe('');
      expect(readFileSync(join(again.path, 'dotfiles/gate/allowlist.txt'), 'utf8')).toBe('allowed\n');
    });

    it('covers kernel filesystems that are mounted elsewhere', skipBecause(mounts), async () => {
      const path = rig.home(user);
      const script = `mkdir -p ${path}/proc ${path}/sys ${path}/dev ${path}/pts; mount -t proc proc ${path}/proc
        mount -t sysfs sysfs ${path}/sys; mount --rbind /dev ${path}/dev; mount --bind /dev/pts ${path}/pts`;
      const read = `ls ${path}/proc ${path}/sys ${path}/dev ${path}/pts | grep -c .`;
      const outside = spawnSync('unshare', ['-m', 'sh', '-c', `${script}\n${read}`], { encoding: 'utf8' });
      expect(Number(outside.stdout)).toBeGreaterThan(50);
      const inside = await rig.jailedAfter(script, user, sh(read), {});
      // The four headings.
      expect(inside.stdout.trim()).toBe('4');
    });

    it('refuses the run when something that it must protect is missing', async () => {
      const { path } = home(user);
      const inside = await rig.jailed(user, ['true'], { readOnly: [join(path, 'no-such')] });
      expect(inside.code).toBe(125);
      expect(inside.end).toBeUndefined();
    });
  });
});
