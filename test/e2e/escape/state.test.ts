/** The audited party can neither read what gate hides nor change what gate obeys. */
import { createHash } from 'node:crypto';
import {
  chownSync,
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { basename, join, relative } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { behind, describeProbes, gateRun, runIn, type SuiteOptions } from './harness.ts';
import { identities, isRoot } from './identity.ts';
import { install, type Layout } from './install.ts';
import { runsOf } from './ledger.ts';
import { PROGRAMS, PYTHON } from './places.ts';
import {
  BINARY_LINK,
  COMMANDS,
  HARD_LINKS,
  HIDDEN_FILES,
  LISTS,
  lettingGo,
  NESTED,
  PACKAGES,
  PROGRAM,
  parents,
  WAYS,
} from './probes/state.ts';
import { createScene, type Scene } from './scene.ts';

/** One hash over every file of a folder, names and contents. */
function digest(folder: string): string {
  const hash = createHash('sha256');
  for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort()) {
    hash.update(name);
    try {
      hash.update(readFileSync(join(folder, name)));
    } catch {
      // A folder.
    }
  }
  return hash.digest('hex');
}

function own(scene: Scene, path: string): void {
  chownSync(path, scene.identity.uid, scene.identity.gid);
}

/** A gate home with lists, key and one earlier run, made by gate itself; made anew after the damage outside. */
async function lay(scene: Scene): Promise<void> {
  for (const folder of [scene.config, scene.data]) {
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { mode: 0o700 });
    own(scene, folder);
  }
  const texts = { allowlist: 'allowed.test', denylist: 'denied.test', passthrough: '# none' };
  for (const [name, text] of Object.entries(texts)) {
    const path = join(scene.config, `${name}.txt`);
    writeFileSync(path, `${text}\n`, { mode: 0o600 });
    own(scene, path);
  }
  const config = join(scene.config, 'config.toml');
  writeFileSync(config, 'version = 1\n', { mode: 0o600 });
  own(scene, config);
  const made = await runIn(scene, gateRun(['--label', `note=${scene.token}`], ['true']));
  expect(made.code, made.stderr).toBe(0);
  const run = runsOf(scene.data).at(-1) ?? '';
  const key = join(scene.config, 'ca', 'ca.key');
  // What an agent could have left behind in a run without a jail: other names for what gate hides or locks.
  for (const [name, from, make] of [
    ['key-link', key, symlinkSync],
    ['key-hard', key, linkSync],
    ['allow-hard', join(scene.config, 'allowlist.txt'), linkSync],
    ['ledger-hard', join(run, 'ledger.jsonl'), linkSync],
  ] as const) {
    rmSync(join(scene.home, name), { force: true });
    make(from, join(scene.home, name));
  }
  scene.facts['oldRun'] = basename(run);
  scene.facts['configFromHome'] = relative(scene.dir, scene.config);
  scene.facts['before'] = digest(scene.config);
}

const common: SuiteOptions = {
  // One at a time: the probes outside move the very folders that others read.
  parallel: 1,
  lay,
  after: (scene) =>
    expect(digest(scene.config), 'the configuration is what it was').toBe(scene.facts['before']),
};

for (const layout of ['gate-home', 'xdg'] as const) {
  const probes = [...LISTS, ...HIDDEN_FILES, ...NESTED, ...parents(WAYS[layout]), ...lettingGo(WAYS[layout])];
  describeProbes(`own state in ${layout}`, probes, { ...common, layout });
}

describeProbes('hard links made before', HARD_LINKS, common);

const PROGRAM_OF_SCENE = ['{install}/bin/node', '{package}/dist/cli.js'] as const;

/** The product belongs to the user, and is the same afterwards. */
function laidOut(layout: Layout): Pick<SuiteOptions, 'lay' | 'after'> {
  const program = (scene: Scene) => digest(join(scene.dir, 'install'));
  return {
    lay: async (scene) => {
      await lay(scene);
      install(scene, layout);
      const hard = join(scene.home, 'database-hard');
      rmSync(hard, { force: true });
      linkSync(scene.facts['binary'] ?? '', hard);
      scene.facts['before'] += program(scene);
    },
    after: (scene) =>
      expect(digest(scene.config) + program(scene), 'lists and program are what they were').toBe(
        scene.facts['before'],
      ),
  };
}

describeProbes('program and commands', [...COMMANDS, ...PROGRAM, ...BINARY_LINK], {
  ...common,
  program: PROGRAM_OF_SCENE,
  ...laidOut('alone'),
});

