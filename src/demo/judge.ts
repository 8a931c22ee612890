import { applyCheck, type Check, type Checked } from './check.ts';
import { deniedHost } from './checks/denied-host.ts';
import { environmentLeak, secretLeak } from './checks/leaks.ts';
import { modelCall } from './checks/model-call.ts';
import { ownFiles } from './checks/own-files.ts';
import { record } from './checks/record.ts';
import { directSocket, jailResolver, ownResolver } from './checks/ways-out.ts';
import type { Evidence } from './evidence.ts';

/** In the order in which they are shown. */
const CHECKS: readonly Check[] = [
  modelCall,
  deniedHost,
  directSocket,
  ownResolver,
  jailResolver,
  ownFiles,
  secretLeak,
  environmentLeak,
  record,
];

/** Judges a demo by what was seen of it. Does nothing else, so that a test can show it false evidence. */
export function judge(evidence: Evidence): Checked[] {
  return CHECKS.map((check) => applyCheck(check, evidence));
}
