import { type Check, fact } from '../check.ts';
import { recordsOf } from '../evidence.ts';

/** The record as a whole: of an airtight run, verified, and without the key. */
export const record: Check = {
  name: 'record',
  title: 'the record',
  expected: 'airtight, verified, the key nowhere in the ledger',
  facts(evidence) {
    const { ledger, verified, exitCode } = evidence;
    const [start] = recordsOf(evidence, 'run.start');
    const [end] = recordsOf(evidence, 'run.end');
    const widened = String(start?.jail.widened);
    const isAirtight = start?.mode === 'airtight' && widened === `local:${evidence.providerPort}`;
    return [
      fact(exitCode === 0 && end?.exitCode === 0, '', `the run ended with ${exitCode}`),
      fact(
        isAirtight,
        '',
        `the jail was not airtight but for the provider: ${start?.mode}, widened by ${widened}`,
      ),
      fact(
        verified.ok,
        `gate verify: ${ledger.records.length} records, ${verified.bodies} bodies`,
        'gate verify finds the record changed or incomplete',
      ),
      fact(!ledger.text.includes(secretPart(evidence.plan.key)), '', 'the key is in the ledger in clear'),
    ];
  },
  id: () => undefined,
};

/** All of a key but the beginning and end that a mask shows. */
function secretPart(key: string): string {
  return key.slice('sk-ant-'.length, -4);
}
