/** A page of `gate help`. Texts are loaded when they are asked for, so that other commands stay quick. */
export interface Topic {
  readonly name: string;
  readonly summary: string;
  read(): Promise<string>;
}

/** The topics, in the order in which they are listed. */
export const TOPICS: readonly Topic[] = [
  {
    name: 'jail',
    summary: 'what is different inside, and what to do about it',
    read: async () => (await import('./jail.ts')).jail,
  },
  {
    name: 'allowlist',
    summary: 'hosts that the command is meant to use; the grammar of patterns',
    read: async () => (await import('./allowlist.ts')).allowlist,
  },
  {
    name: 'denylist',
    summary: 'hosts that it must not reach',
    read: async () => (await import('./denylist.ts')).denylist,
  },
  {
    name: 'passthrough',
    summary: 'hosts whose connections are not opened',
    read: async () => (await import('./passthrough.ts')).passthrough,
  },
  {
    name: 'filters',
    summary: 'how to say which exchanges are meant',
    read: async () => await (await import('./filters.ts')).filters(),
  },
  {
    name: 'rules',
    summary: 'what is flagged, and how a flag is silenced',
    read: async () => (await import('./rules.ts')).rules(),
  },
  {
    name: 'privacy',
    summary: 'what is recorded, what is masked, what leaves the machine',
    read: async () => (await import('./privacy.ts')).privacy,
  },
  {
    name: 'environment',
    summary: 'variables that are read, set and taken out',
    read: async () => (await import('./environment.ts')).environment(),
  },
  {
    name: 'exit-codes',
    summary: 'what an exit code means',
    read: async () => (await import('./exit-codes.ts')).exitCodes,
  },
];

/** The topics, as help lists them. */
export function topicList(): string {
  const width = Math.max(...TOPICS.map(({ name }) => name.length));
  return TOPICS.map(({ name, summary }) => `  ${name.padEnd(width)}  ${summary}\n`).join('');
}
