/** The hosts of the demo. Reserved names (RFC 6761): whatever goes wrong, nothing outside answers to them. */
export const HOSTS = {
  /** Allowlisted; the model's API. */
  model: 'model.test',
  /** On the denylist. */
  denied: 'denied.test',
  /** On no list. */
  collector: 'collector.test',
} as const;

/** What the sample agent is to do, as JSON in the file that its command line names. */
export interface Plan {
  /** A made-up key, of the shape of a real one: credential of the model calls, and the secret that leaks. */
  readonly key: string;
  /** Listeners of the demo outside the jail. */
  readonly outside: { readonly address: string; readonly tcpPort: number; readonly udpPort: number };
  /** Names that nobody has asked for before: one for the resolver outside, one for the resolver of the jail. */
  readonly names: { readonly outside: string; readonly jail: string };
  readonly allowlist: string;
  readonly caKey: string;
}

/** The ways out that the agent tries; all but `name` are tried outside the jail first, where they must work. */
export const ATTEMPTS = ['socket', 'resolver', 'name', 'allowlist', 'caKey'] as const;
export type Attempt = (typeof ATTEMPTS)[number];

/** The requests that it makes. */
export const CALLS = ['model', 'denied', 'secret', 'environment'] as const;
export type CallName = (typeof CALLS)[number];
