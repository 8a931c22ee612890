import { charKinds, entropy, isPlaceholder, isScrambled } from '../checks/text.ts';
import { isWeakPassword } from '../checks/tokens.ts';
import type { Kind, Place } from '../types.ts';

const KEY_WORDS =
  'api[_-]?key|apikey|access[_-]?key|secret[_-]?key|private[_-]?key|encryption[_-]?key|signing[_-]?key|master[_-]?key|' +
  'account[_-]?key|auth[_-]?key|client[_-]?secret|app[_-]?secret|secret|token|credentials?';
const PASS_WORDS = 'passwords?|_pass|dbpass|passwd|passphrase|pwd|passwort|mot_de_passe|contrase\u00f1a';

/** After the word: the rest of a name (`_TOKEN_2`), a closing quote, one sign of assignment, an opening quote. */
const ASSIGN = String.raw`[\w.-]{0,20}["'\x60\]]{0,2}[ \t]{0,3}(?:=>|:=|={2,3}(?=[ \t]?["'])|=(?!=)|:)[ \t]{0,3}`;
const VALUE = String.raw`(?:\\?["'\x60](?=[^"'\x60\n\\]{0,256}\\?["'\x60])|(?=[^\s"'\x60]))([^\s"'\x60\\,;<>&)\]}|=]{6,256}={0,2}|(?<=["'\x60])[^"'\x60\n\\]{6,128}(?=\\?["'\x60]))`;

/** Names, calls, paths and types, which is what code puts on the right of such an assignment. */
const CODE =
  /^[A-Za-z_$][\w$]*(?:(?:\.|::|->|\?\.)[A-Za-z_$][\w$]*)+[!?]?$|[({[]|^[\w.]+\[|^(?:https?|file|s3|gs|ssh|git|vault|op|arn|urn):|^(?:\.{0,2}|~)\/[\w.-]+\/|^[$%@:?]|=>|\.(?:json|ya?ml|txt|pem|key|crt|js|ts|py|go|env)$|::/;
const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const WORDS = /^[A-Za-z]+(?:[ _./:-][A-Za-z]+)*[0-9]{0,2}$/;

function isQuoted({ text, start, end }: Place): boolean {
  return /["'`]/.test(text.charAt(start - 1)) && /["'`\\]/.test(text.charAt(end));
}

/** `NAME=value` of an environment: nothing but a value stands there, so shorter ones count. */
function isEnvLine({ text, start }: Place): boolean {
  return /[A-Z_]{3}=["']?$/.test(text.slice(Math.max(0, start - 5), start));
}

/** A key under a telling name: long, random, and neither code nor words. Hex hashes need no second look: named, they are keys. */
function isAssignedKey(value: string, place: Place): boolean {
  if (
    value.length < (isEnvLine(place) ? 12 : 16) ||
    isPlaceholder(value) ||
    CODE.test(value) ||
    WORDS.test(value) ||
    /\s/.test(value)
  )
    return false;
  if (UUID.test(value))
    return /client.?secret|api.?key|apikey/i.test(
      place.text.slice(Math.max(0, place.start - 40), place.start),
    );
  if (!/[0-9]/.test(value) && !(isQuoted(place) && isScrambled(value))) return false;
  // token budgets, dates and versions are numbers, not keys
  if (!/[A-Za-z].*[A-Za-z].*[A-Za-z]/.test(value)) return false;
  return entropy(value) >= (isQuoted(place) ? 3 : 3.3);
}

/** A password is short and made by people, so the name counts more than the entropy; words alone never do. */
function isAssignedPassword(value: string, place: Place): boolean {
  if (isPlaceholder(value) || isWeakPassword(value) || CODE.test(value) || WORDS.test(value)) return false;
  if (/\s.*\s.*\s/.test(value) || /^\s|\s$/.test(value)) return false;
  const kinds = charKinds(value);
  if (/^[0-9.]+$/.test(value) || !/[A-Za-z0-9]/.test(value)) return false;
  if (isQuoted(place)) return kinds >= 2 && entropy(value) >= 2;
  // unquoted, `password: foo_2` in code is a name; a password mixes more
  return (
    value.length >= 7 &&
    kinds >= 2 &&
    entropy(value) >= 2.4 &&
    !/^[a-z_]+[0-9]?$/i.test(value) &&
    endsValue(place)
  );
}

/** After `password is` words may follow as well: a password mixes three kinds of characters, or has digits in it. */
function isSpokenPassword(value: string, place: Place): boolean {
  return (
    isAssignedPassword(value, place) &&
    /[0-9]/.test(value) &&
    /[A-Za-z]/.test(value) &&
    !/^[a-z]+-?[0-9]+$/i.test(value)
  );
}

/** What follows an unquoted value: the end of the line, a space, or the next parameter; not more code. */
function endsValue({ text, end }: Place): boolean {
  return end >= text.length || /[\s&,;"'`<\\|]/.test(text.charAt(end));
}

/** `name = value` where the name says that the value is a secret: env files, YAML, JSON, code, query strings. */
export const ASSIGNED: readonly Kind[] = [
  {
    kind: 'generic_api_key',
    class: 'secret',
    rank: 5,
    anchors: [
      'api_key',
      'api-key',
      'apikey',
      'access_key',
      'access-key',
      'accesskey',
      'secret',
      'token',
      'private_key',
      'privatekey',
      'private-key',
      'encryption_key',
      'encryption-key',
      'signing_key',
      'signing-key',
      'master_key',
      'masterkey',
      'account_key',
      'accountkey',
      'auth_key',
      'authkey',
      'credential',
    ],
    left: 'none',
    pattern: new RegExp(`(?:${KEY_WORDS})${ASSIGN}${VALUE}`, 'i'),
    check: isAssignedKey,
    show: 0,
  },
  {
    kind: 'password',
    class: 'secret',
    rank: 5,
    anchors: ['password', 'passwd', 'passphrase', 'pwd', 'passwort', '_pass', 'dbpass'],
    left: 'none',
    pattern: new RegExp(`(?:${PASS_WORDS})${ASSIGN}${VALUE}`, 'i'),
    check: isAssignedPassword,
    show: 0,
  },
  {
    kind: 'password',
    class: 'secret',
    rank: 5,
    anchors: ['pass=', 'pass:', 'pass"'],
    left: 'alnum',
    pattern: new RegExp(`pass${ASSIGN}${VALUE}`, 'i'),
    check: isAssignedPassword,
    show: 0,
  },
  // in prose and YAML the value goes to the next space, with the marks that end a query's value inside it
  {
    kind: 'password',
    class: 'secret',
    rank: 5,
    anchors: ['password', 'passwd', 'passphrase', 'pwd', 'passwort'],
    left: 'none',
    pattern: new RegExp(
      `(?:${PASS_WORDS})(?::| is:?| was:?) {1,2}([^\\s"'\x60\\\\<>({[][^\\s"'\x60\\\\<>]{4,126}[^\\s"'\x60\\\\<>.,;:)])`,
      'i',
    ),
    check: isSpokenPassword,
    show: 0,
  },
  {
    kind: 'password',
    class: 'secret',
    rank: 5,
    anchors: ['--password ', '--passwd ', '--token ', '--api-key ', '--secret '],
    left: 'none',
    pattern: /--(?:password|passwd|token|api-key|secret) {1,2}["']?([^\s"'`$<>-][^\s"'`$<>]{7,128})/,
    check: (value, place) => isAssignedPassword(value, place) && entropy(value) >= 2.8,
    show: 0,
  },
];
