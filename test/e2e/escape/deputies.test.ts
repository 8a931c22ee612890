/** Daemons outside are out of reach, by whatever name their socket has. */
import { describeProbes } from './harness.ts';
import { isRoot } from './identity.ts';
import { DEPUTIES, SOCKETS, STAGED_SOCKETS } from './probes/deputies.ts';

describeProbes('deputies', DEPUTIES, {
  staged: true,
  // gate itself, like every program, asks nscd who the user is; the probe's own token still tells.
  sockets: isRoot() ? [...SOCKETS, ...STAGED_SOCKETS] : SOCKETS,
  reachable: ['deputy.nscd'],
});
