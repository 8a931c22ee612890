import { commandLine } from '../../output/printable.ts';
import type { ListsReport } from '../../policy/report.ts';
import { type Check, fail, found, type Problem, warn } from '../check.ts';

/** Can every line of the three lists be read, and does every pattern have an effect? */
export const lists: Check = {
  id: 'lists',
  title: 'Lists',
  needs: ['home'],
  async run({ paths }) {
    const { readLists } = await import('../../policy/report.ts');
    const report = readLists(paths());
    const { allow, deny, passthrough } = report.lists;
    const detail = `${allow.lines.length} allowed, ${deny.lines.length} denied, ${passthrough.lines.length} passed through`;
    return found([...badLines(report), ...conflicts(report)], detail);
  },
};

function badLines({ lists: { deny, allow, passthrough } }: ListsReport): Problem[] {
  return [deny, allow, passthrough].flatMap(({ file, errors }) =>
    errors.map((error) => {
      const line = /^:(\d+): /.exec(error.slice(file.length))?.[1] ?? '';
      return fail(
        `${error}: no run starts`,
        `correct line ${line} of ${file}; \`gate help allowlist\` says how`,
      );
    }),
  );
}

function conflicts(report: ListsReport): Problem[] {
  return report.conflicts.map(({ list, pattern, message }) =>
    warn(message, commandLine(['gate', list, '--remove', pattern])),
  );
}
