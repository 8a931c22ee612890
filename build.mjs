// Builds dist/: the bundled program and its worker, and the native helper where there is a C compiler.
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, rmSync } from 'node:fs';
import { build } from 'esbuild';

rmSync('dist', { recursive: true, force: true });

const workers = ['src/analysis/worker.ts', 'src/demo/agent.ts', 'src/doctor/probe.ts'].filter((file) =>
  existsSync(file),
);

await build({
  entryPoints: ['src/cli.ts', ...workers].map((file) => ({
    in: file,
    out: file
      .replace(/^src\//, '')
      .replaceAll('/', '-')
      .replace(/\.ts$/, ''),
  })),
  outdir: 'dist',
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node20.19',
  // CommonJS packages inside an ESM bundle ask for require.
  banner: {
    js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);",
  },
  // Less to read at each start; names stay, for stack traces.
  minifySyntax: true,
  minifyWhitespace: true,
  sourcemap: true,
  legalComments: 'linked',
  logLevel: 'warning',
});
chmodSync('dist/cli.js', 0o755);

if (process.platform === 'linux') {
  const made = spawnSync(process.execPath, ['platform/linux/native/build.mjs', 'dist/native'], {
    stdio: 'inherit',
  });
  if (made.status !== 0) process.exitCode = made.status ?? 1;
}
