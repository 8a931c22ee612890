import { PERSONAL, type Positive, SECRETS } from './positives.ts';
import { Random } from './random.ts';

/** A text with the one value that must be found in it. */
export interface Sample {
  readonly positive: Positive;
  readonly surrounding: string;
  readonly text: string;
  readonly contentType?: string;
}

type Surround = (text: string, r: Random) => { text: string; contentType?: string };

const sse = (text: string, r: Random, wrap: (piece: string) => string): string => {
  let out = '';
  for (let at = 0; at < text.length; ) {
    const size = 1 + r.below(6);
    out += wrap(text.slice(at, at + size));
    at += size;
  }
  return out;
};

const user = (text: string) => ({ role: 'user', content: `Look at this:\n${text}\nand tell me "why"` });

/** Ways in which a text reaches the wire. */
export const SURROUNDINGS: Readonly<Record<string, Surround>> = {
  plain: (text) => ({ text: `Here it is: ${text}\nThanks` }),
  line: (text) => ({ text: `first\n${text}\nlast` }),
  quoted: (text) => ({ text: `the value '${text}' was in the log` }),
  code: (text) => ({ text: `const client = connect(\`${text}\`);\nawait client.ready();\n` }),
  markdown: (text) => ({ text: `- see\n\n\`\`\`\n${text}\n\`\`\`\n` }),
  json: (text) => ({
    text: JSON.stringify({ model: 'm', messages: [user(text)] }),
    contentType: 'application/json',
  }),
  nestedJson: (text) => ({
    text: JSON.stringify({ input: [{ arguments: JSON.stringify({ command: `cat <<'X'\n${text}\nX` }) }] }),
  }),
  deeplyNestedJson: (text) => ({
    text: JSON.stringify({ a: JSON.stringify({ b: JSON.stringify({ c: `\t${text}\n` }) }) }),
  }),
  unicodeJson: (text) => ({
    text: JSON.stringify({ a: ` ${text} ` }).replace(
      /[@+/=_-]/g,
      (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`,
    ),
  }),
  form: (text) => ({
    text: new URLSearchParams({ a: '1', note: `see ${text} now`, z: '2' }).toString(),
    contentType: 'application/x-www-form-urlencoded',
  }),
  query: (text) => ({ text: `GET /v1/x?q=${encodeURIComponent(`: ${text} `)}&page=2` }),
  base64: (text) => ({ text: Buffer.from(`config:\n  ${text}\n`).toString('base64') }),
  base64InJson: (text) => ({
    text: JSON.stringify({
      type: 'file',
      data: Buffer.from(JSON.stringify({ note: `x\n${text}` })).toString('base64'),
    }),
  }),
  mimeBase64: (text) => ({
    text: `Content-Transfer-Encoding: base64\n\n${(
      Buffer.from(`Dear all,\nplease use this and do not tell anyone else about it:\n${text}\n`)
        .toString('base64')
        .match(/.{1,76}/g) ?? []
    ).join('\r\n')}\r\n--b`,
  }),
  base64url: (text) => ({ text: `state=${Buffer.from(`{"next":" ${text} "}`).toString('base64url')}&x=1` }),
  anthropicStream: (text, r) => ({
    text: sse(
      `Sure: ${text} .`,
      r,
      (piece) =>
        `event: content_block_delta\ndata: ${JSON.stringify({ type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: piece } })}\n\n`,
    ),
    contentType: 'text/event-stream; charset=utf-8',
  }),
  openaiToolStream: (text, r) => ({
    text: sse(
      JSON.stringify({ cmd: `echo\n${text}\n` }),
      r,
      (piece) =>
        `data: ${JSON.stringify({ id: 'chatcmpl-1', choices: [{ index: 0, delta: { tool_calls: [{ index: 0, function: { arguments: piece } }] } }] })}\n\n`,
    ),
  }),
  ndjsonStream: (text, r) => ({
    text: sse(
      `It is ${text} .`,
      r,
      (piece) =>
        `${JSON.stringify({ model: 'm', message: { role: 'assistant', content: piece }, done: false })}\n`,
    ),
    contentType: 'application/x-ndjson',
  }),
  geminiArray: (text, r) => ({
    text: `[${sse(`It is ${text} .`, r, (piece) => `${JSON.stringify({ candidates: [{ content: { parts: [{ text: piece }] } }] })},\n`)}{}]`,
  }),
  multipart: (text) => ({
    text: `--b\r\nContent-Disposition: form-data; name="f"; filename="a.txt"\r\n\r\n${text}\r\n--b--\r\n`,
    contentType: 'multipart/form-data; boundary=b',
  }),
  html: (text) => ({
    text: `<p>Use &quot;${text.replace(/[&<>@]/g, (c) => `&#${c.charCodeAt(0)};`)}&quot;</p>`,
  }),
};

/** Every kind in every surrounding, some rounds of each, from one seed. */
export function corpus(seed: number, rounds: number): Sample[] {
  const r = new Random(seed);
  const out: Sample[] = [];
  for (let round = 0; round < rounds; round++) {
    for (const positive of [...SECRETS, ...PERSONAL]) {
      for (const [surrounding, surround] of Object.entries(SURROUNDINGS)) {
        const framed = (positive.frame ?? '%').replace('%', () => positive.make(r));
        out.push({ positive, surrounding, ...surround(framed, r) });
      }
    }
  }
  return out;
}
