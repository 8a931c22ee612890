/** Root in the jail is root over its files and over nothing else. */
import { describeProbes } from './harness.ts';
import { ACTS, FILES } from './probes/root.ts';

describeProbes('root', [...FILES, ...ACTS]);
