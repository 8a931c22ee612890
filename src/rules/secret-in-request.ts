import type { SecretSighting } from '../core/analysis.ts';
import { isCredentialHeader } from '../core/credential-headers.ts';
import type { Rule, Subject } from './rule.ts';

const HEADER = 'request.header:';

/** A credential goes where it need not go. */
export const secretInRequest: Rule = {
  code: 'secret_in_request',
  severity: 'high',
  when:
    'A credential is in what leaves: body (decoded), URL, headers, WebSocket messages of the client. ' +
    'The credential header of an allowlisted host is no leak; the same header to an unlisted host is.',
  settings: [],
  check: (subject) => {
    const leaks = subject.secrets.filter((sighting) => isLeak(subject, sighting));
    if (leaks.length === 0) return undefined;
    const shown = [...new Set(leaks.map(({ kind, where }) => `${kind} in ${where}`))];
    const more = shown.length > 3 ? `, and ${shown.length - 3} more` : '';
    return `${shown.slice(0, 3).join(', ')}${more}${subject.denied ? ' (blocked: nothing was sent on)' : ''}`;
  },
};

function isLeak({ allowlisted }: Subject, { where, from }: SecretSighting): boolean {
  if (where === 'response.body' || from === 'server') return false;
  if (!where.startsWith(HEADER)) return true;
  return !(allowlisted && isCredentialHeader(where.slice(HEADER.length)));
}
