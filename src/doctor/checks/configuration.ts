import { existsSync, statSync } from 'node:fs';
import { type Check, fail, fine, found, type Problem, problemOf } from '../check.ts';

/** Is `config.toml` right? Each thing that is wrong is told with its line. */
export const configuration: Check = {
  id: 'config',
  title: 'Configuration',
  needs: ['home'],
  async run({ paths }) {
    const { configFile } = paths();
    if (!existsSync(configFile)) return fine('no config.toml: everything has its default');
    // A FIFO would be waited for.
    if (!statSync(configFile).isFile())
      return found([fail(`${configFile} is not a file`, `write a file in its place, or remove it`)], '');
    const { readConfig } = await import('../../policy/config.ts');
    try {
      const { config } = readConfig(configFile);
      return found(config.run.upstreamCa.flatMap(missingCa), configFile);
    } catch (error) {
      const whole = problemOf(error);
      const each = whole.message.split('\n').map((line) => fail(line, fixOf(line, configFile)));
      return found(each, '');
    }
  },
};

function fixOf(line: string, file: string): string {
  const number = /^:(\d+): /.exec(line.startsWith(file) ? line.slice(file.length) : '')?.[1];
  const where = number === undefined ? file : `line ${number} of ${file}`;
  return `correct ${where}; docs/config.md has every key`;
}

function missingCa(file: string): Problem[] {
  if (existsSync(file)) return [];
  return [
    fail(`run.upstreamCa names ${file}, which does not exist: no run starts`, `correct run.upstreamCa`),
  ];
}
