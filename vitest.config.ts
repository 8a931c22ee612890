import { defineConfig } from 'vitest/config';
import { explainedSkips } from './test/helpers/skips.ts';

const project = (name: string, timeout: number, serial: boolean) => ({
  extends: true as const,
  test: {
    name,
    include: [`test/${name}/**/*.test.ts`],
    testTimeout: timeout,
    hookTimeout: timeout,
    // Jails, tmux sessions and kill -9 rounds share two cores: one file at a time.
    fileParallelism: !serial,
  },
});

export default defineConfig({
  plugins: [explainedSkips()],
  test: {
    pool: 'forks',
    reporters: ['default'],
    projects: [
      project('unit', 10_000, false),
      project('integration', 30_000, false),
      project('e2e', 120_000, true),
      // Downloads the agents: `npm run test:agents`.
      project('agents', 900_000, true),
    ],
  },
});
