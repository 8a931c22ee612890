import { createHash, randomUUID } from 'node:crypto';
import { renameSync } from 'node:fs';
import { mkdir, open, readlink, realpath, stat, unlink } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { codeOf, EXIT, GateError } from '../core/errors.ts';
import { withFileLock } from './file-lock.ts';
import { type Pattern, parsePattern, patternText } from './pattern.ts';
import { readRegular } from './read-regular.ts';
import { stampFile } from './watch.ts';

/** What an edit did: enough for `actions.jsonl` and for a sentence to the person. */
export interface EditResult {
  /** Patterns that were really added or removed; empty where the list said so already. */
  readonly changed: readonly string[];
  /** Hashes of the file's bytes before and after, hex. */
  readonly before: string;
  readonly after: string;
}

/** Tries against an editor that saves at the same moment. */
const ATTEMPTS = 20;

/**
 * Adds patterns at the end of a list file, which is made (0600) where it is missing. What the list already says in
 * another spelling is not added again. Comments, order, line ends, mode and owner stay; a symbolic link is followed.
 * Safe between processes. Throws GateError `bad_pattern` (exit code 2), `list_locked`, `list_busy`, or the system's error.
 */
export async function addPatterns(file: string, texts: readonly string[]): Promise<EditResult> {
  const patterns = parseAll(texts);
  return editFile(file, (content) => {
    const present = new Set(rows(content).map(keyOf));
    const asked = new Map(patterns.map((pattern) => [pattern.key, pattern]));
    const fresh = [...asked.values()].filter(({ key }) => !present.has(key));
    return { content: appendRows(content, fresh), changed: fresh.map(({ text }) => text) };
  });
}

/**
 * Removes the lines of a list file that mean one of the patterns, in whatever spelling. Everything else stays byte
 * for byte. Safe between processes; throws as `addPatterns`.
 */
export async function removePatterns(file: string, texts: readonly string[]): Promise<EditResult> {
  const patterns = parseAll(texts);
  return editFile(file, (content) => {
    const all = rows(content);
    const found = new Set(all.map(keyOf));
    const keys = new Set(patterns.map(({ key }) => key));
    const kept = all.filter((row) => !keys.has(keyOf(row) ?? ''));
    return {
      content: kept.join(''),
      changed: patterns.filter(({ key }) => found.has(key)).map(({ text }) => text),
    };
  });
}

/** Makes the new content of a file, byte for byte as latin1. Nothing changed: the file is left alone. */
export type Change = (content: string) => { readonly content: string; readonly changed: readonly string[] };

function parseAll(texts: readonly string[]): Pattern[] {
  return texts.map((text) => {
    // Written into a file, the rest of such a text would become a comment.
    const result = text.includes('#') ? { problem: "'#' starts a comment" } : parsePattern(text);
    if ('pattern' in result) return result.pattern;
    throw new GateError('bad_pattern', `'${text}': ${result.problem}`, {
      exitCode: EXIT.usage,
      hint: 'gate help allowlist',
    });
  });
}

/**
 * Changes a file atomically, with no other gate in between, and again when an editor saved meanwhile; so `change`
 * may be asked more than once. Made (0600) where it is missing; mode, owner and symbolic links stay. Throws GateError
 * `list_locked`, `list_busy`, what `change` throws, or the system's error.
 */
export async function editFile(link: string, change: Change): Promise<EditResult> {
  const file = await resolveTarget(link);
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  return withFileLock(join(dirname(file), `.${basename(file)}.lock`), async (held) => {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const stamp = stampFile(file);
      const bytes = readRegular(file) ?? Buffer.alloc(0);
      // latin1 keeps every byte of comments that are not UTF-8.
      const { content, changed } = change(bytes.toString('latin1'));
      const next = Buffer.from(content, 'latin1');
      const result = { changed, before: sha256(bytes), after: sha256(next) };
      if (changed.length === 0) return { ...result, after: result.before };
      if (await replace(file, next, stamp, held)) return result;
    }
    throw new GateError('list_busy', `${file} keeps changing while it is edited`);
  });
}

/** The file that a list really is, so that a symbolic link into a dotfiles folder stays one. */
async function resolveTarget(link: string): Promise<string> {
  try {
    return await realpath(link);
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error;
  }
  try {
    return await resolveTarget(resolve(dirname(link), await readlink(link)));
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'EINVAL') return link;
    throw error;
  }
}

/** Writes a new file beside the old and moves it over, unless the old one is no longer what was read. */
async function replace(
  file: string,
  bytes: Buffer,
  stamp: string,
  held: () => Promise<boolean>,
): Promise<boolean> {
  const temporary = join(dirname(file), `.${basename(file)}.${randomUUID()}.tmp`);
  const old = await stat(file).catch(() => undefined);
  try {
    const handle = await open(temporary, 'wx', 0o600);
    try {
      await handle.writeFile(bytes);
      if (old !== undefined) {
        // Only root can give files away; for others the owner is the same anyway.
        await handle.chown(old.uid, old.gid).catch(() => {});
        await handle.chmod(old.mode & 0o777);
      }
      await handle.sync();
    } finally {
      await handle.close();
    }
    // Nothing may come between the last look and the move: an editor does not ask for the lock.
    if (!(await held()) || stampFile(file) !== stamp) return false;
    renameSync(temporary, file);
  } finally {
    await unlink(temporary).catch(() => {});
  }
  await flushFolder(dirname(file));
  return true;
}

async function flushFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Lines with their line ends. */
function rows(content: string): string[] {
  return content.match(/[^\n]*\n|[^\n]+$/g) ?? [];
}

function keyOf(row: string): string | undefined {
  const result = parsePattern(
    patternText(
      Buffer.from(row, 'latin1')
        .toString('utf8')
        .replace(/^\ufeff/, ''),
    ),
  );
  return 'pattern' in result ? result.pattern.key : undefined;
}

function appendRows(content: string, patterns: readonly Pattern[]): string {
  const end = content.includes('\r\n') ? '\r\n' : '\n';
  const gap = content === '' || content.endsWith('\n') ? '' : end;
  const added = patterns.map(({ text }) => `${Buffer.from(text, 'utf8').toString('latin1')}${end}`);
  return added.length === 0 ? content : `${content}${gap}${added.join('')}`;
}

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}
