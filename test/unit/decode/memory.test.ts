import { expect, it } from 'vitest';
import { createScanner } from '../../../src/analysis/decode/scan.ts';
import { PERSONAL, SECRETS } from '../detect/positives.ts';
import { Random } from '../detect/random.ts';

const r = new Random(5);

function turn(): { role: string; content: string } {
  const positive = r.pick([...SECRETS, ...PERSONAL]);
  const value = (positive.frame ?? '%').replace('%', () => positive.make(r));
  const filler = Array.from({ length: 60 }, () => `line ${r.alnum(7)} "q" of ${r.digits(3)} words`).join(
    '\n',
  );
  return { role: 'user', content: `${filler}\n${value}\n${filler}` };
}

it('finds in a conversation that grows what a fresh scan finds', () => {
  const fresh = createScanner();
  const remembering = createScanner({ remember: true });
  const messages = Array.from({ length: 12 }, turn);
  for (let i = 0; i < 10; i++) {
    messages.push(turn());
    const body = JSON.stringify({ model: 'm', messages, stream: true, metadata: { note: 'x'.repeat(i) } });
    expect(remembering.scan(body)).toEqual(fresh.scan(body));
  }
});

it('finds the same after changes in the middle and when messages go', () => {
  const fresh = createScanner();
  const remembering = createScanner({ remember: true });
  const messages = Array.from({ length: 40 }, turn);
  for (let i = 0; i < 10; i++) {
    messages.splice(r.below(messages.length), i % 3, turn());
    const body = JSON.stringify({ messages });
    expect(remembering.scan(body)).toEqual(fresh.scan(body));
  }
});
