import { createHash } from 'node:crypto';
import * as der from './der.ts';
import { subjectOf } from './x509.ts';

/**
 * The name under which OpenSSL looks for a certificate in a folder (`openssl x509 -subject_hash`): the first four
 * bytes, little-endian, of SHA-1 over the subject in canonical form. That form (crypto/x509/x_name.c) is the DER
 * of the name without its outermost header, with every text as UTF-8, lower case in ASCII, trimmed, and with one
 * space for each run of white space. Takes the certificate's DER; returns eight hexadecimal digits.
 */
export function subjectHash(certificate: Buffer): string {
  const { name } = subjectOf(certificate);
  const sets = der.elements(der.element(name).content).map(canonicalSet);
  const digest = createHash('sha1').update(Buffer.concat(sets)).digest();
  return digest.readUInt32LE(0).toString(16).padStart(8, '0');
}

function canonicalSet(set: der.Element): Buffer {
  const parts = der.elements(set.content).map((attribute) => {
    const [id, value] = der.elements(attribute.content);
    if (id === undefined || value === undefined) throw new RangeError('DER: not an attribute');
    return der.sequence(id.bytes, canonicalValue(value));
  });
  // The members of a SET OF are ordered by their encoding.
  return der.tlv(der.TAG.set, ...parts.sort(Buffer.compare));
}

function canonicalValue(value: der.Element): Buffer {
  const text = textOf(value);
  if (text === undefined) return value.bytes;
  const plain = text
    .replace(/[\t-\r ]+/g, ' ')
    .replace(/^ | $/g, '')
    .replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
  return der.tlv(der.TAG.utf8String, Buffer.from(plain, 'utf8'));
}

/** The text of a string type; undefined for types that keep their form. */
function textOf({ tag, content }: der.Element): string | undefined {
  switch (tag) {
    case 0x0c: // UTF8String
      return content.toString('utf8');
    case 0x13: // PrintableString
    case 0x14: // T61String
    case 0x16: // IA5String
    case 0x1a: // VisibleString
      return content.toString('latin1');
    case 0x1e: // BMPString: UTF-16, big-endian
      return Buffer.from(content.subarray(0, content.length & ~1))
        .swap16()
        .toString('utf16le');
    case 0x1c: // UniversalString: UTF-32, big-endian
      return utf32(content);
    default:
      return undefined;
  }
}

function utf32(content: Buffer): string {
  let text = '';
  for (let at = 0; at + 4 <= content.length; at += 4) {
    const code = content.readUInt32BE(at);
    text += code <= 0x10ffff ? String.fromCodePoint(code) : '\ufffd';
  }
  return text;
}
