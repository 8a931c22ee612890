import { X509Certificate } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { certificatesIn, withoutRepeats } from './pem.ts';
import { entries, existing, realPath, type TrustPlaces } from './places.ts';

/**
 * Variables by which tools are told of certificates: each names a PEM file, or a folder of them. Read for gate's
 * own upstream connections, and kept in force in the jail by merging their certificates into its bundle.
 */
export const CA_FILE_VARIABLES = [
  'NODE_EXTRA_CA_CERTS',
  'SSL_CERT_FILE',
  'REQUESTS_CA_BUNDLE',
  'CURL_CA_BUNDLE',
  'GIT_SSL_CAINFO',
  'PIP_CERT',
  'CARGO_HTTP_CAINFO',
  'AWS_CA_BUNDLE',
  'CLOUDSDK_CORE_CUSTOM_CA_CERTS_FILE',
  'GRPC_DEFAULT_SSL_ROOTS_FILE_PATH',
  'DENO_CERT',
  'NPM_CONFIG_CAFILE',
  'npm_config_cafile',
  'YARN_HTTPS_CA_FILE_PATH',
  'NIX_SSL_CERT_FILE',
  'BUNDLE_SSL_CA_CERT',
  'COMPOSER_CAFILE',
  'CONDA_SSL_VERIFY',
  'HTTPLIB2_CA_CERTS',
  'CODEX_CA_CERTIFICATE',
] as const;

/** As `CA_FILE_VARIABLES`, naming folders, several with `:` between them. */
export const CA_FOLDER_VARIABLES = ['SSL_CERT_DIR', 'GIT_SSL_CAPATH'] as const;

/** A bundle or a certificate is smaller; this only keeps a wrong path from filling the memory. */
const MAX_FILE_BYTES = 16 * 1024 * 1024;

/** What the system trusts. */
export interface SystemRoots {
  /** The bundle file, links followed; undefined where the system has none. */
  readonly path: string | undefined;
  /** PEM text, with whatever else the bundle holds. */
  readonly text: string;
  /** The certificates in it as PEM. Split at each call: most starts need none of them one by one. */
  certificates(): string[];
}

/** Reads the system's bundle: the first that exists and holds a certificate, else the hashed folders. */
export function systemRoots(places: TrustPlaces): SystemRoots {
  for (const path of existing(places.bundles)) {
    const text = readPem(path);
    if (text?.includes('-----BEGIN CERTIFICATE-----')) return rootsIn(path, text);
  }
  return rootsIn(undefined, withoutRepeats(existing(places.hashFolders).flatMap(inFolder)).join('\n'));
}

function rootsIn(path: string | undefined, text: string): SystemRoots {
  return { path, text, certificates: () => certificatesIn(text) };
}

/** The certificates that the variables of an environment name, without those that the system has already. */
export function environmentRoots(env: NodeJS.ProcessEnv, system: SystemRoots, places: TrustPlaces): string[] {
  // What comes from the system's own bundle needs no second reading: all variables often point there.
  const bundles = new Set(existing(places.bundles));
  const hashed = new Set(system.path === undefined ? [] : existing(places.hashFolders));
  const files = existing(CA_FILE_VARIABLES.flatMap((name) => env[name] || []));
  const folders = existing(CA_FOLDER_VARIABLES.flatMap((name) => listed(env[name])));
  const found = [
    ...files.filter((path) => !bundles.has(path)).flatMap(inFile),
    ...folders.filter((path) => !hashed.has(path)).flatMap(inFolder),
  ];
  if (found.length === 0) return [];
  // One damaged certificate makes OpenSSL refuse a whole bundle, and this one is read by every tool.
  return withoutRepeats(found, system.certificates()).filter(isReadable);
}

function isReadable(pem: string): boolean {
  try {
    return new X509Certificate(pem).raw.length > 0;
  } catch {
    return false;
  }
}

function listed(value: string | undefined): string[] {
  return (value ?? '').split(delimiter).filter((path) => path !== '');
}

function inFile(path: string): string[] {
  return certificatesIn(readPem(path) ?? '');
}

/** All certificates in a folder, as OpenSSL would find them: hash links (`9a0b1c2d.0`) and PEM files. */
function inFolder(folder: string): string[] {
  const files = entries(folder).filter((name) => /\.(pem|crt|cer|\d+)$/.test(name));
  return existing(files.map((name) => join(folder, name))).flatMap(inFile);
}

/** The text of a regular file; undefined where there is none, it cannot be read, or it is too large to be a bundle. */
export function readPem(path: string): string | undefined {
  try {
    const real = realPath(path);
    const found = real === undefined ? undefined : statSync(real);
    if (real === undefined || !found?.isFile() || found.size > MAX_FILE_BYTES) return undefined;
    return readFileSync(real, 'latin1');
  } catch {
    return undefined;
  }
}
