import { type Check, found } from '../check.ts';

/** Does a jail hold? A probe tries to get out of a real one, and does the same outside, where it must work. */
export const jail: Check = {
  id: 'jail',
  title: 'Jail',
  // The jail of a run keeps the native module from being changed, and so must find it.
  needs: ['home', 'native-module', 'helper', 'namespaces', 'hand-over'],
  outsideOnly: true,
  linuxOnly: true,
  limitMs: 10_000,
  async run(context, signal) {
    const { attemptEscape } = await import('../escape/attempt.ts');
    const { judge, waysOut } = await import('../escape/judge.ts');
    const { evidence, isScratch } = await attemptEscape(context, signal);
    const where = isScratch ? ', around a scratch home since the own is not whole' : '';
    const tried = `${waysOut(evidence).length} ways out work outside and not inside`;
    return found(judge(evidence), `${tried}; gate is met and told of refusals${where}`);
  },
};
