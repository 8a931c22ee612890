/** gate's own state: the lists it obeys, the key it signs with, the ledgers it wrote, and its program. */
import { both, type Need, type Probe, py } from '../probe.ts';

const CLASS = 'own state';
const LOCKED = /^E(ROFS|BUSY|XDEV|ACCES|PERM|INVAL)$/;
const HIDDEN = /^(E(NOENT|ACCES|XDEV|PERM|ROFS)|empty listing)$/;

function file(name: string, args: readonly string[], expect: RegExp, needs: readonly Need[] = []): Probe {
  return { name, class: CLASS, ...both(py('files', ...args)), expect, needs };
}

const KEY = '{config}/ca/ca.key';
const SECRET = 'PRIVATE KEY';
const LEDGER = '{data}/runs/{oldRun}/ledger.jsonl';

export const LISTS: readonly Probe[] = [
  file('append to the allowlist', ['append', '{config}/allowlist.txt'], LOCKED),
  file('append to the denylist', ['append', '{config}/denylist.txt'], LOCKED),
  file('append to the configuration', ['append', '{config}/config.toml'], LOCKED),
  file('replace the denylist as editors do', ['replace', '{config}/denylist.txt'], LOCKED),
  file('rename a file of our own over the denylist', ['swap', '{config}/denylist.txt'], LOCKED),
  file('empty the denylist', ['truncate', '{config}/denylist.txt'], LOCKED),
  file('map the allowlist for writing', ['mapped', '{config}/allowlist.txt'], LOCKED),
  file('make the allowlist writable for all', ['chmod', '{config}/allowlist.txt'], LOCKED),
  file('new file among the configuration', ['create', '{config}/fresh.txt'], LOCKED),
  file('new file beside the key', ['create', '{config}/ca/fresh.key'], LOCKED),
  file('write by /proc/self/root', ['append', '/proc/self/root{config}/allowlist.txt'], LOCKED),
  file('write from the working directory', ['append', '../{configFromHome}/allowlist.txt'], LOCKED),
  file('remove the denylist', ['unlink', '{config}/denylist.txt'], LOCKED),
].map((probe) => ({ ...probe, cwd: '{home}' }));

export const HIDDEN_FILES: readonly Probe[] = [
  file('key by its path', ['read', KEY, SECRET], HIDDEN),
  file('key by a symbolic link', ['read_link', KEY, SECRET, 'symbolic'], HIDDEN),
  file('key by a hard link', ['read_link', KEY, SECRET, 'hard'], HIDDEN),
  file('key by /proc/self/root', ['through_self', KEY, SECRET, 'root'], HIDDEN),
  file('key by /proc/thread-self/root', ['through_self', KEY, SECRET, '../thread-self/root'], HIDDEN),
  file('key by a symbolic link made before', ['read', '{home}/key-link', SECRET], HIDDEN),
  file('ledger of another run', ['read', LEDGER, '{token}'], HIDDEN),
  file('bodies of another run', ['read', '{data}/runs/{oldRun}/bodies.pack', ''], HIDDEN),
  file('ledger of another run by a symbolic link', ['read_link', LEDGER, '{token}', 'symbolic'], HIDDEN),
  file('list of runs', ['listing', '{data}/runs', '{oldRun}'], HIDDEN),
  file('heads', ['read', '{data}/heads.jsonl', '{oldRun}'], HIDDEN),
  file('append to the heads', ['append', '{data}/heads.jsonl'], /^E(NOENT|ROFS|ACCES|PERM)$/),
  file('remove a ledger', ['open_write', LEDGER], /^E(NOENT|ROFS|ACCES|PERM)$/),
  file('move the configuration away', ['rename_parent', '{config}', 'ca/ca.key', SECRET], LOCKED),
  file('move the data away', ['rename_parent', '{data}', 'runs/{oldRun}/ledger.jsonl', '{token}'], LOCKED),
  file('move the key folder away', ['rename_parent', '{config}/ca', 'ca.key', SECRET], LOCKED),
  file('swap the configuration for a folder of ours', ['exchange', '{config}'], LOCKED),
];

/** Other names of the same files, which an agent could have made in a run without a jail. */
export const HARD_LINKS: readonly Probe[] = [
  file('key by a hard link made before', ['read', '{home}/key-hard', SECRET], HIDDEN),
  file('allowlist by a hard link made before', ['append', '{home}/allow-hard'], LOCKED),
  file('ledger by a hard link made before', ['read', '{home}/ledger-hard', '{token}'], HIDDEN),
];

/** A folder on the way to gate's, and where a secret is below it. */
export type Way = readonly [folder: string, inner: string, wanted: string];

export const WAYS: Readonly<Record<'gate-home' | 'xdg', readonly Way[]>> = {
  'gate-home': [
    ['{dir}/gatehome', 'config/ca/ca.key', SECRET],
    ['{dir}', 'gatehome/config/ca/ca.key', SECRET],
  ],
  xdg: [
    ['{home}/.config', 'gate/ca/ca.key', SECRET],
    ['{home}/.local/share', 'gate/runs/{oldRun}/ledger.jsonl', '{token}'],
    ['{home}/.local', 'share/gate/runs/{oldRun}/ledger.jsonl', '{token}'],
    ['{home}', '.config/gate/ca/ca.key', SECRET],
    ['{dir}', 'home/.config/gate/ca/ca.key', SECRET],
  ],
};

