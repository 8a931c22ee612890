// Not all kinds: those of personal data bring a library that the start of a run would wait for.
import { SECRETS } from '../detect/secrets/kinds.ts';

/** Replaces what has the unmistakable shape of a credential, anywhere in a text, by what `replace` makes of it. */
export type MaskText = (text: string) => string;

/** What the detectors know by an exact format. Here it needs no random look: too much masked does no harm. */
const EXACT = SECRETS.filter(
  ({ rank, left, pattern }) => rank <= 1 && left !== 'none' && pattern.flags === '',
).map(({ pattern }) => pattern.source);

/** What the detectors tell by more than a shape; of a webhook, what stands behind the part that everybody knows. */
const SHAPES = [
  ...EXACT,
  'sk-[A-Za-z0-9]{32,}',
  'gh[opsur]_[A-Za-z0-9_]{30,}',
  // Only where a word begins: tokens are long, and looking for one from each place of a long text takes for ever.
  '(?<![\\w-])eyJ[\\w-]{10,}\\.eyJ[\\w-]{10,}\\.[\\w-]*',
  '(?<=hooks\\.slack\\.com/(?:services|workflows|triggers)/)[\\w/-]{30,120}',
  '(?<=discord(?:app)?\\.com/api/(?:v\\d{1,2}/)?webhooks/\\d{16,20}/)[\\w-]{50,90}',
  '(?<=(?<!\\d)\\d{8,10}:)AA[\\w-]{32,34}',
];

/** Makes the mask for free text. */
export function createTextMask(replace: (secret: string) => string): MaskText {
  // Not in the middle of a word: `disk-…` is no key.
  const shape = new RegExp(`(?<![A-Za-z0-9])(?:${SHAPES.join('|')})`, 'g');
  return (text) => text.replace(shape, replace);
}
