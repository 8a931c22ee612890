import { commandLine } from '../../output/printable.ts';
import { type Check, found, warn } from '../check.ts';

const DAY_MS = 24 * 60 * 60 * 1000;
const MIB = 1024 * 1024;
/** Once may be a person with the wrong options. */
const REPEATED = 2;

/** Did clients turn down gate's certificate of late, again and again? They pin their own, and need a tunnel. */
export const clients: Check = {
  id: 'clients',
  title: 'Clients',
  needs: ['home', 'native-module', 'lists'],
  outsideOnly: true,
  async run({ paths }) {
    const { createMatcher } = await import('../../policy/match.ts');
    const { patternsOf, readLists } = await import('../../policy/report.ts');
    const { readRejections } = await import('../../store/rejections.ts');
    const { lists } = readLists(paths());
    const { deny, passthrough } = patternsOf(lists);
    const settled = [createMatcher('deny', deny), createMatcher('passthrough', passthrough)];
    const all = await readRejections(paths(), { since: Date.now() - 7 * DAY_MS, bytes: 32 * MIB });
    const problems = all
      .filter(({ host, port, count }) => count >= REPEATED && !settled.some((list) => list.match(host, port)))
      .map(({ host, port, count }) => {
        const where = `${host.includes(':') ? `[${host}]` : host}:${port}`;
        const message = `clients of ${where} turned down gate's certificate ${count} times in the last week: if they pin their own, they need a tunnel, which gate cannot read`;
        return warn(message, commandLine(['gate', 'passthrough', where]));
      });
    return found(problems, "none turned down gate's certificate again and again in the last week");
  },
};
