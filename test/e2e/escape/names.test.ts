/** A name that was only ever asked for inside must not be heard of outside. */
import { describeProbes } from './harness.ts';
import { NAMES, ZONE } from './probes/names.ts';

describeProbes('names', NAMES, { staged: true, zone: ZONE });
