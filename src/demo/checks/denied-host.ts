import { type Check, fact } from '../check.ts';
import { callTold, exchangeWith } from '../evidence.ts';
import { HOSTS } from '../plan.ts';

const REMEDY = `gate deny --remove ${HOSTS.denied}`;

/** A host on the denylist gets nothing, and the agent gets a reason that it can read. */
export const deniedHost: Check = {
  name: 'denied_host',
  title: 'denied host',
  expected: 'blocked, with an answer that says why',
  facts(evidence) {
    const { status, block, message = '', error } = callTold(evidence.inside, 'denied');
    const { request, end } = exchangeWith(evidence, HOSTS.denied);
    return [
      fact(
        status === 403 && block === 'denylisted',
        '403 denylisted',
        `the agent got ${error ?? `${status} ${block}`}`,
      ),
      fact(message.includes(REMEDY), `"${REMEDY}"`, `the answer does not name the remedy: ${message}`),
      fact(
        request?.decision.verdict === 'deny' && end?.outcome === 'denied',
        '',
        'the refusal is not in the record',
      ),
      fact(!evidence.provider.some(({ host }) => host === HOSTS.denied), '', 'the request went upstream'),
    ];
  },
  id: (evidence) => exchangeWith(evidence, HOSTS.denied).request?.id,
};
