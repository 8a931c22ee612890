// Compiles the jail's helper: `node build.mjs OUTDIR` writes OUTDIR/gate-jail, static and for this machine's architecture.
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const outdir = resolve(process.argv[2] ?? join(here, '../../../dist/native'));
const warnings = ['-Wall', '-Wextra', '-Werror', '-Wconversion', '-Wshadow', '-Wstrict-prototypes'];
const hardening = [
  '-fstack-protector-strong',
  '-D_FORTIFY_SOURCE=2',
  '-Wl,-z,relro,-z,now',
  '-Wl,-z,noexecstack',
];
const compiler = process.env['CC'] || 'cc';

const say = (text) => process.stderr.write(`${text}\n`);

/** Why static programs cannot be compiled here, or undefined when they can. */
function missing(scratch) {
  const probe = join(scratch, 'probe.c');
  writeFileSync(
    probe,
    '#include <linux/seccomp.h>\n#include <stdio.h>\nint main(void) { return puts("") < 0; }\n',
  );
  const made = spawnSync(compiler, ['-static', '-o', join(scratch, 'probe'), probe], { encoding: 'utf8' });
  if (made.error) return `no C compiler (${compiler}: ${made.error.code})`;
  if (made.status === 0) return undefined;
  return `${compiler} cannot build static programs: ${(made.stderr || '').trim().split('\n')[0]}`;
}

function compile(scratch) {
  const sources = readdirSync(here).filter((name) => name.endsWith('.c'));
  const target = join(scratch, 'gate-jail');
  const flags = ['-std=gnu11', '-O2', '-pthread', '-static', ...warnings, ...hardening, '-o', target];
  const made = spawnSync(compiler, [...flags, ...sources.sort().map((name) => join(here, name))], {
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  if (made.status !== 0) return false;
  // Renamed into place: a jail that runs right now keeps its own copy.
  renameSync(target, join(outdir, 'gate-jail'));
  return true;
}

mkdirSync(outdir, { recursive: true });
const scratch = mkdtempSync(join(outdir, '.build-'));
try {
  const reason = missing(scratch);
  if (reason) {
    say(`gate: the Linux jail's helper was not built: ${reason}.`);
    say(
      'gate: install one (Debian, Ubuntu: apt install gcc libc6-dev linux-libc-dev; Fedora: dnf install gcc glibc-static kernel-headers;',
    );
    say(
      'gate: Alpine: apk add gcc musl-dev linux-headers) and run `npm run build` again. Until then airtight runs end with 125.',
    );
  } else if (!compile(scratch)) {
    say("gate: the Linux jail's helper does not compile; see the messages above.");
    process.exitCode = 1;
  }
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
