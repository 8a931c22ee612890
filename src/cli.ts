#!/usr/bin/env node
import { workingFolder } from './core/io.ts';
import { runProgram } from './program.ts';

// A reader that went away (`gate runs | head`) is not an error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  process.stderr.write(`gate: cannot write the output: ${error.message}\n`);
  process.exit(125);
});
// Nobody is left to be told; what the command does, and its exit code, must not depend on that.
process.stderr.on('error', () => {});

// Whatever nobody expected is gate's own failure; the jail ends with this process.
process.on('uncaughtException', (error) => {
  process.stderr.write(`gate: internal error, please report it: ${error.stack ?? error.message}\n`);
  process.exit(125);
});

const exit = await runProgram(process.argv.slice(2), {
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  env: process.env,
  get cwd() {
    return workingFolder();
  },
});

if (typeof exit === 'number') {
  process.exitCode = exit;
} else {
  // A shell tells an interrupted loop from a finished command by the signal itself, so exit code 130 is not enough.
  process.removeAllListeners(exit);
  process.kill(process.pid, exit);
}
