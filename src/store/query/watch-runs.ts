import { type FSWatcher, watch } from 'node:fs';
import type { GatePaths } from '../../core/paths.ts';
import { listRuns } from '../runs.ts';

export interface RunWatch {
  stop(): void;
}

/** Events of the file system make it fast, this makes it certain. */
const POLL_MS = 1000;

/**
 * Calls back soon after something was written to a run that goes on, also to runs that begin later. May call
 * without need. Runs that ended are not watched.
 */
export function watchRuns(paths: GatePaths, onChange: () => void): RunWatch {
  const open = new Map<string, FSWatcher>();

  function follow(folder: string, onEvent: () => void): void {
    if (open.has(folder)) return;
    const close = (): void => {
      open.get(folder)?.close();
      open.delete(folder);
    };
    try {
      const watcher = watch(folder, { persistent: false }, onEvent);
      watcher.on('error', close);
      open.set(folder, watcher);
    } catch {
      // Out of watches, or the folder is not there yet: the poll sees what is in it.
    }
  }

  function look(): void {
    follow(paths.data, look);
    const going = listRuns(paths)
      .filter(({ state }) => state === 'running')
      .map(({ dir }) => dir);
    for (const dir of going) follow(dir, onChange);
    for (const [folder, watcher] of open) {
      if (folder === paths.data || going.includes(folder)) continue;
      watcher.close();
      open.delete(folder);
    }
    onChange();
  }

  const poll = setInterval(look, POLL_MS);
  look();
  return {
    stop() {
      clearInterval(poll);
      for (const watcher of open.values()) watcher.close();
      open.clear();
    },
  };
}
