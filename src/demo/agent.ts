import { readFileSync, writeSync } from 'node:fs';
import { makeAttempts } from './agent-attempts.ts';
import { makeCalls } from './agent-calls.ts';
import type { AgentLine } from './line.ts';
import { ATTEMPTS, type Attempt, type Plan } from './plan.ts';

/**
 * The sample agent of `gate demo`, a program of its own: `demo-agent.js PLAN [ATTEMPT…]`. It knows nothing of gate.
 * With attempts named it only makes these; else it makes its calls and then every attempt. What it met it says on
 * stdout, as `AgentLine`s.
 */
const [planFile = '', ...named] = process.argv.slice(2);
const plan = JSON.parse(readFileSync(planFile, 'utf8')) as Plan;

/** Written at once, so that nothing is lost whatever ends this process. */
function tell(line: AgentLine): void {
  writeSync(1, `${JSON.stringify(line)}\n`);
}

if (named.length === 0) await makeCalls(plan, tell);
await makeAttempts(plan, named.length === 0 ? ATTEMPTS : (named as Attempt[]), tell);
