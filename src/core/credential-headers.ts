/** Request headers whose value is a credential as a whole, besides those whose name says it. */
const NAMED = new Set([
  'authentication',
  'cookie',
  'x-goog-iam-authorization-token',
  'ocp-apim-subscription-key',
  'x-functions-key',
  'x-honeycomb-team',
  'x-rapidapi-key',
  'dd-application-key',
  'x-sentry-auth',
  'x-amz-security-token',
  'x-ms-authorization-auxiliary',
]);
/** x-api-key, x-auth-token, private-token, x-client-secret, x-amz-signature … */
const SECRET_NAME =
  /(?:^|[-_])(?:api[-_]?key|access[-_]?key|auth[-_]?key|token|secret|password|passwd|signature|credentials?|authorization|auth)$/;
const HARMLESS = /(?:csrf|xsrf|request|page|continuation|cancel|next)[-_]?token$/;

/** Whether a header (lower-case name) is a forgery token or a cursor: named like a credential, and none. */
export function isHarmlessHeader(name: string): boolean {
  return HARMLESS.test(name);
}

/** Whether the value of the header (lower-case name) authenticates its sender. For masking, be broader. */
export function isCredentialHeader(name: string): boolean {
  return NAMED.has(name) || (SECRET_NAME.test(name) && !isHarmlessHeader(name));
}

/** Whether a header's value (lower-case name) is to be stored masked as a whole. */
export function isMaskedHeader(name: string): boolean {
  return NAMED.has(name) || SECRET_NAME.test(name);
}
