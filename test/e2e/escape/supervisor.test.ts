/** Nothing outside the jail can be signalled, traced, joined or shared with. */
import { chmodSync, chownSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compile } from './compile.ts';
import { describeProbes, gateRun, runIn } from './harness.ts';
import { identities, isRoot } from './identity.ts';
import { PROGRAMS, PYTHON } from './places.ts';
import { INHERITED, INIT, ipcKey, PROCESSES, SHARED } from './probes/supervisor.ts';
import { createScene, type Scene } from './scene.ts';

async function ipc(scene: Scene, what: 'make' | 'remove'): Promise<void> {
  const { ipcKey: key = '', mark = '' } = scene.facts;
  const argv = [PYTHON, `${PROGRAMS}/ipc.py`, what, key, `/dev/shm/gate-escape-${mark}`];
  const ran = await runIn(scene, argv, { env: { PROBE_TOKEN: scene.token } });
  expect(ran.stdout, ran.stderr).toContain('PROBE escaped');
}

function setuidProgram(scene: Scene): void {
  compile(scene, 'whoami');
  const path = scene.facts['whoami'];
  if (!isRoot() || path === undefined) return;
  chownSync(path, 0, 0);
  chmodSync(path, 0o4755);
}

/** A pid namespace of the test around everything that a signal could hit, with a shell as its pid 1. */
const CONTAINED = [
  'unshare',
  ...(isRoot() ? [] : ['--user', '--map-current-user']),
  ...['--pid', '--fork', '--kill-child', '--mount-proc', '--'],
];

describeProbes('processes', PROCESSES);

describeProbes('the init of the jail', INIT, { entry: [...CONTAINED, 'sh', '-c', '"$@"; exit $?', 'sh'] });

describeProbes('shared memory and setuid', SHARED, {
  lay: async (scene, side) => {
    if (side === 'inside') return;
    scene.facts['ipcKey'] = ipcKey(scene.token);
    setuidProgram(scene);
    await ipc(scene, 'make');
  },
  undo: (scene) => ipc(scene, 'remove'),
});

describeProbes('inherited descriptors', INHERITED, {
  lay: (scene) => {
    const file = join(scene.data, 'marker.txt');
    writeFileSync(file, scene.token);
    chownSync(file, scene.identity.uid, scene.identity.gid);
  },
  // The socket of the caller is connected before gate starts: that touch is the test's own.
  entry: ['bash', '-c', 'exec 8<>/dev/tcp/127.0.0.1/{tcp4.port} 9<{data}; exec "$@"', 'bash'],
  reachable: ['tcp4'],
});

describe.each(identities())('signals to everyone, as $name', (identity) => {
  let scene: Scene;
  beforeAll(async () => {
    scene = await createScene(identity);
  });
  afterAll(() => scene?.dispose());

  const contained = (
    script: string,
    argv: readonly string[],
  ): Promise<{ stdout: string; stderr: string }> => {
    const shell = [...scene.identity.prefix, 'sh', '-c', script, 'sh', ...argv];
    return runIn({ ...scene, prefix: CONTAINED }, shell);
  };
  const probe = (name: string) => [PYTHON, `${PROGRAMS}/proc.py`, name, 'x'];

  it('kill(-1) reaches nothing outside', async () => {
    const script =
      'sleep 60 & "$@"; sleep 0.2; if kill -0 $!; then echo CANARY LIVES; else echo CANARY GONE; fi';
    const bare = await contained(script, probe('everyone'));
    expect(bare.stdout, bare.stderr).toMatch(/PROBE start[\s\S]*CANARY GONE/);
    const jailed = await contained(script, gateRun([], probe('everyone')));
    expect(jailed.stdout, jailed.stderr).toMatch(/PROBE start[\s\S]*CANARY LIVES/);
  });

  it('kill(0) does not reach the script that started gate', async () => {
    const script = 'setsid -w sh -c \'"$@"; echo SCRIPT LIVES\' sh "$@"; echo OVER';
    const bare = await contained(script, probe('group'));
    expect(bare.stdout, bare.stderr).toMatch(/PROBE start\s+OVER/);
    const jailed = await contained(script, gateRun([], probe('group')));
    expect(jailed.stdout, jailed.stderr).toMatch(/PROBE start\s+SCRIPT LIVES\s+OVER/);
  });
});
