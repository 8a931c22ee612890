import { type Check, fact } from '../check.ts';
import { callTold, exchangeWith, flagCodes } from '../evidence.ts';
import { HOSTS } from '../plan.ts';

/** A key in a note to a host that is on no list. */
export const secretLeak: Check = {
  name: 'secret_leak',
  title: 'secret sent',
  expected: 'flagged: a secret, and a host on no list',
  facts(evidence) {
    const { status, error } = callTold(evidence.inside, 'secret');
    const exchange = exchangeWith(evidence, HOSTS.collector);
    const codes = flagCodes(exchange);
    const isSeen = exchange.analysis?.secrets.some(
      ({ kind, where }) => kind === 'anthropic_api_key' && where === 'request.body',
    );
    return [
      fact(status === 200, '', `the agent got ${error ?? status}`),
      fact(codes.includes('secret_in_request'), 'secret_in_request', 'no flag secret_in_request'),
      fact(codes.includes('host_not_allowlisted'), 'host_not_allowlisted', 'no flag host_not_allowlisted'),
      fact(isSeen === true, '', 'the key was not recognised in the body'),
    ];
  },
  id: (evidence) => exchangeWith(evidence, HOSTS.collector).request?.id,
};

/** The environment, as the result of a tool, to the model. */
export const environmentLeak: Check = {
  name: 'environment_leak',
  title: 'env to the model',
  expected: 'flagged: an environment in the result of a tool',
  facts(evidence) {
    const { status, error } = callTold(evidence.inside, 'environment');
    const { analysis } = exchangeWith(evidence, HOSTS.model, 1);
    const flag = analysis?.flags.find(({ code }) => code === 'env_in_tool_result');
    return [
      fact(status === 200, '', `the agent got ${error ?? status}`),
      fact(
        flag !== undefined,
        `env_in_tool_result: ${flag?.detail.replace(/ in one result.*/, '')}`,
        'no flag env_in_tool_result',
      ),
    ];
  },
  id: (evidence) => exchangeWith(evidence, HOSTS.model, 1).request?.id,
};
