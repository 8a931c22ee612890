import type { Body } from '../core/body.ts';
import type { PackReader } from '../store/pack-reader.ts';
import { readBodyText } from './bodies.ts';
import { prettyJson } from './decode/pretty.ts';
import type { Scanner } from './decode/scan.ts';

/** A text whose secrets were masked in place. */
export interface MaskedText {
  readonly text: string;
  /** Where a place of the original is in it; of a secret, the beginning of its mask. */
  toMasked(offset: number): number;
}

/** A body as it may be shown: decoded, and without secrets. */
export interface ShownBody {
  /** On the wire. */
  readonly bytes: number;
  readonly sha256: string;
  readonly type?: string;
  readonly encoding?: string;
  /** The client did not send it to its end. */
  readonly incomplete?: true;
  /** Absent where it is no text, or cannot be read. */
  readonly text?: string;
  /** Stored bytes after the text that were not read. */
  readonly left?: number;
  /** Why it could not be read, or not to its end. */
  readonly problem?: string;
}

/** Masks the secrets that are found in a text. */
export function maskText(scanner: Scanner, text: string, contentType?: string): MaskedText {
  const options = contentType === undefined ? {} : { contentType };
  const secrets = scanner.scan(text, options).filter((finding) => finding.class === 'secret');
  const pieces: string[] = [];
  let at = 0;
  for (const { start, end, masked } of secrets) {
    pieces.push(text.slice(at, start), masked);
    at = end;
  }
  pieces.push(text.slice(at));
  return {
    text: pieces.join(''),
    toMasked(offset) {
      let shift = 0;
      for (const { start, end, masked } of secrets) {
        if (offset < start) break;
        if (offset < end) return start + shift;
        shift += masked.length - (end - start);
      }
      return offset + shift;
    },
  };
}

/**
 * Reads a body for the eye: content codings taken off, secrets masked, JSON on lines. Never rejects: what went
 * wrong is the problem. Undefined where there is no body.
 */
export async function showBody(
  pack: PackReader | undefined,
  body: Body | null | undefined,
  scanner: Scanner,
  limit: number,
): Promise<ShownBody | undefined> {
  if (body === null || body === undefined) return undefined;
  const { bytes, sha256, type, encoding } = body;
  const facts = {
    bytes,
    sha256,
    ...(type === undefined ? {} : { type }),
    ...(encoding === undefined ? {} : { encoding }),
    ...(body['incomplete'] === true ? { incomplete: true as const } : {}),
  };
  if (pack === undefined) return { ...facts, problem: 'the file with the bodies of this run is missing' };
  const read = await readBodyText(pack, body, limit);
  if (read === undefined) return { ...facts, text: '' };
  const problem = read.problem === undefined ? {} : { problem: read.problem };
  const left = read.left > 0 ? { left: read.left } : {};
  if (read.text === '' || isBinary(read.text)) return { ...facts, ...left, ...problem };
  return { ...facts, text: maskedForm(scanner, read.text, type), ...left, ...problem };
}

/** Masked before it is laid out, as the detectors know it, and once more, as it is shown. */
function maskedForm(scanner: Scanner, text: string, type: string | undefined): string {
  const masked = maskText(scanner, text, type).text;
  const pretty = prettyJson(masked);
  return pretty === undefined ? masked : maskText(scanner, pretty, type).text;
}

/** Whether what was decoded as text is none: it has NULs, or much of it could not be decoded. */
function isBinary(text: string): boolean {
  const sample = text.slice(0, 4096);
  const odd = sample.match(/[\0\ufffd]/g)?.length ?? 0;
  return sample.includes('\0') || odd > sample.length / 10;
}
