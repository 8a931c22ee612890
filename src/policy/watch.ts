import { type FSWatcher, statSync, watch } from 'node:fs';
import { basename, dirname } from 'node:path';

export interface WatchOptions {
  readonly files: readonly string[];
  /** Called once per change, when the file has come to rest. Also for a file that came or went. */
  readonly onChange: (file: string) => void;
  /** What `stampFile` said when the file was last read; a change since then is reported. */
  readonly stamps?: ReadonlyMap<string, string>;
  /** Milliseconds between looks at the files. */
  readonly pollMs?: number;
}

export interface FileWatch {
  stop(): void;
}

interface Watched {
  readonly file: string;
  /** As of the last report. */
  reported: string;
  /** As of the last look, and since when it has been so. */
  seen: string;
  since: number;
  /** When the file first differed from what was reported. */
  dirtySince: number | undefined;
}

const POLL_MS = 400;
/** An edit in place is seen between its writes; a list that is read then is half a list. */
const SETTLE_MS = 60;
/** Editors move the old file away and commands remove it before the new one is there: an absent list is empty. */
const GONE_SETTLE_MS = 300;
/** A file that never rests is read anyway, to keep the promise of one second. */
const MAX_WAIT_MS = 500;

/**
 * Reports changes of files within one second, in whatever way they were made: in place, by rename, by removal, in
 * a folder that did not exist, through a symbolic link. The folders' events make it fast; looking at every file
 * each `pollMs` makes it certain. Keeps no process alive.
 */
export function watchFiles(options: WatchOptions): FileWatch {
  const watched = options.files.map((file): Watched => {
    const stamp = options.stamps?.get(file) ?? stampFile(file);
    return { file, reported: stamp, seen: stamp, since: 0, dirtySince: undefined };
  });
  let settling: NodeJS.Timeout | undefined;
  const look = () => {
    const wait = Math.min(...watched.map((entry) => step(entry, options.onChange)));
    if (settling !== undefined || wait === Number.POSITIVE_INFINITY) return;
    settling = setTimeout(() => {
      settling = undefined;
      look();
    }, wait).unref();
  };
  const folders = watchFolders(options.files, look);
  const poll = setInterval(() => {
    folders.refresh();
    look();
  }, options.pollMs ?? POLL_MS).unref();
  look();
  return {
    stop: () => {
      clearInterval(poll);
      clearTimeout(settling);
      folders.stop();
    },
  };
}

/** A text that changes with the file's contents, time, inode and size; `absent` where there is none. */
export function stampFile(file: string): string {
  try {
    const { dev, ino, size, mtimeNs, ctimeNs, mode } = statSync(file, { bigint: true });
    return [dev, ino, size, mtimeNs, ctimeNs, mode].join(':');
  } catch {
    return 'absent';
  }
}

/** Looks at one file; reports it when it has come to rest, else says in how many ms to look again. */
function step(entry: Watched, onChange: (file: string) => void): number {
  const now = performance.now();
  const stamp = stampFile(entry.file);
  if (stamp !== entry.seen) {
    entry.seen = stamp;
    entry.since = now;
  }
  if (stamp === entry.reported) {
    entry.dirtySince = undefined;
    return Number.POSITIVE_INFINITY;
  }
  entry.dirtySince ??= now;
  const settle = isGone(stamp) ? GONE_SETTLE_MS : SETTLE_MS;
  const due = Math.min(entry.since + settle, entry.dirtySince + MAX_WAIT_MS);
  if (now < due) return Math.max(10, due - now);
  entry.reported = stamp;
  entry.dirtySince = undefined;
  onChange(entry.file);
  return Number.POSITIVE_INFINITY;
}

/** Absent or empty: what a file looks like in the middle of being replaced or truncated. */
function isGone(stamp: string): boolean {
  return stamp === 'absent' || stamp.split(':')[2] === '0';
}

/** Watches the folders of files; `refresh` takes up folders that came into being or were replaced. */
function watchFolders(files: readonly string[], onEvent: () => void): { refresh(): void; stop(): void } {
  const names = new Set(files.map((file) => basename(file)));
  const open = new Map<string, { watcher: FSWatcher; inode: string }>();
  const close = (folder: string) => {
    open.get(folder)?.watcher.close();
    open.delete(folder);
  };
  const refresh = () => {
    for (const folder of new Set(files.map((file) => dirname(file)))) {
      const inode = stampFile(folder).split(':').slice(0, 2).join(':');
      if (open.get(folder)?.inode === inode) continue;
      close(folder);
      if (inode === 'absent') continue;
      try {
        const watcher = watch(folder, { persistent: false }, (_, name) => {
          if (name === null || names.has(name)) onEvent();
        });
        watcher.on('error', () => close(folder));
        open.set(folder, { watcher, inode });
      } catch {
        // Out of inotify watches, or the folder went away: looking at the files is enough.
      }
    }
  };
  refresh();
  return {
    refresh,
    stop: () => {
      for (const folder of [...open.keys()]) close(folder);
    },
  };
}
