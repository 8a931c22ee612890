/** Root in the jail is root over its files and over nothing else. */
import { describeProbes } from './harness.ts';
import { ACTS, FILES, WITHOUT_NESTING } from './probes/root.ts';

describeProbes('root', [...FILES, ...ACTS]);
describeProbes('root without nested namespaces', WITHOUT_NESTING, {
  config: 'version = 1\n[jail]\nnestedNamespaces = false\n',
});
