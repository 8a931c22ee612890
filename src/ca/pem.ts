const BLOCK = /-----BEGIN ([A-Z0-9 ]{1,40})-----([A-Za-z0-9+/=\s]*)-----END \1-----/g;

/** Writes DER as PEM (RFC 7468) with lines of 64 characters. */
export function toPem(label: string, der: Buffer): string {
  const lines = der.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
}

/** The certificates of a PEM text, in order, each as PEM of its own. Everything between them is left out. */
export function certificatesIn(text: string): string[] {
  const found: string[] = [];
  for (const [block, label] of text.matchAll(BLOCK)) {
    // `TRUSTED CERTIFICATE` carries more than a certificate and is another format.
    if (label === 'CERTIFICATE') found.push(block);
  }
  return found;
}

/** The DER of the first certificate in a PEM text; undefined where there is none. */
export function derOf(pem: string): Buffer | undefined {
  const [block] = certificatesIn(pem);
  return block === undefined ? undefined : Buffer.from(bodyOf(block), 'base64');
}

/** What makes two PEM spellings of one certificate equal: the base64 without white space. */
export function bodyOf(block: string): string {
  return block.replace(/-----[^-]+-----|\s/g, '');
}

/** Leaves out repeated certificates, and those in `known`; keeps the order of the rest. */
export function withoutRepeats(blocks: Iterable<string>, known: Iterable<string> = []): string[] {
  const seen = new Set<string>();
  for (const block of known) seen.add(bodyOf(block));
  const kept: string[] = [];
  for (const block of blocks) {
    const body = bodyOf(block);
    if (seen.has(body)) continue;
    seen.add(body);
    kept.push(block);
  }
  return kept;
}
