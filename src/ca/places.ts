import { readdirSync, realpathSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';

/** Where a system keeps the certificates it trusts: paths that may exist. */
export interface TrustPlaces {
  /** PEM bundles. */
  readonly bundles: readonly string[];
  /** Folders that OpenSSL searches by the hash of a subject. */
  readonly hashFolders: readonly string[];
  /** Java key stores. */
  readonly keyStores: readonly string[];
}

/** Bundle files in the order in which Go, curl and OpenSSL packagers look for them, with what uses each. */
const BUNDLES = [
  '/etc/ssl/certs/ca-certificates.crt', // Debian, Ubuntu, Alpine, Arch, Gentoo, Void, NixOS
  '/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem', // Fedora, RHEL
  '/etc/pki/tls/certs/ca-bundle.crt', // older Fedora, RHEL
  '/etc/pki/tls/cert.pem', // OpenSSL's own default there
  '/var/lib/ca-certificates/ca-bundle.pem', // openSUSE
  '/etc/ssl/ca-bundle.pem', // openSUSE's link
  '/etc/ca-certificates/extracted/tls-ca-bundle.pem', // Arch
  '/etc/ssl/certs/ca-bundle.crt', // NixOS
  '/etc/ssl/cert.pem', // Alpine, macOS
] as const;

const HASH_FOLDERS = [
  '/etc/ssl/certs',
  '/etc/pki/tls/certs',
  '/etc/pki/ca-trust/extracted/pem/directory-hash',
  '/var/lib/ca-certificates/openssl',
  '/var/lib/ca-certificates/pem',
] as const;

const KEY_STORES = [
  '/etc/ssl/certs/java/cacerts', // Debian
  '/etc/pki/ca-trust/extracted/java/cacerts', // Fedora
  '/etc/pki/java/cacerts',
  '/etc/ca-certificates/extracted/java-cacerts.jks', // Arch
  '/var/lib/ca-certificates/java-cacerts', // openSUSE
] as const;

/** The places of this system, and of the Java installations that the environment leads to. */
export function trustPlaces(env: NodeJS.ProcessEnv): TrustPlaces {
  const javaHomes = [env['JAVA_HOME'], javaOnPath(env), ...installedJavas(env)];
  return {
    bundles: BUNDLES,
    hashFolders: HASH_FOLDERS,
    keyStores: [
      ...KEY_STORES,
      ...javaHomes.flatMap((home) =>
        home ? [join(home, 'lib/security/cacerts'), join(home, 'jre/lib/security/cacerts')] : [],
      ),
    ],
  };
}

/** `$JAVA_HOME` of the `java` that a command would start: the folder above its `bin`, links followed. */
function javaOnPath(env: NodeJS.ProcessEnv): string | undefined {
  for (const folder of (env['PATH'] ?? '').split(delimiter)) {
    const program = folder === '' ? undefined : realPath(join(folder, 'java'));
    if (program !== undefined) return dirname(dirname(program));
  }
  return undefined;
}

function installedJavas(env: NodeJS.ProcessEnv): string[] {
  const home = env['HOME'];
  const roots = [
    '/usr/lib/jvm',
    ...(home ? [join(home, '.sdkman/candidates/java'), join(home, '.jdks')] : []),
  ];
  return roots.flatMap((root) => entries(root).map((name) => join(root, name)));
}

/** The path with all links followed; undefined where there is nothing or it cannot be reached. */
export function realPath(path: string): string | undefined {
  try {
    return realpathSync(path);
  } catch {
    return undefined;
  }
}

/** The names in a folder; none where it cannot be read. */
export function entries(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

/** Those paths that exist, links followed, each once. */
export function existing(paths: readonly string[]): string[] {
  return [...new Set(paths.flatMap((path) => realPath(path) ?? []))];
}
