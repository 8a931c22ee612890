// Builds dist/: the bundled program and its workers, the licences of what is bundled, and the native helper where there
// is a C compiler.
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { build } from 'esbuild';

rmSync('dist', { recursive: true, force: true });

const workers = ['src/analysis/worker.ts', 'src/demo/agent.ts', 'src/doctor/probe.ts'].filter((file) =>
  existsSync(file),
);

const { metafile } = await build({
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
  // Whole licences are in a file of their own.
  legalComments: 'none',
  metafile: true,
  logLevel: 'warning',
});
chmodSync('dist/cli.js', 0o755);
writeFileSync('dist/THIRD-PARTY-LICENSES.txt', licences(Object.keys(metafile.inputs)));

if (process.platform === 'linux') {
  const made = spawnSync(process.execPath, ['platform/linux/native/build.mjs', 'dist/native'], {
    stdio: 'inherit',
  });
  if (made.status !== 0) process.exitCode = made.status ?? 1;
}

/** The licences of all packages that bundled files come from, as each package ships them. */
function licences(files) {
  const folders = files.map((file) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/.exec(file)?.[0]);
  return [...new Set(folders)].filter(Boolean).sort().map(licence).join('\n');
}

function licence(folder) {
  const { name, version } = JSON.parse(readFileSync(`${folder}/package.json`, 'utf8'));
  const texts = readdirSync(folder).filter((file) => /^(licen[cs]e|notice|copying)/i.test(file));
  if (texts.length === 0) throw new Error(`${folder} is bundled and has no licence file`);
  return [`## ${name} ${version}`, ...texts.map((file) => readFileSync(`${folder}/${file}`, 'utf8'))].join(
    '\n\n',
  );
}
