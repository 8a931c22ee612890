import { closeSync } from 'node:fs';
import { isatty } from 'node:tty';

/**
 * Keeps Node from setting the terminal, as it exits, to the modes that it had when Node started: by then they belong
 * to whoever shares the terminal, the pager in `gate run -- x | less` or an editor in front of a job in the
 * background. What a killed command leaves behind is put right by the jail's helper, which knows who had the terminal.
 */
export function leaveTerminalModes(): void {
  process.on('exit', () => {
    // Node passes over a descriptor that is no longer the one it started with.
    for (const fd of [0, 1, 2]) if (isatty(fd)) closeSync(fd);
  });
}
