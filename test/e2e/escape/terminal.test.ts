/** What the agent may not do to the terminal that it shares with its user. */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { gateRun, runIn } from './harness.ts';
import { identities } from './identity.ts';
import { PROGRAMS, PYTHON } from './places.ts';
import { createScene, type Scene } from './scene.ts';

const tty = (...args: readonly string[]) => [PYTHON, `${PROGRAMS}/terminal.py`, ...args];
const REFUSED = /PROBE start[\s\S]*PROBE refused E(PERM|ACCES|NOENT|NXIO|IO)/;

/** A terminal of the same user with nobody at it: its name, and what was written to it so far. */
async function otherTerminal(scene: Scene): Promise<{ path: string; seen(): string; close(): void }> {
  const code = [
    'import os,pty,sys',
    'c,t=pty.openpty()',
    'print(os.ttyname(t),flush=True)',
    'while True: sys.stdout.write(repr(os.read(c,999))+"\\n"); sys.stdout.flush()',
  ].join('\n');
  const argv = [...scene.prefix, PYTHON, '-c', code];
  const child = spawn(argv[0] ?? PYTHON, argv.slice(1), { stdio: ['ignore', 'pipe', 'inherit'] });
  const lines: string[] = [];
  const path = await new Promise<string>((resolve) => {
    createInterface({ input: child.stdout }).on('line', (line) => {
      lines.push(line);
      resolve(line);
    });
  });
  return { path, seen: () => lines.slice(1).join('\n'), close: () => child.kill('SIGKILL') };
}

describe.each(identities())('terminal, as $name', (identity) => {
  let scene: Scene;
  beforeAll(async () => {
    scene = await createScene(identity);
  });
  afterAll(() => scene?.dispose());

  const onTerminal = (argv: readonly string[]) =>
    runIn(scene, [PYTHON, `${PROGRAMS}/onterminal.py`, ...argv]);
  const inside = (argv: readonly string[]) => onTerminal(gateRun([], argv));

  for (const [name, high] of [
    ['TIOCSTI', '0'],
    ['TIOCSTI with high bits', '0x100000000'],
  ] as const) {
    it(`${name} types nothing for the user`, async (context) => {
      const bare = await onTerminal(tty('sti', high));
      if (/refused EIO/.test(bare.stdout)) context.skip('dev.tty.legacy_tiocsti is off');
      expect(bare.stdout, bare.stderr).toMatch(/INPUT b'id\\[rn]+/);
      const jailed = await inside(tty('sti', high));
      expect(jailed.stdout, jailed.stderr).toMatch(REFUSED);
      expect(jailed.stdout).toContain("INPUT b''");
    });
  }

  it('a line discipline cannot be set', async () => {
    const bare = await onTerminal(tty('discipline', 'x'));
    const jailed = await inside(tty('discipline', 'x'));
    expect(jailed.stdout, jailed.stderr).toMatch(/PROBE start[\s\S]*PROBE (refused|escaped)/);
    // Where the kernel has the discipline, loading one is a way into it; where not, both sides are refused alike.
    if (bare.stdout.includes('PROBE escaped')) expect(jailed.stdout).toMatch(REFUSED);
  });

  it('TIOCLINUX reaches no console', async (context) => {
    if (identity.name !== 'root') context.skip('only root can open a console');
    const bare = await runIn(scene, tty('linux', '/dev/tty0'));
    if (!bare.stdout.includes('PROBE escaped')) context.skip('no virtual console here');
    const jailed = await runIn(scene, gateRun([], tty('linux', '/dev/tty0')));
    expect(jailed.stdout, jailed.stderr).toMatch(REFUSED);
  });

  it('TIOCLINUX is refused as such', async () => {
    // On a pty the kernel itself says ENOTTY; in the jail the filter must speak first.
    const bare = await onTerminal(tty('linux', '/dev/tty'));
    expect(bare.stdout, bare.stderr).toContain('PROBE refused ENOTTY');
    const jailed = await inside(tty('linux', '/dev/tty'));
    expect(jailed.stdout, jailed.stderr).toMatch(/PROBE start[\s\S]*PROBE refused EPERM/);
  });

  it('another terminal of the same user is not written to', async () => {
    const other = await otherTerminal(scene);
    try {
      const bare = await runIn(scene, tty('other', other.path, 'from-outside'));
      expect(bare.stdout, bare.stderr).toContain('PROBE escaped');
      const jailed = await runIn(scene, gateRun([], tty('other', other.path, 'from-inside')));
      expect(jailed.stdout, jailed.stderr).toContain('PROBE start');
      expect(other.seen()).toContain('from-outside');
      expect(other.seen(), 'GOT OUT').not.toContain('from-inside');
    } finally {
      other.close();
    }
  });

  it('nothing is typed into another terminal of the same user', async (context) => {
    if (identity.name !== 'root') context.skip('without root the kernel allows only the own terminal');
    const other = await otherTerminal(scene);
    try {
      const bare = await runIn(scene, tty('other_sti', other.path));
      expect(bare.stdout, bare.stderr).toContain('PROBE escaped');
      const jailed = await runIn(scene, gateRun([], tty('other_sti', other.path)));
      expect(jailed.stdout, jailed.stderr).toMatch(REFUSED);
    } finally {
      other.close();
    }
  });
});