/** Renames of what lies between the root and gate's folders. */
export function parents(ways: readonly Way[]): readonly Probe[] {
  return ways.map(([folder, inner, wanted]) =>
    file(`move ${folder} away`, ['rename_parent', folder, inner, wanted], LOCKED),
  );
}

function nested(name: string, args: readonly string[], expect: RegExp, needs: readonly Need[] = []): Probe {
  const [what = '', ...rest] = args;
  return {
    name: `${name}, from a nested namespace`,
    class: CLASS,
    outside: py('nested', what, 'cover', ...rest),
    inside: py('nested', what, 'no-cover', ...rest),
    expect,
    needs,
  };
}

/** What a process can do that let go of the jail's mounts, while the kernel heeds only those that it still has. */
export function lettingGo(ways: readonly Way[]): readonly Probe[] {
  return ['{config}', ...ways.map(([folder]) => folder)].flatMap((folder) => [
    nested(`move ${folder} away, its mounts let go`, ['let_go', folder, 'move'], /^EBUSY$/),
    nested(`exchange ${folder}, its mounts let go`, ['let_go', folder, 'exchange'], /^EBUSY$/),
  ]);
}

const STILL = /^(E(PERM|INVAL|ACCES|ROFS|NOENT|BUSY|NOSPC|NOSYS)|still hidden)$/;

export const NESTED: readonly Probe[] = [
  nested('take off the covers', ['umount', '{config}', KEY, SECRET], STILL),
  nested('make the configuration writable', ['remount', '{config}', '{config}/allowlist.txt'], STILL),
  nested('bind the parent elsewhere', ['rebind', '{config}', 'ca/ca.key', SECRET, 'flat'], STILL),
  nested('open_tree of the parent', ['opentree', '{config}', 'ca/ca.key', SECRET], STILL),
  nested('a new root', ['remake', '{config}', 'ca/ca.key', SECRET], STILL, ['root']),
  nested('read on, its mounts let go', ['let_go', '{config}', 'read', 'ca/ca.key', SECRET], STILL),
  nested('change the loopback', ['interface', 'link set lo mtu 65536'], /not permitted|EPERM/, [
    'root',
    'tool:ip',
  ]),
];

export const PROGRAM: readonly Probe[] = [
  file('append to the program', ['append', '{package}/dist/cli.js'], LOCKED),
  file('replace the program', ['replace', '{package}/dist/cli.js'], LOCKED),
  file('new file in the program', ['create', '{package}/dist/fresh.js'], LOCKED),
  file('write a native part', ['open_write', '{binary}'], LOCKED),
  file('replace a library', ['swap', '{binary}'], LOCKED),
  file('move the program away', ['exchange', '{package}/dist'], LOCKED),
  file('move the installation away', ['exchange', '{install}'], LOCKED),
  file('replace the node that runs gate', ['swap', '{install}/bin/node'], LOCKED),
  file('make node writable', ['chmod', '{install}/bin/node'], LOCKED),
  nested('another node, its mounts let go', ['let_go', '{install}/bin/node', 'unlink'], /^E(BUSY|ROFS)$/),
];

/** A name that was given to what gate loads before, as pnpm's store has one. */
export const BINARY_LINK: readonly Probe[] = [
  file('the database by a hard link made before', ['append', '{home}/database-hard'], LOCKED),
];

/** Where the next gate would find what it loads, if it looked as Node does. */
export const PACKAGES: readonly Probe[] = [
  file('a package of our own before the right one', ['make_folder', '{package}/node_modules'], LOCKED),
  file('exchange the database package', ['exchange_beside', '{packages}/better-sqlite3'], LOCKED),
  file('exchange the program', ['exchange_beside', '{package}'], LOCKED),
  file('move the folder of packages away', ['exchange', '{packages}'], LOCKED),
  file('append to the database', ['append', '{binary}'], LOCKED),
  file('another binary that is looked for first', ['create', '{database}/build/better_sqlite3.node'], LOCKED),
  file('another entry of the package', ['append', '{package}/package.json'], LOCKED),
];

function tool(name: string, args: readonly string[], expect: RegExp, wanted = ''): Probe {
  const gate = ['{install}/bin/node', '{package}/dist/cli.js', ...args];
  return { name, class: CLASS, ...both(py('tool', wanted, '--', ...gate)), expect };
}

export const COMMANDS: readonly Probe[] = [
  tool('gate run inside', ['run', '--', 'echo', 'JAIL IN JAIL'], /^exit 125: .*gate/, 'JAIL IN JAIL'),
  tool(
    'gate run --mode permissive inside',
    ['run', '--mode', 'permissive', '--', 'echo', 'OUT'],
    /^exit 125/,
    'OUT',
  ),
  tool('gate allow inside', ['allow', 'escape.example'], /^exit \d+: .*gate/),
  tool('gate deny --remove inside', ['deny', '--remove', 'denied.test'], /^exit \d+: .*gate/),
  tool('gate passthrough inside', ['passthrough', 'escape.example'], /^exit \d+: .*gate/),
];
