import { chmodSync, lstatSync, mkdirSync, readdirSync, type Stats } from 'node:fs';
import { join } from 'node:path';
import { codeOf } from '../core/errors.ts';
import { isRunId } from '../core/ids.ts';
import { type GatePaths, runPaths } from '../core/paths.ts';
import { commandLine } from '../output/printable.ts';
import { whyUnreadable } from '../store/readable.ts';
import { fail, type Problem, type Repair, warn } from './check.ts';
import { bitsOf, octal, setMode } from './modes.ts';

const FOLDER = 0o700;
const FILE = 0o600;

/** Finds folders and files of gate's that are missing, somebody else's, or open to others. Reads only. */
export function placeProblems(paths: GatePaths): Problem[] {
  const folders = [paths.config, paths.data].flatMap(folderProblems);
  const below = [paths.caDir, paths.runs].flatMap((path) =>
    statOf(path) === undefined ? [] : folderProblems(path),
  );
  const files = [paths.config, paths.data].flatMap((folder) =>
    namesIn(folder).flatMap((name) => fileProblems(join(folder, name))),
  );
  return [...folders, ...below, ...files, ...runProblems(paths)];
}

function folderProblems(path: string): Problem[] {
  const stat = statOf(path);
  if (stat === undefined) {
    const message = `${path} is not there yet: the first run makes it`;
    return [warn(message, commandLine(['mkdir', '-p', '-m', '700', path]), makeFolder(path))];
  }
  // A link is followed when gate uses the folder; whose modes count is then the target's, and its owner's affair.
  if (stat.isSymbolicLink()) return [];
  if (!stat.isDirectory())
    return [
      fail(
        `${path} is not a folder: gate cannot keep anything there`,
        commandLine(['mv', path, `${path}.aside`]),
      ),
    ];
  return [...ownerProblems(path, stat), ...folderModeProblems(path, stat)];
}

function folderModeProblems(path: string, stat: Stats): Problem[] {
  const bits = bitsOf(stat);
  if (bits === FOLDER) return [];
  const lacks = (FOLDER & ~bits) !== 0;
  const what = lacks ? 'gate cannot write there' : "other users can look into what is gate's alone";
  const message = `${path} has mode ${octal(bits)}: ${what}`;
  return [fail(message, commandLine(['chmod', '700', path]), setMode(path, FOLDER))];
}

function fileProblems(path: string): Problem[] {
  const stat = statOf(path);
  if (stat === undefined || !stat.isFile()) return [];
  return [...ownerProblems(path, stat), ...fileModeProblems(path, stat)];
}

function fileModeProblems(path: string, stat: Stats): Problem[] {
  const bits = bitsOf(stat);
  const fix = commandLine(['chmod', '600', path]);
  const repair = setMode(path, FILE);
  if ((FILE & ~bits) !== 0) return [fail(`${path} has mode ${octal(bits)}: gate cannot use it`, fix, repair)];
  if ((bits & 0o022) !== 0)
    return [fail(`${path} has mode ${octal(bits)}: other users can change it`, fix, repair)];
  // Editors make such files, and the folder around them is closed.
  if ((bits & 0o044) !== 0)
    return [
      warn(`${path} has mode ${octal(bits)}: only its folder keeps others from reading it`, fix, repair),
    ];
  return [];
}

function ownerProblems(path: string, { uid }: Stats): Problem[] {
  const self = process.geteuid?.();
  if (self === undefined || uid === self) return [];
  const fix = `sudo chown -R "$(id -u):$(id -g)" ${commandLine([path])}`;
  if (self !== 0)
    return [fail(`${path} belongs to user ${uid}: gate of user ${self} cannot rely on it`, fix)];
  const message = `${path} belongs to user ${uid}, and this is root: what root's runs write there, that user cannot use`;
  return [warn(message, `run gate as user ${uid}`)];
}

/** The runs are many, so they are told of together. */
function runProblems(paths: GatePaths): Problem[] {
  const { runs } = paths;
  const all = namesIn(runs)
    .filter(isRunId)
    .map((run) => runPaths(paths, run));
  const closed = all.filter((files) => whyUnreadable(files) !== undefined).map(({ dir }) => dir);
  const open = all
    .filter(({ dir }) => !closed.includes(dir))
    .flatMap(({ dir, ledger, pack }) => [dir, ledger, pack])
    .filter((path) => isOpen(statOf(path)));
  return [...closedProblems(runs, closed), ...openProblems(runs, open)];
}

/** Such as those that were made with sudo: everything but these is shown. */
function closedProblems(runs: string, closed: readonly string[]): Problem[] {
  if (closed.length === 0) return [];
  const message = `${closed.length} of the runs cannot be read (${closed[0]}): what they hold is not shown`;
  const fix = `sudo chown -R "$(id -u):$(id -g)" ${commandLine([runs])} && ${commandLine(['chmod', '-R', 'u+rwX', runs])}`;
  return [fail(message, fix)];
}

function openProblems(runs: string, open: readonly string[]): Problem[] {
  if (open.length === 0) return [];
  const what = `close ${open.length} files and folders of runs to others`;
  const close = (): void => {
    for (const path of open) chmodSync(path, (statOf(path)?.mode ?? 0) & 0o700);
  };
  const message = `${open.length} files and folders of runs are open to other users: they hold what was recorded`;
  return [fail(message, commandLine(['chmod', '-R', 'go-rwx', runs]), { what, run: close })];
}

function isOpen(stat: Stats | undefined): boolean {
  return stat !== undefined && !stat.isSymbolicLink() && (stat.mode & 0o077) !== 0;
}

function makeFolder(path: string): Repair {
  return {
    what: `make the folder ${path}`,
    run: () => {
      mkdirSync(path, { recursive: true, mode: FOLDER });
    },
  };
}

/** Links are not followed. Throws the system's error for anything but a missing path. */
function statOf(path: string): Stats | undefined {
  try {
    return lstatSync(path, { throwIfNoEntry: false });
  } catch (error) {
    // Below a file nothing is either; to make something there will say why not.
    if (codeOf(error) === 'ENOTDIR') return undefined;
    throw error;
  }
}

/** None where the folder is missing; one that cannot be read is a problem of its mode or owner already. */
function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if (['ENOENT', 'EACCES', 'ENOTDIR'].includes(codeOf(error) ?? '')) return [];
    throw error;
  }
}
