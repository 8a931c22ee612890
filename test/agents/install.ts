import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import type { TestContext } from 'vitest';

// Pinned: these programs change weekly, and what they say on the network changes with them.
const packages = {
  '@anthropic-ai/claude-code': '2.1.329',
  '@google/gemini-cli': '0.61.0',
  '@openai/codex': '0.169.0',
  'opencode-ai': '1.18.33',
} as const;

const names = ['claude', 'codex', 'gemini', 'opencode'] as const;
export type AgentName = (typeof names)[number];

/** Time for `installAgents` on a slow line. */
export const INSTALL_TIMEOUT_MS = 15 * 60_000;

/** The agents' programs, or why they could not be had. */
export type Installed =
  | ({ readonly unavailable?: undefined } & Readonly<Record<AgentName, string>>)
  | { readonly unavailable: string };

/** Outside the repository, and readable for every user that a test becomes: root's home is not. */
function cacheFolder(): string {
  const versions = Object.values(packages).join('_');
  return join(process.env['XDG_CACHE_HOME'] ?? tmpdir(), 'gate-test-agents', versions);
}

const manifest = JSON.stringify({
  private: true,
  dependencies: packages,
  // Their scripts put the native programs in place.
  allowScripts: { '@anthropic-ai/claude-code': true, 'opencode-ai': true },
});

/** Installs into a neighbour and renames it, so that a broken or parallel install is never taken for a whole one. */
async function install(target: string): Promise<void> {
  await mkdir(join(target, '..'), { recursive: true });
  const made = await mkdtemp(`${target}.`);
  try {
    await writeFile(join(made, 'package.json'), manifest);
    // claude asks for Node 22 but is a native program, which needs none.
    const options = ['--no-fund', '--no-audit', '--no-package-lock', '--engine-strict=false'];
    await execa('npm', ['install', ...options], { cwd: made, timeout: INSTALL_TIMEOUT_MS });
    await execa('chmod', ['-R', 'a+rX', made]);
    if (!existsSync(target)) await rename(made, target);
  } finally {
    await rm(made, { recursive: true, force: true });
  }
}

/** Installs the agents with npm on first use (about 1.3 GB, some minutes on a slow line). Never rejects. */
export async function installAgents(): Promise<Installed> {
  const folder = cacheFolder();
  const bin = (name: string): string => join(folder, 'node_modules', '.bin', name);
  const agents = Object.fromEntries(names.map((name) => [name, bin(name)])) as Record<AgentName, string>;
  try {
    if (!existsSync(folder)) await install(folder);
    for (const program of Object.values(agents)) await execa(program, ['--version'], { timeout: 60_000 });
    return agents;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return { unavailable: `the agents could not be installed with npm: ${reason.slice(0, 500)}` };
  }
}

/** The program of one agent; where there is none, the test is skipped and says why. */
export function programOf(installed: Installed, name: AgentName, { skip }: TestContext): string {
  if (installed.unavailable === undefined) return installed[name];
  return skip(installed.unavailable);
}
