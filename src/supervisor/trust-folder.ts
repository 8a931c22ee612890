import { lstatSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TrustPaths, type TrustView, writeTrustFiles } from '../ca/bundle.ts';
import { GateError, messageOf } from '../core/errors.ts';
import { livenessOf, ownIdentity, ProcessIdentity } from '../store/process-identity.ts';

/** Where a command without a jail finds gate's certificate. */
export interface TrustFolder {
  readonly folder: string;
  readonly paths: TrustPaths;
  remove(): void;
}

const PREFIX = 'gate-trust-';
const OWNER = 'owner.json';
/** A folder without an owner is one that is just being made, or that was left over in that moment. */
const UNOWNED_MS = 60 * 60 * 1000;

/**
 * Writes the certificates of a trust view into a folder of this run's own (0700) below the system's temporary
 * folder, and removes what killed runs of this user have left there. Throws GateError `no_trust_folder`.
 */
export function makeTrustFolder(view: Pick<TrustView, 'cover'>, parent = tmpdir()): TrustFolder {
  removeLeftovers(parent);
  try {
    const folder = mkdtempSync(join(parent, PREFIX));
    writeFileSync(join(folder, OWNER), JSON.stringify(ownIdentity()), { mode: 0o600 });
    const paths = writeTrustFiles(view, folder);
    return { folder, paths, remove: () => removeQuietly(folder) };
  } catch (error) {
    throw new GateError('no_trust_folder', `cannot write gate's certificate: ${messageOf(error)}`, {
      hint: 'set TMPDIR to a folder that you may write to',
      cause: error,
    });
  }
}

/** Others may make folders of this name in a shared /tmp: only this user's own are looked into. */
function removeLeftovers(parent: string): void {
  for (const folder of foldersIn(parent)) {
    try {
      const found = lstatSync(folder);
      if (!found.isDirectory() || found.uid !== process.getuid?.()) continue;
      if (isLeftOver(folder, found.mtimeMs)) removeQuietly(folder);
    } catch {
      // Another run was quicker.
    }
  }
}

function foldersIn(parent: string): string[] {
  try {
    return readdirSync(parent)
      .filter((name) => name.startsWith(PREFIX))
      .map((name) => join(parent, name));
  } catch {
    // A folder that cannot be looked into has nothing that could be removed either.
    return [];
  }
}

function isLeftOver(folder: string, changedMs: number): boolean {
  const owner = readOwner(join(folder, OWNER));
  return owner === undefined ? Date.now() - changedMs > UNOWNED_MS : livenessOf(owner) === 'dead';
}

function readOwner(file: string): ProcessIdentity | undefined {
  try {
    return ProcessIdentity.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch {
    // Being made just now, or left over in that moment: its age tells.
    return undefined;
  }
}

/** What cannot be removed now is removed by a later run. */
function removeQuietly(folder: string): void {
  try {
    rmSync(folder, { recursive: true, force: true });
  } catch {}
}
