import { expect } from 'vitest';
import type { Call, Wire } from '../../fixtures/provider/call.ts';
import type { Body } from '../../src/core/body.ts';
import type { Recorded, Run } from './ledger.ts';
import { CONTENT, type Gated, type Shown, scenario } from './scene.ts';

const nameOf = ({ method, host, path }: Call): string => `${method} https://${host}${path}`;

/** The model calls of one host: the prompt, then the tool's result. */
export function modelCalls(calls: readonly Call[], host: string): readonly Call[] {
  const found = calls.filter((call) => call.kind === 'model' && call.host === host);
  expect(found.length, calls.map(nameOf).join('\n')).toBeGreaterThan(1);
  return found;
}

/** The agent asked, ran the command, brought its output back and said the last word. */
export function expectPromptCompleted({ ran, file, calls }: Shown, host: string): void {
  expect(ran, `${ran.stdout}\n${ran.stderr}`).toMatchObject({ code: 0 });
  expect(file, ran.stderr).toBe(CONTENT);
  expect(ran.stdout).toContain(scenario.finalText);
  const results = modelCalls(calls, host).flatMap((call) => call.toolResults);
  expect(results.join('\n')).toContain(CONTENT);
}

const isBody = (body: unknown): body is Body => typeof body === 'object' && body !== null && 'sha256' in body;

const wireOf = (body: unknown): Wire | undefined =>
  isBody(body) ? { bytes: body.bytes, sha256: body.sha256 } : undefined;

/** A body that was still on its way when the head was written is whole in the end record. */
const requestBody = ({ request, end }: Recorded): Wire | undefined =>
  wireOf(request.body) ?? wireOf(end?.requestBody);

/** What the ledger has of a call that reached the provider: found by the hash of its body, or by its URL. */
function recordOf(call: Call, { exchanges }: Run): Recorded {
  const found = exchanges.find((each) =>
    call.request.bytes > 0
      ? requestBody(each)?.sha256 === call.request.sha256
      : `${each.request.method} ${each.request.url}` === nameOf(call),
  );
  expect(found, `not in the ledger: ${nameOf(call)}`).toBeDefined();
  return found as Recorded;
}

/** Nothing reached the provider that the ledger does not name. */
export function expectNothingMissed(calls: readonly Call[], run: Run): void {
  for (const call of calls.filter(({ protocol }) => protocol !== 'websocket')) {
    const { request } = recordOf(call, run);
    expect(request).toMatchObject({ host: call.host, port: 443, decision: { verdict: 'forward' } });
  }
}

/** Each model call is there from head to end, with the very bytes that were sent and received. */
export function expectModelCallsRecorded(calls: readonly Call[], run: Run, host: string): void {
  for (const call of modelCalls(calls, host)) {
    const recorded = recordOf(call, run);
    const { method } = call;
    expect(recorded.request).toMatchObject({ host, port: 443, method, url: `https://${host}${call.path}` });
    expect(requestBody(recorded)).toEqual(call.request);
    expect(recorded.response).toMatchObject({ status: 200 });
    expect(recorded.end).toMatchObject({ outcome: 'complete' });
    expect(wireOf(recorded.end?.responseBody)).toEqual(call.response);
  }
}

const TEXT = 1;

/** The WebSocket is one exchange, and every message of both sides is in the ledger. */
export function expectMessagesRecorded(calls: readonly Call[], { exchanges }: Run, host: string): void {
  const socket = exchanges.find(({ request }) => request.protocol === 'websocket' && request.host === host);
  expect(socket?.response).toMatchObject({ status: 101 });
  const texts = (side: string) =>
    (socket?.messages ?? []).filter(({ from, opcode }) => from === side && opcode === TEXT);
  const model = modelCalls(calls, host);
  expect(texts('client').map(({ body }) => wireOf(body))).toEqual(model.map(({ request }) => request));
  const answered = model.reduce((sum, { response }) => sum + response.bytes, 0);
  expect(texts('server').reduce((sum, { body }) => sum + (body?.bytes ?? 0), 0)).toBe(answered);
}

/** The run as a whole: airtight, named after its agent, ended as the agent did, intact, and without the key in clear. */
export function expectRun({ run: { records, text }, verified }: Gated, agent: string, secret: string): void {
  expect(records[0]).toMatchObject({ type: 'run.start', mode: 'airtight', agent: { name: agent } });
  expect(records.at(-1)).toMatchObject({ type: 'run.end', exitCode: 0 });
  expect(text).not.toContain(secret);
  expect(verified, `${verified.stdout}\n${verified.stderr}`).toMatchObject({ code: 0 });
}
