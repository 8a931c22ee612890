/** The system call filter, from the sides that filters forget. */
import { describe } from 'vitest';
import { compile } from './compile.ts';
import { describeProbes } from './harness.ts';
import { CALLS, NO_NESTING } from './probes/syscalls.ts';

describe('system calls', () => {
  describeProbes('system calls', CALLS, { lay: (scene) => compile(scene, 'foreign') });
  describeProbes('no nested namespaces', NO_NESTING, {
    config: 'version = 1\n[jail]\nnestedNamespaces = false\n',
  });
});