for (const layout of ['beside', 'linked'] as const) {
  describeProbes(`program and its packages, ${layout}`, [...PROGRAM, ...PACKAGES, ...BINARY_LINK], {
    ...common,
    program: PROGRAM_OF_SCENE,
    ...laidOut(layout),
  });
}

describe.each(identities())('ways prepared outside, as $name', (identity) => {
  let scene: Scene;
  beforeAll(async () => {
    scene = await createScene(identity);
    await lay(scene);
  });
  afterAll(() => scene?.dispose());

  /** Either gate says what is wrong and starts nothing, or the attempt inside is refused. */
  const holds = async (entry: readonly string[], probe: readonly string[], cwd?: string): Promise<void> => {
    const where = cwd === undefined ? {} : { cwd };
    const inner = behind(scene, entry);
    const bare = await runIn(inner, probe, where);
    expect(bare.stdout, bare.stderr).toContain('PROBE escaped');
    const jailed = await runIn(inner, gateRun([], probe), where);
    if (jailed.code === 125) expect(jailed.stderr).toMatch(/gate: /);
    else expect(jailed.stdout, jailed.stderr).toMatch(/PROBE start[\s\S]*PROBE refused/);
  };
  const read = (path: string, wanted: string) => [PYTHON, `${PROGRAMS}/files.py`, 'read', path, wanted];
  const behindMount = (from: string, to: string): readonly string[] => {
    mkdirSync(to, { recursive: true });
    const script = `mount --bind ${from} ${to} && exec "$@"`;
    return ['unshare', '--mount', '--propagation', 'private', 'sh', '-c', script, 'sh'];
  };

  it('the working directory is a folder that gate hides', async () => {
    const run = scene.facts['oldRun'] ?? '';
    await holds([], read(`${run}/ledger.jsonl`, scene.token), join(scene.data, 'runs'));
  });

  it('the working directory is the folder of the key', async () => {
    await holds([], read('ca.key', 'PRIVATE KEY'), join(scene.config, 'ca'));
  });

  /** What `open` (python) leaves as standard input. */
  const behindInput = (open: string): readonly string[] => {
    const program = `import os,socket,sys\n${open}\nos.dup2(fd,0)\nos.execvp(sys.argv[1],sys.argv[1:])`;
    return [PYTHON, '-c', program];
  };

  it('standard input is a folder that gate hides', async () => {
    const run = scene.facts['oldRun'] ?? '';
    const entry = behindInput(`fd=os.open(${JSON.stringify(join(scene.data, 'runs'))},os.O_RDONLY)`);
    const probe = read(`/proc/self/fd/3/${run}/ledger.jsonl`, scene.token);
    // Python does not start with a folder there.
    await holds(entry, ['sh', '-c', 'exec "$@" 3<&0 </dev/null', 'sh', ...probe]);
  });

  it('standard input is a socket that listens, and is then connected by its first message', async () => {
    const entry = behindInput('s=socket.socket();s.bind(("127.0.0.1",0));s.listen();fd=s.fileno()');
    const port = scene.facts['tcp4.port'] ?? '';
    const probe = [PYTHON, `${PROGRAMS}/net.py`, 'reused', '127.0.0.1', port];
    await holds(entry, ['env', `PROBE_TOKEN=${scene.token}`, ...probe]);
    // Once by the attempt outside.
    const reached = (await scene.hits()).filter((hit) => hit.target === 'tcp4' && hit.data !== '');
    expect(reached).toHaveLength(1);
  });

  it('the configuration is mounted a second time', async (context) => {
    if (!isRoot()) context.skip('needs root to mount');
    const other = join(scene.dir, 'second');
    await holds(behindMount(scene.config, other), read(join(other, 'ca', 'ca.key'), 'PRIVATE KEY'));
  });

  it('the data is mounted a second time, by its parent', async (context) => {
    if (!isRoot()) context.skip('needs root to mount');
    const other = join(scene.dir, 'third');
    const path = join(other, 'data', 'runs', scene.facts['oldRun'] ?? '', 'ledger.jsonl');
    await holds(behindMount(join(scene.dir, 'gatehome'), other), read(path, scene.token));
  });

  it('the second mount is there to be written to', async (context) => {
    if (!isRoot()) context.skip('needs root to mount');
    const other = join(scene.dir, 'fourth');
    const write = [PYTHON, `${PROGRAMS}/files.py`, 'append', join(other, 'allowlist.txt')];
    await holds(behindMount(scene.config, other), write);
    expect(existsSync(join(other, 'allowlist.txt')), 'the mount was private').toBe(false);
  });
});
