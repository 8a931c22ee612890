import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { parse } from 'smol-toml';
import * as z from 'zod';
import { GateError, messageOf } from '../core/errors.ts';

/** What gate knows of an agent (profiles/agents/*.toml). */
const AgentProfile = z.strictObject({
  name: z.string(),
  /** Program names by which it is started. */
  binaries: z.array(z.string()).min(1),
  /** Patterns of the hosts that it cannot work without. */
  hosts: z.array(z.string()),
});
export type AgentProfile = z.infer<typeof AgentProfile>;

/**
 * The profile of the agent that a program name means; undefined for any other program. `folder` is
 * `profiles/agents` of the installation. Throws GateError `bad_profile` for a file that is not one.
 */
export function agentProfile(folder: string, program: string): AgentProfile | undefined {
  const name = basename(program);
  return readProfiles(folder).find(({ binaries }) => binaries.includes(name));
}

function readProfiles(folder: string): AgentProfile[] {
  return readdirSync(folder)
    .filter((file) => file.endsWith('.toml'))
    .map((file) => readProfile(join(folder, file)));
}

function readProfile(file: string): AgentProfile {
  try {
    return AgentProfile.parse(parse(readFileSync(file, 'utf8')));
  } catch (error) {
    throw new GateError('bad_profile', `${file}: ${messageOf(error)}`, {
      hint: 'npm install --global gate-run',
      cause: error,
    });
  }
}
