import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createSecureContext, rootCertificates, type SecureContext } from 'node:tls';
import { EXIT, GateError, messageOf } from '../core/errors.ts';
import { keychainRoots } from './keychain.ts';
import { certificatesIn, withoutRepeats } from './pem.ts';
import { trustPlaces } from './places.ts';
import { environmentRoots, systemRoots } from './roots.ts';

/**
 * The certificates by which gate's own upstream connections are verified, as PEM, each once: the system's bundle
 * (on a Mac its keychain too), Node's own roots, those that the variables of the user's environment name, and the `--upstream-ca` files.
 * Throws a GateError `bad_upstream_ca` (usage) where such a file cannot be used; what a variable names and is
 * absent is skipped, as the tools that own the variables do.
 */
export function upstreamTrust(env: NodeJS.ProcessEnv, extraFiles: readonly string[]): string[] {
  return joinRoots(env, extraFiles.flatMap(upstreamCaFile));
}

/**
 * Makes the shared TLS context of upstream connections when it is first asked for: parsing some 150 roots takes
 * several milliseconds, which a run that connects to nothing need not pay. The `--upstream-ca` files are read
 * and judged right away, so that a mistake stops the start. Throws as `upstreamTrust`.
 */
export function createUpstreamContext(
  env: NodeJS.ProcessEnv,
  extraFiles: readonly string[],
): () => SecureContext {
  const named = extraFiles.flatMap(upstreamCaFile);
  let context: SecureContext | undefined;
  return () => {
    // One string a certificate: in a joined text Node stops, silently, at the first that it cannot parse.
    context ??= createSecureContext({ ca: joinRoots(env, named) });
    return context;
  };
}

function joinRoots(env: NodeJS.ProcessEnv, named: readonly string[]): string[] {
  const places = trustPlaces(env);
  const system = systemRoots(places);
  const byVariables = environmentRoots(env, system, places);
  return withoutRepeats([
    ...named,
    ...system.certificates(),
    ...rootCertificates,
    ...keychainRoots(),
    ...byVariables,
  ]);
}

function upstreamCaFile(path: string): string[] {
  let found: string[];
  try {
    found = certificatesIn(readFileSync(path, 'latin1'));
    for (const pem of found) new X509Certificate(pem);
  } catch (cause) {
    throw badFile(path, messageOf(cause), cause);
  }
  if (found.length === 0) throw badFile(path, 'it holds no certificate in PEM form');
  return found;
}

function badFile(path: string, reason: string, cause?: unknown): GateError {
  return new GateError('bad_upstream_ca', `cannot use --upstream-ca ${path}: ${reason}`, {
    exitCode: EXIT.usage,
    hint: `openssl x509 -in ${path} -noout -subject`,
    cause,
  });
}
