import { KINDS } from '../../../src/detect/kinds.ts';

/** Texts made to cost as much as they can: every anchor, every near miss and every encoding, over and over. */
export function hostileTexts(length: number): ReadonlyMap<string, string> {
  const out = new Map<string, string>();
  const add = (name: string, unit: string) =>
    out.set(name, unit.repeat(Math.ceil(length / unit.length)).slice(0, length));
  for (const anchor of new Set(KINDS.flatMap((kind) => kind.anchors ?? []))) {
    add(`anchor ${anchor}`, anchor);
    add(`anchor ${anchor} spaced`, `${anchor} `);
    add(`anchor ${anchor} assigned`, `${anchor}="`);
  }
  for (const [name, unit] of Object.entries(UNITS)) add(name, unit);
  out.set('one long word', 'a'.repeat(length));
  out.set('one long number', '4'.repeat(length));
  out.set(
    'all anchors',
    KINDS.flatMap((kind) => kind.anchors ?? [])
      .join(' ')
      .repeat(20)
      .slice(0, length),
  );
  return out;
}

const UNITS: Readonly<Record<string, string>> = {
  'emails that never end': 'a.',
  'at signs': '@',
  'local parts': 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa@',
  'near emails': 'a@b.c-',
  'domains that never end': 'a@b.c.d.e.f.',
  'hyphenated domains': 'a@---------.',
  'grouped digits': '1234 ',
  'dashed digits': '1234-5678-',
  'digits and dots': '1.',
  'plus digits': '+1 2 3 4 5 6 7 8 9 ',
  parentheses: '(415) 55',
  'phone words': 'phone phone: ',
  'house numbers': '12 Ab ',
  'streets without end': '1 A B C D Street ',
  'iban heads': 'DE12 ',
  'iban words': 'DE89AAAA',
  'upper case and digits': 'AB12CD34',
  'long base64': 'QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVo',
  'base64 lines': `${'QUJD'.repeat(19)}\n`,
  'base64 heads': 'QUJDREVGR0hJSktMTU5P ',
  'jwt heads': 'eyJhbGciOiJIUzI1NiJ9.',
  'jwt words': 'eyJ-',
  'pem heads': '-----BEGIN PRIVATE KEY-----',
  'pem words': `-----BEGIN RSA PRIVATE KEY-----\n${'A B '.repeat(300)}`,
  'url heads': 'a://b:',
  'url without end': 'http://aaaaaaaaaaaaaaaa:bbbbbbbbbbbbbbb/',
  backslashes: '\\',
  'escaped quotes': '\\"',
  'unicode escapes': '\\u0041',
  'escaped backslashes': '\\\\n',
  percents: '%',
  'double percents': '%2525',
  entities: '&amp;',
  'entity heads': '&#',
  braces: '{',
  'json lines': '{"a":"b"}\n',
  'json arrays': '[{"a":"b"},',
  'json keys': '{"a":',
  quotes: '"',
  'sse heads': 'data: {"a":"b"}\n\n',
  'empty sse': 'data:\n\n',
  newlines: '\n',
  nuls: '\0',
  assignments: 'token=token=',
  'quoted assignments': 'password="',
  'spaced assignments': 'secret   :   ',
  'mrz heads': 'P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<',
  'born without a date': 'date of birth ',
  'ip heads': 'client 1.2.3.',
  'sas words': 'sig=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA%3D&',
  'curl flags': ' -u a:b',
};
