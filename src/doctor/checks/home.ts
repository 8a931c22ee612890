import { isAbsolute } from 'node:path';
import { type Check, found, type Problem, warn } from '../check.ts';

/** Where does gate keep things? A relative GATE_HOME throws, and is this check's failure. */
export const home: Check = {
  id: 'home',
  title: 'Home',
  run({ env, paths }) {
    const { config, data } = paths();
    return found(ignored(env), `${config} and ${data}`);
  },
};

/** The XDG specification asks to ignore relative paths, and the person who set one will look in the wrong place. */
function ignored(env: NodeJS.ProcessEnv): Problem[] {
  if (env['GATE_HOME']) return [];
  return ['XDG_CONFIG_HOME', 'XDG_DATA_HOME'].flatMap((name) => {
    const value = env[name];
    if (value === undefined || value === '' || isAbsolute(value)) return [];
    return [
      warn(`${name}=${value} is no absolute path and is ignored`, `unset ${name}, or make it absolute`),
    ];
  });
}
