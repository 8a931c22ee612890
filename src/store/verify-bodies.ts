import { createHash } from 'node:crypto';
import { Body } from '../core/body.ts';
import { codeOf, messageOf } from '../core/errors.ts';
import type { FindingKind, LineFinding } from './finding.ts';
import type { LedgerLine } from './ledger-reader.ts';
import { openPackIfThere, type PackReader } from './pack-reader.ts';

/** Checks the bodies that lines name, against the hashes that they name with them. */
export interface BodyCheck {
  line(line: LedgerLine): Promise<LineFinding[]>;
  /** Bodies checked so far. */
  readonly bodies: number;
  close(): Promise<void>;
}

/** Fields of records that may hold a body, by CONTRACT's record table. */
const BODY_FIELDS = ['body', 'requestBody', 'responseBody', 'content'];
const KINDS: Readonly<Record<string, FindingKind>> = { body_missing: 'body_missing' };

/** Makes a check over one pack. Without a pack every body is missing. */
export async function createBodyCheck(pack: string): Promise<BodyCheck> {
  const reader = await openPackIfThere(pack, { blocking: true });
  let bodies = 0;

  async function check(line: LedgerLine, field: string, given: unknown): Promise<LineFinding[]> {
    if (typeof given !== 'object' || given === null || 'open' in given) return [];
    const body = Body.safeParse(given);
    if (!body.success) return [finding('body_changed', line, field, 'is not described as a body is')];
    bodies += 1;
    if (reader === undefined) return [finding('body_missing', line, field, 'is gone with its pack')];
    return compare(reader, line, field, body.data);
  }

  return {
    async line(line) {
      const findings: LineFinding[] = [];
      for (const field of BODY_FIELDS) findings.push(...(await check(line, field, line.record?.[field])));
      return findings;
    },
    get bodies() {
      return bodies;
    },
    close: async () => reader?.close(),
  };
}

async function compare(
  reader: PackReader,
  line: LedgerLine,
  field: string,
  body: Body,
): Promise<LineFinding[]> {
  const sha = createHash('sha256');
  let bytes = 0;
  try {
    for await (const piece of reader.stream(body)) {
      sha.update(piece);
      bytes += piece.length;
    }
  } catch (error) {
    return [
      finding(
        KINDS[codeOf(error) ?? ''] ?? 'body_damaged',
        line,
        field,
        `cannot be read: ${messageOf(error)}`,
      ),
    ];
  }
  const isLengthRight = body.stored === 'decoded' || bytes === body.bytes;
  const expected = body.stored === 'decoded' ? body.storedSha256 : body.sha256;
  if (isLengthRight && sha.digest('hex') === expected) return [];
  return [finding('body_changed', line, field, 'is not what was recorded: its hash differs')];
}

function finding(kind: FindingKind, line: LedgerLine, field: string, what: string): LineFinding {
  const number = line.index + 1;
  return { level: 'error', kind, line: number, message: `line ${number}: ${field} ${what}` };
}
