import type { Decision } from '../core/decision.ts';
import type { HeaderList } from '../core/headers.ts';
import { shellWord } from '../core/shell.ts';
import { isIpLiteral } from '../policy/host.ts';
import { urlAuthority } from './claim.ts';
import type { UpstreamErrorCode } from './errors.ts';

/** An answer that gate gives itself. */
export interface Answer {
  readonly status: number;
  readonly statusText: string;
  readonly headers: HeaderList;
  readonly body: Buffer;
}

const BLOCKED = "gate blocked this request because of the user's policy:";

const TEXTS: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  403: 'Forbidden',
  405: 'Method Not Allowed',
  407: 'Proxy Authentication Required',
  408: 'Request Timeout',
  421: 'Misdirected Request',
  431: 'Request Header Fields Too Large',
  501: 'Not Implemented',
  502: 'Bad Gateway',
  503: 'Service Unavailable',
  504: 'Gateway Timeout',
  505: 'HTTP Version Not Supported',
};

interface Refusal {
  readonly status: number;
  readonly type: 'gate_blocked' | 'gate_error';
  readonly mark: readonly [string, string] | undefined;
  readonly reason: string;
  readonly host: string;
  readonly message: string;
}

function answer(refusal: Refusal): Answer {
  const { type, reason, host, message } = refusal;
  const body = Buffer.from(`${JSON.stringify({ error: { type, reason, host, message } })}\n`, 'utf8');
  const headers: HeaderList = [
    ['content-type', 'application/json'],
    ['content-length', String(body.length)],
  ];
  if (refusal.mark !== undefined) headers.unshift([refusal.mark[0], refusal.mark[1]]);
  return { status: refusal.status, statusText: TEXTS[refusal.status] ?? 'Error', headers, body };
}

/** The policy says no. Written for an agent that reads it: who decided, what not to try, what the person can type. */
export function blocked(decision: Decision, host: string, port: number): Answer {
  const reason = decision.reason;
  const status = reason === 'host_mismatch' ? 421 : reason === 'bad_host' ? 400 : 403;
  const message = `${because(decision, host, port)} Do not retry and do not work around it: this is the decision of the user who runs you.${remedy(decision, host, port)}`;
  return answer({ status, type: 'gate_blocked', mark: ['x-gate-block', reason], reason, host, message });
}

function because(decision: Decision, host: string, port: number): string {
  const where = urlAuthority(host, port);
  switch (decision.reason) {
    case 'denylisted':
      return `${BLOCKED} ${where} is on the denylist.`;
    case 'not_allowlisted':
      return `${BLOCKED} ${where} is not on the allowlist.`;
    case 'private_destination':
      return `${BLOCKED} ${where} is not a public address.`;
    case 'host_mismatch':
      return `${BLOCKED} its connection, TLS server name and Host do not name the same host.`;
    case 'bad_host':
      return `${BLOCKED} the host that it names is not a valid host.`;
    default:
      return `${BLOCKED} ${where} (${decision.reason}).`;
  }
}

function remedy(decision: Decision, host: string, port: number): string {
  const where = urlAuthority(host, port);
  const pattern = decision.pattern ?? where;
  switch (decision.reason) {
    case 'denylisted':
      return decision.ofRun
        ? ` If it is needed, ask the user to start you again without --deny ${shellWord(pattern)} (it may stand in run.deny of config.toml)`
        : ` If it is needed, ask the user to type: gate deny --remove ${shellWord(pattern)}`;
    case 'not_allowlisted':
      return ` If it is needed, ask the user to type: gate allow ${shellWord(where)}`;
    case 'private_destination':
      return ` If it is needed, ask the user to type: ${opening(host, port)}`;
    default:
      return '';
  }
}

/**
 * What opens a destination that is not public. Loopback and metadata are let in by exact entries only, so the port is
 * always named; a name for this machine is no entry for its loopback, and needs to be sent there.
 */
function opening(host: string, port: number): string {
  const where = urlAuthority(host, port, 0);
  const allow = `gate allow ${shellWord(where)}`;
  if (isIpLiteral(host) || host === 'localhost' || host.endsWith('.localhost')) return allow;
  return `${allow} (if the name stands for this very machine, instead: gate run --resolve ${shellWord(`${where}:127.0.0.1`)})`;
}

/** The origin could not be reached, or broke off before its answer. */
export function upstreamFailed(code: UpstreamErrorCode, host: string, message: string): Answer {
  return answer({
    status: code === 'timeout' ? 504 : 502,
    type: 'gate_error',
    mark: ['x-gate-error', code],
    reason: code,
    host,
    message,
  });
}

/** Nothing can be recorded, so nothing may pass. */
export function auditUnavailable(host: string): Answer {
  return answer({
    status: 503,
    type: 'gate_blocked',
    mark: ['x-gate-block', 'audit_unavailable'],
    reason: 'audit_unavailable',
    host,
    message:
      'gate cannot write its audit trail, so it lets nothing through. Do not work around it; tell the user, who can run: gate doctor',
  });
}

/** What the client sent is no request that gate can pass on. */
export function badRequest(status: number, code: string, message: string): Answer {
  return answer({
    status,
    type: 'gate_error',
    // RFC 9110 §15.5.8: a 407 says how to authenticate.
    mark: status === 407 ? ['proxy-authenticate', 'Basic realm="gate"'] : undefined,
    reason: code,
    host: '',
    message: `gate cannot read this request: ${message}`,
  });
}
