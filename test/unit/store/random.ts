/** Numbers that look random and are the same each time (mulberry32). */
export function createRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

export function randomBytesOf(random: () => number, length: number): Buffer {
  return Buffer.from(Array.from({ length }, () => Math.floor(random() * 256)));
}

/** Text of made-up words, each as common as its place in the list is early. About 3:1 by gzip, like prose. */
export function createProse(random: () => number): (bytes: number) => string {
  const words = Array.from({ length: 3000 }, () => word(random));
  return (bytes) => {
    let text = '';
    while (text.length < bytes) text += `${words[Math.floor(random() ** 3 * words.length)] ?? ''} `;
    return text.slice(0, bytes);
  };
}

function word(random: () => number): string {
  const length = 2 + Math.floor(random() * 8);
  const letters = 'etaoinshrdlucmfwypvbgkqjxz';
  return Array.from({ length }, () => letters[Math.floor(random() ** 2 * letters.length)]).join('');
}
