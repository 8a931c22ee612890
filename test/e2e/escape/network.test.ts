/** No packet leaves the jail but through gate, and what was tried is on record. */
import { describeProbes } from './harness.ts';
import { DEVICES, FAMILIES, TO_FAR, TO_LOOPBACK, TO_MACHINE } from './probes/network.ts';

const ALL = [...TO_LOOPBACK, ...TO_MACHINE, ...TO_FAR, ...FAMILIES, ...DEVICES];

describeProbes('direct network', ALL, { staged: true });
