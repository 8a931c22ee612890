import type { Body } from '../../core/body.ts';
import { MASKED } from '../../core/mask.ts';
import { type Check, fact } from '../check.ts';
import { callTold, type Evidence, type Exchange, exchangeWith } from '../evidence.ts';
import { HOSTS } from '../plan.ts';

/** A call of the model's API goes through as if there were no gate, and is recorded to the byte. */
export const modelCall: Check = {
  name: 'model_call',
  title: 'model call',
  expected: 'streamed as it comes, recorded whole',
  facts(evidence) {
    const { status, events = 0, error } = callTold(evidence.inside, 'model');
    const exchange = exchangeWith(evidence, HOSTS.model);
    const call = evidence.provider.find(({ host }) => host === HOSTS.model);
    return [
      fact(
        status === 200 && events > 2,
        `${events} events`,
        `the agent got ${error ?? `${status} and ${events} events`}`,
      ),
      fact(
        call?.held === true,
        'first read before last sent',
        'the first event did not arrive before the last was sent',
      ),
      fact(isComplete(exchange), '', 'the exchange is not in the record, or not as forwarded and complete'),
      fact(
        isSameBytes(evidence, exchange),
        'kept whole',
        'the recorded bodies are not what the provider got and sent',
      ),
      fact(isMasked(exchange), '', 'the key is not masked in the record'),
      fact(exchange.analysis?.llm?.api === 'messages', '', 'it was not read as a model call'),
    ];
  },
  id: (evidence) => exchangeWith(evidence, HOSTS.model).request?.id,
};

function isComplete({ request, response, end }: Exchange): boolean {
  const { decision } = request ?? {};
  const isForwarded = decision?.verdict === 'forward' && decision.reason === 'allowlisted';
  return isForwarded && response?.status === 200 && end?.outcome === 'complete';
}

function isSameBytes({ provider }: Evidence, { request, end }: Exchange): boolean {
  const call = provider.find(({ host }) => host === HOSTS.model);
  const sent = end?.requestBody ?? request?.body;
  return (
    call !== undefined &&
    (sent as Body | null | undefined)?.sha256 === call.requestSha256 &&
    end?.responseBody?.sha256 === call.responseSha256
  );
}

function isMasked({ request }: Exchange): boolean {
  const value = request?.headers.find(([name]) => name.toLowerCase() === 'x-api-key')?.[1];
  return value !== undefined && MASKED.test(value);
}
