import { createHash, timingSafeEqual } from 'node:crypto';
import type { HeaderList } from '../../core/headers.ts';
import { BadRequest } from '../errors.ts';
import { valuesOf } from './framing.ts';

/**
 * Lets a request to the proxy's own port through if it presents the password, by the Basic scheme (RFC 7617) and
 * under any user; `undefined` asks for nothing. Throws {@link BadRequest} 407.
 */
export function admit(password: string | undefined, headers: HeaderList): void {
  if (password === undefined) return;
  const [field] = valuesOf(headers, 'proxy-authorization');
  // Some tools ask first and present it when told to: the two must be told apart in the record.
  if (field === undefined) throw refusal('proxy_auth_missing', 'this proxy serves one run of gate only');
  const presented = passwordIn(field);
  if (presented === undefined || !isSame(presented, password)) {
    throw refusal('proxy_auth_wrong', 'this is not the password of this run of gate');
  }
}

function refusal(code: string, message: string): BadRequest {
  return new BadRequest(code, message, 407);
}

function passwordIn(field: string): string | undefined {
  const encoded = /^basic +([A-Za-z0-9+/=]+)$/i.exec(field.trim())?.[1];
  const text = encoded === undefined ? undefined : Buffer.from(encoded, 'base64').toString('utf8');
  const colon = text?.indexOf(':') ?? -1;
  return colon < 0 ? undefined : text?.slice(colon + 1);
}

/** Takes as long for a password that is nearly right as for one that is all wrong, and says nothing of its length. */
function isSame(a: string, b: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(a), digest(b));
}
