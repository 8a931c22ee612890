import { existsSync } from 'node:fs';
import { type Check, found, type Problem, problemOf, warn } from '../check.ts';

/** Do the variables that gate reads besides its home lead where they can be followed? */
export const environment: Check = {
  id: 'environment',
  title: 'Environment',
  async run({ env, inside }) {
    const { CA_FILE_VARIABLES } = await import('../../ca/roots.ts');
    const { corporateProxies } = await import('../../proxy/corporate/environment.ts');
    const problems = insideProblems(inside);
    try {
      corporateProxies(env);
    } catch (error) {
      problems.push(problemOf(error));
    }
    problems.push(...CA_FILE_VARIABLES.flatMap((name) => missingFile(name, env[name])));
    return found(problems, proxyNames(env));
  },
};

function insideProblems(run: string | undefined): Problem[] {
  if (run === undefined) return [];
  const message = `this is inside gate run ${run}: gate's data and key are out of reach here, as they should be`;
  return [warn(message, 'type `gate doctor` in a terminal outside the jail')];
}

/** What upstream connections are to trust besides the system's certificates. */
function missingFile(name: string, value: string | undefined): Problem[] {
  if (value === undefined || value === '' || existsSync(value)) return [];
  const message = `${name} names ${value}, which does not exist: gate does without it`;
  return [warn(message, `unset ${name}, or put the certificates there`)];
}

function proxyNames(env: NodeJS.ProcessEnv): string {
  const names = ['HTTPS_PROXY', 'HTTP_PROXY', 'ALL_PROXY'].filter(
    (name) => env[name] || env[name.toLowerCase()],
  );
  return names.length === 0
    ? 'no proxy of the network: hosts are dialled directly'
    : `by ${names.join(', ')}`;
}
