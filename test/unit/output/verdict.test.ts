import { describe, expect, it } from 'vitest';
import { type ShownVerdict, verdictText } from '../../../src/output/verdict.ts';

const HEAD = 'a'.repeat(64);

function run(ok: boolean): ShownVerdict['runs'][number] {
  const message = 'line 2 was edited: the line after it carries another hash';
  const edited = { level: 'error', kind: 'edited_line', file: 'ledger', line: 2, message } as const;
  const id = `01KAKF0000000000000000${ok ? 'GOOD' : 'BADD'}`;
  return { run: id, ok, records: 3, bodies: 1, head: HEAD, findings: ok ? [] : [edited] };
}

describe('verdictText', () => {
  it('names each run, and below it what was found and where', () => {
    const text = verdictText({ ok: false, runs: [run(true), run(false)], findings: [] });
    expect(text.split('\n')).toEqual([
      `ok   00GOOD  3 records, 1 bodies, head ${HEAD}`,
      `BAD  00BADD  3 records, 1 bodies, head ${HEAD}`,
      '     error edited_line (ledger:2): line 2 was edited: the line after it carries another hash',
      'the record was changed or is incomplete (1 of 2 runs)',
      '',
    ]);
  });

  it('says that runs are whole and what they share is not', () => {
    const gone = {
      level: 'error',
      kind: 'missing_run',
      file: 'run',
      message: 'the folder was removed',
    } as const;
    const text = verdictText({ ok: false, runs: [run(true)], findings: [gone] });
    expect(text).toContain('     error missing_run (run): the folder was removed\n');
    expect(text).toMatch(/\nthe record was changed or is incomplete \(1 in what runs share\)\n$/);
  });

  it('counts what is verified', () => {
    expect(verdictText({ ok: true, runs: [run(true)], findings: [] })).toMatch(/\n1 run verified\n$/);
    expect(verdictText({ ok: true, runs: [], findings: [] })).toBe('0 runs verified\n');
  });
});
