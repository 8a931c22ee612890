import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';

/** gate's contender, bundled. */
export interface BuiltGate {
  readonly file: string;
  remove(): void;
}

const ROOT = join(import.meta.dirname, '../../..');

/** Bundles the contender and the worker as the product's build does, where packages that stay outside are found. */
export async function buildGate(): Promise<BuiltGate> {
  const cache = join(ROOT, 'node_modules/.cache');
  mkdirSync(cache, { recursive: true });
  const outdir = mkdtempSync(join(cache, 'gate-bench-'));
  // Below node_modules a file is CommonJS unless its own folder says otherwise.
  writeFileSync(join(outdir, 'package.json'), '{"type":"module"}');
  await build({
    entryPoints: [
      { in: join(import.meta.dirname, 'processes/gate.ts'), out: 'gate' },
      { in: join(ROOT, 'src/analysis/worker.ts'), out: 'analysis-worker' },
    ],
    outdir,
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20.19',
    external: ['better-sqlite3'],
    banner: {
      js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);",
    },
    minifySyntax: true,
    sourcemap: true,
    logLevel: 'warning',
  });
  return { file: join(outdir, 'gate.js'), remove: () => rmSync(outdir, { recursive: true, force: true }) };
}
