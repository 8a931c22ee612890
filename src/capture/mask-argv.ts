import type { HeaderList } from '../core/headers.ts';
import type { MaskSecret } from '../core/mask.ts';
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
  // A script: what stands after an assignment in it is a command that the record needs.
  if (option === '-c') return maskWords(value, masks);
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

/** A URL in a text. Its scheme is looked for only where a word begins, and is short: text may be hostile. */
const URL_INSIDE = /(?<![a-z0-9+.-])[a-z][a-z0-9+.-]{0,20}:\/\/[^\s'"`]+/gi;
const HEADER_INSIDE =
  /(?<![\w-])((?:proxy-)?authorization|cookie|x-api-key|api-key|x-goog-api-key)(:\s{0,8})([^'"`\n]+)/gi;
const ASSIGNMENT_INSIDE =
  /(?<!\w)(\w{0,60}(?:api_?key|access_?key|token|secret|password|passwd))=("[^"]*"|'[^']*'|[^\s'"`;&|]+)/gi;

const MEMBER_INSIDE =
  /"([\w-]{0,60}(?:api_?key|access_?key|token|secret|password|passwd))"(\s{0,8}:\s{0,8})"([^"\\]+)"/gi;

/** Anything else: URLs and header lines inside it (`sh -c "curl -H 'Authorization: …'"`), members of JSON, known shapes. */
function maskWords(argument: string, masks: Masks): string {
  const masked = argument
    .replace(URL_INSIDE, (found) => masks.url(found))
    .replace(HEADER_INSIDE, (_, name: string, colon: string, value: string) => {
      return `${name}${colon}${maskOne(name, value, masks)}`;
    })
    .replace(MEMBER_INSIDE, (whole, name: string, colon: string, value: string) =>
      value.includes('…') ? whole : `"${name}"${colon}"${masks.secret(value)}"`,
    )
    .replace(ASSIGNMENT_INSIDE, (whole, name: string, value: string) => {
      const isHarmless = value.startsWith('$') || /…|%E2%80%A6/.test(value);
      return isHarmless ? whole : `${name}=${maskQuoted(value, masks.secret)}`;
    });
  return masks.text(masked);
}

function maskQuoted(value: string, secret: MaskSecret): string {
  const quote = /^["']/.exec(value)?.[0];
  return quote === undefined ? secret(value) : quote + secret(value.slice(1, -1)) + quote;
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
