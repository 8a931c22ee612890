import { applyRules } from '../rules/apply.ts';
import type { RuleSettings, Subject } from '../rules/rule.ts';
import type { AnalysisFields, Job } from './protocol.ts';

/** What rules are told of a job before anything of its bodies is known. */
export function headSubject(job: Job, { jailed }: { readonly jailed: boolean }): Subject {
  const { host, port, allowlisted, knownMcpHost, denied, protocol, ended } = job;
  return {
    ...{ host, port, allowlisted, knownMcpHost, denied, protocol, ended, jailed },
    responseHeaders: [],
    requestBytes: 0,
    responseBytes: 0,
    dataMessages: 0,
    mcp: false,
    secrets: [],
    toolResults: [],
    failures: [],
  };
}

/** The analysis of an exchange on which the worker died: what its head alone says, and the failure. */
export function headAnalysis(
  job: Job,
  setup: { readonly jailed: boolean; readonly rules: RuleSettings },
  failure: string,
): AnalysisFields {
  const subject = { ...headSubject(job, setup), failures: [failure] };
  return {
    id: job.id,
    ...(job.messages === undefined ? {} : { messages: [...job.messages] as [number, number] }),
    flags: applyRules(subject, setup.rules),
    secrets: [],
    pii: { request: {}, response: {} },
    parser: 'none',
    parserVersion: 0,
  };
}
