/** Replaces what has the unmistakable shape of a credential, anywhere in a text, by what `replace` makes of it. */
export type MaskText = (text: string) => string;

/** Credentials that vendors made recognisable, in lengths that nothing else has. */
const SHAPES = [
  'sk-(?:ant|proj|svcacct|admin|or|lf)-[\\w-]{20,}',
  'sk-[A-Za-z0-9]{32,}',
  '[rs]k_(?:live|test)_[A-Za-z0-9]{16,}',
  'gh[opsur]_[A-Za-z0-9_]{30,}',
  'github_pat_[A-Za-z0-9_]{30,}',
  'glpat-[\\w-]{20,}',
  'xox[abeprs]-[A-Za-z0-9-]{20,}',
  'xapp-[A-Za-z0-9-]{20,}',
  '(?:AKIA|ASIA)[A-Z0-9]{16}',
  'AIza[\\w-]{35}',
  'ya29\\.[\\w-]{20,}',
  'hf_[A-Za-z0-9]{30,}',
  '(?:gsk|npm)_[A-Za-z0-9]{30,}',
  '(?:xai|pplx|nvapi)-[\\w-]{30,}',
  'dop_v1_[a-f0-9]{64}',
  // Only where a word begins: tokens are long, and looking for one from each place of a long text takes for ever.
  '(?<![\\w-])eyJ[\\w-]{10,}\\.eyJ[\\w-]{10,}\\.[\\w-]*',
];

/** Makes the mask for free text. */
export function createTextMask(replace: (secret: string) => string): MaskText {
  // Not in the middle of a word: `disk-…` is no key.
  const shape = new RegExp(`(?<![A-Za-z0-9])(?:${SHAPES.join('|')})`, 'g');
  return (text) => text.replace(shape, replace);
}
