import { readFileSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import type { Authority } from './authority.ts';
import { type BrowserPlace, browserPlaces, browserPolicies } from './browsers.ts';
import type { TrustFolder } from './folder.ts';
import { subjectHash } from './hash.ts';
import { addToKeyStore, type TrustedEntry, writeKeyStore } from './jks.ts';
import { derOf, withoutRepeats } from './pem.ts';
import { placeOver } from './place.ts';
import { entries, existing, type TrustPlaces, trustPlaces } from './places.ts';
import { environmentRoots, readPem, systemRoots } from './roots.ts';

/** Where the files of a trust view are to be found by the tools. */
export interface TrustPaths {
  /** gate's certificate alone. */
  readonly ca: string;
  /** The system's certificates, the user's extra ones, and gate's: for tools that replace their own by a file. */
  readonly bundle: string;
  /** gate's and the user's extra ones: for tools that add a file to their own. */
  readonly extra: string;
}

/** What a jail needs so that everything in it trusts gate. */
export interface TrustView {
  /** The only files that the jail sees in gate's CA folder. */
  readonly cover: TrustFolder;
  /** Files laid over the system's own; what is beside them stays visible. No folder lies within another. */
  readonly overlays: readonly TrustFolder[];
  /** Single files to be replaced, where the folder around them is too wide to be made read-only. */
  readonly replaced: readonly { readonly path: string; readonly content: string | Buffer }[];
  readonly paths: TrustPaths;
}

export interface TrustViewOptions {
  readonly authority: Pick<Authority, 'certPem' | 'cert'>;
  /** gate's CA folder, which the jail sees with only the trust files in it. */
  readonly caDir: string;
  /** The user's own environment. */
  readonly env: NodeJS.ProcessEnv;
  /** Where the system keeps its certificates; this system's places where absent. */
  readonly places?: TrustPlaces;
  /** Where browsers take policies from; this system's places where absent. */
  readonly browsers?: readonly BrowserPlace[];
}

const MODE = 0o444;
const ALIAS = 'gate-local-ca';

/** Builds what makes tools trust gate, with their system's own files and without touching them. Reads only. */
export function trustView(options: TrustViewOptions): TrustView {
  const { authority, caDir, env, places = trustPlaces(env), browsers = browserPlaces(env) } = options;
  const paths = trustPaths(caDir);
  const system = systemRoots(places);
  const extra = environmentRoots(env, system, places);
  const certificate = authority.certPem;
  const bundle = joinPem([system.text, ...extra, certificate]);
  const laid = [
    ...bundleFiles(places, certificate, bundle),
    ...hashFiles(places, authority),
    ...keyStoreFiles(places, authority, () => [...system.certificates(), ...extra]),
  ];
  const arranged = arrange(laid);
  return {
    cover: {
      folder: caDir,
      files: [
        { name: 'ca.pem', content: certificate, mode: MODE },
        { name: 'bundle.pem', content: bundle, mode: MODE },
        { name: 'extra.pem', content: joinPem([certificate, ...extra]), mode: MODE },
      ],
    },
    overlays: [...arranged.overlays, ...browserPolicies(authority, paths.ca, browsers)],
    replaced: arranged.replaced,
    paths,
  };
}

/** The paths of the files in a trust view's cover. */
export function trustPaths(folder: string): TrustPaths {
  return { ca: join(folder, 'ca.pem'), bundle: join(folder, 'bundle.pem'), extra: join(folder, 'extra.pem') };
}

/**
 * Writes the files of a trust view's cover into a folder, for modes in which nothing can be mounted, and returns
 * their paths there. Throws the system's errors.
 */
export function writeTrustFiles(view: Pick<TrustView, 'cover'>, folder: string): TrustPaths {
  for (const { name, content } of view.cover.files) placeOver(join(folder, name), content, 0o644);
  return trustPaths(folder);
}

interface LaidFile {
  readonly path: string;
  readonly content: string | Buffer;
}

/** Every bundle keeps its own text, comments and all, and gets the extra certificates behind it. */
function bundleFiles(places: TrustPlaces, certificate: string, whole: string): LaidFile[] {
  return existing(places.bundles).map((path) => {
    const text = readPem(path);
    return { path, content: text === undefined ? whole : `${text.trimEnd()}\n${certificate}` };
  });
}

/** `<subject hash>.<n>` in the folders that OpenSSL searches, with the first free n. */
function hashFiles(places: TrustPlaces, authority: TrustViewOptions['authority']): LaidFile[] {
  const hash = subjectHash(authority.cert.raw);
  return existing(places.hashFolders).map((folder) => {
    const taken = new Set(entries(folder));
    let n = 0;
    while (taken.has(`${hash}.${n}`)) n++;
    return { path: join(folder, `${hash}.${n}`), content: authority.certPem };
  });
}

/**
 * Java's stores with gate's certificate. A store in another format than JKS (PKCS #12 in some builds since
 * Java 18) is replaced by a new one with the system's certificates: reading PKCS #12 would need its ciphers.
 */
function keyStoreFiles(
  places: TrustPlaces,
  authority: TrustViewOptions['authority'],
  roots: () => readonly string[],
): LaidFile[] {
  const added = { alias: ALIAS, certificate: authority.cert.raw };
  return existing(places.keyStores).flatMap((path) => {
    const store = readStore(path);
    if (store === undefined) return [];
    return { path, content: addToKeyStore(store, added) ?? writeKeyStore([...rootEntries(roots()), added]) };
  });
}

function readStore(path: string): Buffer | undefined {
  try {
    return readFileSync(path);
  } catch {
    return undefined;
  }
}

function rootEntries(roots: readonly string[]): TrustedEntry[] {
  return withoutRepeats(roots).flatMap((pem, index) => {
    const certificate = derOf(pem);
    return certificate === undefined ? [] : { alias: `system-${index}`, certificate };
  });
}

function joinPem(parts: readonly string[]): string {
  return parts
    .filter((part) => part !== '')
    .map((part) => `${part.trimEnd()}\n`)
    .join('');
}

/** Overlays by folder, an inner folder's files going into the overlay of the outer one: a later mount would hide it. */
function arrange(files: readonly LaidFile[]): Pick<TrustView, 'overlays' | 'replaced'> {
  const wide = files.filter((file) => isWide(dirname(file.path)));
  const narrow = files.filter((file) => !wide.includes(file));
  const folders: string[] = [];
  for (const folder of narrow.map((file) => dirname(file.path)).sort((a, b) => a.length - b.length)) {
    if (!folders.some((outer) => folder === outer || folder.startsWith(`${outer}/`))) folders.push(folder);
  }
  const overlays = folders.map((folder) => ({
    folder,
    files: narrow
      .filter((file) => dirname(file.path) === folder || file.path.startsWith(`${folder}/`))
      .map((file) => ({ name: relative(folder, file.path), content: file.content, mode: MODE })),
  }));
  return { overlays, replaced: wide };
}

/** Folders such as /etc, that must not turn read-only because a bundle lies right in them. */
function isWide(folder: string): boolean {
  return folder.split('/').filter(Boolean).length < 2 || basename(folder) === 'lib';
}
