import type { LookupFunction } from 'node:net';

/** Resolves every name to this machine, so that no contender asks anybody else. */
export const lookupLoopback: LookupFunction = (_host, options, callback) => {
  if (options.all === true) callback(null, [{ address: '127.0.0.1', family: 4 }]);
  else callback(null, '127.0.0.1', 4);
};
