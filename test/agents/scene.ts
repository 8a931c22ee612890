import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Call } from '../../fixtures/provider/call.ts';
import type { Scenario } from '../../fixtures/provider/scenario.ts';
import { type Provider, type ProviderOptions, startProvider } from '../../fixtures/provider/server.ts';
import type { Identity } from '../e2e/escape/identity.ts';
import { type Run, readRun } from './ledger.ts';
import { createScratch, type Ran, type Scratch } from './scratch.ts';

/** A way to start an agent: what a person would have set up and typed. */
export interface Agent {
  /** Logs in, in that home. */
  logIn?(scratch: Scratch): Promise<unknown> | undefined;
  /** What it needs in its environment besides. */
  readonly env?: Readonly<Record<string, string>>;
  readonly command: readonly string[];
  /** Every host that it is known to call. */
  readonly hosts: readonly string[];
  /** The variable by which it takes another root, where gate does not bring it one. */
  readonly caVariable: string;
  readonly webSocket?: ProviderOptions['webSocket'];
}

/** What one prompt led to. */
export interface Shown {
  readonly ran: Ran;
  /** What the tool call left in the workspace. */
  readonly file: string | undefined;
  readonly calls: readonly Call[];
}

/** The same, and what gate has of it afterwards. */
export interface Gated extends Shown {
  readonly run: Run;
  /** What `gate verify` said. */
  readonly verified: Ran;
}

/** Name of the file that the tool call writes. */
const FILE = 'made-by-the-agent.txt';

/** What the file holds when the agent ran the command. */
export const CONTENT = 'forty-two small bytes from the tool call';

/** The provider's part of the play. */
export const scenario: Scenario = {
  command: `printf '%s' '${CONTENT}' > ${FILE} && cat ${FILE}`,
  finalText: 'The file is written and everything is done.',
};

const CLI = resolve('dist/cli.js');

type Start = (provider: Provider, scratch: Scratch) => Promise<Ran>;

async function play<T>(
  agent: Agent,
  identity: Identity,
  start: Start,
  look: (shown: Shown, scratch: Scratch) => T | Promise<T>,
): Promise<T> {
  const provider = await startProvider({ scenario, webSocket: agent.webSocket ?? 'refuse' });
  const scratch = createScratch(identity);
  try {
    await agent.logIn?.(scratch);
    const ran = await start(provider, scratch);
    return await look({ ran, file: scratch.read(FILE), calls: provider.calls }, scratch);
  } finally {
    scratch.remove();
    await provider.stop();
  }
}

/** The control: the agent outside any jail. A CONNECT proxy leads every host that it names to the provider. */
export function runDirect(agent: Agent, identity: Identity): Promise<Shown> {
  const start: Start = ({ proxyPort, caPath }, scratch) =>
    scratch.run(agent.command, {
      ...agent.env,
      HTTPS_PROXY: `http://127.0.0.1:${proxyPort}`,
      [agent.caVariable]: caPath,
    });
  return play(agent, identity, start, (shown) => shown);
}

/** Why gate cannot be tried as that user: its files may be in a folder that others cannot enter. */
export async function whyNotGated(identity: Identity): Promise<string | undefined> {
  if (!existsSync(CLI)) throw new Error('dist/cli.js is missing: run `npm run build` first');
  const scratch = createScratch(identity);
  const { code } = await scratch.run(['test', '-r', CLI], {});
  scratch.remove();
  return code === 0 ? undefined : `${identity.name} cannot read dist/cli.js`;
}

/**
 * The same command under gate: no base URL, no proxy, no CA variable. It enforces, so that a host which a
 * later release of the agent calls is denied instead of looked up in the world.
 */
export function runGated(agent: Agent, identity: Identity): Promise<Gated> {
  const gate = (scratch: Scratch, args: readonly string[]): Promise<Ran> =>
    scratch.run([process.execPath, CLI, ...args], { ...agent.env, GATE_HOME: scratch.gateHome });
  const start: Start = ({ port, caPath }, scratch) => {
    const hosts = agent.hosts.flatMap((host) => [
      ...['--resolve', `${host}:443:127.0.0.1:${port}`],
      ...['--allow', host],
    ]);
    return gate(scratch, ['run', '--enforce', '--upstream-ca', caPath, ...hosts, '--', ...agent.command]);
  };
  return play(agent, identity, start, async (shown, scratch) => {
    if (!existsSync(scratch.gateHome)) throw new Error(`gate did not start: ${shown.ran.stderr}`);
    return { ...shown, run: readRun(scratch.gateHome), verified: await gate(scratch, ['verify']) };
  });
}
