import type { MaskSecret } from '../core/mask.ts';
import type { HeaderList } from '../core/record.ts';
import type { MaskText } from './mask-text.ts';
import { isSecretParameter, type MaskUrl } from './mask-url.ts';

interface Masks {
  readonly secret: MaskSecret;
  readonly text: MaskText;
  readonly url: MaskUrl;
  readonly headers: (list: HeaderList) => HeaderList;
}

/** `--api-key`, `--token`, `--github-token`, `--password` …: the next argument, or what follows `=`. */
const SECRET_OPTION =
  /^-{1,2}(?:[\w-]+[-_.])?(?:api-?key|access-?key|secret-?key|key-?secret|token|secret|password|passwd|pass|pwd|auth|bearer|credentials?|cookie)$/i;
/** curl's and wget's ways to give a user with a password, and a header. */
const USER_OPTION = /^(?:-u|--user|--proxy-user|-U)$/;
const HEADER_OPTION = /^(?:-H|--header|--proxy-header)$/;
const COOKIE_OPTION = /^(?:-b|--cookie)$/;
/** `OPENAI_API_KEY=…`, `key=…`: an assignment, as env and make take it. */
const ASSIGNMENT = /^([A-Za-z_][\w.-]*)=(.+)$/s;
const SECRET_VARIABLE =
  /(?:^|[_.-])(?:api_?key|access_?key|secret_?key|key|token|secret|password|passwd|pwd|pass|auth|credentials?|cookie|dsn)$/i;

/** Masks a command line. What an argument means is known by its shape and by the argument before it. */
export function maskArguments(argv: readonly string[], masks: Masks): string[] {
  return argv.map((argument, index) => {
    const before = argv[index - 1];
    if (before !== undefined && isOption(before)) return maskOptionValue(before, argument, masks);
    return maskArgument(argument, masks);
  });
}

function isOption(argument: string): boolean {
  return argument.startsWith('-') && !argument.includes('=');
}

function maskOptionValue(option: string, value: string, masks: Masks): string {
  if (HEADER_OPTION.test(option)) return maskHeaderLine(value, masks);
  if (COOKIE_OPTION.test(option) && value.includes('='))
    return maskHeaderLine(`cookie:${value}`, masks).slice(7);
  if (USER_OPTION.test(option)) return maskUser(value, masks.secret);
  if (SECRET_OPTION.test(option) && !value.startsWith('-')) return masks.secret(value);
  return maskArgument(value, masks);
}

function maskArgument(argument: string, masks: Masks): string {
  const equals = argument.indexOf('=');
  if (argument.startsWith('-') && equals > 0) {
    const option = argument.slice(0, equals);
    return `${option}=${maskOptionValue(option, argument.slice(equals + 1), masks)}`;
  }
  const attached = /^(-H|-u)(.+)$/s.exec(argument);
  if (attached?.[1] !== undefined && attached[2] !== undefined && argument[2] !== '-') {
    return attached[1] + maskOptionValue(attached[1], attached[2], masks);
  }
  return maskAssignment(argument, masks);
}

function maskAssignment(argument: string, masks: Masks): string {
  const [, name, value] = ASSIGNMENT.exec(argument) ?? [];
  if (name !== undefined && value !== undefined && (SECRET_VARIABLE.test(name) || isSecretParameter(name))) {
    return `${name}=${masks.secret(value)}`;
  }
  return maskWords(argument, masks);
}

/** Anything else: URLs and header lines inside it (`bash -c "curl -H 'Authorization: …'"`), and known shapes. */
function maskWords(argument: string, masks: Masks): string {
  const urls = argument.replace(/[a-z][a-z0-9+.-]*:\/\/[^\s'"`]+/gi, (found) => masks.url(found));
  const lines = urls.replace(
    /\b((?:proxy-)?authorization|cookie|x-api-key|api-key|x-goog-api-key)(:\s*)([^'"`\n]+)/gi,
    (_, name: string, colon: string, value: string) => `${name}${colon}${maskOne(name, value, masks)}`,
  );
  return masks.text(
    lines.replace(
      /\b(\w*(?:api_?key|token|secret|password|passwd))=([^\s'"`;&|]+)/gi,
      (whole, name: string, value: string) =>
        value.startsWith('$') || /…|%E2%80%A6/.test(value) ? whole : `${name}=${masks.secret(value)}`,
    ),
  );
}

function maskHeaderLine(line: string, masks: Masks): string {
  const colon = line.indexOf(':');
  if (colon === -1) return maskArgument(line, masks);
  const name = line.slice(0, colon);
  const value = line.slice(colon + 1);
  const start = value.length - value.trimStart().length;
  return `${name}:${value.slice(0, start)}${maskOne(name, value.slice(start), masks)}`;
}

function maskOne(name: string, value: string, masks: Masks): string {
  return masks.headers([[name, value]])[0]?.[1] ?? value;
}

function maskUser(value: string, secret: MaskSecret): string {
  const colon = value.indexOf(':');
  return colon === -1 ? value : `${value.slice(0, colon)}:${secret(value.slice(colon + 1))}`;
}
